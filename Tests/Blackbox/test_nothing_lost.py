"""Nothing that was delivered is lost: the server is killed in the middle of its work, again and again.

Workers keep a ledger of what they asked and what came back. After every restart each token that was delivered with 200
must still work, and no code may ever be redeemed twice.
"""

import random
import threading
from dataclasses import dataclass, field

import pytest
import requests

from toolkit.client import Authorization, OAuthClient
from toolkit.person import Person
from toolkit.process import Latchkey
from toolkit.waiting import eventually

WEB = ("--redirect-uri", "https://partner.example/callback", "--scope", "locks.read", "--scope", "locks.write")


@dataclass
class Entry:
    """One connection as its partner knows it."""

    client: OAuthClient
    code: str
    refresh: str
    access: str
    is_checked: bool = False


@dataclass
class Ledger:
    """What was delivered, and what was asked without an answer."""

    entries: list[Entry] = field(default_factory=list)
    in_doubt: list[tuple[OAuthClient, str]] = field(default_factory=list)
    faults: list[str] = field(default_factory=list)
    exchanges: int = 0
    refreshes: int = 0
    lock: threading.Lock = field(default_factory=threading.Lock)

    @property
    def answers(self) -> int:
        return self.exchanges + self.refreshes


class Worker(threading.Thread):
    """A person and a partner who connect, exchange and refresh until they are told to stop or nobody answers."""

    def __init__(
        self, ledger: Ledger, person: Person, clients: list[OAuthClient], chance: random.Random, place: int, places: int
    ):
        super().__init__()
        self.ledger, self.person, self.clients, self.chance = ledger, person, clients, chance
        self.mine: list[Entry] = ledger.entries[place::places][-5:]
        self.ended = threading.Event()

    def run(self) -> None:
        while not self.ended.is_set():
            try:
                if self.mine and self.chance.random() < 0.6:
                    self.refresh(self.chance.choice(self.mine[-6:]))
                else:
                    self.connect(self.chance.choice(self.clients))
            except (requests.RequestException, OSError):
                return  # killed: whoever was waiting for an answer has noted its doubt

    def connect(self, client: OAuthClient) -> None:
        page = self.person.visit(client.authorize_url())
        page = self.person.sign_in(page) if page.sign_in_form else page
        code = Authorization(self.person.decide(page, "allow").target, client).code
        with self.ledger.lock:
            self.ledger.in_doubt.append((client, code))
        answer = client.exchange(code)
        with self.ledger.lock:
            self.ledger.in_doubt.remove((client, code))
            self.ledger.exchanges += 1
            if answer.status_code == 200:
                body = answer.json()
                entry = Entry(client, code, body["refresh_token"], body["access_token"])
                self.ledger.entries.append(entry)
                self.mine.append(entry)
            else:
                self.ledger.faults.append(f"a fresh code was refused: {answer.status_code} {answer.text}")

    def refresh(self, entry: Entry) -> None:
        answer = entry.client.refresh(entry.refresh)
        with self.ledger.lock:
            self.ledger.refreshes += 1
            if answer.status_code == 200:
                entry.refresh, entry.access = answer.json()["refresh_token"], answer.json()["access_token"]
                entry.is_checked = False
            else:
                self.ledger.faults.append(f"a delivered token was refused: {answer.status_code} {answer.text}")


def check_entry(entry: Entry) -> list[str]:
    """What is wrong with a connection that its partner believes to be good."""
    wrong = []
    if entry.client.introspect(entry.access) == {"active": False}:
        wrong.append("a delivered access token is inactive")
    answer = entry.client.refresh(entry.refresh)
    if answer.status_code == 200:
        entry.refresh, entry.access = answer.json()["refresh_token"], answer.json()["access_token"]
    else:
        wrong.append(f"a delivered refresh token is refused: {answer.status_code} {answer.text}")
    entry.is_checked = True
    return wrong


