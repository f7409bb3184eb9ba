"""Measures what the size of the database costs: refresh and exchange, the sweep, bytes by connection.

Ends with status 1 when a demand is missed. `scripts/growth` builds what is measured.
"""

import argparse
import shutil
import sys
import tempfile
from datetime import datetime
from pathlib import Path

from . import load
from .places import PLACES, ROOT, Cluster, Place, keep, results
from .report import document, markdown, verdicts, write

SIZES = [10_000, 1_000_000, 10_000_000]
STEPS = ["fill", "load", "bytes", "sweep", "cut"]


def numbers(text: str) -> list[int]:
    return [int(one) for one in text.split(",")]


def options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="scripts/growth", description=__doc__)
    parser.add_argument("steps", nargs="*", metavar="STEP", help=f"of {', '.join(STEPS)}; all when none is named")
    parser.add_argument("--database", choices=sorted(PLACES), help="one database instead of both")
    parser.add_argument(
        "--sizes", type=numbers, default=SIZES, metavar="N,N", help="how many connections (default: %(default)s)"
    )
    parser.add_argument("--only", choices=load.KINDS, help="the load of one kind instead of both")
    parser.add_argument("--rounds", type=int, default=5, help="how often each size is measured (default: %(default)s)")
    parser.add_argument("--seconds", type=int, default=2, help="how long each run takes (default: %(default)s)")
    parser.add_argument("--write", action="store_true", help="put the load and the sweep into docs, with the picture")
    parser.add_argument("--folder", type=Path, help="keeps the databases here for further steps; 'clean' removes them")
    return parser.parse_args()


def measure(step: str, places: list[Place], folder: Path, chosen: argparse.Namespace) -> None:
    engine = places[0].engine
    if engine == "postgres" and step != "fill":
        Cluster(folder).set_up(fills=False)
    if step == "fill":
        if engine == "postgres" and Cluster(folder).note.exists():
            Cluster(folder).set_up(fills=True)
        for place in places:
            if not place.folder.exists():
                place.fill()
    elif step == "load":
        keep(
            folder,
            "load",
            engine,
            load.compare(places, chosen.rounds, chosen.seconds, [chosen.only] if chosen.only else load.KINDS),
        )
    elif step == "sweep":
        # The middle size: large, and still in everybody's memory.
        keep(folder, "sweep", engine, load.sweep(places[len(places) // 2], chosen.rounds, 5 * chosen.seconds))
    elif step == "bytes":
        found: dict[str, object] = {}
        for place in places:
            parts = place.bytes()
            tables = sorted({table for table, _ in parts.values() if not table.startswith("sqlite_")})
            rows = {table: int(str(place.query(f"select count(*) from {table}")[0][0])) for table in tables}
            found[str(place.size)] = {"parts": parts, "rows": rows, "whole": sum(size for _, size in parts.values())}
        keep(folder, "bytes", engine, found)
    elif step == "cut":
        # The last measurement: what it cuts is gone. A client has a twentieth of the connections.
        for place in places:
            print(f"  {place.engine:8} {place.size:>10,}  {place.run('growth-cut', 'partner-1').strip()}", flush=True)
    else:
        raise SystemExit(f"growth: there is no step '{step}'; there are {', '.join(STEPS)} and clean.")


def clean(folder: Path) -> None:
    Cluster(folder).remove()
    shutil.rmtree(folder)


def main() -> int:
    chosen = options()
    folder = chosen.folder or Path(tempfile.mkdtemp(prefix="latchkey-growth."))
    try:
        if chosen.steps == ["clean"]:
            clean(folder)
            return 0
        for engine in [chosen.database] if chosen.database else sorted(PLACES, reverse=True):
            places = [PLACES[engine](folder, size) for size in chosen.sizes]
            for step in chosen.steps or STEPS:
                print(f"==> {engine}: {step}", flush=True)
                measure(step, places, folder, chosen)
            if not chosen.folder:
                for place in places:
                    place.remove()
                Cluster(folder).remove()
        found = results(folder)
        write(found, ROOT / "bench-results", "growth-" + datetime.now().strftime("%Y-%m-%d-%H%M%S"))
        print(markdown(found))
        if chosen.write:
            document(found, ROOT)
        return 0 if all(good for good, _ in verdicts(found)) else 1
    finally:
        if not chosen.folder and folder.exists():
            clean(folder)


if __name__ == "__main__":
    sys.exit(main())
