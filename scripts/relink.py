"""Links a build of the program again with Swift's libraries inside, so that it runs where there is no Swift.

    scripts/relink.py FILE                     the debug build of latchkey
    scripts/relink.py --release PRODUCT FILE   a program of the release build, as it is shipped

To compile everything a second time for that would take ten minutes. The link command is the one that SwiftPM has
written down. What comes of it needs glibc 2.36, as Debian 12 has.

A release is linked twice: in the second the functions that run at a start and for requests lie side by side, as
valgrind has seen them run in the first. A server that waits then holds fewer pages of its program, and one that works
finds its functions sooner (docs/decisions/0030-the-order-of-functions.md). That takes bench-server of the same build.
"""

import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
# What Foundation's own archives need; objects that were compiled for the shared one do not say so.
ARCHIVES = ("CoreFoundation", "_FoundationICU", "_FoundationCShims", "_FoundationCollections")

# What makes it smaller: nobody looks up its functions by name, and where it lies is written down in bits.
SMALLER = ("--no-export-dynamic", "-z", "pack-relative-relocs")


def link_command(plan: Path, product: str) -> list[str]:
    """How SwiftPM links a program by the plan of a build."""
    inside = False
    for line in plan.read_text(encoding="utf-8").splitlines():
        if line.startswith('  "C.'):
            inside = line.startswith(f'  "C.{product}-') and line.endswith('.exe":')
        elif inside and line.strip().startswith("args: "):
            return json.loads(line.split("args: ", 1)[1])
    sys.exit(f"{plan} does not say how {product} is linked: run 'swift build' first.")


def link(kind: str, product: str, file: Path | str, *options: str) -> None:
    """Links a program; the options are LLVM's linker's."""
    command = link_command(ROOT / ".build" / f"{kind}.yaml", product)
    command[command.index("-o") + 1] = str(file)
    command += ["-static-stdlib", *(f"-l{name}" for name in ARCHIVES), "-use-ld=lld"]
    for option in (*SMALLER, *options):
        command += ["-Xlinker", option]
    if status := subprocess.run(command, cwd=ROOT, check=False).returncode:
        sys.exit(status)


def order_of_functions() -> Path:
    """The file with the order in which the functions of the release build are to lie; made once for each build."""
    programs = [ROOT / ".build" / "release" / product for product in ("latchkey", "bench-server")]
    order = ROOT / ".build" / "order-of-functions"
    if order.exists() and all(order.stat().st_mtime > program.stat().st_mtime for program in programs):
        return order
    with tempfile.TemporaryDirectory() as folder:
        first = Path(folder, "latchkey")
        link("release", "latchkey", first)
        # valgrind cannot read what this linker writes for debuggers.
        subprocess.run(["strip", "--strip-debug", first], check=True)
        watch = [sys.executable, "-m", "bench.layout", first]
        environment = os.environ | {"PYTHONPATH": str(ROOT / "Benchmarks"), "PYTHONDONTWRITEBYTECODE": "1"}
        seen = subprocess.run(watch, env=environment, stdout=subprocess.PIPE, text=True, check=False)
    if seen.returncode != 0:
        sys.exit("scripts/relink.py: what the program runs could not be watched.")
    whole = order.with_suffix(".new")
    whole.write_text(seen.stdout, encoding="utf-8")
    return whole.replace(order)


match sys.argv[1:]:
    case ["--release", product, file]:
        link("release", product, file, f"--symbol-ordering-file={order_of_functions()}", "--no-warn-symbol-ordering")
    case [file] if not file.startswith("-"):
        link("debug", "latchkey", file)
    case _:
        sys.exit(__doc__)
