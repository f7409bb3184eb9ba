"""What is not a rate: that a refresh writes nothing, how soon the server is ready, and how much it holds when idle."""

import http.client
import statistics
import time
from dataclasses import asdict, dataclass

from .bodies import Bodies
from .process import ServerProcess
from .program import Program

REFRESHES = 1000
STARTS = 7
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


def refresh_writes_nothing(bodies: Bodies, server: ServerProcess) -> WriteProof:
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
        writes = -bodies.database.writes()
        for line in chosen:
            connection.request("POST", "/oauth/token", line, headers)
            response = connection.getresponse()
            answer = response.read()
            if response.status != 200:
                raise SystemExit(f"bench: a refresh was answered with {response.status} {answer[:300]!r}")
            bodies.database.look()
        return writes + bodies.database.writes()

    refresh_all()
    time.sleep(WRITE_BEHIND + 1)
    start = time.monotonic()
    writes = refresh_all()
    proof = WriteProof(len(chosen), time.monotonic() - start, writes)
    connection.close()
    return proof


@dataclass
class Start:
    """How the real program starts on an existing database."""

    ready_ms: list[float]
    idle_megabytes: float

    @property
    def median_ms(self) -> float:
        return statistics.median(self.ready_ms)


def start_and_idle(program: Program) -> Start:
    """Starts `latchkey serve` several times on a database that has been migrated before."""
    program.migrate()
    times = []
    idle = 0.0
    for number in range(STARTS + 1):
        with program.serve() as server:
            seconds = server.wait_until_ready()
            if number > 0:  # the first one reads the program from the disk
                times.append(seconds * 1000)
            if number == STARTS:
                time.sleep(3)
                idle = server.resident_megabytes()
    return Start(times, idle)
