-- The ledger: clients, accounts, connections, codes, sessions, keys. Times are milliseconds since 1970.

create table clients (
    client_id text primary key,
    registration text not null,
    created_at bigint not null
);

create table client_secrets (
    digest bytea not null,
    client_id text not null references clients (client_id) on delete cascade,
    for_tests bigint not null,
    created_at bigint not null,
    primary key (client_id, digest)
);

create table accounts (
    account_id bytea primary key,
    source text not null,
    external_id text,
    email text not null,
    email_key text not null,
    name text,
    password_hash text,
    created_at bigint not null,
    disabled_at bigint
);

create unique index accounts_by_email on accounts (source, email_key);

create unique index accounts_by_external_id on accounts (source, external_id) where external_id is not null;

-- One row per connection, however often it refreshes.
create table connections (
    connection_id bytea primary key,
    client_id text not null references clients (client_id) on delete cascade,
    account_id bytea not null references accounts (account_id) on delete cascade,
    scope text not null,
    resources text not null,
    nonce bytea not null,
    generation bigint not null,
    created_at bigint not null,
    last_used_at bigint,
    revoked_at bigint,
    revoked_why text
);

create index connections_by_account on connections (account_id, client_id);

create index connections_by_client on connections (client_id, created_at);

create table codes (
    digest bytea primary key,
    transaction_id bytea not null,
    client_id text not null references clients (client_id) on delete cascade,
    account_id bytea not null references accounts (account_id) on delete cascade,
    connection_id bytea not null,
    scope text not null,
    scope_was_asked bigint not null,
    resources text not null,
    redirect_uri text not null,
    redirect_was_named bigint not null,
    challenge text,
    nonce text,
    signed_in_at bigint not null,
    issued_at bigint not null,
    redeemed_at bigint,
    failures bigint not null
);

-- One authorization ends in at most one code, however often its last form is sent.
create unique index codes_by_transaction on codes (transaction_id);

create index codes_by_issue on codes (issued_at);

create table revoked_access_tokens (
    token_id bytea primary key,
    expires_at bigint not null
);

create index revoked_access_tokens_by_expiry on revoked_access_tokens (expires_at);

create table sessions (
    digest bytea primary key,
    account_id bytea not null references accounts (account_id) on delete cascade,
    signed_in_at bigint not null,
    idle_until bigint not null,
    ends_at bigint not null
);

create index sessions_by_account on sessions (account_id);

create index sessions_by_idleness on sessions (idle_until);

create table sign_in_attempts (
    subject bytea primary key,
    since bigint not null,
    failures bigint not null,
    blocked_until bigint not null
);

create index sign_in_attempts_by_age on sign_in_attempts (since);

create table keys (
    key_id text primary key,
    purpose text not null,
    number bigint not null,
    algorithm text not null,
    sealed bytea not null,
    created_at bigint not null,
    active_at bigint not null,
    expires_at bigint
);

-- Of several nodes that make a first key at once, one wins.
create unique index keys_by_number on keys (purpose, number);

-- Counts every change of what nodes keep in memory, so that they notice.
create table revisions (
    name text primary key,
    value bigint not null
);

insert into revisions (name, value) values ('clients', 1), ('keys', 1);
