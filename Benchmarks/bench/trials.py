"""How the server bears a load that it does not choose: half of what it can, far too many callers, a flood of sign-ins.

All of it is asked of `latchkey serve`.
"""

import os
import statistics
import subprocess
import sys
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field, replace

from . import load, pace
from .ceilings import Argon2
from .load import Sample
from .measure import Sites
from .pace import Paced
from .scenarios import FIXED

CONNECTIONS = 64
"""At how many connections the server is saturated."""
CROWD = 6144
"""Far more connections than it can serve at once, and more than `request-limit` lets in."""
HASHING_CONNECTIONS = 16
FLOOD_CONNECTIONS = 64
FLOODED_PART = 0.25
"""Which part of its saturated rate the server is asked for beside the flood: the generator needs a core of its own."""
TOKEN = "/oauth/token"


@dataclass
class HalfRate:
    """A refresh at half of the rate at which the server is saturated."""

    kind: str
    saturated_rate: float
    paced: Paced
    fixed: Paced | None = None
    """The fixed answer at that rate: what the machine, the framework and the load generator take."""


@dataclass
class Overload:
    """The same refreshes from a fitting number of callers and from a crowd, alternately."""

    connections: int
    fitting_rates: list[float]
    crowd_rates: list[float]
    """Answers of status 200 a second."""
    shed: int
    """Answers 503 with Retry-After."""
    failures: int
    """Everything else."""
    p99_ms: float

    @property
    def part_kept(self) -> float:
        """Which part of its rate the server keeps."""
        return statistics.median(self.crowd_rates) / statistics.median(self.fitting_rates)


@dataclass
class Hashing:
    """Sign-ins beside the bare hashes of the reference library, alternately."""

    reference_rates: list[float]
    rates: list[float]
    failures: int

    @property
    def part(self) -> float:
        pairs = zip(self.rates, self.reference_rates, strict=True)
        return statistics.median(rate / reference for rate, reference in pairs)


@dataclass
class Flood:
    """Refreshes at a steady rate, with and without a flood of sign-ins, alternately."""

    rate: float
    quiet_p99_ms: list[float]
    flooded_p99_ms: list[float]
    sign_in_rates: list[float]
    failures: int
    late_ms: float = 0
    """How late the slowest of a hundred requests left beside the flood, for the generator's own fault."""
    beside_loops_p99_ms: list[float] = field(default_factory=list)
    """The same beside programs of the hashing's priority that have nothing to do with the server."""

    @property
    def factor(self) -> float:
        return statistics.median(self.flooded_p99_ms) / statistics.median(self.quiet_p99_ms)

    @property
    def factor_of_loops(self) -> float | None:
        """What the machine does to refreshes while its cores are busy, whatever with."""
        if not self.beside_loops_p99_ms:
            return None
        return statistics.median(self.beside_loops_p99_ms) / statistics.median(self.quiet_p99_ms)


@contextmanager
def busy_cores() -> Iterator[None]:
    """Keeps every core busy with nothing, at the priority of `PasswordHasher`."""
    command = ["nice", "-n", "5", sys.executable, "-c", "while True: pass"]
    loops = [subprocess.Popen(command) for _ in range(os.cpu_count() or 1)]
    try:
        yield
    finally:
        for loop in loops:
            loop.kill()
            loop.wait()