def check_doubts(ledger: Ledger) -> None:
    """A code without an answer was either redeemed, and is refused now, or was not, and works now; never twice."""
    for client, code in ledger.in_doubt:
        first, second = client.exchange(code), client.exchange(code)
        statuses = (first.status_code, second.status_code)
        if statuses not in ((200, 400), (400, 400)):
            ledger.faults.append(f"a code without an answer was then answered {statuses}")
    ledger.in_doubt.clear()


def kill_in_the_middle(server: Latchkey, ledger: Ledger, people: list[Person], clients, chance: random.Random) -> None:
    workers = [Worker(ledger, person, clients, chance, place, len(people)) for place, person in enumerate(people)]
    for worker in workers:
        worker.start()
    # After some answers, and anywhere in the work on the next ones.
    wanted, pause = ledger.answers + chance.randrange(3, 40), chance.uniform(0.001, 0.02)
    eventually(lambda: ledger.answers >= wanted, 60, "the workers are not answered", pause=pause)
    server.kill()
    for worker in workers:
        worker.ended.set()
        worker.join()
    server.start()
    check_doubts(ledger)
    for entry in [entry for entry in ledger.entries if not entry.is_checked]:
        ledger.faults += check_entry(entry)
    assert not ledger.faults, ledger.faults[:5]


@pytest.mark.parametrize(("kind", "kills"), [("sqlite", 50), ("postgres", 15)])
def test_every_delivered_token_survives_kill_9(new_server, kind, kills):
    server = new_server(kind)
    clients = [
        server.create_client("--partner", "seam", name="Seam"),
        server.create_client(*WEB, "--refresh", "successor", name="Careful partner"),
    ]
    people = [Person(server, server.create_account()) for _ in range(3)]
    server.start()
    for person in people:
        person.connect(clients[0])
    ledger, chance = Ledger(), random.Random(9)
    for _ in range(kills):
        kill_in_the_middle(server, ledger, people, clients, chance)
    assert ledger.exchanges > kills, "the workers hardly worked"
    assert ledger.refreshes > kills, "the workers hardly worked"
    for entry in ledger.entries:
        ledger.faults += check_entry(entry)
    for entry in ledger.entries[-20:]:
        if entry.client.exchange(entry.code).status_code != 400:
            ledger.faults.append("a code was redeemed twice")
    assert not ledger.faults, ledger.faults[:5]


def test_a_stop_lets_running_requests_finish(own_server):
    server = own_server
    seam = server.create_client("--partner", "seam", name="Seam")
    person = Person(server, server.create_account())
    server.start()
    connected = person.connect(seam)
    answers: list[int] = []
    broken: list[str] = []

    def refresh_until_closed() -> None:
        while True:
            try:
                answers.append(seam.refresh(connected.refresh).status_code)
            except requests.ConnectionError as error:
                if "refused" not in str(error):
                    broken.append(str(error))
                return

    threads = [threading.Thread(target=refresh_until_closed) for _ in range(4)]
    for thread in threads:
        thread.start()
    eventually(lambda: answers.count(200) >= 50, 30)
    assert server.stop() == 0
    for thread in threads:
        thread.join()
    assert set(answers) <= {200, 503}
    assert len(broken) <= len(threads), "at most the idle connections of this moment"


def test_a_flow_can_be_finished_after_a_restart_between_any_two_steps(own_server):
    server = own_server
    seam = server.create_client("--partner", "seam", name="Seam")
    person = Person(server, server.create_account())
    server.start()

    def restart() -> None:
        server.kill()
        server.start()

    page = person.visit(seam.authorize_url())
    restart()
    page = person.sign_in(page)
    restart()
    back = Authorization(person.decide(page, "allow").target, seam)
    restart()
    connected = seam.redeem(back)
    restart()
    assert seam.refreshed(connected.refresh).user_id == person.account.user_id
    assert seam.exchange(back.code).status_code == 400
