"""F2: the disk refuses to write or to flush, under load.

What goes on while a disk is full is in `test_disk_full.py` of the black-box tests. Here the ledger shows that nothing
that was acknowledged is lost, and that all is well again without a restart.
"""

from __future__ import annotations

import time

import pytest

from judge.ledger import EXCHANGE, REVOKE
from judge.scene import Scene
from judge.strace import Strace, need_strace
from toolkit.wire import send

FAILURES = {
    "no space left": ("pwrite64", "ENOSPC", "1+"),
    "every fifth write fails": ("pwrite64", "EIO", "5+5"),
    "a flush fails": ("fdatasync", "EIO", "1+"),
    "every third flush fails": ("fdatasync", "EIO", "3+3"),
}


@pytest.mark.parametrize("failure", FAILURES)
def test_F02_a_disk_that_fails_is_503_and_loses_nothing(new_server, room, figures, failure):
    need_strace()
    call, error, when = FAILURES[failure]
    scene = Scene.prepare([new_server("sqlite")], people=5).start()
    server = scene.nodes[0]
    spare = scene.workers.pop()
    number = spare.connect(server, scene.clients["stable"])
    with scene.traffic(pause=0.005) as traffic:
        traffic.wait_for(lambda: len(scene.ledger.acknowledged(EXCHANGE)) >= 8, 30, "traffic")
        began = time.time()
        with Strace(server, room / "calls", "-e", f"inject={call}:error={error}:when={when}", calls=(call,)):
            traffic.ended.wait(3)
            assert send("GET", server.base + "/oauth/jwks").status_code == 200
            if when == "1+":
                assert spare.introspect(number, server).is_active, "nothing can be verified"
                assert spare.refresh(number, server).is_good, "a refresh that writes nothing fails"
                assert not scene.ledger.acknowledged(REVOKE, since=began + 0.5), "a revocation was acknowledged"
        ended = time.time()
        traffic.wait_for(lambda: scene.ledger.acknowledged(EXCHANGE, since=ended), 30, "work without a restart")
    refused = sum(entry.status == 503 for entry in scene.ledger.entries if entry.sent > began)
    assert refused > 0, "nothing was refused: did the disk fail?"
    scene.must_hold_to_the_end()
    scene.must_have_lost_no_code()
    figures.note("F2", f"SQLite's disk: {failure}, under load", answers_503=refused, tokens_lost=0, restarts=0)
