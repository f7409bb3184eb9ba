"""F1, the power goes out: what was acknowledged is on the disk, although nothing that was not flushed is there.

The negative control is a disk that says "flushed" and flushes nothing, which is what `synchronous=OFF` comes to.
"""

from __future__ import annotations

import random
import time

import pytest

from judge.invariants import Verdict, judge
from judge.ledger import EXCHANGE, REFRESH, REVOKE
from judge.powercut import Recorder
from judge.rounds import rounds
from judge.scene import Scene
from judge.strace import need_strace
from judge.traffic import Examination
from toolkit.process import Latchkey

LYING = ("-e", "inject=fdatasync,fsync:retval=0")
"""strace answers each flush itself: the program believes it, and the disk never hears of it."""


def work(scene: Scene, room, seconds: float, *words: str) -> Recorder:
    """Partners at work while everything that reaches the disk is recorded."""
    with Recorder(scene.nodes[0], room, *words) as recorder:
        with scene.traffic():
            time.sleep(seconds)
    assert len(scene.ledger.acknowledged(EXCHANGE)) > 10, "the workers hardly worked"
    return recorder


def after_the_cut(scene: Scene, recorder: Recorder, moment: float, folder, chance=None) -> Verdict:
    """Starts the program on what the disk holds, and judges by what was acknowledged until then."""
    database = recorder.disk_at(moment, folder, chance)
    server = Latchkey(database, folder, issuer=scene.nodes[0].issuer)
    server.start()
    try:
        ledger = scene.ledger.until(moment)
        Examination(ledger, [server]).of_everything()
        return judge(ledger, database)
    finally:
        server.kill()


def moments_after_answers(scene: Scene, count: int, chance: random.Random) -> list[float]:
    """Moments right after something was acknowledged: that is when losing it is worst."""
    answers = [entry.answered for entry in scene.ledger.acknowledged(EXCHANGE, REFRESH, REVOKE)]
    return sorted(chance.sample(answers, min(count, len(answers))))


@pytest.fixture
def scene(new_server):
    need_strace()
    return Scene.prepare([new_server("sqlite")], people=3).start()


def test_F01_nothing_that_was_acknowledged_is_lost_in_a_power_cut(scene, room, tmp_path, figures):
    recorder = work(scene, room, 4)
    chance = random.Random(1)
    moments = moments_after_answers(scene, rounds("POWER_CUTS", 10, smoke=2), chance)
    for number, moment in enumerate(moments):
        after_the_cut(scene, recorder, moment, tmp_path / f"nothing-{number}").must_hold()
        after_the_cut(scene, recorder, moment, tmp_path / f"parts-{number}", chance).must_hold()
    acknowledged = len(scene.ledger.acknowledged(EXCHANGE, REFRESH, REVOKE))
    figures.note("F1", "power cut, SQLite", cuts=2 * len(moments), acknowledged=acknowledged, tokens_lost=0)


def test_F01_control_a_disk_that_does_not_flush_loses_what_was_acknowledged(scene, room, tmp_path, figures):
    recorder = work(scene, room, 2, *LYING)
    last = moments_after_answers(scene, 10**6, random.Random(1))[-1]
    verdict = after_the_cut(scene, recorder, last, tmp_path / "disk")
    assert "I1" in verdict.broken or "I5" in verdict.broken, f"the loss was not noticed: {verdict}"
    figures.note(
        "F1", "control: flushes that do not happen (synchronous=OFF)", found_broken=" ".join(sorted(verdict.broken))
    )
