"""A TCP line that goes wrong: it drops, delays, breaks off, or swallows the answer to a COMMIT."""

from __future__ import annotations

import asyncio
import contextlib
import threading
from dataclasses import dataclass


@dataclass
class Trouble:
    """What is wrong with the line at the moment."""

    refuses: bool = False
    """New connections are ended at once, and those that are there when something is said on them."""
    drops: bool = False
    """Nothing arrives, and nobody is told: a pulled cable. What was sent arrives when it is back, as TCP has it."""
    delay: float = 0.0
    """How many seconds every piece takes longer."""
    cuts_commit_after: int | None = None
    """After how many bytes of the answer to a COMMIT the connection breaks off."""
    cuts_answer_after: int | None = None
    """After how many bytes of any answer the connection breaks off."""


class Line:
    """A proxy on loopback before one port, on a thread of its own."""

    def __init__(self, port: int):
        self.target = port
        self.trouble = Trouble()
        self.cut = 0
        """How many connections were broken off over an answer."""
        self.loop = asyncio.new_event_loop()
        ready = threading.Event()
        self.thread = threading.Thread(target=self._run, args=(ready,), daemon=True)
        self.thread.start()
        ready.wait()

    def _run(self, ready: threading.Event) -> None:
        asyncio.set_event_loop(self.loop)
        self.server = self.loop.run_until_complete(asyncio.start_server(self._serve, "127.0.0.1", 0))
        self.port = self.server.sockets[0].getsockname()[1]
        ready.set()
        self.loop.run_forever()

    def stop(self) -> None:
        self.loop.call_soon_threadsafe(self.loop.stop)
        self.thread.join(timeout=10)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if self.trouble.refuses:
            writer.close()
            return
        with contextlib.suppress(OSError):
            there, back = await asyncio.open_connection("127.0.0.1", self.target)
            talk = _Talk(self, writer, back)
            await asyncio.gather(talk.carry(reader, back, talk.on_request), talk.carry(there, writer, talk.on_answer))
        writer.close()


class _Talk:
    """One connection through the line."""

    def __init__(self, line: Line, near: asyncio.StreamWriter, far: asyncio.StreamWriter):
        self.line, self.near, self.far = line, near, far
        self.allowed: int | None = None
        """How many bytes of the answer may still pass."""

    async def carry(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, look) -> None:
        with contextlib.suppress(OSError):
            while piece := await reader.read(65536):
                trouble = self.line.trouble
                while self.line.trouble.drops:
                    await asyncio.sleep(0.05)
                if trouble.refuses:
                    break
                if trouble.delay:
                    await asyncio.sleep(trouble.delay)
                piece, goes_on = look(piece, trouble)
                writer.write(piece)
                await writer.drain()
                if not goes_on:
                    break
        for end in (self.near, self.far):
            end.close()

    def on_request(self, piece: bytes, trouble: Trouble) -> tuple[bytes, bool]:
        self.allowed = None
        # PostgreSQL's message of a query ends in a zero byte.
        if trouble.cuts_commit_after is not None and b"commit\0" in piece.lower():
            self.allowed = trouble.cuts_commit_after
        if trouble.cuts_answer_after is not None:
            self.allowed = trouble.cuts_answer_after
        return piece, True

    def on_answer(self, piece: bytes, trouble: Trouble) -> tuple[bytes, bool]:
        if self.allowed is None:
            return piece, True
        passes = piece[: self.allowed]
        self.allowed -= len(passes)
        self.line.cut += self.allowed == 0
        return passes, self.allowed > 0