def middle(runs: list[Paced]) -> Paced:
    """The run of the middle p99, of two the worse one; with what failed in any of them."""
    chosen = sorted(runs, key=lambda paced: paced.p99_ms)[len(runs) // 2]
    return replace(chosen, failures=sum(paced.failures for paced in runs))


class Trials:
    """The trials of one database."""

    def __init__(self, sites: Sites, say: Callable[[str], None], rounds: int):
        self.bodies, self.server = sites["program"]
        _, self.fixed_server = sites["server"]
        self.say = say
        self.rounds = rounds
        self.files = {kind: self.bodies.write(f"paced-{kind}", self.bodies.refresh(kind)) for kind in ("opaque", "jwt")}

    def half_rates(self) -> list[HalfRate]:
        found = []
        for kind, file in self.files.items():
            rate = self._refreshes(file, CONNECTIONS).rate
            paced, fixed = [], []
            for _ in range(self.rounds):
                paced.append(pace.run(self.server, TOKEN, file, rate / 2, 4, 4 * CONNECTIONS))
                fixed.append(pace.run(self.fixed_server, FIXED.path, file, rate / 2, 4, 4 * CONNECTIONS))
                self.say(
                    f"  {kind} refreshes at {paced[-1].rate:,.0f}/s of {rate:,.0f}/s: 99 % within "
                    f"{paced[-1].p99_ms:.2f} ms, fixed answers within {fixed[-1].p99_ms:.2f} ms "
                    f"({paced[-1].failures} failed, the generator was {paced[-1].late_ms:.2f} ms late)"
                )
            found.append(HalfRate(kind, rate, middle(paced), middle(fixed)))
        return found

    def overload(self) -> Overload:
        fitting, crowd = [], []
        for _ in range(self.rounds):
            fitting.append(self._refreshes(self.files["opaque"], CONNECTIONS, "shedding.lua"))
            crowd.append(self._refreshes(self.files["opaque"], CROWD, "shedding.lua"))
            self.say(
                f"  {CONNECTIONS} connections {fitting[-1].rate:,.0f}/s, {CROWD} connections {crowd[-1].rate:,.0f}/s "
                f"({crowd[-1].shed} shed, {crowd[-1].failures} failed)"
            )
        return Overload(
            connections=CROWD,
            fitting_rates=[sample.rate for sample in fitting],
            crowd_rates=[sample.rate for sample in crowd],
            shed=sum(sample.shed for sample in crowd),
            failures=sum(sample.failures for sample in fitting + crowd),
            p99_ms=statistics.median(sample.p99_ms for sample in crowd),
        )

    def hashing(self) -> Hashing:
        argon2 = Argon2()
        lines = self._sign_ins()
        references, samples = [], []
        for _ in range(self.rounds):
            references.append(argon2.rate(2))
            samples.append(load.run(self.server, "/login", "shedding.lua", [lines], HASHING_CONNECTIONS, 3))
            self.server.wait_until_idle()
            self.say(f"  argon2 alone {references[-1]:.0f}/s, sign-ins {samples[-1].rate:.0f}/s")
        failures = sum(sample.failures + sample.shed for sample in samples)
        return Hashing(references, [sample.rate for sample in samples], failures)

    def flood(self) -> Flood:
        file, lines = self.files["jwt"], self._sign_ins()
        rate = self._refreshes(file, CONNECTIONS).rate * FLOODED_PART
        quiet, flooded, sign_ins, beside_loops = [], [], [], []
        for _ in range(self.rounds):
            quiet.append(pace.run(self.server, TOKEN, file, rate, 3, 4 * CONNECTIONS))
            with ThreadPoolExecutor(1) as beside:
                arguments = (self.server, "/login", "shedding.lua", [lines], FLOOD_CONNECTIONS, 6)
                running = beside.submit(load.run, *arguments)
                flooded.append(pace.run(self.server, TOKEN, file, rate, 3, 4 * CONNECTIONS))
                sign_ins.append(running.result())
            self.server.wait_until_idle()
            with busy_cores():
                beside_loops.append(pace.run(self.server, TOKEN, file, rate, 3, 4 * CONNECTIONS))
            self.say(
                f"  refreshes at {rate:,.0f}/s: 99 % within {quiet[-1].p99_ms:.2f} ms; beside "
                f"{sign_ins[-1].rate:.0f} sign-ins/s within {flooded[-1].p99_ms:.2f} ms, beside idle loops within "
                f"{beside_loops[-1].p99_ms:.2f} ms "
                f"(the generator was {quiet[-1].late_ms:.2f} and {flooded[-1].late_ms:.2f} ms late)"
            )
        return Flood(
            rate=rate,
            quiet_p99_ms=[paced.p99_ms for paced in quiet],
            flooded_p99_ms=[paced.p99_ms for paced in flooded],
            sign_in_rates=[sample.rate for sample in sign_ins],
            failures=sum(run.failures for run in quiet + flooded) + sum(sample.failures for sample in sign_ins),
            late_ms=statistics.median(paced.late_ms for paced in flooded),
            beside_loops_p99_ms=[paced.p99_ms for paced in beside_loops],
        )

    def _refreshes(self, file: str, connections: int, script: str = "forms.lua") -> Sample:
        return load.run(self.server, TOKEN, script, [file], connections, 2)

    def _sign_ins(self) -> str:
        return self.bodies.write("trial-sign-ins", self.bodies.sign_in(self.server))
