"""The invariants I1 to I8: what must hold of a ledger and of a database, whatever was broken meanwhile.

I1  A token that was delivered is good, unless its partner must reckon with its end: none is lost.
I2  A code is exchanged successfully once at most.
I3  A connection has one live chain of refresh tokens, and its partner can go on with the newest one it received.
I4  What was revoked, and acknowledged, is never good again.
I5  No code or token is called bad, and no client unknown, without a reason in the ledger.
I6  An error is 503 with `Retry-After`, or a broken connection: never anything else.
I7  After a fault the 99th percentile is back under twice what it was before, within ten seconds.
I8  The database is whole: its own check, its references, and no code that is redeemed without its connection.

I1 to I6 are functions of the ledger, checked after every fault. I8 asks the database, at the end of a scene
(`Scene.must_hold_to_the_end`). I7 needs partners at work before a fault and long after it: F4 checks it, each time.
"""

from __future__ import annotations

import sqlite3
import statistics
from collections import defaultdict
from collections.abc import Callable
from dataclasses import dataclass, field

from .ledger import AUTHORIZE, EXCHANGE, INTROSPECT, REFRESH, REVOKE, Connection, Entry, Ledger

ELSEWHERE = 1.0
"""How many seconds a node may take to know what was revoked on another one."""
BACK_WITHIN = 10.0
"""Within how many seconds after a fault the old pace must be back."""
CALM = 15.0
"""How many seconds before a fault tell what the pace was."""
UNNOTICEABLE = 0.25
"""A percentile below this many seconds is a good one however fast the server was before: the machine is small."""


@dataclass
class Verdict:
    """What an examination found."""

    violations: dict[str, list[str]] = field(default_factory=lambda: defaultdict(list))

    def add(self, invariant: str, texts: list[str]) -> None:
        if texts:
            self.violations[invariant] += texts

    @property
    def broken(self) -> set[str]:
        return set(self.violations)

    def must_hold(self) -> None:
        assert not self.violations, str(self)

    def __str__(self) -> str:
        lines = []
        for invariant, texts in sorted(self.violations.items()):
            lines += [f"{invariant} is broken {len(texts)} times:", *(f"    {text}" for text in texts[:5])]
        return "\n".join(lines) or "everything holds"


def good_tokens_stay_good(connection: Connection) -> list[str]:
    """I1, on every node that was asked."""
    delivered = {token for entry in connection.delivered for token in (entry.access, entry.refresh)}
    lost = []
    for entry in connection.of(INTROSPECT, REFRESH):
        is_refused = entry.is_active is False or entry.is_verdict
        if is_refused and entry.presented in delivered and not connection.why_over(entry.answered):
            lost.append(f"a delivered token is lost: {entry}")
    return lost


def codes_are_good_once(connection: Connection) -> list[str]:
    """I2."""
    times: dict[str, list[Entry]] = defaultdict(list)
    for entry in connection.of(EXCHANGE):
        if entry.is_good:
            times[entry.presented].append(entry)
    return [f"a code was exchanged {len(twice)} times: {twice[-1]}" for twice in times.values() if len(twice) > 1]


def one_chain_goes_on(connection: Connection) -> list[str]:
    """I3."""
    faults = []
    successors: dict[str, list[Entry]] = defaultdict(list)
    for entry in connection.of(REFRESH):
        if entry.is_good:
            successors[entry.presented].append(entry)
    for answers in successors.values():
        chains = len(answers) if connection.policy == "strict" else len({entry.refresh for entry in answers})
        if chains > 1:
            faults.append(f"one refresh token has {chains} successors: {answers[-1]}")
    for entry in connection.of(REFRESH):
        newest = [other.refresh for other in connection.delivered if other.answered < entry.sent]
        is_newest = newest and newest[-1] == entry.presented
        if is_newest and entry.is_verdict and not connection.why_over(entry.answered):
            faults.append(f"the newest token that its partner has is refused: {entry}")
    return faults


def the_revoked_stays_revoked(connection: Connection) -> list[str]:
    """I4."""
    ends = [entry for entry in connection.of(REVOKE) if entry.is_good]
    faults = []
    for end in ends[:1]:
        for entry in connection.of(INTROSPECT, REFRESH):
            known_since = end.answered + (0 if entry.node == end.node else ELSEWHERE)
            is_alive = entry.is_active or (entry.kind == REFRESH and entry.is_good)
            if entry.sent > known_since and is_alive:
                faults.append(f"revoked {entry.sent - end.answered:.1f} s before, and good again: {entry}")
    return faults


def verdicts_have_reasons(connection: Connection) -> list[str]:
    """I5."""
    faults = []
    for entry in (entry for entry in connection.entries if entry.is_verdict):
        if entry.kind == EXCHANGE:
            exchanges = [other for other in connection.of(EXCHANGE) if other.presented == entry.presented]
            others = [other for other in exchanges if other is not entry and other.sent < entry.answered]
            is_explained = any(other.is_good or other.leaves_doubt for other in others)
        else:
            is_explained = connection.why_over(entry.answered)
        if not is_explained:
            faults.append(f"refused without a reason: {entry}")
    return faults


