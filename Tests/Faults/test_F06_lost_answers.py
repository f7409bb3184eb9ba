"""F6: the answer gets lost on the way to the partner."""

from __future__ import annotations

import socket
import time
from urllib.parse import urlencode

import pytest

from judge.ledger import EXCHANGE, REFRESH
from judge.lossy import Line, Trouble
from judge.places import through
from judge.rounds import rounds
from judge.scene import Scene


@pytest.fixture(params=["sqlite", "postgres"])
def scene(request, new_server) -> Scene:
    return Scene.prepare([new_server(request.param)], people=3).start()


def test_F06_an_answer_cut_off_anywhere_costs_nothing(scene, figures):
    node, worker = scene.nodes[0], scene.workers[0]
    line = Line(node.port)
    place = through(line, node)
    cuts = rounds("ANSWER_CUTS", 60, smoke=6)
    try:
        for number in range(cuts):
            # In the first byte, in the head, and in the body of the answer.
            trouble = Trouble(cuts_answer_after=(0, 1, 12, 90, 240, 400)[number % 6])
            policy = ("stable", "successor", "strict")[number % 3]
            connection = scene.ledger.open(scene.clients[policy])
            code = worker.authorize(connection, place)
            if number % 2:
                line.trouble = trouble
            entry = worker.exchange(connection, code, place)
            line.trouble = trouble
            if entry.is_good:
                worker.refresh(connection, place)
            line.trouble = Trouble()
            worker.codes.clear()
    finally:
        line.stop()
    without = sum(entry.status is None for entry in scene.ledger.entries if entry.kind in (EXCHANGE, REFRESH))
    assert without > cuts / 2, "hardly an answer was lost"
    scene.must_hold_to_the_end()
    figures.note("F6", f"answers cut off on the way, {node.database.kind}", answers_lost=without, tokens_lost=0)


def send_and_leave(scene: Scene, kind: str, number: int, secret: str, form: dict) -> None:
    """A partner that sends its request and is gone before the answer."""
    node = scene.nodes[0]
    entry = scene.ledger.begin(kind, number, node.base, secret)
    entry.is_abandoned = True
    body = urlencode(form).encode()
    with socket.create_connection(("127.0.0.1", node.port), timeout=10) as line:
        line.sendall(
            b"POST /oauth/token HTTP/1.1\r\nHost: a\r\nContent-Type: application/x-www-form-urlencoded\r\n"
            + f"Content-Length: {len(body)}\r\n\r\n".encode()
            + body
        )
    entry.ended = time.time()


def test_F06_a_storm_of_retries_after_nobody_waited_for_the_answer(scene, figures):
    worker, place = scene.workers[0], scene.place
    storms = rounds("STORMS", 20, smoke=4)
    for number in range(storms):
        client = scene.clients[("stable", "successor")[number % 2]]
        connection = worker.connect(place, client)
        assert connection
        token = scene.ledger.newest(connection)
        for _ in range(5):
            fields = {"grant_type": "refresh_token", "refresh_token": token} | client.secret_form()
            send_and_leave(scene, REFRESH, connection, token, fields)
            # A partner that tries again waits a little; so nothing of this is under way when the next token is used.
            time.sleep(0.1)
        assert worker.refresh(connection, place).is_good
        assert worker.refresh(connection, place).is_good
    scene.must_hold_to_the_end()
    figures.note(
        "F6", f"five requests left alone, then a retry, {scene.nodes[0].database.kind}", times=storms, tokens_lost=0
    )
