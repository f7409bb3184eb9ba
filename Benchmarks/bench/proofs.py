"""What is not a rate: that a refresh writes nothing, how soon the server is ready, and how much memory it holds."""

import http.client
import resource
import socket
import statistics
import time
from dataclasses import asdict, dataclass

from .bodies import Bodies
from .databases import Postgres, SQLite
from .pace import requests, status
from .process import ServerProcess
from .program import Program

REFRESHES = 1000
STARTS = 7
CONNECTIONS = 10_000
WRITE_BEHIND = 5.0
"""How often the server writes what no request waits for, in seconds."""


@dataclass
class WriteProof:
    """How many writing transactions a thousand refreshes brought about."""

    refreshes: int
    seconds: float
    writes: int

    @property
    def allowed(self) -> int:
        """What is written behind whatever the number of refreshes: uses and counts, each once in five seconds."""
        return 2 * (1 + int(self.seconds / WRITE_BEHIND))

    @property
    def holds(self) -> bool:
        return self.writes <= self.allowed

    def as_json(self) -> dict[str, object]:
        return asdict(self) | {"allowed": self.allowed, "holds": self.holds}


def refresh_writes_nothing(database: SQLite | Postgres, bodies: Bodies, server: ServerProcess) -> WriteProof:
    """Refreshes a thousand connections, and counts the transactions that wrote meanwhile.

    Each is refreshed once before: that notes when it was used last, which is written behind, at most once in ten
    minutes for a connection.
    """
    lines = (bodies.refresh("opaque") + bodies.refresh("jwt"))[: 2 * REFRESHES]
    chosen = lines[:: max(1, len(lines) // REFRESHES)][:REFRESHES]
    connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=10)
    headers = {"Content-Type": "application/x-www-form-urlencoded"}

    def refresh_all() -> int:
        """How many writes were seen, looking after each refresh."""
        writes = -database.writes()
        for line in chosen:
            connection.request("POST", "/oauth/token", line, headers)
            response = connection.getresponse()
            answer = response.read()
            if response.status != 200:
                raise SystemExit(f"bench: a refresh was answered with {response.status} {answer[:300]!r}")
            database.look()
        return writes + database.writes()

    refresh_all()
    time.sleep(WRITE_BEHIND + 1)
    start = time.monotonic()
    writes = refresh_all()
    proof = WriteProof(len(chosen), time.monotonic() - start, writes)
    connection.close()
    return proof


@dataclass
class Start:
    """How the real program starts on an existing database, and what it holds when nobody asks it anything."""

    ready_ms: list[float]
    idle_megabytes: float
    own_megabytes: float
    """The part of it that is not the program's and its libraries' text, read from their files."""
    connections: int
    """How many connections were open, each of them after one refresh, when the last figure was taken."""
    connected_megabytes: float

    @property
    def median_ms(self) -> float:
        return statistics.median(self.ready_ms)

    @property
    def kilobytes_per_connection(self) -> float:
        return (self.connected_megabytes - self.idle_megabytes) * 1024 / self.connections


def start_and_idle(program: Program, bodies: Bodies) -> Start:
    """Starts `latchkey serve` several times on a database that has been migrated before, and connects to the last."""
    program.migrate()
    times = []
    for number in range(STARTS):
        with program.serve() as server:
            seconds = server.wait_until_ready()
            if number > 0:  # the first one reads the program from the disk
                times.append(seconds * 1000)
    with program.serve() as server:
        times.append(server.wait_until_ready() * 1000)
        time.sleep(3)
        idle, own = server.resident_megabytes(), server.own_megabytes()
        connections, connected = held_connections(server, bodies.refresh("opaque"))
    return Start(times, idle, own, connections, connected)


def held_connections(server: ServerProcess, lines: list[str]) -> tuple[int, float]:
    """Opens many connections, sends a refresh on each, keeps them open; how many, and the resident megabytes then."""
    free = resource.getrlimit(resource.RLIMIT_NOFILE)[0] - 200
    sent = requests("/oauth/token", lines)
    held: list[socket.socket] = []
    try:
        for number in range(min(CONNECTIONS, free)):
            connection = socket.create_connection(("127.0.0.1", server.port), 10)
            held.append(connection)
            connection.sendall(sent[number % len(sent)])
            received = b""
            while (said := status(received)) is None:
                chunk = connection.recv(65536)
                if not chunk:
                    raise SystemExit(f"bench: the server closed connection {number + 1}")
                received += chunk
            if said != b"200":
                raise SystemExit(f"bench: a refresh on connection {number + 1} was answered with {said!r}")
        time.sleep(1)
        return len(held), server.resident_megabytes()
    finally:
        for connection in held:
            connection.close()
