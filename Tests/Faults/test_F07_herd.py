"""F7, many at once: thousands of tokens after an outage, a flood of sign-ins, idle connections."""

from __future__ import annotations

import resource
import socket
import threading
import time
from contextlib import ExitStack

import pytest

from judge.herd import fire, refresh
from judge.load import Refreshes, median, sign_ins
from judge.rounds import rounds
from judge.scene import Scene
from judge.seeds import connect_many
from toolkit.databases import Postgres, PostgresServer
from toolkit.person import Person
from toolkit.process import Latchkey
from toolkit.wire import send

STRETCHES = 5
"""How many stretches of each kind are measured, in turn, so that what else the machine does meets both."""


def test_F07_five_thousand_refreshes_after_an_outage_all_succeed(new_server, figures):
    postgres = PostgresServer()
    try:
        server = new_server(database=Postgres(postgres.url))
        scene = Scene.prepare([server], people=1).start()
        client = scene.clients["stable"]
        tokens = connect_many(server, client, scene.accounts[0], rounds("HERD", 5000, smoke=500))
        postgres.halt()
        while fire(server.base, [refresh(client, tokens[0])])[0].status == 200:
            time.sleep(0.1)
        threading.Timer(1.0, postgres.resume).start()
        time.sleep(1.0)
        shots = fire(
            server.base, [refresh(client, token) for token in tokens], wires=256, until_good=60, pace=len(tokens)
        )
        late = max(shot.done_after for shot in shots)
        assert {shot.status for shot in shots} == {200}
        assert late < 30, f"the last of {len(shots)} refreshes succeeded after {late:.1f} s"
        figures.note(
            "F7",
            "distinct refreshes within a second after an outage of PostgreSQL",
            refreshes=len(shots),
            succeeded=sum(shot.status == 200 for shot in shots),
            tried_again=sum(shot.tries > 1 for shot in shots),
            all_done_after_s=late,
        )
    finally:
        postgres.stop()


@pytest.fixture
def calm(new_server, tmp_path):
    """A server on SQLite under a steady stream of refreshes, and somebody who signs in."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    server = new_server("sqlite", environment={"LATCHKEY_CONNECTION_LIMIT": "16384"})
    scene = Scene.prepare([server], people=1).start()
    client = scene.clients["stable"]
    tokens = connect_many(server, client, scene.accounts[0], 50)
    yield server, scene, Refreshes(server, client, tokens, tmp_path)
    resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


def test_F07_a_flood_of_sign_ins_hardly_moves_refreshes(calm, tmp_path, figures):
    server, scene, refreshes = calm
    refreshes.p99(1)
    alone, beside, count = [], [], 0
    for _ in range(rounds("STRETCHES", STRETCHES, smoke=2)):
        alone.append(refreshes.p99())
        with sign_ins(Person(server, scene.accounts[0]), scene.clients["stable"], tmp_path) as seen:
            beside.append(refreshes.p99())
        count += seen["sign-ins"]
    ratio = median(beside) / median(alone)
    assert count > 0, "nobody signed in"
    figures.note(
        "F7",
        "flood of sign-ins, SQLite",
        sign_ins=count,
        refresh_p99_alone_in_ms=median(alone),
        refresh_p99_beside_in_ms=median(beside),
        ratio=ratio,
    )
    assert ratio < 2, f"the 99th percentile of a refresh went from {median(alone):.2f} to {median(beside):.2f} ms"


def test_F07_ten_thousand_idle_connections_do_not_move_refreshes(calm, figures):
    server, _, refreshes = calm
    wanted = rounds("IDLE", 10_000, smoke=1000)
    if resource.getrlimit(resource.RLIMIT_NOFILE)[0] < 2 * wanted:
        pytest.skip(f"this user may not open {wanted} connections at both ends (ulimit -n)")
    refreshes.p99(1)
    alone, beside = [], []
    for _ in range(rounds("STRETCHES", STRETCHES, smoke=2)):
        _wait_for_calm(server)
        alone.append(refreshes.p99())
        with ExitStack() as stack:
            idle = [stack.enter_context(_idle(server.port, place)) for place in range(wanted)]
            beside.append(refreshes.p99())
            assert not _is_closed(idle[0]), "an idle connection was ended although there was room"
    ratio = median(beside) / median(alone)
    assert send("GET", server.base + "/readyz").status_code == 200
    figures.note(
        "F7",
        "idle connections, SQLite",
        connections=wanted,
        refresh_p99_alone_in_ms=median(alone),
        refresh_p99_beside_in_ms=median(beside),
        ratio=ratio,
    )
    assert ratio < 1.5, f"the 99th percentile of a refresh went from {median(alone):.2f} to {median(beside):.2f} ms"


def _idle(port: int, place: int) -> socket.socket:
    # Each loopback address has ports of its own, so that they do not run out.
    return socket.create_connection(("127.0.0.1", port), timeout=20, source_address=(f"127.0.1.{place % 200 + 1}", 0))


def _wait_for_calm(server: Latchkey) -> None:
    """Waits until the server has done with the connections that have gone; closing thousands at once is work."""
    deadline, quick = time.monotonic() + 60, 0
    while quick < 5:
        assert time.monotonic() < deadline, "the server does not come to rest"
        began = time.monotonic()
        send("GET", server.base + "/healthz", headers={"Connection": "close"})
        quick = quick + 1 if time.monotonic() - began < 0.1 else 0


def _is_closed(connection: socket.socket) -> bool:
    connection.setblocking(False)
    try:
        return connection.recv(1) == b""
    except BlockingIOError:
        return False
