"""F7, many at once: thousands of tokens after an outage, a flood of sign-ins, idle connections."""

from __future__ import annotations

import json
import os
import resource
import threading
import time

import pytest

from judge.herd import fire, refresh
from judge.idle import IdleConnections, somebody_else
from judge.ledger import REFRESH, Ledger
from judge.load import Flood, Refreshes, median
from judge.rounds import rounds
from judge.scene import Scene
from judge.seeds import connect_many
from toolkit.client import OAuthClient
from toolkit.databases import Postgres, PostgresServer
from toolkit.person import Person
from toolkit.process import Latchkey
from toolkit.seeing import scrape
from toolkit.waiting import eventually

CONNECTIONS = "latchkey_http_connections"
SPARE = 100
"""How many connections and files a test and a server have beside those that are counted."""
LEAVING = 2.0
"""How many seconds anybody may wait while all idle connections are closed at once."""
AT_ONCE = 2.0
"""Within how many seconds the whole herd has come: a second is its pace, and one more the generator's."""
SAMPLED = 5
"""Every so manieth of the herd is asked about afterwards; odd, so that both halves are."""
FLOOD = 55
"""How many people come to sign in in a second: fifty are a flood, and the generator may be late for some."""
HASH = 19 << 20
"""How much memory a password takes while it is hashed; as many are as there are cores (`password-threads`)."""
STRETCHES = 5
"""How many stretches of each kind are measured, in turn, so that what else the machine does meets both."""


class Partner:
    """One of the herd: a client, its token, and the refresh that it sends."""

    def __init__(self, client: OAuthClient, token: str):
        self.client, self.token = client, token
        self.shot = refresh(client, token)

    def tell(self, ledger: Ledger, node: Latchkey) -> None:
        """Writes down what came of it."""
        entry = ledger.begin(REFRESH, ledger.open(self.client), node.base, self.token)
        ledger.complete(entry, self.shot.status, {}, self.shot.body)


def gather(scene: Scene, count: int) -> list[Partner]:
    """A herd: in turn a stable token, whose refresh writes nothing, and a successor, whose first use is written."""
    server, account = scene.nodes[0], scene.accounts[0]
    stable, moving = scene.clients["stable"], scene.clients["successor"]
    kept = connect_many(server, stable, account, count // 2)
    first = connect_many(server, moving, account, count // 2)
    answers = fire(server.base, [refresh(moving, token) for token in first], wires=32)
    herd = []
    for token, answer in zip(kept, answers, strict=True):
        herd += [Partner(stable, token), Partner(moving, json.loads(answer.body)["refresh_token"])]
    return herd


def test_F07_five_thousand_refreshes_after_an_outage_all_succeed(new_server, figures):
    postgres = PostgresServer()
    try:
        server = new_server(database=Postgres(postgres.url))
        scene = Scene.prepare([server], people=1).start()
        herd = gather(scene, rounds("HERD", 5000, smoke=500))
        postgres.halt()
        one = herd[0]
        eventually(lambda: fire(server.base, [refresh(one.client, one.token)])[0].status != 200, 60, "it goes on")
        threading.Timer(1.0, postgres.resume).start()
        time.sleep(1.0)
        shots = fire(server.base, [one.shot for one in herd], wires=256, until_good=60, pace=len(herd))
        late = max(shot.done_after for shot in shots)
        all_sent = max(shot.left_after for shot in shots)
        assert {shot.status for shot in shots} == {200}
        assert all_sent < AT_ONCE, f"the last refresh was sent after {all_sent:.1f} s: that is no herd"
        assert late < 30, f"the last of {len(shots)} refreshes succeeded after {late:.1f} s"
        for one in herd[::SAMPLED]:
            one.tell(scene.ledger, server)
        scene.must_hold_to_the_end()
        figures.note(
            "F7",
            "distinct refreshes within a second after an outage of PostgreSQL, every second one writes",
            refreshes=len(shots),
            succeeded=sum(shot.status == 200 for shot in shots),
            tried_again=sum(shot.tries > 1 for shot in shots),
            all_sent_after_s=all_sent,
            all_done_after_s=late,
            tokens_asked_about_afterwards=len(scene.ledger.connections()),
        )
    finally:
        postgres.stop()


@pytest.fixture
def calm(new_server, tmp_path):
    """A server on SQLite under a steady stream of refreshes, and people who sign in."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    server = new_server("sqlite", environment={"LATCHKEY_CONNECTION_LIMIT": "16384"})
    scene = Scene.prepare([server], people=8).start()
    client = scene.clients["stable"]
    tokens = connect_many(server, client, scene.accounts[0], 50)
    yield server, scene, Refreshes(server, client, tokens, tmp_path)
    resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


def test_F07_a_flood_of_sign_ins_hardly_moves_refreshes(calm, figures):
    server, scene, refreshes = calm
    idle = server.memory()
    # Of one account sign-ins are looked at one after the other; several keep every password-thread at work.
    people = [Person(server, account) for account in scene.accounts]
    refreshes.p99(1)
    alone, beside, floods = [], [], []
    for _ in range(rounds("STRETCHES", STRETCHES, smoke=2)):
        alone.append(refreshes.p99())
        # It goes on for as long as refreshes are measured, and a little longer.
        with Flood(people, scene.clients["stable"], FLOOD, seconds=4) as flood:
            beside.append(refreshes.p99(3))
        floods.append(flood)
    ratio = median(beside) / median(alone)
    came = min(flood.came for flood in floods)
    peak, allowed = server.peak_memory(), 1.5 * idle + len(os.sched_getaffinity(0)) * HASH
    figures.note(
        "F7",
        "flood of sign-ins, SQLite",
        sign_ins=sum(flood.good for flood in floods),
        came_in_a_second=came,
        memory_idle_in_mb=idle / 1e6,
        at_most_in_mb=peak / 1e6,
        refresh_p99_alone_in_ms=median(alone),
        refresh_p99_beside_in_ms=median(beside),
        ratio=ratio,
    )
    assert came >= 50, f"only {came:.0f} people a second wanted to sign in"
    assert peak <= allowed, f"the server took {peak / 1e6:.0f} MB of memory; it may take {allowed / 1e6:.0f}"
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
