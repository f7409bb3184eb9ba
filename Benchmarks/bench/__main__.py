"""Measures a release build of Latchkey on both databases, prints a table, and says which demands are met.

Ends with status 1 when a floor is missed or a request failed. `scripts/bench` builds what is measured.
"""

import argparse
import sys
from datetime import datetime

from .bodies import Bodies
from .databases import DATABASES, ROOT
from .machine import Machine
from .measure import Measuring, Plan
from .process import ServerProcess, free_port
from .program import Program
from .proofs import refresh_writes_nothing, start_and_idle
from .report import DatabaseReport, Report
from .scenarios import SCENARIOS


def say(line: str) -> None:
    print(line, file=sys.stderr, flush=True)


def measured(name: str, plan: Plan, *, with_proofs: bool) -> DatabaseReport:
    """Everything about one database, which is made before and removed afterwards."""
    database = DATABASES[name]()
    try:
        say(f"==> {database.title}")
        bodies = Bodies(database)
        bodies.seed("prepare")
        port = free_port()
        with ServerProcess(
            bodies.command("serve", "--port", str(port)), port, database.folder / "server.log"
        ) as server:
            server.wait_until_ready()
            program = Program(database)
            if Program.is_built():
                with program.serve() as process:
                    process.wait_until_ready()
                    measurements = Measuring(bodies, server, process, say).run(plan)
            else:
                measurements = Measuring(bodies, server, None, say).run(plan)
            writes = refresh_writes_nothing(bodies, server) if with_proofs else None
        start = start_and_idle(program) if with_proofs and Program.is_built() else None
        return DatabaseReport(name, database.title, measurements, writes, start)
    finally:
        database.close()


def options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="scripts/bench", description=__doc__)
    parser.add_argument(
        "--quick", action="store_true", help="one round of 1 s at 16 connections: whether it works at all"
    )
    parser.add_argument(
        "--only",
        metavar="NAME",
        choices=[scenario.name for scenario in SCENARIOS],
        help="one scenario beside the fixed answer: %(choices)s",
    )
    parser.add_argument("--database", choices=sorted(DATABASES), help="one database instead of both")
    parser.add_argument("--rounds", type=int, default=5, help="how many runs of each scenario (default: %(default)s)")
    parser.add_argument("--seconds", type=int, default=1, help="how long each run takes (default: %(default)s)")
    return parser.parse_args()


def main() -> int:
    chosen = options()
    plan = Plan(
        scenarios=[
            one
            for one in SCENARIOS
            if chosen.only in (None, one.name) and (Program.is_built() or not one.is_of_program)
        ],
        connections=[16] if chosen.quick else [1, 16, 64],
        rounds=1 if chosen.quick else chosen.rounds,
        seconds=1 if chosen.quick else chosen.seconds,
    )
    report = Report(Machine.look(), plan)
    for name in [chosen.database] if chosen.database else sorted(DATABASES, reverse=True):
        report.databases.append(measured(name, plan, with_proofs=chosen.only is None))
    name = datetime.now().strftime("%Y-%m-%d-%H%M%S")
    report.write(ROOT / "bench-results", name)
    print(report.markdown())
    print(f"Written to bench-results/{name}.md and .json")
    missed = [sentence for good, sentence in report.verdicts() if not good]
    if chosen.only is None and not Program.is_built():
        missed.append("start and idle memory: .build/release/latchkey is not built")
    for sentence in missed:
        print(f"MISSED: {sentence}")
    return 1 if missed else 0


if __name__ == "__main__":
    sys.exit(main())
