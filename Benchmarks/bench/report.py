"""The tables of a run, and the files that hold it."""

import json
import statistics
from collections.abc import Iterable
from dataclasses import asdict, dataclass, field, fields
from pathlib import Path
from typing import Any

from .ceilings import Ceiling
from .demands import Demand, demands
from .load import Sample
from .machine import Machine
from .measure import Measurements
from .pace import Paced
from .proofs import Start, WriteProof
from .scenarios import FIXED, SCENARIOS
from .trials import Flood, HalfRate, Hashing, Overload

LATENCIES = (
    "Milliseconds in which 50 % and 99 % were answered, by connections; processor time; peak of resident memory; the "
    "widest spread of the runs:"
)


@dataclass
class DatabaseReport:
    """What was found on one database."""

    name: str
    title: str
    measurements: Measurements = field(default_factory=Measurements)
    ceilings: list[Ceiling] = field(default_factory=list)
    memory: list[list[float]] = field(default_factory=list)
    """The measuring server's resident memory over the run: seconds, megabytes."""
    half_rates: list[HalfRate] = field(default_factory=list)
    overload: Overload | None = None
    hashing: Hashing | None = None
    flood: Flood | None = None
    writes: WriteProof | None = None
    start: Start | None = None


@dataclass
class Report:
    """Everything that one run of `make bench` found."""

    machine: Machine
    command: str
    """How the run was started."""
    rounds: int
    seconds: int
    ceilings: list[Ceiling] = field(default_factory=list)
    program_megabytes: float = 0
    """The size of the program as it is shipped."""
    databases: list[DatabaseReport] = field(default_factory=list)

    @property
    def demands(self) -> list[Demand]:
        return demands(self)

    # MARK: Tables

    def markdown(self, level: int = 2) -> str:
        machine = self.machine
        mark = "#" * level
        lines = [
            f"Machine: {machine.cores} cores of {machine.processor}, {machine.memory_gigabytes} GB, "
            f"Linux {machine.kernel}; Swift {machine.swift}, release build, commit {machine.commit}. "
            f"Command: `{self.command}`. The load generator and the databases run on the same cores; 1-minute load "
            f"before the start: {machine.load_before}.",
            "",
            f"Each rate is the median of {_count(self.rounds, 'run')} of {self.seconds} s, all scenarios in turn. "
            "Behind it stands what part that is of the fixed answer at as many connections, measured shortly before.",
        ]
        lines += ["", f"{mark} The demands", "", *(f"- {demand.line}" for demand in self.demands)]
        for database in self.databases:
            lines += ["", f"{mark} {database.title}"]
            if database.measurements.samples:
                lines += ["", "Requests a second, by connections:", "", *self._rates(database)]
                lines += ["", LATENCIES, "", *self._latencies(database)]
        rows = [*self._ceilings(), *self._loads()]
        if rows:
            lines += ["", f"{mark} Beside them", "", *table(["what", "where", "figure"], rows)]
        return "\n".join(lines) + "\n"

    def _connections(self, database: DatabaseReport) -> list[int]:
        return sorted({connections for _, connections in database.measurements.samples})

    def _measured(self, database: DatabaseReport) -> Iterable[tuple[str, str, dict[int, list[Sample]]]]:
        """The scenarios that were measured: name, title, samples by connections."""
        for scenario in [FIXED, *SCENARIOS]:
            by_connections = {
                connections: samples
                for (name, connections), samples in database.measurements.samples.items()
                if name == scenario.name
            }
            if by_connections:
                yield scenario.name, scenario.title, by_connections

    def _rates(self, database: DatabaseReport) -> list[str]:
        columns = self._connections(database)
        rows = []
        for name, title, by_connections in self._measured(database):
            cells = []
            for connections in columns:
                samples = by_connections.get(connections)
                ratios = database.measurements.ratios.get((name, connections))
                cells.append(_rate(samples, ratios if name != FIXED.name else None) if samples else "")
            rows.append([title, *cells])
        return table(["request", *map(str, columns)], rows)

    def _latencies(self, database: DatabaseReport) -> list[str]:
        columns = self._connections(database)
        usual = 16 if 16 in columns else columns[0]
        rows = []
        for _, title, by_connections in self._measured(database):
            cells = []
            for connections in columns:
                samples = by_connections.get(connections)
                cells.append(f"{median(s.p50_ms for s in samples):.2f} / {median(s.p99_ms for s in samples):.2f}"
                             if samples else "")  # fmt: skip
            every = [sample for samples in by_connections.values() for sample in samples]
            cpu = median(sample.cpu_per_thousand for sample in by_connections.get(usual, every))
            widest = max(spread(samples) for samples in by_connections.values())
            cells += [f"{cpu:.3f}", f"{max(sample.peak_megabytes for sample in every):.0f}", f"{widest:.0f} %"]
            rows.append([title, *cells])
        return table(["request", *map(str, columns), f"CPU s per 1000 at {usual}", "peak MB", "spread"], rows)

    def _ceilings(self) -> Iterable[list[str]]:
        if self.program_megabytes:
            yield ["the program, with Swift's libraries inside, stripped", "", f"{self.program_megabytes:.1f} MB"]
        for ceiling in self.ceilings:
            yield [ceiling.title, "", f"{ceiling.rate:,.0f}/s"]
        for database in self.databases:
            for ceiling in database.ceilings:
                yield [ceiling.title, database.name, f"{ceiling.rate:,.0f}/s"]

    def _loads(self) -> Iterable[list[str]]:
        for database in self.databases:
            name = database.name
            for half in database.half_rates:
                yield [f"{half.kind} refreshes, saturated, {64} connections", name, f"{half.saturated_rate:,.0f}/s"]
                yield [f"{half.kind} refreshes at half of that: 50 %, 99 %, 99.9 % within", name, " / ".join(
                    f"{half.paced.within_ms(percent):.2f}" for percent in (50, 99, 99.9)) + " ms"]  # fmt: skip
                if half.fixed:
                    yield ["fixed answers at that rate: 50 %, 99 %, 99.9 % within", name, " / ".join(
                        f"{half.fixed.within_ms(percent):.2f}" for percent in (50, 99, 99.9)) + " ms"]  # fmt: skip
            if database.overload:
                crowd = database.overload
                yield [
                    f"opaque refreshes, {crowd.connections:,} connections: 99 % within",
                    name,
                    f"{crowd.p99_ms:.0f} ms",
                ]
            if database.hashing:
                yield ["argon2 reference, all cores", name, f"{median(database.hashing.reference_rates):.0f}/s"]
                yield ["sign-ins, 16 connections, beside it", name, f"{median(database.hashing.rates):.0f}/s"]
            if database.flood:
                yield ["sign-ins of the flood", name, f"{median(database.flood.sign_in_rates):.0f}/s"]
            if database.start:
                start = database.start
                yield ["start to ready", name, f"{start.median_ms:.0f} ms"]
                yield ["resident memory, idle", name, f"{start.idle_megabytes:.1f} MB"]
                yield ["of it not the program's own text", name, f"{start.own_megabytes:.1f} MB"]
                yield [f"resident memory, {start.connections:,} connections open", name,
                       f"{start.connected_megabytes:.1f} MB"]  # fmt: skip
                yield ["memory of one open connection", name, f"{start.kilobytes_per_connection:.1f} KB"]

    # MARK: Files

    def as_json(self) -> dict[str, Any]:
        return {
            "machine": asdict(self.machine),
            "command": self.command,
            "rounds": self.rounds,
            "seconds": self.seconds,
            "ceilings": [asdict(ceiling) for ceiling in self.ceilings],
            "program_megabytes": self.program_megabytes,
            "databases": [_database_json(database) for database in self.databases],
            "demands": [asdict(demand) for demand in self.demands],
        }

    @classmethod
    def of_json(cls, data: dict[str, Any]) -> "Report":
        """A run that `as_json` has written: its demands are judged anew."""
        report = revive(cls, data)
        report.machine = revive(Machine, data["machine"])
        report.ceilings = [revive(Ceiling, one) for one in data["ceilings"]]
        report.databases = [_database(one) for one in data["databases"]]
        return report

    def write(self, folder: Path, name: str) -> None:
        folder.mkdir(exist_ok=True)
        (folder / f"{name}.md").write_text(f"# Benchmark of {name}\n\n{self.markdown()}", encoding="utf-8")
        self.write_json(folder / f"{name}.json")

    def write_json(self, path: Path) -> None:
        path.write_text(json.dumps(self.as_json(), indent=1) + "\n", encoding="utf-8")


