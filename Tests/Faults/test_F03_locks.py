"""F3: another process holds SQLite's lock, or reads for a long time."""

from __future__ import annotations

import sqlite3
import time
from contextlib import closing
from functools import partial

import pytest

from judge.herd import Wire, fire, go_together, refresh
from judge.invariants import percentile
from judge.ledger import EXCHANGE, REFRESH, REVOKE
from judge.scene import Scene
from toolkit.client import OAuthClient, tokens
from toolkit.person import Person
from toolkit.wire import together

BUSY = 5.0
"""How many seconds a statement waits for a lock (design section 11)."""
AMONG_FIFTY = 0.05
"""Within how many seconds 99 of 100 writes are answered, fifty at a time."""
STRETCHES = 3
"""How many times fifty writers are let loose; the best of them is what the server can do."""


@pytest.fixture
def scene(new_server) -> Scene:
    return Scene.prepare([new_server("sqlite")], people=4).start()


@pytest.mark.parametrize("seconds", [1, 3, 10])
def test_F03_a_lock_is_waited_for_and_then_it_is_503(scene, figures, seconds):
    with scene.traffic() as traffic:
        traffic.wait_for(lambda: len(scene.ledger.acknowledged(EXCHANGE)) >= 4, 30, "traffic")
        with closing(sqlite3.connect(scene.nodes[0].database.path, isolation_level=None, timeout=30)) as other:
            other.execute("begin exclusive")
            began = time.time()
            time.sleep(seconds)
            other.execute("rollback")
        freed = time.time()
        traffic.wait_for(lambda: scene.ledger.acknowledged(EXCHANGE, since=freed), 20, "work after the lock")
    held = [entry for entry in scene.ledger.entries if entry.sent >= began - 0.2 and entry.ended]
    slowest = max(entry.seconds for entry in held)
    refused = sum(entry.status == 503 for entry in held)
    assert slowest < BUSY + 3, f"a request waited for {slowest:.1f} s"
    assert (refused > 0) == (seconds > BUSY), f"{refused} answers were 503 although the lock was held for {seconds} s"
    scene.must_hold_to_the_end()
    scene.must_have_lost_no_code()
    figures.note("F3", f"SQLite locked for {seconds} s", slowest_in_s=slowest, answers_503=refused, tokens_lost=0)


def test_F03_a_long_reader_costs_no_answer_and_no_space_for_ever(scene, figures):
    # Of a worker that is not among the traffic, which would use its connection too, and revoke it.
    worker, client = scene.workers.pop(), scene.clients["successor"]
    number = worker.connect(scene.place, client)
    wal = scene.nodes[0].database.path.with_name("latchkey.sqlite-wal")

    def write(times: int) -> None:
        for _ in range(times):
            assert worker.refresh(number, scene.place).is_good

    with closing(sqlite3.connect(scene.nodes[0].database.path, isolation_level=None)) as reader:
        reader.execute("begin")
        reader.execute("select count(*) from connections").fetchone()
        with scene.traffic():
            write(400)
        while_reading = wal.stat().st_size
        reader.execute("rollback")
    write(30)
    begun_anew = wal.stat().st_size
    write(600)
    # Six hundred writes are seven megabytes of log, were it not begun anew.
    assert wal.stat().st_size <= while_reading + (2 << 20), "the log goes on growing after the reader has gone"
    kinds = (EXCHANGE, REFRESH, REVOKE)
    assert not [entry for entry in scene.ledger.entries if entry.kind in kinds and entry.status == 503]
    scene.must_hold_to_the_end()
    figures.note(
        "F3",
        "SQLite read by another process meanwhile",
        log_in_kb=while_reading >> 10,
        afterwards_in_kb=begun_anew >> 10,
    )


