"""What is not a rate: that a refresh writes nothing, how soon the server is ready, and how much it holds when idle."""

import http.client
import statistics
import time
from dataclasses import asdict, dataclass

from .bodies import Bodies
from .databases import Postgres, SQLite
from .process import ServerProcess
from .program import Program

REFRESHES = 1000
STARTS = 7


@dataclass
class WriteProof:
    """The database's counters before and after the refreshes."""

    refreshes: int
    before: dict[str, str]
    after: dict[str, str]

    @property
    def holds(self) -> bool:
        return self.before == self.after

    def as_json(self) -> dict[str, object]:
        return asdict(self) | {"holds": self.holds}


def refresh_writes_nothing(bodies: Bodies, server: ServerProcess) -> WriteProof:
    """Refreshes a thousand connections between two looks at the counters.

    Each is refreshed once before: that notes when it was used last, which is written behind, at most once in ten
    minutes for a connection. The counters are first looked at when that has settled.
    """
    lines = (bodies.refresh("opaque") + bodies.refresh("jwt"))[: 2 * REFRESHES]
    connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=10)
    headers = {"Content-Type": "application/x-www-form-urlencoded"}

    def refresh(line: str) -> None:
        connection.request("POST", "/oauth/token", line, headers)
        response = connection.getresponse()
        answer = response.read()
        if response.status != 200:
            raise SystemExit(f"bench: a refresh was answered with {response.status} {answer[:300]!r}")

    chosen = lines[:: max(1, len(lines) // REFRESHES)][:REFRESHES]
    for line in chosen:
        refresh(line)
    proof = None
    # A server process of PostgreSQL writes notes of its own into the log now and then, so a second look is fair.
    for _ in range(3):
        settle(bodies.database)
        before = bodies.database.counters()
        for line in chosen:
            refresh(line)
        time.sleep(8)  # the write-behind comes every five seconds
        time.sleep(bodies.database.settling)
        proof = WriteProof(len(chosen), before, bodies.database.counters())
        if proof.holds:
            break
    connection.close()
    return proof


def settle(database: SQLite | Postgres, deadline: float = 60) -> None:
    """Waits until the counters stand still for longer than the write-behind takes."""
    until = time.monotonic() + deadline
    seen = None
    while time.monotonic() < until:
        time.sleep(max(6.0, database.settling))
        now = database.counters()
        if now == seen:
            return
        seen = now


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
