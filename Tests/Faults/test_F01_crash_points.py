"""F1: the server is killed before each system call by which a request changes a file or says something.

A dry run counts the calls that one code exchange and one refresh make. Then the same request is sent again and again,
and each time the server dies before the next of these calls. After each start: no token is lost, none is issued twice,
and whoever got no answer can ask again.
"""

from __future__ import annotations

import itertools

import pytest

from judge.ledger import Entry
from judge.scene import Scene
from judge.strace import Strace, kill_before, need_strace


class Request:
    """One kind of request, prepared so that only its last step is left to do."""

    def __init__(self, scene: Scene, policy: str | None):
        self.scene, self.policy = scene, policy
        self.worker = scene.workers[0]

    def prepare(self) -> None:
        place, client = self.scene.place, self.scene.clients[self.policy or "stable"]
        if self.policy is None:
            self.number = self.scene.ledger.open(client)
            self.code = self.worker.authorize(self.number, place)
            assert self.code, "the person did not get as far as a code"
            return
        self.number = self.worker.connect(place, client)
        assert self.number, "the connection could not be made"
        # A successor's first use is what moves the row: the refresh after the first one writes.
        if self.policy == "successor":
            assert self.worker.refresh(self.number, place).is_good

    def send(self) -> Entry:
        if self.policy is None:
            return self.worker.exchange(self.number, self.code, self.scene.place)
        return self.worker.refresh(self.number, self.scene.place)

    def send_again(self) -> Entry:
        """What a partner does that got no answer."""
        self.worker.codes.clear()
        return self.send()


def crash_points(request: Request, room) -> dict[str, int]:
    """Kills the server before every call of the request; how many kills there were, and how the retries ended."""
    scene = request.scene
    server = scene.nodes[0]
    seen = {"points": 0, "kills": 0, "done before the kill": 0, "done by the retry": 0}
    names = itertools.count()
    request.prepare()
    with Strace(server, room / "dry") as dry:
        assert request.send().is_good
    calls = dry.calls()
    assert calls, "a request makes no call at all?"
    for call, times in sorted(calls.items()):
        # One place more than was counted: a pass without a kill shows that all of them were met.
        for place in range(1, times + 2):
            request.prepare()
            log = room / f"{call}-{place}-{next(names)}"
            with Strace(server, log, *kill_before(call, place), calls=(call,)) as trace:
                entry = request.send()
            seen["points"] += 1
            if not trace.has_killed:
                assert entry.is_good, f"refused under strace: {entry}"
                continue
            seen["kills"] += 1
            server.process.wait(timeout=20)
            server.start()
            if not entry.is_good:
                again = request.send_again()
                assert not again.leaves_doubt, f"killed before {call} number {place}, and no answer after it: {again}"
                seen["done by the retry" if again.is_good else "done before the kill"] += 1
            scene.must_hold()
    return seen


def check_crash_points(new_server, room, figures, policies) -> None:
    need_strace()
    scene = Scene.prepare([new_server("sqlite")], people=1).start()
    for policy in policies:
        what = f"refresh, {policy}" if policy else "code exchange"
        seen = crash_points(Request(scene, policy), room)
        assert seen["kills"] > 0, f"{what}: nothing was killed"
        if policy is None:
            assert seen["done before the kill"] > 0, "no kill came after the commit of an exchange"
            assert seen["done by the retry"] > 0, "no kill came before the commit of an exchange"
        if policy in ("stable", "successor"):
            assert seen["done before the kill"] == 0, f"{what}: a retry was refused"
        figures.note("F1", f"killed before each system call of one {what}, SQLite", **seen, tokens_lost=0)
    scene.must_hold_to_the_end()


@pytest.mark.smoke
def test_F01_every_crash_point_of_an_exchange_and_of_a_refresh_that_writes(new_server, room, figures):
    check_crash_points(new_server, room, figures, [None, "successor"])


def test_F01_every_crash_point_of_a_refresh_under_the_other_policies(new_server, room, figures):
    check_crash_points(new_server, room, figures, ["stable", "strict"])
