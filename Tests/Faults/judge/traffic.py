"""Partners at work: they connect, refresh under each policy, introspect and revoke, and write everything down.

They behave as good partners do: who got no answer, or 503, asks again with what it has; who is told that a connection
is over forgets it; nobody uses a refresh token while a request of their own with an older one is still under way.
"""

from __future__ import annotations

import random
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial

import requests

from toolkit.client import OAuthClient
from toolkit.person import Person
from toolkit.process import Account, Latchkey
from toolkit.waiting import eventually

from . import kept
from .ledger import AUTHORIZE, EXCHANGE, INTROSPECT, REFRESH, REVOKE, Entry, Ledger

WEB = ("--redirect-uri", "https://partner.example/callback", "--scope", "locks.read", "--scope", "locks.write")
POLICIES = {
    "stable": (),
    "successor": ("--access-token", "opaque"),
    "strict": (),
}
"""The options with which the client of each refresh policy is registered, beside the policy."""
KEPT = 10
"""How many connections a worker goes on with; it leaves the older ones to the examination."""


def register(server: Latchkey) -> dict[str, OAuthClient]:
    """A confidential client for each refresh policy."""
    return {
        policy: server.create_client(*WEB, "--refresh", policy, *options, name=f"Partner with {policy} tokens")
        for policy, options in POLICIES.items()
    }


class Worker:
    """A person with an account, and the partners that this person uses."""

    def __init__(self, ledger: Ledger, account: Account, clients: list[OAuthClient], seed: int = 1):
        self.ledger, self.account, self.clients = ledger, account, clients
        self.chance = random.Random(seed)
        self.person = Person(clients[0].server, account)
        self.mine: list[int] = []
        self.codes: list[tuple[int, str]] = []
        """Codes that were exchanged without an answer: they are asked about again."""
        self.revocations: list[tuple[int, str]] = []

    # One request each

    def authorize(self, number: int, node) -> str | None:
        """The person's way to a code, or nothing."""
        entry = self.ledger.begin(AUTHORIZE, number, node.base, str(number))
        self.person.server = node
        self.person.answers.clear()
        try:
            back = self.person.authorize(self.ledger.clients[number].at(node))
        except (requests.RequestException, OSError):
            return None
        except AssertionError:
            last = self.person.answers[-1]
            self.ledger.complete(entry, last.status_code, last.headers, b"{}")
            return None
        if back.error:
            # Whoever may be redirected to is told of an outage there (RFC 6749 §4.1.2.1).
            is_outage = back.error in ("temporarily_unavailable", "server_error")
            self.ledger.complete(entry, 503 if is_outage else 400, {"Retry-After": "1"}, b"{}")
            return None
        self.ledger.complete(entry, 200, {}, b"{}")
        return back.code

    def exchange(self, number: int, code: str, node) -> Entry:
        entry = self.ledger.exchange(number, code, node)
        if entry.is_good:
            self.mine = [*self.mine, number][-KEPT:]
        elif entry.leaves_doubt:
            self.codes.append((number, code))
        return entry

    def refresh(self, number: int, node) -> Entry:
        connection = self.ledger.connection(number)
        entry = self.ledger.refresh(number, self.ledger.purse[connection.newest], node)
        if entry.is_verdict:
            self.mine = [one for one in self.mine if one != number]
        return entry

    def introspect(self, number: int, node) -> Entry:
        token = self.chance.choice(self.ledger.connection(number).delivered).access
        return self.ledger.introspect(number, self.ledger.purse[token], node)

    def revoke(self, number: int, token: str, node) -> Entry:
        entry = self.ledger.revoke(number, token, node)
        if entry.leaves_doubt:
            self.revocations.append((number, token))
        return entry

    # What it does next

    def connect(self, node, client: OAuthClient | None = None) -> int | None:
        """Makes a new connection; its number when there is one."""
        number = self.ledger.open(client or self.chance.choice(self.clients))
        code = self.authorize(number, node)
        return number if code and self.exchange(number, code, node).is_good else None

    def step(self, node) -> bool:
        """One thing that such a person and their partners would do now; whether it went well."""
        if self.codes:
            number, code = self.codes.pop()
            if self.ledger.connection(number).of(EXCHANGE)[-1].leaves_doubt:
                return not self.exchange(number, code, node).leaves_doubt
        if self.revocations:
            return self.revoke(*self.revocations.pop(), node).is_good
        dice = self.chance.random()
        if not self.mine or dice < 0.2:
            return self.connect(node) is not None
        number = self.chance.choice(self.mine)
        if dice < 0.75:
            return self.refresh(number, node).is_good
        if dice < 0.93:
            return self.introspect(number, node).is_good
        self.mine.remove(number)
        return self.revoke(number, self.ledger.newest(number), node).is_good


