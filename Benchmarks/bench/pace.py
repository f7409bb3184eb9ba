"""Sends requests at a given rate, whether or not the earlier ones have been answered: an open loop.

    PYTHONPATH=Benchmarks python3 -m bench.pace PORT PATH BODIES --rate 15000

wrk sends a connection's next request when the last one is answered, so a server that stops for a moment is asked less
in that moment, and the wait of everybody who would have come is never seen (coordinated omission). Here each request
has a time at which it is due, and its latency counts from there to its answer: waiting for a free connection is part
of it, and so is what this program itself is late. It looks every 0.2 ms, which is the fineness of its figures.

Prints one line of JSON. `late_ms` says how late the slowest of a hundred requests left for this program's own fault.
"""

import argparse
import contextlib
import gc
import json
import os
import select
import socket
import subprocess
import sys
import time
from collections import deque
from dataclasses import asdict, dataclass
from pathlib import Path

from .databases import ROOT
from .process import ServerProcess

TICK = 0.0002
"""How often it looks for answers and for requests that are due, in seconds."""
PATIENCE = 10.0
"""How long it waits for the last answers, in seconds."""
PRIORITY = -15
"""Clients do not run on the server's cores: what this program wants of them it gets at once, where it may."""
PERCENTS = (1, 10, 25, 50, 75, 90, 95, 98, 99, 99.5, 99.8, 99.9, 99.95, 99.99, 100)


@dataclass
class Paced:
    """What a run at a given rate came to."""

    wanted_rate: float
    rate: float
    """Answers a second from the first that was due to the last that came."""
    percentiles: list[list[float]]
    failures: int
    """Answers of another status than 200, and requests without an answer."""
    late_ms: float

    def within_ms(self, percent: float) -> float:
        return next(ms for wanted, ms in self.percentiles if wanted == percent)

    @property
    def p99_ms(self) -> float:
        return self.within_ms(99)

    @property
    def kept_up(self) -> bool:
        """Whether the server answered as fast as it was asked."""
        return self.rate >= 0.98 * self.wanted_rate


class Link:
    """A connection to the server, with at most one request under way."""

    __slots__ = ("socket", "due", "received")

    def __init__(self, port: int):
        self.socket = socket.create_connection(("127.0.0.1", port))
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.socket.setblocking(False)
        self.due = 0.0
        self.received = b""

    def answer(self) -> bytes | None:
        """The status of the answer, once all of it has come; empty when the connection was closed."""
        try:
            chunk = self.socket.recv(65536)
        except ConnectionError:
            return b""
        if not chunk:
            return b""
        self.received += chunk
        return status(self.received)


def status(received: bytes) -> bytes | None:
    """The status of an HTTP/1.1 answer with a Content-Length, or None while a part of it is missing."""
    end = received.find(b"\r\n\r\n")
    if end < 0:
        return None
    head = received[:end].lower()
    start = head.find(b"\r\ncontent-length:")
    length = int(head[start + 17 :].split(b"\r\n", 1)[0]) if start >= 0 else 0
    return received[9:12] if len(received) >= end + 4 + length else None


def requests(path: str, bodies: list[str]) -> list[bytes]:
    made = []
    for body in bodies:
        head = (
            f"POST {path} HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/x-www-form-urlencoded\r\n"
            f"Content-Length: {len(body)}\r\n\r\n"
        )
        made.append((head + body).encode())
    return made


