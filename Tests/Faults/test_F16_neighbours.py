"""F16: what Latchkey talks to is away: the webhook receiver, and the company's login endpoint."""

from __future__ import annotations

import secrets
import time

import pytest

from judge.lossy import Line, Trouble
from judge.scene import Scene
from toolkit.login_endpoint import settings
from toolkit.person import Person
from toolkit.receiver import Receiver


@pytest.fixture
def silence():
    """A line on which nothing ever arrives."""
    with Receiver() as receiver:
        line = Line(receiver.port)
        line.trouble = Trouble(drops=True)
        yield line
        line.stop()


def work_for(scene: Scene, seconds: float) -> float:
    """Partners at work; the longest that a request took."""
    with scene.traffic():
        time.sleep(seconds)
    assert not [entry for entry in scene.ledger.entries if entry.leaves_doubt]
    return max(entry.seconds for entry in scene.ledger.entries)


def test_F16_a_silent_webhook_receiver_holds_up_nothing(new_server, silence, figures):
    server = new_server("sqlite")
    scene = Scene.prepare([server], people=4)
    server.extra_environment |= {
        "LATCHKEY_WEBHOOK_URL": f"http://127.0.0.1:{silence.port}/hook",
        "LATCHKEY_WEBHOOK_SECRET": server.run("webhook", "secret").stdout.strip(),
    }
    scene.start()
    slowest = work_for(scene, 4)
    scene.must_hold_to_the_end()
    figures.note("F16", "webhook receiver silent", requests=len(scene.ledger.entries), failed=0, slowest_in_s=slowest)


def test_F16_a_silent_login_endpoint_stops_its_own_sign_ins_only(new_server, silence, figures):
    endpoint = settings(
        f"http://127.0.0.1:{silence.port}/login", secrets.token_hex(32), accounts="both", login_endpoint_deadline="2s"
    )
    server = new_server("sqlite", environment=endpoint)
    scene = Scene.prepare([server], people=4).start()
    stranger = Person(server, scene.accounts[0])
    page = stranger.visit(scene.clients["stable"].authorize_url())
    began = time.monotonic()
    answer = stranger.submit(page.sign_in_form, {"email": "somebody@else.example", "password": "correct horse battery"})
    waited = time.monotonic() - began
    assert answer.status == 503
    assert waited < 10
    slowest = work_for(scene, 4)
    scene.must_hold_to_the_end()
    figures.note(
        "F16",
        "login endpoint silent",
        requests=len(scene.ledger.entries),
        failed=0,
        slowest_in_s=slowest,
        its_own_sign_in_gave_up_after_s=waited,
    )
