"""The table, the floors, and the files in bench-results."""

import json
import statistics
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path

from .machine import Machine
from .measure import Measurements, Plan
from .proofs import Start, WriteProof
from .scenarios import FIXED

# The floors of `make bench`, each with the connections that it holds for.
RATIO_FLOORS = {"refresh-opaque": 0.60, "refresh-jwt": 0.35}
FLOOR_DATABASE = "sqlite"
FLOOR_CONNECTIONS = (16, 64)
IDLE_LIMIT_MEGABYTES = 60
READY_LIMIT_MS = 300


@dataclass
class DatabaseReport:
    """What was found on one database."""

    name: str
    title: str
    measurements: Measurements
    writes: WriteProof | None
    start: Start | None


@dataclass
class Report:
    """Everything that one run of `make bench` found."""

    machine: Machine
    plan: Plan
    databases: list[DatabaseReport] = field(default_factory=list)

    def rows(self, database: DatabaseReport) -> Iterable[list[str]]:
        for connections in self.plan.connections:
            for scenario in [FIXED, *self.plan.scenarios]:
                key = (scenario.name, connections)
                samples = database.measurements.samples.get(key)
                if not samples:
                    continue
                rates = [sample.rate for sample in samples]
                middle = statistics.median(rates)
                spread = (max(rates) - min(rates)) / middle * 100 if middle else 0
                failures = sum(sample.failures for sample in samples)
                shed = sum(sample.shed for sample in samples)
                ratio = statistics.median(database.measurements.ratios.get(key) or [0])
                yield [
                    scenario.title,
                    str(connections),
                    "struck" if failures else f"{middle:,.0f}",
                    f"{spread:.0f} %",
                    "100 %" if scenario is FIXED else f"{ratio * 100:.0f} %",
                    f"{median(sample.p50_ms for sample in samples):.2f}",
                    f"{median(sample.p99_ms for sample in samples):.2f}",
                    f"{failures}" + (f" ({shed} shed)" if shed else ""),
                    f"{median(sample.cpu_per_thousand for sample in samples):.3f}",
                    f"{max(sample.peak_megabytes for sample in samples):.0f}",
                ]

    def verdicts(self) -> list[tuple[bool, str]]:
        """Each demand with whether it is met."""
        found = []
        for database in self.databases:
            for (name, connections), samples in database.measurements.samples.items():
                failures = sum(sample.failures for sample in samples)
                if failures:
                    found.append((False, f"{database.name}: {name} at {connections} connections: {failures} failures"))
            if database.writes is not None:
                found.append((database.writes.holds, f"{database.name}: {_written(database.writes)}"))
            if database.name == FLOOR_DATABASE:
                found += self._ratio_verdicts(database)
            found += self._start_verdicts(database)
        return found

    def _ratio_verdicts(self, database: DatabaseReport) -> Iterable[tuple[bool, str]]:
        for name, floor in RATIO_FLOORS.items():
            for connections in FLOOR_CONNECTIONS:
                ratios = database.measurements.ratios.get((name, connections))
                if ratios:
                    ratio = statistics.median(ratios)
                    yield (
                        ratio >= floor,
                        f"{database.name}: {name} at {connections} connections: {ratio * 100:.0f} % of the fixed "
                        f"answer (at least {floor * 100:.0f} %)",
                    )

    def _start_verdicts(self, database: DatabaseReport) -> Iterable[tuple[bool, str]]:
        start = database.start
        if start is None:
            return
        idle, ready = start.idle_megabytes, start.median_ms
        yield (
            idle < IDLE_LIMIT_MEGABYTES,
            f"{database.name}: latchkey serve holds {idle:.0f} MB when idle (under {IDLE_LIMIT_MEGABYTES})",
        )
        yield (
            ready < READY_LIMIT_MS,
            f"{database.name}: it is ready {ready:.0f} ms after its start (under {READY_LIMIT_MS}; "
            f"{min(start.ready_ms):.0f} to {max(start.ready_ms):.0f} in {len(start.ready_ms)} starts)",
        )

    def markdown(self) -> str:
        machine = self.machine
        lines = [
            f"Machine: {machine.cores} cores of {machine.processor}, {machine.memory_gigabytes} GB, "
            f"Linux {machine.kernel}; Swift {machine.swift}, release build, commit {machine.commit}. "
            "The load generator runs on the same cores.",
            "",
            f"Each figure: the median of {self.plan.rounds} runs of {self.plan.seconds} s, all scenarios in turn; the "
            "fixed answer is measured again just before each refresh that has a floor. "
            f"1-minute load before the start: {machine.load_before}.",
            "",
            f"ECDSA P-256 by `openssl speed`, one core: {machine.signatures_per_second:,.0f} signatures a second.",
        ]
        for database in self.databases:
            lines += ["", f"## {database.title}", "", *table(HEADINGS, list(self.rows(database)))]
        lines += ["", "## Demands", ""]
        lines += [f"- {'met' if good else '**missed**'}: {sentence}" for good, sentence in self.verdicts()]
        return "\n".join(lines) + "\n"

    def as_json(self) -> dict[str, object]:
        return {
            "machine": self.machine.as_json(),
            "rounds": self.plan.rounds,
            "seconds": self.plan.seconds,
            "databases": {database.name: _database_json(database) for database in self.databases},
            "demands": [{"met": good, "demand": sentence} for good, sentence in self.verdicts()],
        }

    def write(self, folder: Path, name: str) -> None:
        folder.mkdir(exist_ok=True)
        (folder / f"{name}.md").write_text(f"# Benchmark of {name}\n\n{self.markdown()}", encoding="utf-8")
        (folder / f"{name}.json").write_text(json.dumps(self.as_json(), indent=2) + "\n", encoding="utf-8")


HEADINGS = [
    "request", "conn.", "requests/s", "spread", "of fixed", "p50 ms", "p99 ms", "failed", "CPU s per 1000", "peak MB",
]  # fmt: skip


def _written(proof: WriteProof) -> str:
    return (
        f"{proof.refreshes} refreshes in {proof.seconds:.1f} s come with {proof.writes} writing transactions "
        f"(at most {proof.allowed}: what is written behind)"
    )


def _database_json(database: DatabaseReport) -> dict[str, object]:
    return {
        "samples": [
            {"scenario": name, "connections": connections} | sample.as_json()
            for (name, connections), samples in database.measurements.samples.items()
            for sample in samples
        ],
        "refresh_writes": database.writes.as_json() if database.writes else None,
        "ready_ms": database.start.ready_ms if database.start else None,
        "idle_megabytes": database.start.idle_megabytes if database.start else None,
    }


def median(values: Iterable[float]) -> float:
    return statistics.median(list(values))


def table(headings: list[str], rows: list[list[str]]) -> list[str]:
    """A Markdown table that is a table on a terminal too: the first column to the left, the others to the right."""
    widths = [max(len(row[column]) for row in [headings, *rows]) for column in range(len(headings))]

    def line(cells: list[str]) -> str:
        first, *others = zip(cells, widths, strict=True)
        return "| " + " | ".join([first[0].ljust(first[1])] + [cell.rjust(width) for cell, width in others]) + " |"

    rules = ["-" * (width + 1) + (":" if index else "-") for index, width in enumerate(widths)]
    return [line(headings), "|" + "|".join(rules) + "|", *map(line, rows)]
