"""What is demanded of the figures: floors, which must hold, and aims, which say where to go."""

import statistics
from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from .report import DatabaseReport, Report
    from .trials import Flood, HalfRate


@dataclass(frozen=True)
class Demand:
    """A demand, whether the figures meet it, and the figure."""

    is_met: bool
    is_floor: bool
    """Whether a run fails when it is missed; else it is an aim."""
    sentence: str

    @property
    def line(self) -> str:
        if self.is_met:
            return f"{'floor' if self.is_floor else 'aim'}, met: {self.sentence}"
        return f"**floor, MISSED**: {self.sentence}" if self.is_floor else f"aim, not reached: {self.sentence}"


@dataclass(frozen=True)
class Part:
    """How much of the fixed answer's rate a scenario must have."""

    database: str
    scenario: str
    connections: int
    least: float
    is_floor: bool = False


PARTS = [
    *(
        Part(database, scenario, connections, least, is_floor)
        for database, scenario, least, is_floor in [
            ("sqlite", "refresh-opaque", 0.60, True),
            ("sqlite", "refresh-jwt", 0.35, True),
            ("sqlite", "refresh-opaque", 0.80, False),
            ("sqlite", "refresh-jwt", 0.60, False),
            ("postgres", "refresh-opaque", 0.60, False),
            ("postgres", "refresh-jwt", 0.45, False),
        ]
        for connections in (16, 64)
    ),
    Part("sqlite", "code", 64, 0.25),
]
RATES = {
    "refresh-jwt": 12_600,
    "refresh-opaque": 20_300,
    "authorize": 7_300,
    "introspect-opaque": 29_000,
    "client-credentials-opaque": 18_000,
}
"""What a compiled server that keeps everything in memory and writes nothing did on such a machine."""
RATE_CONNECTIONS = 16
P99_MS = 10.0
"""At 16 connections."""
HALF_RATE_P99_MS = 5.0
CPU_SECONDS = {"refresh-jwt": 0.12, "refresh-opaque": 0.06}
"""Of the server, for a thousand refreshes, at 16 and 64 connections."""
OVERLOADED_PART = 0.7
"""Which part of its rate the server must keep under a crowd: less is called a collapse."""
HASHING_PART = 0.9
FLOOD_FACTOR = 2.0
IDLE_FLOOR_MEGABYTES, IDLE_AIM_MEGABYTES = 60, 40
READY_FLOOR_MS, READY_AIM_MS = 300, 100
LATE_MS = 1.0
"""How late the open loop may be by its own fault, for a figure of it to count."""


def demands(report: "Report") -> list[Demand]:
    """Every demand that the run has figures for: floors before aims, what is missed before what is met."""
    every = [demand for database in report.databases for demand in _of(database)]
    return sorted(every, key=lambda demand: (demand.is_met, not demand.is_floor))


def _of(database: "DatabaseReport") -> Iterable[Demand]:
    for (name, connections), samples in database.measurements.samples.items():
        failures = sum(sample.failures for sample in samples)
        if failures:
            yield Demand(False, True, f"{database.name}: {name} at {connections} connections: {failures} failures")
    yield from _parts(database)
    yield from _rates(database)
    yield from _refreshes(database)
    yield from _loads(database)
    yield from _sign_ins(database)
    if database.writes is not None:
        proof = database.writes
        yield Demand(
            proof.holds, True,
            f"{database.name}: {proof.refreshes} refreshes in {proof.seconds:.1f} s come with {proof.writes} writing "
            f"transactions (at most {proof.allowed}: what is written behind)",
        )  # fmt: skip
    yield from _start(database)


def _parts(database: "DatabaseReport") -> Iterable[Demand]:
    for part in PARTS:
        ratios = database.measurements.ratios.get((part.scenario, part.connections))
        if part.database == database.name and ratios:
            ratio = statistics.median(ratios)
            yield Demand(
                ratio >= part.least, part.is_floor,
                f"{database.name}: {part.scenario} at {part.connections} connections: {ratio * 100:.0f} % of the fixed "
                f"answer (at least {part.least * 100:.0f} %)",
            )  # fmt: skip


def _rates(database: "DatabaseReport") -> Iterable[Demand]:
    for name, least in RATES.items():
        samples = database.measurements.samples.get((name, RATE_CONNECTIONS))
        if samples:
            rate = statistics.median(sample.rate for sample in samples)
            yield Demand(
                rate >= least, False,
                f"{database.name}: {name} at {RATE_CONNECTIONS} connections: {rate:,.0f}/s (at least {least:,}: what "
                "an in-memory server did)",
            )  # fmt: skip


