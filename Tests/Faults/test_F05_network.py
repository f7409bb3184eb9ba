"""F5: the line between Latchkey and its PostgreSQL is pulled, slow, or breaks off in the answer to a COMMIT."""

from __future__ import annotations

import time
from collections.abc import Iterator

import pytest

from judge.invariants import codes_are_good_once
from judge.ledger import AUTHORIZE, EXCHANGE
from judge.lossy import Line, Trouble
from judge.places import database_through, line_before
from judge.rounds import rounds
from judge.scene import Scene
from toolkit.fixtures import Cluster
from toolkit.waiting import eventually

ANSWERED = 3.0
"""Within how many seconds a dead database is a 503."""
SLOW = 0.5
"""How many seconds each way a line may take over which there still are good answers: a second for each statement."""
LEAST_SERVED = 0.25
"""How many good answers come over it in a second at least."""
SLOWEST_GOOD = 18.0
"""Within how many seconds a good answer comes: an exchange waits a second for a connection and asks the database up to
eight times, one after the other, and does so again when it has lost a race."""
SLACK = 0.5
"""What this test's own threads and a busy machine may add."""
LATE_SLACK = 2.0
"""The same over a line that is late but alive: each statement is waited for there."""


class Distance:
    """Two nodes, one of which reaches the database over a line of its own."""

    def __init__(self, nodes: list):
        self.line: Line = line_before(nodes[0].database.url)
        self.whole = nodes[0].database
        self.scene = Scene.prepare(nodes, people=6)
        nodes[0].database = database_through(self.line, self.whole)
        self.scene.start()

    def must_hold_to_the_end(self) -> None:
        self.line.trouble = Trouble()
        self.scene.nodes[0].database = self.whole
        self.scene.must_hold_to_the_end()


@pytest.fixture
def distance(cluster: Cluster) -> Iterator[Distance]:
    distance = Distance(cluster.nodes)
    yield distance
    distance.line.stop()


def trouble_for(distance: Distance, trouble: Trouble, seconds: float) -> tuple[float, float, float]:
    """Partners at work on both nodes, and trouble on the line of one of them.

    Returns when it began and when it ended, and after how many further seconds there was good work again.
    """
    scene = distance.scene
    with scene.traffic(pause=0.01) as traffic:
        traffic.wait_for(lambda: len(scene.ledger.acknowledged(EXCHANGE)) >= 6, 30, "traffic")
        began = time.time()
        distance.line.trouble = trouble
        traffic.ended.wait(seconds)
        distance.line.trouble = Trouble()
        ended = time.time()
        near = scene.nodes[0].base

        def is_back() -> bool:
            return any(entry.node == near for entry in scene.ledger.acknowledged(EXCHANGE, since=ended))

        traffic.wait_for(is_back, 30, "work on the node whose line is whole again")
    return began, ended, time.time() - ended


@pytest.mark.parametrize(
    "trouble",
    [Trouble(drops=True), Trouble(refuses=True), Trouble(delay=SLOW), Trouble(delay=2), Trouble(delay=10)],
    ids=["pulled", "refused", "0.5 s late", "2 s late", "10 s late"],
)
def test_F05_a_bad_line_to_the_database_is_503_in_time_and_loses_nothing(distance, figures, request, trouble):
    # Good answers over a late line are few, and need a while to be counted.
    seconds = 20 if trouble.delay == SLOW else 8
    began, ended, back_after = trouble_for(distance, trouble, seconds)
    near = distance.scene.nodes[0].base
    entries = distance.scene.ledger.entries
    # A page on the way to a code asks the database several times; the promise is the token endpoint's and its like.
    hit = [e for e in entries if e.node == near and e.sent > began and e.ended and e.kind != AUTHORIZE]
    slowest = max((entry.ended - entry.sent for entry in hit if entry.leaves_doubt), default=0.0)
    good = [entry for entry in hit if entry.is_good]
    longest = max(good, key=lambda entry: entry.seconds)
    served = sum(entry.ended < ended for entry in good)
    distance.must_hold_to_the_end()
    assert slowest < ANSWERED + (LATE_SLACK if trouble.delay else SLACK), f"a 503 took {slowest:.1f} s"
    assert longest.seconds < SLOWEST_GOOD + LATE_SLACK, f"a good answer took {longest.seconds:.1f} s: {longest}"
    if trouble.delay == SLOW:
        assert served >= LEAST_SERVED * seconds, f"only {served} good answers came over a line that is late, but whole"
    figures.note(
        "F5",
        f"line to PostgreSQL {request.node.callspec.id} for {seconds} s, one of two nodes",
        answers_503=sum(entry.status == 503 for entry in hit),
        slowest_503_in_s=slowest,
        good_while_it_lasted=served,
        slowest_good_answer_in_s=longest.seconds,
        back_after_s=back_after,
        tokens_lost=0,
    )


def test_F05_a_commit_whose_answer_is_lost_is_asked_about_never_guessed(distance, figures):
    cuts = rounds("COMMIT_CUTS", 40, smoke=5)
    scene = distance.scene
    worker, near = scene.workers[0], scene.nodes[0]
    assert worker.connect(near), "the first connection could not be made"
    begun = len(scene.ledger.entries)
    unanswered = 0
    for number in range(cuts):
        connection = scene.ledger.open(scene.clients[("stable", "successor", "strict")[number % 3]])
        code = worker.authorize(connection, near)
        # The answers to what the COMMIT came with, to itself, and that the server is ready: about 80 bytes.
        distance.line.trouble = Trouble(cuts_commit_after=(0, 1, 30, 55, 70, 76)[number % 6])
        entry = worker.exchange(connection, code, near)
        distance.line.trouble = Trouble()
        assert entry.status in (200, 503), f"an answer that was never read became a verdict: {entry}"
        if entry.leaves_doubt:
            unanswered += 1
            # Who comes again to the same node, however soon, is connected (ADR 0014).
            entry = scene.examination.until_answered(lambda n=connection, c=code: worker.exchange(n, c, near))
            assert entry.is_good, f"a code that was answered 503 is refused at the same node: {entry}"
    assert distance.line.cut >= cuts, "the line did not break off in the answers to commits"
    exchanges = [entry for entry in scene.ledger.entries[begun:] if entry.kind == EXCHANGE]
    twice = sum(len(codes_are_good_once(each)) for each in scene.ledger.connections(since=begun))
    distance.must_hold_to_the_end()
    figures.note(
        "F5",
        "answer to the COMMIT of an exchange cut off after 0 to 76 bytes",
        times=cuts,
        answered_503=unanswered,
        asked_again_at_the_same_node=len(exchanges) - cuts,
        answered_200_in_the_end=sum(entry.is_good for entry in exchanges),
        exchanged_twice=twice,
        wrong_refusals=sum(entry.is_verdict for entry in exchanges),
    )


def test_F05_what_is_cut_on_one_node_is_cut_on_the_other_within_a_second(distance, figures):
    scene, worker = distance.scene, distance.scene.workers[0]
    first, second = scene.nodes
    slowest = 0.0
    for _ in range(20):
        number = worker.connect(first)
        token = scene.ledger.newest(number)
        assert scene.ledger.introspect(number, token, second).is_active
        assert worker.revoke(number, token, first).is_good
        began = time.monotonic()
        eventually(lambda n=number, t=token: not scene.ledger.introspect(n, t, second).is_active, pause=0)
        slowest = max(slowest, time.monotonic() - began)
    assert slowest < 1
    distance.must_hold_to_the_end()
    figures.note("F5", "revoked on one node, asked on the other", times=20, slowest_in_s=slowest)