class Loop:
    """The open loop itself."""

    def __init__(self, port: int, sent: list[bytes], rate: float, connections: int):
        self.sent = sent
        self.rate = rate
        self.links = {link.socket.fileno(): link for link in (Link(port) for _ in range(connections))}
        self.idle = deque(self.links.values())
        self.poll = select.epoll()
        for number in self.links:
            self.poll.register(number, select.EPOLLIN)
        self.latencies: list[float] = []
        self.late: list[float] = []
        self.failures = 0
        self.counted_at = 0.0
        self.last_answer = 0.0

    def run(self, total: int, counted_from: int) -> None:
        """Sends so many requests; the first ones warm up and are not counted."""
        start = time.perf_counter() + 0.05
        position = answered = 0
        self.counted_at = self.last_answer = start + counted_from / self.rate
        end = start + total / self.rate + PATIENCE
        while answered < total and self.links:
            now = time.perf_counter()
            if now > end:
                break
            while position < total and self.idle and (due := start + position / self.rate) <= now:
                link = self.idle.popleft()
                # A request that found no free connection left late for the server's fault.
                if len(self.idle) > 0 and due >= self.counted_at:
                    self.late.append(now - due)
                link.due = due
                link.received = b""
                with contextlib.suppress(ConnectionError):  # which is seen where the answer is taken
                    link.socket.send(self.sent[position % len(self.sent)])
                position += 1
            answered += self.take()
            pause = TICK - (time.perf_counter() - now)
            if pause > 0:
                time.sleep(pause)
        self.failures += total - answered

    def take(self) -> int:
        """Takes the answers that have come; says how many."""
        count = 0
        for number, _ in self.poll.poll(0):
            link = self.links[number]
            said = link.answer()
            if said is None:
                continue
            now = time.perf_counter()
            if said == b"":
                self.poll.unregister(number)
                self.links.pop(number).socket.close()
                if link in self.idle:
                    self.idle.remove(link)
                    continue
            else:
                self.idle.append(link)
            count += 1
            if link.due >= self.counted_at:
                self.latencies.append(now - link.due)
                self.last_answer = now
            self.failures += said != b"200"
        return count


def percentiles(values: list[float]) -> list[list[float]]:
    """The values, in milliseconds, within which so many percent of them lie."""
    ordered = sorted(values)
    return [
        [percent, round(ordered[min(len(ordered) - 1, int(len(ordered) * percent / 100))] * 1000, 3)]
        for percent in PERCENTS
    ]


def measure(port: int, path: str, bodies: list[str], rate: float, seconds: float, connections: int) -> Paced:
    """One run; the first second of it is not counted."""
    loop = Loop(port, requests(path, bodies), rate, connections)
    with contextlib.suppress(PermissionError):
        os.setpriority(os.PRIO_PROCESS, 0, PRIORITY)
    gc.disable()
    warm = int(rate)
    loop.run(warm + int(rate * seconds), warm)
    taken = max(loop.last_answer - loop.counted_at, seconds)
    late = sorted(loop.late) or [0.0]
    return Paced(
        wanted_rate=rate,
        rate=len(loop.latencies) / taken,
        percentiles=percentiles(loop.latencies or [0.0]),
        failures=loop.failures,
        late_ms=round(late[int(len(late) * 0.99)] * 1000, 3),
    )


def run(server: ServerProcess, path: str, bodies: str, rate: float, seconds: int, connections: int) -> Paced:
    """The same in a process of its own, so that nothing else of this program makes it late."""
    arguments = [str(server.port), path, bodies, "--rate", str(rate), "--seconds", str(seconds)]
    command = [sys.executable, "-m", "bench.pace", *arguments, "--connections", str(connections)]
    ended = subprocess.run(command, cwd=ROOT / "Benchmarks", text=True, stdout=subprocess.PIPE, check=False)
    if ended.returncode != 0:
        raise SystemExit("bench: the open loop failed")
    return Paced(**json.loads(ended.stdout))


def main() -> int:
    parser = argparse.ArgumentParser(prog="python3 -m bench.pace", description=(__doc__ or "").splitlines()[0])
    parser.add_argument("port", type=int)
    parser.add_argument("path")
    parser.add_argument("bodies", type=Path, help="a file with a form body on each line")
    parser.add_argument("--rate", type=float, required=True, help="requests a second")
    parser.add_argument("--seconds", type=float, default=4, help="after a first second that is not counted")
    parser.add_argument("--connections", type=int, default=256, help="at most so many requests under way")
    chosen = parser.parse_args()
    bodies = chosen.bodies.read_text().splitlines()
    paced = measure(chosen.port, chosen.path, bodies, chosen.rate, chosen.seconds, chosen.connections)
    print(json.dumps(asdict(paced)))
    return 0


if __name__ == "__main__":
    sys.exit(main())
