"""What every fault begins with: a server or two, a client for each refresh policy, people with accounts, a ledger."""

from __future__ import annotations

from dataclasses import dataclass, field

from toolkit.client import OAuthClient
from toolkit.process import Account, Latchkey

from .invariants import Verdict, codes_lost_in_doubt, judge
from .ledger import Ledger
from .traffic import Examination, Traffic, Worker, register


@dataclass
class Scene:
    """Nodes on one database, and who uses them."""

    nodes: list[Latchkey]
    clients: dict[str, OAuthClient]
    accounts: list[Account]
    places: list = field(default_factory=list)
    """Where partners and people go: the nodes themselves, or what stands before them."""
    ledger: Ledger = field(default_factory=Ledger)
    workers: list[Worker] = field(default_factory=list)
    judged: int = 0
    """How many entries have been judged."""

    @classmethod
    def prepare(cls, nodes: list[Latchkey], people: int, places: list | None = None) -> Scene:
        """Registers clients and accounts on nodes that are not started yet."""
        first = nodes[0]
        scene = cls(nodes, register(first), [first.create_account() for _ in range(people)], places or list(nodes))
        clients = list(scene.clients.values())
        scene.workers = [Worker(scene.ledger, account, clients, seed) for seed, account in enumerate(scene.accounts, 1)]
        scene.examination = Examination(scene.ledger, scene.places)
        return scene

    def start(self) -> Scene:
        for node in self.nodes:
            node.start()
        return self

    @property
    def place(self):
        return self.places[0]

    def traffic(self, pause: float = 0.0) -> Traffic:
        """All workers at work, for the length of a `with` block."""
        return Traffic(self.workers, self.places, pause)

    def judge(self) -> Verdict:
        """What is found of all that was asked so far, and of the database."""
        return judge(self.ledger, self.nodes[0].database)

    def must_hold(self) -> None:
        """Asks about what is new on every node, and checks I1 to I6."""
        since, self.judged = self.judged, len(self.ledger.entries)
        self.examination.of_the_new()
        judge(self.ledger, since=since).must_hold()

    def must_hold_to_the_end(self) -> None:
        """Asks about everything on every node once more, and checks I1 to I6 and I8."""
        self.examination.of_everything()
        self.judge().must_hold()

    def must_have_lost_no_code(self) -> None:
        """Of one node that has lived on: a code that it answered with 503 is good when it is shown again (ADR 0014)."""
        lost = codes_lost_in_doubt(self.ledger)
        assert not lost, f"{len(lost)} codes were answered 503 and then refused: {lost[0]}"
