"""F7: one token, many workers, two nodes."""

from __future__ import annotations

import pytest

from judge.ledger import REFRESH
from judge.rounds import rounds
from judge.scene import Scene
from toolkit.wire import together


@pytest.mark.smoke
def test_F07_fifty_parallel_refreshes_over_two_nodes_have_one_successor(cluster, figures):
    scene = Scene.prepare(cluster.nodes, people=1).start()
    worker = scene.workers[0]
    for policy in ("stable", "successor"):
        number = worker.connect(scene.place, scene.clients[policy])
        for _ in range(rounds("PARALLEL", 10, smoke=3)):
            token = scene.ledger.newest(number)
            entries = together(
                [
                    lambda c=number, n=node, t=token: scene.ledger.refresh(c, t, n)
                    for node in scene.nodes
                    for _ in range(25)
                ]
            )
            assert {entry.status for entry in entries} == {200}
            assert len({entry.refresh for entry in entries}) == 1
    scene.must_hold_to_the_end()
    figures.note(
        "F7",
        "50 parallel refreshes of one token over two nodes",
        refreshes=len(scene.ledger.acknowledged(REFRESH)),
        refused=0,
        successors_of_each_token=1,
    )
