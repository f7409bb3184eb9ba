"""F7, many at once: thousands of tokens after an outage, a flood of sign-ins, idle connections."""

from __future__ import annotations

import resource
import threading
import time

import pytest

from judge.herd import fire, refresh
from judge.idle import IdleConnections, somebody_else
from judge.load import Refreshes, median, sign_ins
from judge.rounds import rounds
from judge.scene import Scene
from judge.seeds import connect_many
from toolkit.databases import Postgres, PostgresServer
from toolkit.expect import eventually
from toolkit.person import Person
from toolkit.seeing import scrape

CONNECTIONS = "latchkey_http_connections"
SPARE = 100
"""How many connections and files a test and a server have beside those that are counted."""
LEAVING = 2.0
"""How many seconds anybody may wait while all idle connections are closed at once."""
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
    if resource.getrlimit(resource.RLIMIT_NOFILE)[0] < wanted + SPARE:
        pytest.skip(f"this user may not open {wanted} connections (ulimit -n)")
    refreshes.p99(1)
    alone, beside, leaving = [], [], []
    for _ in range(rounds("STRETCHES", STRETCHES, smoke=2)):
        alone.append(refreshes.p99())
        with IdleConnections(server, wanted) as idle:
            beside.append(refreshes.p99())
            idle.must_all_be_served()
            with somebody_else(server) as waits:
                idle.close()
                eventually(lambda: scrape(server)[CONNECTIONS].value() < SPARE, 60)
            leaving.append(waits.slowest)
    ratio = median(beside) / median(alone)
    figures.note(
        "F7",
        "idle connections, each served before and after, SQLite",
        connections=wanted,
        refresh_p99_alone_in_ms=median(alone),
        refresh_p99_beside_in_ms=median(beside),
        ratio=ratio,
        slowest_answer_while_all_close_in_s=max(leaving),
    )
    assert ratio < 1.5, f"the 99th percentile of a refresh went from {median(alone):.2f} to {median(beside):.2f} ms"
    assert max(leaving) < LEAVING, f"somebody waited for {max(leaving):.1f} s while {wanted} connections were closed"
