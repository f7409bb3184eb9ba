"""F1, the soak: the server is killed at random moments under eight workers."""

from __future__ import annotations

import random
import time

import pytest

from judge.ledger import EXCHANGE, REFRESH, REVOKE
from judge.rounds import rounds
from judge.scene import Scene
from toolkit.fixtures import Cluster


@pytest.fixture(params=["sqlite", "postgres"])
def scene(request, new_server) -> Scene:
    """One node on SQLite, or two on one PostgreSQL."""
    if request.param == "sqlite":
        nodes = [new_server("sqlite")]
    else:
        cluster: Cluster = request.getfixturevalue("cluster")
        nodes = cluster.nodes
    return Scene.prepare(nodes, people=8).start()


def test_F01_random_kills_lose_nothing(scene, figures):
    is_sqlite = scene.nodes[0].database.kind == "sqlite"
    kills = rounds("KILLS_SQLITE", 300, smoke=5) if is_sqlite else rounds("KILLS_POSTGRES", 100, smoke=5)
    chance = random.Random(4)
    slowest = 0.0
    for _ in range(kills):
        victim = chance.choice(scene.nodes)
        with scene.traffic():
            time.sleep(chance.uniform(0.05, 0.5))
            victim.kill()
            if not is_sqlite:
                time.sleep(0.1)  # the other node goes on meanwhile
        began = time.monotonic()
        victim.start()
        slowest = max(slowest, time.monotonic() - began)
        scene.must_hold()
    scene.must_hold_to_the_end()
    ledger = scene.ledger
    figures.note(
        "F1",
        f"killed at random under 8 workers, {'SQLite' if is_sqlite else 'two nodes on PostgreSQL'}",
        kills=kills,
        exchanges=len(ledger.acknowledged(EXCHANGE)),
        refreshes=len(ledger.acknowledged(REFRESH)),
        revocations=len(ledger.acknowledged(REVOKE)),
        without_answer=sum(entry.status is None for entry in ledger.entries),
        tokens_lost=0,
        slowest_start_in_s=slowest,
    )
