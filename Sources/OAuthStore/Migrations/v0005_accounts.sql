-- What people see of their sessions, and accounts that sign in at a company's own endpoint.

-- Which browser a session is in, as two words of ours; null where nobody could tell.
alter table sessions add column browser text;

-- An address belongs to one of our own accounts only. Elsewhere the external id says who somebody is, and an address may
-- wander from one to another.
drop index accounts_by_email;

create unique index accounts_by_own_email on accounts (email_key) where source = 'own';

create index accounts_by_source on accounts (source, email_key);
