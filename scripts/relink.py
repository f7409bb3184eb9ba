"""Links the debug build of the program again with Swift's libraries inside, so that it runs where there is no Swift.

    scripts/relink.py FILE

A release is built that way from the start (`swift build --static-swift-stdlib`), but for a test that would mean to
compile everything a second time. The link command is the one that SwiftPM has written down for the debug build.
"""

import json
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
PLAN = ROOT / ".build" / "debug.yaml"
# What Foundation's own archives need; objects that were compiled for the shared one do not say so.
ARCHIVES = ("CoreFoundation", "_FoundationICU", "_FoundationCShims", "_FoundationCollections")


def link_command() -> list[str]:
    """How SwiftPM links .build/debug/latchkey."""
    inside = False
    for line in PLAN.read_text(encoding="utf-8").splitlines():
        if line.startswith('  "C.'):
            inside = line.startswith('  "C.latchkey-') and line.endswith('.exe":')
        elif inside and line.strip().startswith("args: "):
            return json.loads(line.split("args: ", 1)[1])
    sys.exit(f"{PLAN} does not say how latchkey is linked: run 'swift build' first.")


def main() -> int:
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    command = link_command()
    command[command.index("-o") + 1] = sys.argv[1]
    archives = [f"-l{name}" for name in ARCHIVES]
    return subprocess.run([*command, "-static-stdlib", *archives], cwd=ROOT, check=False).returncode


if __name__ == "__main__":
    sys.exit(main())
