-- By which a node finds out what became of a commit whose answer was lost (ADR 0014).

-- 1 while it is known that nobody has ever seen what this redeemed code gave.
alter table codes add column undelivered bigint;

-- 16 random bytes of the request that last moved a refresh token that is good for one use.
alter table connections add column moved_by bytea;
