-- API keys: only the SHA-256 of the key is stored.
create table api_keys (
    api_key_id bytea primary key,
    digest bytea not null,
    name text not null,
    name_key text not null,
    account_id bytea references accounts (account_id) on delete cascade,
    scope text not null,
    audiences text not null,
    created_at bigint not null,
    last_used_at bigint,
    revoked_at bigint
);

create unique index api_keys_by_digest on api_keys (digest);

create index api_keys_by_account on api_keys (account_id, created_at, api_key_id);

create index api_keys_by_creation on api_keys (created_at, api_key_id);
