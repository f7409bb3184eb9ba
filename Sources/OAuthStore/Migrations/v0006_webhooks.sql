-- Webhooks: what the company is yet to be told, and whether it wants to be told at all.

create table webhook_switch (
    name text primary key,
    is_on bigint not null
);

insert into webhook_switch (name, is_on) values ('webhooks', 0);

-- Written in the transaction that makes or cuts the connection. An attempt is claimed by moving next_at to the end of its lease.
create table webhook_events (
    number @sequence,
    event_id bytea not null,
    type text not null,
    connection_id bytea not null,
    client_id text not null,
    body text not null,
    created_at bigint not null,
    next_at bigint not null,
    attempts bigint not null,
    delivered_at bigint,
    given_up_at bigint,
    last_status bigint,
    last_error text
);

create unique index webhook_events_by_id on webhook_events (event_id);

create index webhook_events_due on webhook_events (next_at) where delivered_at is null and given_up_at is null;

create index webhook_events_open on webhook_events (connection_id, number)
    where delivered_at is null and given_up_at is null;

create index webhook_events_by_age on webhook_events (created_at);

-- A connection that fails: refused again and again within an hour, told at most once a day.
alter table connections add column refused_count bigint;

alter table connections add column failing_told_at bigint;
