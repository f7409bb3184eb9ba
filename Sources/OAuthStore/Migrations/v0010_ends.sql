-- When a connection ends by itself, because nothing refreshes it: with its access token. The sweep cuts it then.

-- It refers to no connection: the sweep has its row before the connection's, and who deletes connections would take them the other
-- way round (ADR 0029).
create table connection_ends (
    connection_id bytea primary key,
    ends_at bigint not null
);

create index connection_ends_by_time on connection_ends (ends_at);
