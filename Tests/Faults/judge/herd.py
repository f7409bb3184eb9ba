"""Thousands of requests at once, cheaply: a small HTTP/1.1 client on asyncio that keeps its connections."""

from __future__ import annotations

import asyncio
import random
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from urllib.parse import urlencode, urlsplit

from toolkit.client import OAuthClient


@dataclass
class Shot:
    """One request: its bytes, and what became of it."""

    content: bytes
    status: int | None = None
    body: bytes = b""
    tries: int = 0
    left_after: float = 0.0
    """When it was sent first, in seconds from the start of the herd."""
    seconds: float = 0.0
    """How long the last try took."""
    done_after: float = 0.0
    """When its last answer came, in seconds from the start of the herd."""


def form(path: str, fields: dict, cookies: dict | None = None) -> Shot:
    """A form POST."""
    body = urlencode(fields).encode()
    head = f"POST {path} HTTP/1.1\r\nHost: a\r\nContent-Type: application/x-www-form-urlencoded\r\n"
    if cookies:
        head += f"Cookie: {'; '.join(f'{name}={value}' for name, value in cookies.items())}\r\n"
    return Shot(f"{head}Content-Length: {len(body)}\r\n\r\n".encode() + body)


def refresh(client: OAuthClient, token: str) -> Shot:
    return form("/oauth/token", {"grant_type": "refresh_token", "refresh_token": token} | client.secret_form())


def exchange(client: OAuthClient, code: str) -> Shot:
    return form("/oauth/token", client.exchange_form(code) | client.secret_form())


class Wire:
    """One connection that is kept."""

    def __init__(self, base: str):
        self.place = urlsplit(base)
        self.reader: asyncio.StreamReader | None = None

    async def ask(self, content: bytes) -> tuple[int, bytes]:
        if self.reader is None:
            self.reader, self.writer = await asyncio.open_connection(self.place.hostname, self.place.port)
        self.writer.write(content)
        head = await self.reader.readuntil(b"\r\n\r\n")
        lines = head.decode("latin-1").split("\r\n")
        fields = dict(line.lower().split(": ", 1) for line in lines[1:] if ": " in line)
        body = await self.reader.readexactly(int(fields.get("content-length", 0)))
        if fields.get("connection") == "close":
            self.close()
        return int(lines[0].split()[1]), body

    def close(self) -> None:
        if self.reader is not None:
            self.writer.close()
        self.reader = None


async def _drive(base: str, shots: list[Shot], wires: int, until_good: float, pace: float | None) -> None:
    started = time.monotonic()
    queue: asyncio.Queue[Shot] = asyncio.Queue()

    async def feed() -> None:
        for place, shot in enumerate(shots):
            if pace and (wait := started + place / pace - time.monotonic()) > 0:
                await asyncio.sleep(wait)
            queue.put_nowait(shot)

    waiting = len(shots)
    finished = asyncio.Event()

    async def work() -> None:
        nonlocal waiting
        wire = Wire(base)
        while True:
            shot = await queue.get()
            shot.tries += 1
            began = time.monotonic()
            if shot.tries == 1:
                shot.left_after = began - started
            try:
                shot.status, shot.body = await asyncio.wait_for(wire.ask(shot.content), 15)
            except (OSError, asyncio.IncompleteReadError, asyncio.TimeoutError, TimeoutError):
                shot.status = None
                wire.close()
            now = time.monotonic()
            shot.seconds, shot.done_after = now - began, now - started
            if shot.status in (None, 503) and shot.done_after < until_good:
                # As Retry-After asks, spread out, so that the herd does not come back as one.
                asyncio.get_running_loop().call_later(random.uniform(0.5, 1.5), queue.put_nowait, shot)
                continue
            waiting -= 1
            if waiting == 0:
                finished.set()

    tasks = [asyncio.create_task(work()) for _ in range(wires)] + [asyncio.create_task(feed())]
    await finished.wait()
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)


def fire(
    base: str, shots: list[Shot], *, wires: int = 128, until_good: float = 0, pace: float | None = None
) -> list[Shot]:
    """Sends all of them over some connections, as fast as they go or at a pace per second; returns them with answers.

    With `until_good`, whoever gets 503 or nothing tries again for so many seconds.
    """
    if shots:
        asyncio.run(_drive(base, shots, wires, until_good, pace))
    return shots


def go_together(base: str, walks: list[Callable[[Wire], Awaitable[None]]]) -> None:
    """Lets all of them go on at once, each over a connection of its own and at its own pace."""

    async def go() -> None:
        await asyncio.gather(*(walk(Wire(base)) for walk in walks))

    asyncio.run(go())
