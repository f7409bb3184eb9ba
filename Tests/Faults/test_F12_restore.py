"""F12: a backup is taken under load, work goes on, the machine is lost, and the backup is restored.

Which kinds of things may not come back is in `test_backup.py` of the black-box tests. Here the ledger judges: who was
connected before the backup goes on with the newest token that it received, however long after the backup that was; who
was revoked since stays revoked; no code that was exchanged since is good again. The negative control is the same
restore without the revocation log.
"""

from __future__ import annotations

import time
from dataclasses import dataclass

import pytest

from judge.invariants import Verdict, judge
from judge.ledger import EXCHANGE, REFRESH, REVOKE, Ledger
from judge.scene import Scene
from judge.traffic import Examination

CUT = 3
"""How many connections are in the backup for certain, and are revoked after it."""


@dataclass
class Loss:
    """A machine that is lost some time after a backup: the backup, and when it was begun and done."""

    scene: Scene
    backup: str
    began: float
    since: float

    def restore(self) -> tuple[Ledger, Verdict]:
        """Brings the backup back; what partners had from before it, and what the judge says of that."""
        server = self.scene.nodes[0]
        done = server.run("restore", self.backup, "--replace")
        assert done.returncode == 0, done.stderr
        server.start()
        ledger = self.scene.ledger.of_those_before(self.began)
        Examination(ledger, self.scene.nodes).of_everything()
        return ledger, judge(ledger, server.database)


@pytest.fixture
def loss(new_server, tmp_path) -> Loss:
    scene = Scene.prepare([new_server("sqlite")], people=4).start()
    server, backup = scene.nodes[0], str(tmp_path / "latchkey.backup")
    spare = scene.workers.pop()
    cut_later = [spare.connect(server) for _ in range(CUT)]
    with scene.traffic(pause=0.005) as traffic:
        traffic.wait_for(lambda: len(scene.ledger.acknowledged(EXCHANGE)) >= 30, 60, "traffic")
        began = time.time()
        done = server.run("backup", backup)
        assert done.returncode == 0, done.stderr
        since = time.time()
        for number in cut_later:
            assert spare.revoke(number, scene.ledger.newest(number), server).is_good
        traffic.wait_for(lambda: len(scene.ledger.acknowledged(REVOKE, since=since)) >= CUT + 3, 60, "revocations")
        traffic.wait_for(lambda: len(scene.ledger.acknowledged(REFRESH, since=since)) >= 50, 60, "refreshes")
        server.kill()
    return Loss(scene, backup, began, since)


def test_F12_a_restore_under_the_ledgers_eyes(loss, figures):
    ledger, verdict = loss.restore()
    verdict.must_hold()
    figures.note(
        "F12",
        "SQLite restored from a backup that was taken under load",
        connections_before_the_backup=len(ledger.connections()),
        refreshes_after_it=len(loss.scene.ledger.acknowledged(REFRESH, since=loss.since)),
        revocations_after_it=len(loss.scene.ledger.acknowledged(REVOKE, since=loss.since)),
        tokens_lost=0,
        brought_back=0,
    )


def test_F12_control_a_restore_without_the_revocation_log_brings_back_what_was_cut(loss, figures):
    path = loss.scene.nodes[0].database.path
    path.with_name(path.name + ".revocations").unlink()
    _, verdict = loss.restore()
    assert "I4" in verdict.broken, f"what came back was not noticed: {verdict}"
    figures.note("F12", "control: restored without the revocation log", found_broken=" ".join(sorted(verdict.broken)))