def codes_lost_in_doubt(ledger: Ledger, since: int = 0) -> list[Entry]:
    """The first refusal of each code whose exchange was 503 or without an answer before, and never good.

    I5 lets them pass: where another node is asked, or the first one died, nobody can know better (ADR 0014). They are
    counted beside it, because a person has to connect once more for each. With `since`, only of the later entries.
    """
    lost = []
    for connection in ledger.connections(since):
        seen: dict[str, list[Entry]] = defaultdict(list)
        for entry in connection.of(EXCHANGE):
            seen[entry.presented].append(entry)
        for exchanges in seen.values():
            refusals = [entry for entry in exchanges if entry.is_verdict and entry.number > since]
            if refusals and not any(entry.is_good for entry in exchanges):
                lost += refusals[:1]
    return lost


def errors_are_503(connection: Connection) -> list[str]:
    """I6."""
    faults = []
    for entry in connection.entries:
        if entry.status is None or entry.is_good or entry.is_verdict:
            continue
        if entry.status != 503:
            faults.append(f"an error other than 503: {entry}")
        elif not entry.retry_after:
            faults.append(f"a 503 that does not say when to try again: {entry}")
    return faults


OF_A_CONNECTION: dict[str, Callable[[Connection], list[str]]] = {
    "I1": good_tokens_stay_good,
    "I2": codes_are_good_once,
    "I3": one_chain_goes_on,
    "I4": the_revoked_stays_revoked,
    "I5": verdicts_have_reasons,
    "I6": errors_are_503,
}


def judge(ledger: Ledger, database=None, since: int = 0) -> Verdict:
    """Checks I1 to I6 of a ledger, and I8 of the database behind it.

    With `since`, only connections about which something was asked after the first so many entries.
    """
    verdict = Verdict()
    for connection in ledger.connections(since):
        for invariant, check in OF_A_CONNECTION.items():
            verdict.add(invariant, check(connection))
    if database is not None:
        verdict.add("I8", what_is_not_whole(database))
    return verdict


def percentile(values: list[float], percent: int) -> float:
    """A percentile; of few values the largest."""
    return statistics.quantiles(values, n=100)[percent - 1] if len(values) >= 100 else max(values, default=0.0)


def the_pace_is_back(ledger: Ledger, began: float, ended: float) -> list[str]:
    """I7: of a fault between two moments, with partners at work before and for twelve seconds after it."""
    good = [entry for entry in ledger.entries if entry.is_good and entry.kind != AUTHORIZE]
    before = percentile([entry.seconds for entry in good if began - CALM < entry.answered < began], 99)
    seen = []
    for second in range(int(BACK_WITHIN) + 1):
        window = [entry.seconds for entry in good if second <= entry.sent - ended < second + 2]
        if len(window) >= 5:
            seen.append(percentile(window, 99))
            if seen[-1] < max(2 * before, UNNOTICEABLE):
                return []
    return [f"the 99th percentile was {before:.3f} s before, and after the fault {[f'{one:.3f}' for one in seen]}"]


HALF_DONE = """
select count(*) from codes c left join connections k on k.connection_id = c.connection_id
where c.redeemed_at is not null and k.connection_id is null
"""
"""Codes that were consumed although nothing was issued for them."""

REFERENCES = """
select conrelid::regclass, confrelid::regclass, conkey[1], confkey[1],
    (select attname from pg_attribute where attrelid = conrelid and attnum = conkey[1]),
    (select attname from pg_attribute where attrelid = confrelid and attnum = confkey[1])
from pg_constraint where contype = 'f'
"""


def what_is_not_whole(database) -> list[str]:
    """I8."""
    return _sqlite_faults(database) if database.kind == "sqlite" else _postgres_faults(database)


def _sqlite_faults(database) -> list[str]:
    faults = []
    with sqlite3.connect(database.path, timeout=10) as connection:
        if (told := connection.execute("pragma integrity_check").fetchone()[0]) != "ok":
            faults.append(f"SQLite's integrity check says: {told}")
        if dangling := connection.execute("pragma foreign_key_check").fetchall():
            faults.append(f"rows refer to others that are not there: {dangling[:3]}")
        if half := connection.execute(HALF_DONE).fetchone()[0]:
            faults.append(f"{half} codes are redeemed without their connection")
    connection.close()
    return faults


def _postgres_faults(database) -> list[str]:
    faults = []
    if half := int(database.query(HALF_DONE)):
        faults.append(f"{half} codes are redeemed without their connection")
    for line in database.query(REFERENCES).splitlines():
        table, parent, _, _, column, key = line.split("|")
        sql = f"select count(*) from {table} t where {column} is not null and not exists "
        if int(database.query(sql + f"(select 1 from {parent} p where p.{key} = t.{column})")):
            faults.append(f"rows of {table} refer to rows of {parent} that are not there")
    if not database.content():
        faults.append("the database cannot be read through")
    return faults