def write_at_once(scene: Scene, client: OAuthClient, numbers: list[int]) -> list[float]:
    """Twenty writes on each of these connections, all connections at once: how many seconds each took."""
    ledger, base, times = scene.ledger, scene.place.base, []

    async def walk(wire: Wire, number: int) -> None:
        for _ in range(20):
            token = ledger.newest(number)
            entry = ledger.begin(REFRESH, number, base, token)
            began = time.monotonic()
            status, body = await wire.ask(refresh(client, token).content)
            times.append(time.monotonic() - began)
            ledger.complete(entry, status, {}, body)
            assert entry.is_good, str(entry)

    go_together(base, [partial(walk, number=number) for number in numbers])
    return times


def test_F03_fifty_writers_wait_for_one_another_only_a_moment(scene, figures):
    worker, client = scene.workers[0], scene.clients["successor"]
    numbers = [worker.connect(scene.place, client) for _ in range(50)]
    first = [scene.ledger.connection(number).newest for number in numbers]
    # The first refresh moves nothing; the second one, with its successor, writes.
    second = fire(scene.place.base, [refresh(client, scene.ledger.purse[token]) for token in first], wires=50)
    assert all(shot.status == 200 for shot in second)
    # What else the machine does for a moment disturbs one stretch, not each of them.
    stretches = [write_at_once(scene, client, numbers) for _ in range(STRETCHES)]
    scene.must_hold_to_the_end()
    p99s = [percentile(times, 99) for times in stretches]
    figures.note(
        "F3",
        "fifty writers at once, SQLite",
        writes=sum(len(times) for times in stretches),
        p50_in_ms=1000 * min(percentile(times, 50) for times in stretches),
        p99_in_ms=1000 * min(p99s),
        p99_of_the_worst_stretch_in_ms=1000 * max(p99s),
    )
    assert min(p99s) < AMONG_FIFTY, f"the 99th percentile of fifty writers is {1000 * min(p99s):.0f} ms"


@pytest.mark.smoke
def test_F03_a_lock_from_outside_is_waited_for_five_seconds_and_then_503(new_server):
    server = new_server("sqlite")
    seam = server.create_client("--partner", "seam", name="Seam")
    person = Person(server, server.create_account())
    server.start()
    connected, code = person.connect(seam), person.authorize(seam).code
    lock = sqlite3.connect(server.database.path, isolation_level=None)
    lock.execute("begin exclusive")
    try:
        started = time.monotonic()
        answer = seam.exchange(code)
        waited = time.monotonic() - started
        assert answer.status_code == 503
        assert int(answer.headers["Retry-After"]) >= 1
        assert 4 < waited < 9
        tokens(seam.refresh(connected.refresh))
        assert seam.introspect(connected.access)["active"]
    finally:
        lock.execute("rollback")
        lock.close()
    tokens(seam.exchange(code))


@pytest.mark.smoke
def test_F03_a_reader_that_stays_for_long_disturbs_no_refresh(new_server):
    server = new_server("sqlite")
    careful = server.create_client(
        *("--redirect-uri", "https://partner.example/callback", "--scope", "locks.read", "--refresh", "successor"),
        name="Careful partner",
    )
    person = Person(server, server.create_account())
    server.start()
    connected = [person.connect(careful).refresh for _ in range(4)]
    reader = sqlite3.connect(server.database.path, isolation_level=None)
    reader.execute("begin")
    reader.execute("select count(*) from connections").fetchall()

    def refresh_often(token: str) -> list[int]:
        statuses = []
        for _ in range(60):
            answer = careful.refresh(token)
            statuses.append(answer.status_code)
            token = answer.json()["refresh_token"]
        return statuses

    statuses = together([lambda token=token: refresh_often(token) for token in connected])
    assert {status for many in statuses for status in many} == {200}
    reader.execute("rollback")
    reader.close()
    log = server.database.path.with_name(server.database.path.name + "-wal")
    assert log.stat().st_size < 64 * 1024 * 1024
    assert server.stop() == 0
    assert not log.exists(), "what the reader held back is folded into the file"
