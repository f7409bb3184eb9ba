"""Measures a release build of Latchkey on both databases, prints tables, and says which demands are met.

Ends with status 1 when a floor is missed or a request failed; an aim that is not reached is only said. `scripts/bench`
builds what is measured.
"""

import argparse
import json
import resource
import shutil
import sys
from contextlib import ExitStack
from datetime import datetime
from pathlib import Path

from . import ceilings, pictures
from .bodies import BENCH_SERVER, SHIPPED, Bodies
from .databases import DATABASES, ROOT, Postgres, SQLite
from .machine import Machine
from .measure import Measuring, Plan, Sites
from .process import ServerProcess, free_port
from .program import Program, ship
from .proofs import refresh_writes_nothing, start_and_idle
from .report import DatabaseReport, Report
from .scenarios import SCENARIOS
from .trials import Trials

CONNECTIONS = [1, 16, 64, 256]
PARTS = ["ceilings", "half-rate", "overload", "hashing", "flood", "writes", "start"]
"""What is looked at beside the scenarios."""


def say(line: str) -> None:
    print(line, file=sys.stderr, flush=True)


class Run:
    """One run: what was chosen, and the program that is looked at."""

    def __init__(self, chosen: argparse.Namespace, program: Path):
        self.program = program
        self.seconds = 1 if chosen.quick else chosen.seconds
        self.rounds = 1 if chosen.quick else chosen.rounds
        self.connections = [16] if chosen.quick else CONNECTIONS
        every = [scenario.name for scenario in SCENARIOS] + PARTS
        self.chosen = set(chosen.only or every)

    def plan(self) -> Plan:
        scenarios = [scenario for scenario in SCENARIOS if scenario.name in self.chosen]
        return Plan(scenarios, self.connections, self.rounds, self.seconds)

    def report(self, databases: list[str], command: str) -> Report:
        report = Report(Machine.look(), command, self.rounds, self.seconds)
        if "ceilings" in self.chosen:
            say("==> Ceilings")
            report.ceilings = [*ceilings.signatures(), ceilings.flushes()]
            report.ceilings += ceilings.static_files(self.connections, self.seconds)
        if "start" in self.chosen:
            report.program_megabytes = self.program.stat().st_size / 1024 / 1024
        report.databases = [self.measured(name) for name in databases]
        return report

    def measured(self, name: str) -> DatabaseReport:
        """Everything about one database, which is made before and removed afterwards."""
        database = DATABASES[name]()
        try:
            say(f"==> {database.title}")
            found = DatabaseReport(name, database.title)
            bodies = Bodies(database.main)
            bodies.seed("prepare")
            database.settle()
            program = Program(self.program, database)
            if "start" in self.chosen:
                # Before the load: a start reads what was cut in the last five minutes, and a run cuts by the thousand.
                found.start = start_and_idle(program, bodies)
            with ExitStack() as running:
                sites = self.sites(database, bodies, program, running)
                watch = running.enter_context(sites["server"][1].watch())
                found.measurements = Measuring(sites, say).run(self.plan())
                found.memory = watch.points
                self.try_out(found, sites)
                if "writes" in self.chosen:
                    found.writes = refresh_writes_nothing(database, bodies, sites["program"][1])
                if "ceilings" in self.chosen:
                    found.ceilings = ceilings.OF_DATABASE[name](database, bodies, 2 * self.seconds)
            return found
        finally:
            database.close()

    def sites(self, database: SQLite | Postgres, bodies: Bodies, program: Program, running: ExitStack) -> Sites:
        """Starts the servers that the scenarios need, and waits until they are ready."""
        needed = {scenario.site for scenario in self.plan().scenarios} | {"server", "program"}
        main = running.enter_context(self._serve(bodies))
        sites = {"server": (bodies, main), "program": (bodies, running.enter_context(program.serve()))}
        for algorithm in ("EdDSA", "RS256"):
            name = algorithm.lower()
            if name in needed:
                other = Bodies(database.beside(name), algorithm)
                other.seed("prepare")
                sites[name] = (other, running.enter_context(self._serve(other)))
        main.wait_until_ready()
        if "api" in needed:
            guarded = Bodies(database.main, issuer=main)
            issuer = ("--issuer", f"http://127.0.0.1:{main.port}")
            sites["api"] = (guarded, running.enter_context(self._serve(guarded, "guard", *issuer)))
        for _, server in sites.values():
            server.wait_until_ready()
        return sites

    @staticmethod
    def _serve(bodies: Bodies, command: str = "serve", *arguments: str) -> ServerProcess:
        port = free_port()
        line = bodies.command(command, "--port", str(port), *arguments)
        return ServerProcess(line, port, bodies.folder / f"{command}.log")

    def try_out(self, found: DatabaseReport, sites: Sites) -> None:
        if not self.chosen & {"half-rate", "overload", "hashing", "flood"}:
            return
        trials = Trials(sites, say, self.rounds)
        if "half-rate" in self.chosen:
            found.half_rates = trials.half_rates()
        if "overload" in self.chosen:
            found.overload = trials.overload()
        if "hashing" in self.chosen:
            found.hashing = trials.hashing()
        if "flood" in self.chosen:
            found.flood = trials.flood()


