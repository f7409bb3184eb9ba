"""A relay between a node and PostgreSQL, which loses what a test tells it to lose.

It speaks only bytes: of PostgreSQL's protocol it reads no more than what a client sends begins and ends with, and the
texts of the statements, so that a test can name the transaction whose commit is to be lost: a COMMIT, or the end of a
statement that stands outside of a transaction.
"""

import contextlib
import socket
import struct
import threading
from dataclasses import dataclass
from urllib.parse import urlsplit

from .databases import Postgres

NOT_YET_TYPED = {80877103: 1, 80877104: 1}
"""The requests for TLS and GSSAPI: one byte answers each, and the client begins anew."""


@dataclass
class Loss:
    """Which commit is lost: that of the next transaction with a statement that holds the text."""

    text: str
    is_carried_out: bool
    """Whether the server gets it, and only its answer is lost."""
    then_gone: bool
    """Whether the database is out of reach from then on, until `resume`."""


class Relay:
    """Listens on a port of its own and passes on to one server."""

    def __init__(self, upstream: str):
        place = urlsplit(upstream)
        self.upstream = (place.hostname, place.port)
        self.listener = socket.create_server(("127.0.0.1", 0), backlog=256)
        self.port = self.listener.getsockname()[1]
        self.lines: list[_Line] = []
        self.losses: list[Loss] = []
        self.asked: list[list[str]] = []
        """The statements that each round trip carried, on all connections."""
        self.lost = threading.Event()
        self.lock = threading.Lock()
        self.way = "open"
        threading.Thread(target=self._accept, daemon=True).start()

    def before(self, database: Postgres) -> Postgres:
        """The same database, reached through this relay."""
        return database.at(self.port)

    # What a test does to it

    def lose_commit(self, text: str, *, is_carried_out: bool, then_gone: bool = False) -> None:
        """Loses the next commit of a transaction with such a statement; `lost` tells when it has."""
        self.lost.clear()
        self.losses.append(Loss(text, is_carried_out, then_gone))

    def cut(self, but: "_Line | None" = None) -> None:
        """Ends every connection, or all but one, and accepts no other, as a server that was killed does."""
        self.way = "cut"
        self._end_lines(but)

    def fall_silent(self) -> None:
        """Passes nothing on any more, on old and new connections, as a machine that is gone does."""
        self.way = "silent"

    def resume(self) -> None:
        """Passes everything on again; connections from before stay as they are."""
        with self.lock:
            silent = self.way == "silent"
            self.way = "open"
        if silent:
            # What was held back is not sent later: those connections are half open for ever.
            for line in list(self.lines):
                line.is_dead = True

    def stop(self) -> None:
        self.way = "cut"
        self.listener.close()
        self._end_lines()

    # Inside

    def _end_lines(self, but: "_Line | None" = None) -> None:
        for line in list(self.lines):
            if line is not but:
                line.end()

    def _accept(self) -> None:
        while True:
            try:
                client, _ = self.listener.accept()
            except OSError:
                return
            if self.way == "cut":
                client.close()
                continue
            line = _Line(self, client)
            with self.lock:
                self.lines.append(line)
            line.start()

    def take_loss(self, statements: list[str]) -> Loss | None:
        with self.lock:
            for loss in self.losses:
                if any(loss.text in statement for statement in statements):
                    self.losses.remove(loss)
                    return loss
        return None


class _Line:
    """One connection through the relay."""

    def __init__(self, relay: Relay, client: socket.socket):
        self.relay, self.client = relay, client
        self.server: socket.socket | None = None
        self.is_dead = False
        self.swallows_answers = False
        self.prepared: dict[bytes, str] = {}
        self.together: list[str] = []
        """Those of the batch."""
        self.statements: list[str] = []
        """Those of the transaction that is open."""
        self.is_open = False
        self.batch = b""
        """What the client has sent since its last synchronization point: the server gets it as a whole."""
        self.commits = False
        """Whether the batch commits something."""

    def start(self) -> None:
        threading.Thread(target=self._guarded, args=(self._upwards,), daemon=True).start()

    def end(self) -> None:
        for side in (self.client, self.server):
            if side is None:
                continue
            with contextlib.suppress(OSError):
                side.shutdown(socket.SHUT_RDWR)
            side.close()
        with self.relay.lock:
            if self in self.relay.lines:
                self.relay.lines.remove(self)

    def _guarded(self, work) -> None:
        with contextlib.suppress(OSError):
            work()
        if not self._is_silent():
            self.end()

    def _is_silent(self) -> bool:
        return self.is_dead or self.relay.way == "silent"

    def _upwards(self) -> None:
        if self._is_silent():
            self._drain()
            return
        self.server = socket.create_connection(self.relay.upstream, timeout=30)
        self.server.settimeout(None)
        for side in (self.client, self.server):
            side.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        threading.Thread(target=self._guarded, args=(self._downwards,), daemon=True).start()
        is_typed = False
        pending = b""
        while chunk := self.client.recv(65536):
            if self._is_silent():
                self._drain()
                return
            pending += chunk
            while message := self._first_message(pending, is_typed):
                pending = pending[len(message) :]
                if is_typed:
                    if not self._pass_on(message):
                        return
                else:
                    is_typed = struct.unpack("!I", message[4:8])[0] not in NOT_YET_TYPED
                    self.server.sendall(message)

    @staticmethod
    def _first_message(pending: bytes, is_typed: bool) -> bytes:
        start = 1 if is_typed else 0
        if len(pending) < start + 4:
            return b""
        size = start + struct.unpack("!I", pending[start : start + 4])[0]
        return pending[:size] if len(pending) >= size else b""

    def _pass_on(self, message: bytes) -> bool:
        """Sends a client's messages on, unless they commit what is to be lost."""
        kind, body = message[:1], message[5:]
        self.batch += message
        if kind == b"P":
            name, text = body.split(b"\0", 2)[:2]
            self.prepared[name] = text.decode()
        elif kind == b"B":
            self._run(self.prepared.get(body.split(b"\0", 2)[1], ""))
        # A synchronization point ends a batch; passwords, which come before the first one, and the goodbye stand alone.
        if kind in b"PBDE":
            return True
        batch, self.batch = self.batch, b""
        if self.together:
            self.relay.asked.append(self.together)
            self.together = []
        commits, self.commits = self.commits or not self.is_open, False
        loss = self.relay.take_loss(self.statements) if commits else None
        if commits:
            self.statements = []
        if loss is not None:
            self._lose(batch, loss)
            return False
        self.server.sendall(batch)
        return True

    def _run(self, statement: str) -> None:
        if statement.startswith("begin"):
            self.is_open = True
        elif statement == "commit":
            self.is_open, self.commits = False, True
        elif statement == "rollback":
            self.is_open, self.statements = False, []
        self.statements.append(statement)
        self.together.append(statement)

    def _lose(self, batch: bytes, loss: Loss) -> None:
        if loss.is_carried_out:
            self.swallows_answers = True
            self.answered = threading.Event()
            self.server.sendall(batch)
            self.answered.wait(10)
        # The node learns of it last, when there is no other way left to ask.
        if loss.then_gone:
            self.relay.cut(but=self)
        self.relay.lost.set()
        self.end()

    def _downwards(self) -> None:
        while chunk := self.server.recv(65536):
            if self._is_silent():
                continue
            if self.swallows_answers:
                self.answered.set()
                # Whoever loses it ends this line too, after the others if they are to go.
                self.relay.lost.wait(10)
                return
            self.client.sendall(chunk)

    def _drain(self) -> None:
        """Takes what comes and answers nothing, until the client has enough of it."""
        while self.client.recv(65536):
            pass
