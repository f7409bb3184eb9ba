"""F4: the primary of the database changes, crashes or is lost, and Latchkey goes on without a restart.

Two nodes behind HAProxy on a Patroni pair. Partners are at work all the time; what they have received must be good on
both nodes. The longest time in which nothing was acknowledged is measured, and that of exchanges alone, which always
write. The negative control is the same pair with replication that does not wait.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from statistics import median

import pytest

from judge.front import Front
from judge.invariants import BACK_WITHIN, codes_lost_in_doubt, judge, the_pace_is_back
from judge.ledger import EXCHANGE, REFRESH, REVOKE
from judge.pair import Pair
from judge.rounds import rounds
from judge.scene import Scene
from judge.traffic import Examination
from toolkit.databases import Postgres
from toolkit.process import Latchkey

TTL = 20
"""Of Patroni's lease, as in deploy/patroni."""
MARGIN = 5
PROXIED = {"LATCHKEY_TRUSTED_PROXIES": "127.0.0.1"}


class Stack:
    """Two nodes behind HAProxy on a Patroni pair."""

    def __init__(self, folder, *words: str):
        self.front = Front(folder)
        self.pair = Pair(*words)
        self.scene: Scene | None = None
        try:
            database = Postgres(self.pair.url)
            self.nodes = [
                Latchkey(
                    database,
                    folder,
                    issuer=self.front.base,
                    options=(),
                    environment=PROXIED,
                    canaries=self.front.canaries,
                )
                for _ in range(2)
            ]
            self.scene = Scene.prepare(self.nodes, people=8, places=[self.front]).start()
            self.scene.examination = Examination(self.scene.ledger, self.nodes)
            self.front.start(self.nodes)
        except BaseException:
            self.stop()
            raise

    def stop(self) -> None:
        self.front.stop()
        for node in self.scene.nodes if self.scene else []:
            node.kill()
        self.pair.stop()


@pytest.fixture
def stack(tmp_path) -> Iterator[Stack]:
    stack = Stack(tmp_path)
    yield stack
    stack.stop()


def fail_over(stack: Stack, action: str) -> tuple[float, float, float]:
    """Partners at work, the fault, and work again: when the fault began, when it was over, and when they went home."""
    scene, pair = stack.scene, stack.pair
    old = pair("primary")
    with scene.traffic(pause=0.01) as traffic:
        calm = time.time()
        traffic.wait_for(lambda: len(scene.ledger.acknowledged(EXCHANGE, since=calm)) >= 5, 30, "traffic")
        began = time.time()
        pair(action)
        if action == "crash":
            traffic.ended.wait(1)
            pair("wait")
        else:
            pair.wait_for_new_primary(old)
        settled = time.time()
        for kind in (EXCHANGE, REFRESH):
            traffic.wait_for(lambda k=kind: scene.ledger.acknowledged(k, since=settled), 60, f"{kind} after the fault")
        back = time.time()
        traffic.ended.wait(3)
        traffic.wait_for(lambda: not the_pace_is_back(scene.ledger, began, back), BACK_WITHIN + 2, "the pace of before")
        return began, back, time.time()


def check_failovers(stack: Stack, action: str, name: str, limit: float, count: int, figures) -> None:
    """Makes the fault so many times; nothing may be lost, and nothing may last too long."""
    scene = stack.scene
    processes = [node.process.pid for node in stack.nodes]
    gaps, exchange_gaps, began_with = [], [], len(scene.ledger.entries)
    for _ in range(count):
        began, back, end = fail_over(stack, action)
        gaps.append(scene.ledger.longest_silence(began - 1, end, EXCHANGE, REFRESH))
        exchange_gaps.append(scene.ledger.longest_silence(began - 1, end, EXCHANGE))
        stack.pair("mend")
        scene.must_hold()
        # The longer of the two.
        assert exchange_gaps[-1] <= limit, f"no exchange for {exchange_gaps[-1]:.1f} s; promised are {limit} s"
    assert [node.process.pid for node in stack.nodes] == processes
    assert all(node.is_running for node in stack.nodes)
    entries = scene.ledger.entries[began_with:]
    figures.note(
        "F4",
        f"{name}, two nodes behind HAProxy on a Patroni pair",
        times=count,
        acknowledged=sum(e.is_good and e.kind in (EXCHANGE, REFRESH, REVOKE) for e in entries),
        tokens_lost=0,
        wrong_refusals=0,
        codes_lost_in_doubt=len(codes_lost_in_doubt(scene.ledger, since=began_with)),
        answers_503=sum(e.status == 503 for e in entries),
        without_answer=sum(e.status is None for e in entries),
        longest_gap_in_s=max(gaps),
        median_gap_in_s=median(gaps),
        longest_gap_of_exchanges_in_s=max(exchange_gaps),
        median_gap_of_exchanges_in_s=median(exchange_gaps),
    )


@pytest.mark.smoke
def test_F04_a_switchover_loses_nothing(stack, figures):
    check_failovers(stack, "switchover", "planned switchover", 5, rounds("SWITCHOVERS", 10), figures)
    stack.scene.must_hold_to_the_end()


def test_F04_a_killed_postmaster_and_a_lost_node_lose_nothing(stack, figures):
    check_failovers(stack, "crash", "postmaster killed", TTL + MARGIN, rounds("CRASHES", 10), figures)
    check_failovers(stack, "lose", "primary node lost", TTL + MARGIN, rounds("LOSSES", 10), figures)
    stack.scene.must_hold_to_the_end()


def test_F04_control_replication_that_does_not_wait_loses_what_was_acknowledged(tmp_path, figures):
    stack = Stack(tmp_path, "--asynchronous")
    try:
        old = stack.pair("primary")
        with stack.scene.traffic() as traffic:
            traffic.wait_for(lambda: len(stack.scene.ledger.acknowledged(EXCHANGE)) > 5, 30, "traffic")
            stack.pair("stall")
            stalled = time.time()
            traffic.wait_for(
                lambda: len(stack.scene.ledger.acknowledged(EXCHANGE, since=stalled)) > 20,
                30,
                "work on the primary alone",
            )
            stack.pair("lose")
        stack.pair.wait_for_new_primary(old)
        stack.scene.examination.of_everything()
        verdict = judge(stack.scene.ledger)
        assert "I1" in verdict.broken or "I5" in verdict.broken, f"the loss was not noticed: {verdict}"
        figures.note(
            "F4",
            "control: asynchronous replication, standby stalled",
            acknowledged=len(stack.scene.ledger.acknowledged(EXCHANGE, REFRESH, REVOKE)),
            found_broken=" ".join(sorted(verdict.broken)),
            found_lost=len(verdict.violations["I1"]) + len(verdict.violations["I5"]),
        )
    finally:
        stack.stop()