def _refreshes(database: "DatabaseReport") -> Iterable[Demand]:
    for name, most in CPU_SECONDS.items():
        samples = database.measurements.samples.get((name, RATE_CONNECTIONS))
        if samples:
            p99 = statistics.median(sample.p99_ms for sample in samples)
            yield Demand(
                p99 < P99_MS, False,
                f"{database.name}: {name} at {RATE_CONNECTIONS} connections: 99 % within {p99:.2f} ms "
                f"(under {P99_MS:g})",
            )  # fmt: skip
        for connections in (16, 64):
            samples = database.measurements.samples.get((name, connections))
            if samples:
                cpu = statistics.median(sample.cpu_per_thousand for sample in samples)
                yield Demand(
                    cpu <= most, False,
                    f"{database.name}: {name} at {connections} connections: {cpu:.3f} s of processor for 1000 "
                    f"(at most {most:.2f})",
                )  # fmt: skip


def _loads(database: "DatabaseReport") -> Iterable[Demand]:
    for half in database.half_rates:
        paced = half.paced
        is_good = paced.p99_ms < HALF_RATE_P99_MS and paced.kept_up and not paced.failures
        yield Demand(
            is_good, False,
            f"{database.name}: {half.kind} refreshes at half of the saturated rate, {paced.rate:,.0f}/s: 99 % within "
            f"{paced.p99_ms:.2f} ms (under {HALF_RATE_P99_MS:g}{_beside_fixed(half)}), {paced.failures} failed"
            f"{_late(paced.late_ms)}",
        )  # fmt: skip
    if database.overload is not None:
        crowd = database.overload
        yield Demand(
            crowd.part_kept >= OVERLOADED_PART and crowd.failures == 0, False,
            f"{database.name}: {crowd.connections:,} connections at once get {crowd.part_kept * 100:.0f} % of the rate "
            f"of 64 (at least {OVERLOADED_PART * 100:.0f} %), {crowd.shed} answers are 503 with Retry-After, "
            f"{crowd.failures} failed",
        )  # fmt: skip


def _beside_fixed(half: "HalfRate") -> str:
    return "" if half.fixed is None else f"; fixed answers at that rate within {half.fixed.p99_ms:.2f} ms"


def _sign_ins(database: "DatabaseReport") -> Iterable[Demand]:
    if database.hashing is not None:
        part = database.hashing.part
        yield Demand(
            part >= HASHING_PART and not database.hashing.failures, False,
            f"{database.name}: sign-ins at {part * 100:.0f} % of the rate of the argon2 reference on all cores "
            f"(at least {HASHING_PART * 100:.0f} %)",
        )  # fmt: skip
    if database.flood is not None:
        flood = database.flood
        yield Demand(
            flood.factor < FLOOD_FACTOR and not flood.failures, False,
            f"{database.name}: a flood of sign-ins moves the time within which 99 % of {flood.rate:,.0f} refreshes a "
            f"second are answered from "
            f"{statistics.median(flood.quiet_p99_ms):.2f} to {statistics.median(flood.flooded_p99_ms):.2f} ms: "
            f"{flood.factor:.1f} times (less than {FLOOD_FACTOR:g}{_beside_loops(flood)}), "
            f"{flood.failures} failed{_late(flood.late_ms)}",
        )  # fmt: skip


def _beside_loops(flood: "Flood") -> str:
    factor = flood.factor_of_loops
    return "" if factor is None else f"; two programs of that priority that do nothing move it {factor:.1f} times"


def _start(database: "DatabaseReport") -> Iterable[Demand]:
    start = database.start
    if start is None:
        return
    idle, ready = start.idle_megabytes, start.median_ms
    for most, is_floor in ((IDLE_FLOOR_MEGABYTES, True), (IDLE_AIM_MEGABYTES, False)):
        yield Demand(
            idle <= most, is_floor, f"{database.name}: latchkey serve holds {idle:.0f} MB when idle (at most {most})"
        )
    for most, is_floor in ((READY_FLOOR_MS, True), (READY_AIM_MS, False)):
        yield Demand(
            ready <= most, is_floor,
            f"{database.name}: it is ready {ready:.0f} ms after its start (within {most}; {min(start.ready_ms):.0f} to "
            f"{max(start.ready_ms):.0f} in {len(start.ready_ms)} starts)",
        )  # fmt: skip


def _late(milliseconds: float) -> str:
    if milliseconds <= LATE_MS:
        return ""
    return f"; the load generator was {milliseconds:.1f} ms late itself, so the server did better than that"
