"""The judge is judged: a server that keeps every promise passes, and each fault on purpose is found.

One scenario, with everything in it that the suite does to the real program: requests at once, a lost answer, a
revocation, an outage, a kill in the middle of a write. Controls that need the real program are with their faults:
replication that does not wait (`test_F04_failover.py`) and flushes that do not happen (`test_F01_power.py`).
"""

import time
from concurrent.futures import ThreadPoolExecutor

import pytest

from controls.process import BrokenServer
from controls.server import FAULTS
from judge.invariants import Verdict, judge, the_pace_is_back
from judge.ledger import Ledger
from judge.traffic import Examination, Worker

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
    at_once([lambda: ledger.exchange(number, code, server)] * 2)
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
    while time.time() < ended + (3 if FAULTS[server.fault] == {"I7"} else 0.5):
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
    assert verdict.broken >= FAULTS[fault], f"{FAULTS[fault]} should be broken by: {fault}\n{verdict}"
    if fault == "none":
        verdict.must_hold()
