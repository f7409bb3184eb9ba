"""F12: a backup is taken under load, work goes on, the machine is lost, and the backup is restored.

Which kinds of things may not come back is in `test_backup.py` of the black-box tests. Here the ledger judges: who was
connected before the backup goes on with the newest token that it received, however long after the backup that was; who
was revoked since stays revoked; no code that was exchanged since is good again.
"""

from __future__ import annotations

import time

from judge.invariants import judge
from judge.ledger import EXCHANGE, REFRESH, REVOKE
from judge.scene import Scene
from judge.traffic import Examination


def test_F12_a_restore_under_the_ledgers_eyes(new_server, tmp_path, figures):
    scene = Scene.prepare([new_server("sqlite")], people=4).start()
    server, backup = scene.nodes[0], tmp_path / "latchkey.backup"
    with scene.traffic(pause=0.005) as traffic:
        traffic.wait_for(lambda: len(scene.ledger.acknowledged(EXCHANGE)) >= 30, 60, "traffic")
        began = time.time()
        done = server.run("backup", str(backup))
        assert done.returncode == 0, done.stderr
        since = time.time()
        traffic.wait_for(lambda: len(scene.ledger.acknowledged(REVOKE, since=since)) >= 3, 60, "revocations")
        traffic.wait_for(lambda: len(scene.ledger.acknowledged(REFRESH, since=since)) >= 50, 60, "refreshes")
        server.kill()
    done = server.run("restore", str(backup), "--replace")
    assert done.returncode == 0, done.stderr
    server.start()
    ledger = scene.ledger.of_those_before(began)
    Examination(ledger, scene.nodes).of_everything()
    judge(ledger, server.database).must_hold()
    figures.note(
        "F12",
        "SQLite restored from a backup that was taken under load",
        connections_before_the_backup=len(ledger.connections()),
        refreshes_after_it=len(scene.ledger.acknowledged(REFRESH, since=since)),
        revocations_after_it=len(scene.ledger.acknowledged(REVOKE, since=since)),
        tokens_lost=0,
        brought_back=0,
    )
