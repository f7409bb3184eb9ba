"""The rows of a large database: what three years of sign-ups and consents leave behind.

Random bytes stand where the server has random bytes, a MAC key or a hash; everything else has the shape that the server
gives it. Refresh tokens of picked connections are made by the server's own keys afterwards.
"""

import base64
import os
import random
import re
import time
from collections.abc import Iterator
from dataclasses import dataclass, field

DAY = 86_400_000
AGE = 3 * 365 * DAY
SCOPE = "locks.read locks.write"
CUT_ONE_IN = 20
CONNECTIONS_PER_ACCOUNT = 4
"""One customer's Alexa, Google Home, and two apps."""
RECENT_ONE_IN = 100
"""Of so many connections one was made within the day: its code is remembered, and its session lasts."""
FIRST = ["ada", "alan", "barbara", "donald", "edsger", "frances", "grace", "hedy", "katherine", "leslie", "radia"]
LAST = [
    "allen",
    "dijkstra",
    "hamilton",
    "hopper",
    "johnson",
    "knuth",
    "lamarr",
    "lamport",
    "liskov",
    "lovelace",
    "turing",
]
DOMAINS = ["mail.example", "post.example", "company.example", "home.example"]


class Random:
    """Random bytes, taken from the system in large pieces."""

    def __init__(self) -> None:
        self._bytes = b""
        self._at = 0

    def take(self, count: int) -> bytes:
        end = self._at + count
        if end > len(self._bytes):
            self._bytes, self._at, end = os.urandom(1 << 20), 0, count
        piece = self._bytes[self._at : end]
        self._at = end
        return piece


@dataclass
class Picks:
    """The connections that are refreshed and the accounts that connect anew, picked from all over."""

    wanted: int
    connections: list[tuple[str, bytes, bytes]] = field(default_factory=list)
    accounts: list[tuple[str, bytes]] = field(default_factory=list)


class Rows:
    """Everything that is written into one database."""

    def __init__(self, connections: int, clients: list[str], picks: int):
        self.count = connections
        self.clients = clients
        self.accounts_count = max(1, connections // CONNECTIONS_PER_ACCOUNT)
        self.now = int(time.time() * 1000)
        self.random = Random()
        self.account_ids = bytearray()
        self.picks = Picks(picks)

    def accounts(self) -> Iterator[tuple[object, ...]]:
        """account_id, source, email, email_key, name, password_hash, created_at."""
        take, step = self.random.take, AGE // self.accounts_count or 1
        for number in range(self.accounts_count):
            key = take(16)
            self.account_ids += key
            first, last = FIRST[key[0] % len(FIRST)], LAST[key[1] % len(LAST)]
            email = f"{first}.{last}{number}@{DOMAINS[key[2] % len(DOMAINS)]}"
            secret = base64.b64encode(take(48)).decode()
            hashed = f"$argon2id$v=19$m=19456,t=2,p=1${secret[:22]}${secret[21:64]}"
            name = f"{first.capitalize()} {last.capitalize()}"
            yield key, "own", email, email, name, hashed, self.now - AGE + number * step

    def words(self, account: tuple[object, ...]) -> Iterator[tuple[bytes, bytes]]:
        """word, account_id: as `Store.index` makes them of an address, a name and an id."""
        key, _, email, _, name, *_ = account
        text = "usr_" + base64.b32encode(key).decode().rstrip("=").lower()
        for word in {email, text, *re.findall(r"[a-z0-9]+", f"{email} {name}".lower())}:
            yield word.encode(), key

    def connections(self) -> Iterator[tuple[object, ...]]:
        """As `CONNECTIONS` names them; in the order of their time, as a server makes them."""
        take, clients, accounts = self.random.take, self.clients, self.account_ids
        begin, step = self.now - AGE, AGE / self.count
        live = self.count * (CUT_ONE_IN - 1) / CUT_ONE_IN
        chance = min(1.0, self.picks.wanted / live)
        for number in range(self.count):
            created = begin + int(number * step)
            noise = take(30)
            key = created.to_bytes(6) + noise[:10]
            nonce = take(16)
            account = int.from_bytes(noise[10:18]) % self.accounts_count * 16
            owner = bytes(accounts[account : account + 16])
            client = clients[noise[18] % len(clients)]
            used = min(self.now - DAY // 24, created + int.from_bytes(noise[20:28]) % AGE)
            cut = used if noise[19] * CUT_ONE_IN < 256 else None
            if cut is None and random.random() < chance:
                self.picks.connections.append((client, key, nonce))
                self.picks.accounts.append((client, owner))
            yield key, client, owner, SCOPE, "", nonce, 0, created, used, cut, cut and "account"

    def recent(self) -> int:
        return max(1, self.count // RECENT_ONE_IN)

    def codes(self) -> Iterator[tuple[object, ...]]:
        """Redeemed codes of the last day.

        digest, transaction_id, client_id, account_id, connection_id, scope, scope_was_asked, resources, redirect_uri,
        redirect_was_named, challenge, signed_in_at, issued_at, redeemed_at, failures
        """
        count = self.recent()
        for number in range(count):
            issued = self.now - (DAY - DAY // 24) + number * (DAY // 2) // count
            challenge = base64.urlsafe_b64encode(self.random.take(32)).decode().rstrip("=")
            yield (
                self.random.take(32), self.random.take(16), random.choice(self.clients), self._owner(),
                self.random.take(16), SCOPE, 1, "", "https://partner.example/callback", 1, challenge, issued, issued,
                issued, 0,
            )  # fmt: skip

    def sessions(self) -> Iterator[tuple[object, ...]]:
        """digest, account_id, signed_in_at, idle_until, ends_at, browser."""
        for _ in range(self.recent()):
            yield self.random.take(32), self._owner(), self.now, self.now + 7 * DAY, self.now + 7 * DAY, "Firefox Linux"

    def _owner(self) -> bytes:
        start = random.randrange(self.accounts_count) * 16
        return bytes(self.account_ids[start : start + 16])


ACCOUNTS = "accounts (account_id, source, email, email_key, name, password_hash, created_at)"
WORDS = "account_words (word, account_id)"
CONNECTIONS = (
    "connections (connection_id, client_id, account_id, scope, resources, nonce, generation, created_at, last_used_at, "
    "revoked_at, revoked_why)"
)
CODES = (
    "codes (digest, transaction_id, client_id, account_id, connection_id, scope, scope_was_asked, resources, "
    "redirect_uri, redirect_was_named, challenge, signed_in_at, issued_at, redeemed_at, failures)"
)
SESSIONS = "sessions (digest, account_id, signed_in_at, idle_until, ends_at, browser)"
