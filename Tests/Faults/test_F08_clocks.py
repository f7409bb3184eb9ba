"""F8: the clock of one of two nodes is set while partners are at work.

Nodes whose clocks differ for good, and what a single connection sees, are in `test_clocks.py` of the black-box tests.
"""

from __future__ import annotations

import time

import pytest

from judge.ledger import EXCHANGE, REFRESH
from judge.rounds import rounds
from judge.scene import Scene
from toolkit.clocks import Clock

pytestmark = pytest.mark.usefixtures("faketime")

STEPS = ("+60s", "+0s", "-60s", "+0s")


def test_F08_a_clock_that_is_set_by_a_minute_under_load_costs_nothing(cluster, room, figures):
    near, clock = cluster.nodes[0], Clock(room)
    near.process_environment = clock.environment
    scene = Scene.prepare(cluster.nodes, people=6).start()
    ledger, steps = scene.ledger, STEPS * rounds("CLOCK_STEPS", 3)
    with scene.traffic(pause=0.01) as traffic:
        traffic.wait_for(lambda: len(ledger.acknowledged(EXCHANGE)) >= 6, 30, "traffic")
        for step in steps:
            clock.set(step)
            # The node asks the database for the time twice a second: it is set right at least once.
            traffic.ended.wait(1)
            since = time.time()

            def is_at_work(since: float = since) -> bool:
                done = ledger.acknowledged(EXCHANGE, REFRESH, since=since)
                return {EXCHANGE, REFRESH} <= {entry.kind for entry in done if entry.node == near.base}

            traffic.wait_for(is_at_work, 30, f"work on the node whose clock was set to {step}")
    failed = [entry for entry in ledger.entries if entry.leaves_doubt]
    assert not failed, f"{len(failed)} of {len(ledger.entries)} requests failed: {failed[0]}"
    scene.must_hold_to_the_end()
    figures.note(
        "F8",
        "clock of one of two nodes set by a minute under load",
        times=len(steps),
        requests=len(ledger.entries),
        failed=0,
        tokens_lost=0,
    )