def options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="scripts/bench", description=__doc__)
    parser.add_argument(
        "--quick", action="store_true", help="one round of 1 s at 16 connections: whether it works at all"
    )
    parser.add_argument(
        "--only",
        metavar="NAME",
        action="append",
        choices=[*(scenario.name for scenario in SCENARIOS), *PARTS],
        help="one scenario beside the fixed answer, or one of the other parts; may be given again: %(choices)s",
    )
    parser.add_argument(
        "--database",
        action="append",
        choices=sorted(DATABASES),
        help="one database instead of both; given again, both in this order",
    )
    parser.add_argument("--rounds", type=int, default=3, help="how many runs of each scenario (default: %(default)s)")
    parser.add_argument("--seconds", type=int, default=1, help="how long each run takes (default: %(default)s)")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write everything there too")
    parser.add_argument(
        "--write", action="store_true", help="put figures and pictures into docs: of a whole run, or of --from FILE"
    )
    parser.add_argument("--from", dest="source", type=Path, metavar="FILE", help="measure nothing: take a run's JSON")
    chosen = parser.parse_args()
    if chosen.write and not chosen.source and (chosen.quick or chosen.only or chosen.database):
        parser.error("--write wants the figures of a whole run: leave --quick, --only and --database out")
    return chosen


def measure(chosen: argparse.Namespace) -> Report:
    """The run, its report written to bench-results."""
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    shutil.rmtree(SHIPPED, ignore_errors=True)
    SHIPPED.mkdir()
    try:
        # Both alike: what the fixed answer costs is compared with what a refresh costs the program.
        ship(BENCH_SERVER.name, SHIPPED)
        program = ship("latchkey", SHIPPED)
        databases = list(dict.fromkeys(chosen.database or sorted(DATABASES, reverse=True)))
        command = " ".join(["scripts/bench", *sys.argv[1:]])
        report = Run(chosen, program).report(databases, command)
    finally:
        shutil.rmtree(SHIPPED)
    name = datetime.now().strftime("%Y-%m-%d-%H%M%S")
    report.write(ROOT / "bench-results", name)
    say(f"Written to bench-results/{name}.md and .json")
    return report


def main() -> int:
    chosen = options()
    report = Report.of_json(json.loads(chosen.source.read_text())) if chosen.source else measure(chosen)
    print(report.markdown())
    if chosen.json:
        report.write_json(chosen.json)
    if chosen.write:
        for path in pictures.write(report, ROOT):
            say(f"Written: {path.relative_to(ROOT)}")
    missed = [demand for demand in report.demands if demand.is_floor and not demand.is_met]
    for demand in missed:
        say(f"MISSED: {demand.sentence}")
    return 1 if missed else 0


if __name__ == "__main__":
    sys.exit(main())
