"""Which functions of `latchkey serve` run, for a linker to lay them side by side: `python3 -m bench.layout PROGRAM`.

First come those that answer requests, then those that a start needs besides, each in alphabetical order. valgrind tells
them: the program is started on a database that bench-server has prepared, and asked what the measurement asks it.
"""

import re
import subprocess
import sys
from pathlib import Path

from .bodies import RELEASE, Bodies
from .databases import SQLite
from .process import ServerProcess
from .program import Program
from .scenarios import SCENARIOS

TIMES = 20
"""How often each request is sent before its functions are noted, and then: not every one takes the same way."""
PATIENCE = 300.0
"""How many seconds a start may take under valgrind; on an idle machine it takes ten."""
FEWEST = 1000
"""With fewer functions something has gone wrong: requests run about 5,000, a start as many besides."""
FUNCTION = re.compile(r"^c?fn=\(\d+\) (\S+)$", re.MULTILINE)
"""Where callgrind names a function; after that it says the number alone."""
# A sign-in is Argon2's work; the others are asked of other programs.
ASKED = [one for one in SCENARIOS if one.site in ("server", "program") and one.name != "sign-in"]


def functions(program: Path) -> list[str]:
    """The functions' names, as the linker knows them."""
    database = SQLite()
    try:
        bodies = Bodies(database.main, server=RELEASE / "bench-server")
        bodies.seed("prepare")
        counts = database.folder / "counts"
        valgrind = ("valgrind", "--tool=callgrind", "--demangle=no", f"--callgrind-out-file={counts}")
        with Program(program, database).serve(*valgrind) as server:
            server.wait_until_ready(PATIENCE)
            _ask(bodies, server)
            start = _named_since(server, counts, 1)
            _ask(bodies, server)
            requests = _named_since(server, counts, 2)
        if len(requests) < FEWEST or len(start - requests) < FEWEST:
            raise SystemExit(
                f"layout: valgrind names {len(requests)} functions of requests and {len(start)} of a start only"
            )
        return [*sorted(requests), *sorted(start - requests)]
    finally:
        database.close()


def _ask(bodies: Bodies, server: ServerProcess) -> None:
    for scenario in ASKED:
        lines = scenario.lines(bodies, server, TIMES) if scenario.lines else [""]
        for number in range(TIMES):
            status, answer = scenario.ask(server, scenario.path, lines[number % len(lines)])
            if status != scenario.status:
                raise SystemExit(f"layout: {scenario.name} is answered with {status} {answer[:300]}")


def _named_since(server: ServerProcess, counts: Path, dump: int) -> set[str]:
    """What has run since the last time that somebody asked."""
    dumping = ["callgrind_control", "--dump", str(server.pid)]
    try:
        subprocess.run(dumping, check=True, capture_output=True, timeout=PATIENCE)
        return named(Path(f"{counts}.{dump}").read_text(encoding="utf-8"))
    except (OSError, subprocess.SubprocessError) as error:
        raise SystemExit(f"layout: callgrind_control, which needs ptrace, has got no counts: {error}") from None


def named(counts: str) -> set[str]:
    """The functions that a file of callgrind's names."""
    # A function that calls itself is counted apart each time; what has no name has an address.
    return {name.partition("'")[0] for name in FUNCTION.findall(counts) if not name.startswith("0x")}


if __name__ == "__main__":
    print("\n".join(functions(Path(sys.argv[1]))))
