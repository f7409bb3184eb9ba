-- The trail: who changed what, which requests were refused, and how many of what happened in an hour.

create table audit (
    number @sequence,
    at bigint not null,
    actor_kind text not null,
    actor text not null,
    actor_name text,
    action text not null,
    subject text not null,
    state_before text,
    state_after text
);

create index audit_by_subject on audit (subject, number);

create index audit_by_action on audit (action, number);

create index audit_by_actor on audit (actor, number);

create index audit_by_age on audit (at);

-- The newest of each client, written behind. No foreign key: a batch must not fail for one client that is gone.
create table refusals (
    number @sequence,
    client_id text not null,
    at bigint not null,
    endpoint text not null,
    request_id text not null,
    error text not null,
    description text not null,
    status bigint not null,
    parameter text,
    expected text,
    got text,
    connection_id bytea
);

create index refusals_by_client on refusals (client_id, number);

create index refusals_by_request on refusals (request_id);

create index refusals_by_age on refusals (at);

alter table connections add column last_refused_at bigint;

alter table connections add column last_error text;

-- How often something happened in an hour, to a client or, with an empty client, to none that is known.
create table counters (
    hour bigint not null,
    client_id text not null,
    name text not null,
    value bigint not null,
    primary key (hour, client_id, name)
);
