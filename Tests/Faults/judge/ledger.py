"""The ledger: what partners asked, what came back, and when.

Every request has a number. Its entry is there before it is sent and is completed when the answer comes; an entry that
stays without a status is a request whose fate its sender does not know. Codes and tokens stand in the ledger as hashes;
the purse beside it keeps what is behind them, so that they can be shown again.
"""

from __future__ import annotations

import hashlib
import json
import threading
import time
from collections import defaultdict
from collections.abc import Callable
from dataclasses import dataclass, replace

import requests

from toolkit.client import OAuthClient

AUTHORIZE, EXCHANGE, REFRESH, REVOKE, INTROSPECT = "authorize", "exchange", "refresh", "revoke", "introspect"


def digest(secret: str) -> str:
    """How a code or a token stands in the ledger."""
    return hashlib.sha256(secret.encode()).hexdigest()[:24]


@dataclass
class Entry:
    """One request."""

    number: int
    kind: str
    connection: int
    """The partner's own number of the connection that this is about."""
    node: str
    presented: str
    """The hash of the code or token that was sent."""
    sent: float
    answered: float | None = None
    ended: float | None = None
    """When the answer came, or when its sender gave it up."""
    status: int | None = None
    """The answer's status; None when no answer came."""
    error: str | None = None
    retry_after: str | None = None
    access: str | None = None
    refresh: str | None = None
    is_active: bool | None = None
    """What an introspection said."""
    is_abandoned: bool = False
    """Whether its sender went away, so that it may have been under way when the next one was sent."""

    @property
    def is_good(self) -> bool:
        return self.status == 200

    @property
    def leaves_doubt(self) -> bool:
        """Whether the request may have done its work although nobody said so."""
        return self.status is None or self.status >= 500

    @property
    def is_verdict(self) -> bool:
        """Whether the answer calls a code or a token bad."""
        return self.status == 401 or (self.status == 400 and self.error in ("invalid_grant", "invalid_token"))

    @property
    def seconds(self) -> float:
        return (self.answered or self.sent) - self.sent

    def complete(self, status: int, headers: dict, body: bytes) -> None:
        """Writes down the answer."""
        self.status, self.retry_after = status, headers.get("Retry-After") or headers.get("retry-after")
        try:
            value = json.loads(body)
        except ValueError:
            value = {}
        if isinstance(value, dict):
            self.error = value.get("error")
            self.is_active = value.get("active")
            self.access, self.refresh = (
                digest(value[name]) if name in value else None for name in ("access_token", "refresh_token")
            )
        self.answered = self.ended = time.time()

    def __str__(self) -> str:
        answer = "no answer" if self.status is None else f"{self.status} {self.error or ''}".strip()
        if self.is_active is not None:
            answer += " active" if self.is_active else " inactive"
        return f"#{self.number} {self.kind} of connection {self.connection} at {self.node}: {answer}"


@dataclass(frozen=True)
class Connection:
    """What a partner knows of one connection: its entries, in the order in which they were sent."""

    number: int
    client: OAuthClient
    entries: list[Entry]

    @property
    def policy(self) -> str:
        return self.client.registration["refresh"]

    def of(self, *kinds: str) -> list[Entry]:
        return [entry for entry in self.entries if entry.kind in kinds]

    @property
    def delivered(self) -> list[Entry]:
        """The answers that brought tokens, the newest last."""
        bringing = [entry for entry in self.of(EXCHANGE, REFRESH) if entry.is_good and entry.refresh]
        return sorted(bringing, key=lambda entry: entry.answered)

    @property
    def newest(self) -> str | None:
        """The hash of the newest refresh token that the partner received."""
        return self.delivered[-1].refresh if self.delivered else None

    def why_over(self, before: float = float("inf")) -> str | None:
        """Why the partner must reckon with the end of this connection, by what it sent before a moment; or nothing."""
        known = [entry for entry in self.entries if entry.sent < before]
        if any(entry.kind == REVOKE and (entry.is_good or entry.leaves_doubt) for entry in known):
            return "it was revoked"
        exchanges = [entry for entry in known if entry.kind == EXCHANGE]
        for place, entry in enumerate(exchanges):
            earlier = exchanges[:place]
            may_come_late = any(one.is_abandoned or one.ended is None or one.ended > entry.sent for one in earlier)
            if entry.is_good and (may_come_late or exchanges[place + 1 :]):
                return "its code was presented more than once"
        used: set[str] = set()
        stale: set[str] = set()
        for entry in (entry for entry in known if entry.kind == REFRESH):
            if entry.presented in stale:
                return "a refresh token was used after its successor's first use"
            if self.policy == "strict" and entry.presented in used and not entry.is_good:
                return "a token that is good for one use was used again"
            if entry.is_good or entry.leaves_doubt:
                used.add(entry.presented)
                stale |= self._before(entry.presented)
        return None

    def _before(self, token: str) -> set[str]:
        """The tokens of this connection that were replaced by the one with this hash."""
        if self.policy == "stable":
            return set()
        replaced, sought = set(), {token}
        while sought:
            found = {
                entry.presented
                for entry in self.of(REFRESH)
                if entry.refresh in sought and entry.presented not in sought
            }
            sought = found - replaced
            replaced |= found
        return replaced


