"""The judge is judged: a server that keeps every promise passes, and each fault on purpose is found.

One scenario, with everything in it that the suite does to the real program: requests at once, a lost answer, a
revocation, an outage, a kill in the middle of a write. Controls that need the real program are with their faults:
replication that does not wait (`test_F04_failover.py`), flushes that do not happen (`test_F01_power.py`), and a restore
without what was cut since (`test_F12_restore.py`). What is counted beside the invariants is tried on made-up ledgers.
"""

import time
from concurrent.futures import ThreadPoolExecutor

import pytest

from controls.process import BrokenServer
from controls.server import FAULTS
from judge.invariants import BACK_WITHIN, Verdict, codes_lost_in_doubt, judge, the_pace_is_back
from judge.ledger import EXCHANGE, REFRESH, Ledger
from judge.traffic import Examination, Worker
from toolkit.client import OAuthClient

pytestmark = pytest.mark.smoke


@pytest.fixture
def broken_server(tmp_path):
    made = []

    def make(fault: str) -> BrokenServer:
        made.append(BrokenServer(tmp_path, fault).start())
        return made[-1]

    yield make
    for server in made:
        server.kill()


def a_hard_day(server: BrokenServer) -> Verdict:
    """Everything that goes wrong in a server's life, in short; what the judge says of it."""
    ledger = Ledger()
    worker = Worker(ledger, server.account(), [server.client()])
    first, second, third = (worker.connect(server) for _ in range(3))

    def at_once(calls) -> None:
        with ThreadPoolExecutor(len(calls)) as pool:
            for done in [pool.submit(call) for call in calls]:
                done.result()

    # One code presented twice at once, and one refresh token five times.
    number = ledger.open(server.client())
    code = worker.authorize(number, server)
    server.has_race(True)
    at_once([lambda: ledger.exchange(number, code, server)] * 2)
    server.has_race(False)
    newest = ledger.newest(first)
    at_once([lambda: ledger.refresh(first, newest, server)] * 5)

    # A revocation.
    revoked = ledger.connection(second)
    worker.revoke(second, ledger.purse[revoked.newest], server)
    worker.mine.remove(second)

    # An outage.
    for _ in range(30):
        worker.refresh(third, server)
    began = time.time()
    server.has_outage(True)
    for _ in range(3):
        ledger.refresh(third, ledger.newest(third), server)
    server.has_outage(False)
    ended = time.time()
    slowness = None
    while slowness != [] and time.time() < ended + (3 if FAULTS[server.fault] == {"I7"} else BACK_WITHIN):
        worker.introspect(third, server)
        slowness = the_pace_is_back(ledger, began, ended)

    # A kill in the middle of an exchange, and its start after that.
    number = ledger.open(server.client())
    code = worker.authorize(number, server)
    server.will_die()
    worker.exchange(number, code, server)
    server.process.wait(timeout=20)
    server.start()

    examination = Examination(ledger, [server])
    examination.of_the_new()
    examination.of_everything()
    verdict = judge(ledger, server.database)
    verdict.add("I7", slowness)
    return verdict


@pytest.mark.parametrize("fault", FAULTS)
def test_the_judge_finds_every_fault_on_purpose_and_no_other(broken_server, fault):
    verdict = a_hard_day(broken_server(fault))
    assert verdict.broken == FAULTS[fault], f"{FAULTS[fault]} should be broken by: {fault}\n{verdict}"


def written(client: OAuthClient | None, *told: tuple[str, float, int | None]) -> Ledger:
    """A ledger of one connection and one secret: each request's kind, the second of its answer, and its status."""
    ledger = Ledger()
    ledger.open(client)
    for kind, second, status in told:
        entry = ledger.begin(kind, 1, "http://node", "what is presented")
        entry.sent, entry.answered, entry.ended, entry.status = second - 0.1, second, second, status
        entry.error = "invalid_grant" if status == 400 else None
    return ledger


def test_the_longest_silence_is_found_at_the_beginning_between_and_at_the_end():
    early, late = [(EXCHANGE, 1, 200), (REFRESH, 2, 200)], [(REFRESH, 4, 503), (REFRESH, 5, 200), (EXCHANGE, 9, 200)]
    ledger = written(None, *early, *late)
    assert ledger.longest_silence(1, 9, EXCHANGE, REFRESH) == 4
    assert ledger.longest_silence(1, 9, EXCHANGE) == 8
    assert ledger.longest_silence(1, 6, EXCHANGE, REFRESH) == 3, "what was refused is no answer"
    assert ledger.longest_silence(-5, 9, EXCHANGE, REFRESH) == 6
    assert ledger.longest_silence(1, 30, EXCHANGE, REFRESH) == 21
    assert ledger.longest_silence(10, 17, EXCHANGE, REFRESH) == 7


def test_a_code_that_was_lost_in_doubt_is_counted_and_one_without_a_doubt_is_a_fault():
    client = OAuthClient(None, "s6BhdRkqt3", None, None, None, registration={"refresh": "stable"})
    lost = written(client, (EXCHANGE, 1, 503), (EXCHANGE, 2, 400), (EXCHANGE, 3, 400))
    assert [entry.answered for entry in codes_lost_in_doubt(lost)] == [2]
    assert not codes_lost_in_doubt(lost, since=3)
    assert not judge(lost).violations["I5"]
    assert not codes_lost_in_doubt(written(client, (EXCHANGE, 1, 503), (EXCHANGE, 2, 200), (EXCHANGE, 3, 400)))
    assert judge(written(client, (EXCHANGE, 1, 400), (EXCHANGE, 2, 400))).broken == {"I5"}
