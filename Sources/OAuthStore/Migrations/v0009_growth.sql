-- Of what an account has, `connections_by_account` finds the few rows; sorting them costs less than an index does (ADR 0022).

drop index connections_alive_by_account;

-- Whether an account is disabled, from a page that is always at hand: hardly any is. The expression is the index's own, so that
-- no planner prefers the account's key.
create unique index accounts_disabled on accounts (substr(account_id, 1)) where disabled_at is not null;
