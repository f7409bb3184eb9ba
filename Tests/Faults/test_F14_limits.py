"""F14: file descriptors run out, and come back."""

from __future__ import annotations

import resource
import socket
from contextlib import ExitStack

import pytest

from judge.scene import Scene
from toolkit.wire import send

FILES = 256


@pytest.mark.parametrize("kind", ["sqlite", "postgres"])
def test_F14_a_server_that_may_open_few_files_lives_through_a_thousand_connections(new_server, figures, kind):
    scene = Scene.prepare([new_server(kind)], people=3).start()
    server = scene.nodes[0]
    resource.prlimit(server.process.pid, resource.RLIMIT_NOFILE, (FILES, FILES))
    worker = scene.workers[0]
    assert worker.connect(server)
    with ExitStack() as stack:
        for _ in range(1000):
            line = stack.enter_context(socket.socket())
            line.setblocking(False)
            line.connect_ex(("127.0.0.1", server.port))
        for _ in range(5):
            worker.step(server)
        assert server.is_running
    scene.examination.until_answered(lambda: worker.refresh(worker.mine[0], server))
    assert send("GET", server.base + "/readyz").status_code == 200
    with scene.traffic() as traffic:
        traffic.wait_for(lambda: len(scene.ledger.acknowledged("exchange")) > 10, 30, "work after that")
    scene.must_hold_to_the_end()
    figures.note("F14", f"1,000 connections to a server that may open {FILES} files, {kind}", crashes=0, tokens_lost=0)