def _database_json(database: DatabaseReport) -> dict[str, Any]:
    measurements = database.measurements
    data = {one.name: getattr(database, one.name) for one in fields(database) if one.name != "measurements"}
    data = {name: _plain(value) for name, value in data.items()}
    data["samples"] = [
        {"scenario": name, "connections": connections} | sample.as_json()
        for (name, connections), samples in measurements.samples.items()
        for sample in samples
    ]
    data["ratios"] = [
        {"scenario": name, "connections": connections, "ratios": ratios}
        for (name, connections), ratios in measurements.ratios.items()
    ]
    return data


def _plain(value: Any) -> Any:
    if isinstance(value, list):
        return [_plain(one) for one in value]
    return asdict(value) if hasattr(value, "__dataclass_fields__") else value


def _database(data: dict[str, Any]) -> DatabaseReport:
    database = revive(DatabaseReport, data)
    database.measurements = Measurements()
    for one in data["samples"]:
        key = (one["scenario"], one["connections"])
        database.measurements.samples.setdefault(key, []).append(revive(Sample, one))
    for one in data["ratios"]:
        database.measurements.ratios[one["scenario"], one["connections"]] = one["ratios"]
    database.ceilings = [revive(Ceiling, one) for one in data["ceilings"]]
    database.half_rates = [
        HalfRate(
            one["kind"],
            one["saturated_rate"],
            revive(Paced, one["paced"]),
            revive(Paced, one["fixed"]) if one.get("fixed") else None,
        )
        for one in data["half_rates"]
    ]
    for name, kind in (
        ("overload", Overload), ("hashing", Hashing), ("flood", Flood), ("writes", WriteProof), ("start", Start),
    ):  # fmt: skip
        if data.get(name):
            setattr(database, name, revive(kind, data[name]))
    return database


