"""Links a build of the program again with Swift's libraries inside, so that it runs where there is no Swift.

    scripts/relink.py FILE                     the debug build of latchkey
    scripts/relink.py --release PRODUCT FILE   a program of the release build of 'make bench'
    scripts/relink.py --options                prints what 'swift build' is told to link the same way

A package's program is built that way from the start (`swift build --static-swift-stdlib`), but for a test or a
measurement that would mean to compile everything a second time. The link command is the one that SwiftPM has written
down.
"""

import json
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
# What Foundation's own archives need; objects that were compiled for the shared one do not say so.
ARCHIVES = ("CoreFoundation", "_FoundationICU", "_FoundationCShims", "_FoundationCollections")

# What makes it smaller (docs/decisions/0025-memory.md): nobody looks up its functions by name, and where it lies is
# written down in bits. It then needs glibc 2.36, as Debian 12 has.
LINKER = "-use-ld=lld"
LINKER_OPTIONS = ("--no-export-dynamic", "-z", "pack-relative-relocs")


def link_command(plan: Path, product: str) -> list[str]:
    """How SwiftPM links a program by the plan of a build."""
    inside = False
    for line in plan.read_text(encoding="utf-8").splitlines():
        if line.startswith('  "C.'):
            inside = line.startswith(f'  "C.{product}-') and line.endswith('.exe":')
        elif inside and line.strip().startswith("args: "):
            return json.loads(line.split("args: ", 1)[1])
    sys.exit(f"{plan} does not say how {product} is linked: run 'swift build' first.")


def main() -> int:
    match sys.argv[1:]:
        case ["--options"]:
            print("-Xswiftc", LINKER, *(f"-Xlinker {option}" for option in LINKER_OPTIONS))
            return 0
        case ["--release", product, file]:
            kind = "release"
        case [file] if not file.startswith("-"):
            kind, product = "debug", "latchkey"
        case _:
            sys.exit(__doc__)
    command = link_command(ROOT / ".build" / f"{kind}.yaml", product)
    command[command.index("-o") + 1] = file
    archives = [f"-l{name}" for name in ARCHIVES]
    smaller = [LINKER, *(word for option in LINKER_OPTIONS for word in ("-Xlinker", option))]
    return subprocess.run([*command, "-static-stdlib", *archives, *smaller], cwd=ROOT, check=False).returncode


if __name__ == "__main__":
    sys.exit(main())
