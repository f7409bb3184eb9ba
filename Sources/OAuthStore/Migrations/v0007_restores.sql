-- Restores: from when on what was under way is believed, and which older releases may still use this schema.

-- A release whose newest step is older than the highest number here must not use the database.
alter table migrations add column compatible_since bigint;

-- When the database was last restored from a backup; 0 for never.
insert into revisions (name, value) values ('epoch', 0);