class Ledger:
    """Everything that partners asked of a server, from many threads."""

    def __init__(self):
        self.entries: list[Entry] = []
        self.clients: dict[int, OAuthClient] = {}
        self.purse: dict[str, str] = {}
        self._of: dict[int, list[Entry]] = defaultdict(list)
        self._lock = threading.Lock()

    def open(self, client: OAuthClient) -> int:
        """The number of a connection that is about to be made."""
        with self._lock:
            number = len(self.clients) + 1
            self.clients[number] = client
            return number

    def of_those_before(self, moment: float) -> Ledger:
        """The ledger of those connections alone that were there at a moment."""
        kept = Ledger()
        kept.clients, kept.purse = self.clients, self.purse
        for connection in self.connections():
            if connection.delivered and connection.delivered[0].answered < moment:
                kept.entries += connection.entries
                kept._of[connection.number] = connection.entries
        kept.entries.sort(key=lambda entry: entry.number)
        return kept

    def begin(self, kind: str, connection: int, node: str, secret: str) -> Entry:
        """Writes down a request that is about to be sent."""
        with self._lock:
            entry = Entry(len(self.entries) + 1, kind, connection, node, digest(secret), time.time())
            self.entries.append(entry)
            self._of[connection].append(entry)
            self.purse[entry.presented] = secret
            return entry

    def complete(self, entry: Entry, status: int, headers: dict, body: bytes) -> None:
        """Writes down an answer, and keeps the tokens that it brought."""
        entry.complete(status, headers, body)
        if entry.access or entry.refresh:
            value = json.loads(body)
            with self._lock:
                for name in ("access_token", "refresh_token"):
                    if name in value:
                        self.purse[digest(value[name])] = value[name]

    def ask(self, kind: str, connection: int, node: str, secret: str, call: Callable[[], requests.Response]) -> Entry:
        """Sends one request and writes down what became of it."""
        entry = self.begin(kind, connection, node, secret)
        try:
            answer = call()
        except (requests.RequestException, OSError):
            entry.ended = time.time()
            return entry
        self.complete(entry, answer.status_code, answer.headers, answer.content)
        return entry

    # Each request of a partner

    def exchange(self, connection: int, code: str, node) -> Entry:
        client = self.clients[connection].at(node)
        return self.ask(EXCHANGE, connection, node.base, code, lambda: client.exchange(code))

    def refresh(self, connection: int, token: str, node) -> Entry:
        client = self.clients[connection].at(node)
        return self.ask(REFRESH, connection, node.base, token, lambda: client.refresh(token))

    def revoke(self, connection: int, token: str, node) -> Entry:
        client = self.clients[connection].at(node)
        return self.ask(REVOKE, connection, node.base, token, lambda: client.revoke(token))

    def introspect(self, connection: int, token: str, node) -> Entry:
        client = self.clients[connection].at(node)
        return self.ask(
            INTROSPECT, connection, node.base, token, lambda: client.post("/oauth/introspect", {"token": token})
        )

    # What follows from it

    def connection(self, number: int) -> Connection:
        return Connection(number, self.clients[number], list(self._of[number]))

    def newest(self, number: int) -> str:
        """The newest refresh token that the partner of a connection received."""
        return self.purse[self.connection(number).newest]

    def connections(self, since: int = 0) -> list[Connection]:
        """The connections about which something was asked after the first so many entries."""
        return [self.connection(number) for number in sorted({entry.connection for entry in self.entries[since:]})]

    def until(self, moment: float) -> Ledger:
        """The ledger as it was when the power went out at `moment`: later answers never came."""
        cut = Ledger()
        cut.clients, cut.purse = dict(self.clients), dict(self.purse)
        for entry in self.entries:
            if entry.sent > moment:
                continue
            kept = replace(entry)
            if entry.answered is None or entry.answered > moment:
                kept.answered = kept.status = kept.error = kept.access = kept.refresh = kept.is_active = None
                kept.ended = moment
            cut.entries.append(kept)
            cut._of[kept.connection].append(kept)
        return cut

    def acknowledged(self, *kinds: str, since: float = 0) -> list[Entry]:
        """The good answers of these kinds, in the order in which they came."""
        good = [entry for entry in self.entries if entry.is_good and entry.kind in kinds and entry.answered >= since]
        return sorted(good, key=lambda entry: entry.answered)

    def longest_silence(self, begin: float, end: float, *kinds: str) -> float:
        """The longest time between `begin` and `end` in which nothing of these kinds was acknowledged, in seconds."""
        moments = [entry.answered for entry in self.acknowledged(*kinds) if begin <= entry.answered <= end]
        return max(after - before for before, after in zip([begin, *moments], [*moments, end], strict=True))