def revive(kind: type, data: dict[str, Any]) -> Any:
    """A dataclass of the members that have its fields' names."""
    return kind(**{one.name: data[one.name] for one in fields(kind) if one.name in data})


def _rate(samples: list[Sample], ratios: list[float] | None) -> str:
    if sum(sample.failures for sample in samples):
        return "struck"
    shed = sum(sample.shed for sample in samples)
    text = f"{median(sample.rate for sample in samples):,.0f}"
    if ratios and (part := statistics.median(ratios)) >= 0.01:
        text += f" ({part * 100:.0f} %)"
    return text + (f", {shed:,} shed" if shed else "")


def spread(samples: list[Sample]) -> float:
    """How far apart the runs' rates lie, in percent of the middle one."""
    rates = [sample.rate for sample in samples]
    middle = statistics.median(rates)
    return (max(rates) - min(rates)) / middle * 100 if middle else 0


def median(values: Iterable[float]) -> float:
    return statistics.median(list(values))


def _count(number: int, noun: str) -> str:
    return f"{number} {noun}{'' if number == 1 else 's'}"


def table(headings: list[str], rows: list[list[str]]) -> list[str]:
    """A Markdown table that is a table on a terminal too: the first column to the left, the others to the right."""
    widths = [max(len(row[column]) for row in [headings, *rows]) for column in range(len(headings))]

    def line(cells: list[str]) -> str:
        first, *others = zip(cells, widths, strict=True)
        return "| " + " | ".join([first[0].ljust(first[1])] + [cell.rjust(width) for cell, width in others]) + " |"

    rules = ["-" * (width + 1) + (":" if index else "-") for index, width in enumerate(widths)]
    return [line(headings), "|" + "|".join(rules) + "|", *map(line, rows)]
