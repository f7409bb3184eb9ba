"""Connections by the thousand that are kept open between requests, as clients with a pool keep them."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

from toolkit.process import Latchkey

REQUEST = b"GET /healthz HTTP/1.1\r\nHost: a\r\n\r\n"
GOOD, END = b"HTTP/1.1 200 ", b'{"ok":true}'
PATIENCE = 30
AT_ONCE = 250
"""How many are asked before the first of them is read."""


class IdleConnections:
    """Open connections, each of which has been served and says nothing now."""

    def __init__(self, server: Latchkey, count: int):
        self.port = server.port
        self.kept: list[socket.socket] = []
        for start in range(0, count, AT_ONCE):
            fresh = [self._open(place) for place in range(start, min(start + AT_ONCE, count))]
            self.kept += fresh
            ask_all(fresh)

    def _open(self, place: int) -> socket.socket:
        # Each loopback address has ports of its own, so that they do not run out.
        source = (f"127.0.1.{place % 200 + 1}", 0)
        return socket.create_connection(("127.0.0.1", self.port), timeout=PATIENCE, source_address=source)

    def must_all_be_served(self) -> None:
        for start in range(0, len(self.kept), AT_ONCE):
            ask_all(self.kept[start : start + AT_ONCE])

    def close(self) -> None:
        for connection in self.kept:
            connection.close()
        self.kept = []

    def __enter__(self) -> IdleConnections:
        return self

    def __exit__(self, *_) -> None:
        self.close()


def ask_all(connections: list[socket.socket]) -> None:
    """Asks on all of them, and then reads every answer."""
    for connection in connections:
        connection.sendall(REQUEST)
    for connection in connections:
        read_answer(connection)


def read_answer(connection: socket.socket) -> None:
    answer = b""
    while not answer.endswith(END):
        piece = connection.recv(4096)
        assert piece, f"an idle connection was ended, after {answer!r}"
        answer += piece
    assert answer.startswith(GOOD), answer


class Waits:
    """How long somebody else waited for answers meanwhile."""

    def __init__(self):
        self.slowest = 0.0
        self.answers = 0

    def time(self, ask) -> None:
        began = time.monotonic()
        ask()
        self.slowest = max(self.slowest, time.monotonic() - began)
        self.answers += 1


def ask_anew(server: Latchkey) -> None:
    with socket.create_connection(("127.0.0.1", server.port), PATIENCE) as fresh:
        ask_all([fresh])


@contextmanager
def somebody_else(server: Latchkey) -> Iterator[Waits]:
    """Asks without a pause for the length of a `with` block, on a connection that is kept and on new ones in turn."""
    waits, ended, failures = Waits(), threading.Event(), []

    def work() -> None:
        try:
            with socket.create_connection(("127.0.0.1", server.port), PATIENCE) as kept:
                while not ended.is_set():
                    waits.time(lambda: ask_all([kept]))
                    waits.time(lambda: ask_anew(server))
        except BaseException as failure:  # told to the test's own thread below
            failures.append(failure)

    thread = threading.Thread(target=work)
    thread.start()
    try:
        yield waits
    finally:
        ended.set()
        thread.join()
    if failures:
        raise failures[0]