class Traffic:
    """Workers on threads of their own, from `with` until its end."""

    def __init__(self, workers: list[Worker], nodes: list, pause: float = 0.0):
        self.workers, self.nodes, self.pause = workers, nodes, pause
        self.ended = threading.Event()
        self.threads: list[threading.Thread] = []
        self.faults: list[BaseException] = []

    def __enter__(self) -> Traffic:
        self.threads = [threading.Thread(target=self._work, args=(worker,), daemon=True) for worker in self.workers]
        for thread in self.threads:
            thread.start()
        return self

    def __exit__(self, *_) -> None:
        self.ended.set()
        for thread in self.threads:
            thread.join(timeout=60)
        assert not self.faults, f"a worker failed: {self.faults[0]!r}"

    def _work(self, worker: Worker) -> None:
        try:
            while not self.ended.is_set():
                went_well = worker.step(worker.chance.choice(self.nodes))
                if pause := self.pause if went_well else worker.chance.uniform(0.02, 0.12):
                    self.ended.wait(pause)
        except BaseException as fault:
            self.faults.append(fault)

    def wait_for(self, happened: Callable[[], bool], seconds: float, what: str) -> None:
        """Waits while the workers go on."""

        def look() -> bool:
            assert not self.faults, f"a worker failed: {self.faults[0]!r}"
            return happened()

        eventually(look, seconds, f"{what} did not come", pause=0.1)


class Examination:
    """Asks about everything that was delivered, on every node, until it is answered; the answers go into the ledger.

    What was asked about once is not asked about again by `of_the_new`, so that it can follow each of many faults.
    """

    PATIENCE = 30.0
    """How many seconds after a fault a node may take until it answers again."""

    def __init__(self, ledger: Ledger, nodes: list):
        self.ledger, self.nodes = ledger, nodes
        self.asked: set[tuple[str, str]] = set()
        self.seen = 0

    def until_answered(self, call: Callable[[], Entry]) -> Entry:
        what = "the fault is over and there is no answer"
        return eventually(call, self.PATIENCE, what, enough=lambda entry: not entry.leaves_doubt, pause=0.1)

    def of_the_new(self, worker_count: int = 4) -> None:
        """Asks about every connection that something new is known of."""
        since, self.seen = self.seen, len(self.ledger.entries)
        self._each(self._ask, worker_count, self.ledger.connections(since))

    def of_everything(self, worker_count: int = 4) -> None:
        """Asks about everything once more, and shows every code that was exchanged a second time."""
        self.asked.clear()
        connections = self.ledger.connections()
        self._each(self._ask, worker_count, connections)
        self._each(self._show_code_again, worker_count, connections)

    def _each(self, ask: Callable, worker_count: int, connections: list) -> None:
        with ThreadPoolExecutor(worker_count) as pool:
            list(pool.map(ask, connections))

    def _ask(self, connection) -> None:
        ledger, number = self.ledger, connection.number
        for entry in connection.of(EXCHANGE)[-1:]:
            if entry.leaves_doubt:
                code = ledger.purse[entry.presented]
                self.until_answered(lambda c=code: ledger.exchange(number, c, self.nodes[0]))
        for entry in connection.of(REVOKE)[-1:]:
            if entry.leaves_doubt:
                token = ledger.purse[entry.presented]
                self.until_answered(lambda t=token: ledger.revoke(number, t, self.nodes[0]))
        connection = ledger.connection(number)
        newest = connection.newest
        is_fresh = newest is not None and (newest, REFRESH) not in self.asked
        has_doubt = newest is not None and any(entry.leaves_doubt for entry in connection.of(REFRESH)[-1:])
        # Revoked tokens are looked at before a refresh could say so with a verdict of its own.
        for node in self.nodes:
            for token in {entry.access for entry in connection.delivered}:
                if (token, node.base) not in self.asked:
                    self.asked.add((token, node.base))
                    self.until_answered(lambda t=token, n=node: self._introspect(number, ledger.purse[t], n))
        if is_fresh or has_doubt:
            for node in self.nodes:
                newest = ledger.connection(number).newest
                self.until_answered(lambda t=newest, n=node: ledger.refresh(number, ledger.purse[t], n))
            self.asked.add((ledger.connection(number).newest, REFRESH))

    def _introspect(self, number: int, token: str, node) -> Entry:
        """As a worker does, but on a connection that is kept: most of an examination is this."""
        form = {"token": token} | self.ledger.clients[number].secret_form()
        post = partial(kept.post, node.base, "/oauth/introspect", form)
        return self.ledger.ask(INTROSPECT, number, node.base, token, post)

    def _show_code_again(self, connection) -> None:
        for entry in connection.of(EXCHANGE):
            if entry.is_good:
                code = self.ledger.purse[entry.presented]
                self.until_answered(lambda c=code: self.ledger.exchange(connection.number, c, self.nodes[0]))
