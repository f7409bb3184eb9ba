-- The people who run the server: operators, their invitations and sessions. And what lists need to stay quick.

create table operators (
    operator_id bytea primary key,
    name text not null,
    email text not null,
    email_key text not null,
    role text not null,
    password_hash text not null,
    created_at bigint not null,
    last_signed_in_at bigint,
    disabled_at bigint
);

create unique index operators_by_email on operators (email_key);

-- A one-time link: only the hash of what it carries is known here, and using it deletes it.
create table operator_invitations (
    digest bytea primary key,
    name text,
    email text,
    role text not null,
    created_at bigint not null,
    expires_at bigint not null
);

create index operator_invitations_by_expiry on operator_invitations (expires_at);

-- The cookie's hash changes at every proof of the password; the session's own id, which forms are bound to, does not.
create table operator_sessions (
    digest bytea primary key,
    session_id bytea not null,
    operator_id bytea not null references operators (operator_id) on delete cascade,
    proved_at bigint not null,
    idle_until bigint not null,
    ends_at bigint not null
);

create index operator_sessions_by_operator on operator_sessions (operator_id);

create index operator_sessions_by_idleness on operator_sessions (idle_until);

-- Forms that make something, each of which counts once, however often it is sent.
create table operator_submissions (
    submission bytea primary key,
    taken_at bigint not null
);

create index operator_submissions_by_age on operator_submissions (taken_at);

-- The words by which clients and accounts are found. Bytes, because they are compared the same way on every engine.
create table client_words (
    word bytea not null,
    client_id text not null references clients (client_id) on delete cascade,
    primary key (word, client_id)
);

create index client_words_by_client on client_words (client_id);

create table account_words (
    word bytea not null,
    account_id bytea not null references accounts (account_id) on delete cascade,
    primary key (word, account_id)
);

create index account_words_by_account on account_words (account_id);

create index clients_by_age on clients (created_at, client_id);

create index accounts_by_age on accounts (created_at, account_id);

create index connections_alive on connections (created_at, connection_id) where revoked_at is null;

create index connections_alive_by_client on connections (client_id, created_at, connection_id) where revoked_at is null;

create index connections_alive_by_account on connections (account_id, created_at, connection_id) where revoked_at is null;
