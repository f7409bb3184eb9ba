"""Adds up the JUnit files of a test run.

    scripts/summary.py FOLDER                   a table of suites, the failures by name, and the sum
    scripts/summary.py --count FOLDER           the sum alone, as the line `N passed, M failed`
    scripts/summary.py --whole SECONDS FOLDER   of a whole run that took so long: also what was skipped, and why

Ends with status 1 when a test failed, when a run stopped before its tests, or when nothing ran; of a whole run also
when anything was skipped, or when it took longer than forty minutes.
"""

import argparse
import sys
import xml.etree.ElementTree as ElementTree
from dataclasses import dataclass, field
from pathlib import Path

KINDS = {"blackbox": "black-box tests", "faults": "fault tests", "gates": "counts of the hot paths"}
LIMIT = 40 * 60
"""How many seconds a whole run may take."""


@dataclass
class Tally:
    """What one kind of test came to."""

    passed: int = 0
    skipped: list[str] = field(default_factory=list)
    failures: list[str] = field(default_factory=list)

    def add(self, file: Path) -> None:
        """Adds every test case of one JUnit file."""
        for case in ElementTree.parse(file).iter("testcase"):
            name = f"{case.get('classname', '')} {case.get('name', '')}".strip()
            if case.find("failure") is not None or case.find("error") is not None:
                self.failures.append(name)
            elif (skipped := case.find("skipped")) is not None:
                self.skipped.append(f"{name}: {skipped.get('message') or 'no reason given'}")
            else:
                self.passed += 1


def read(folder: Path) -> dict[str, Tally]:
    """The tallies of a report folder, by kind of test."""
    tallies: dict[str, Tally] = {}
    for file in sorted(folder.glob("*.xml")):
        kind = KINDS.get(file.stem, "Swift tests")
        tally = tallies.setdefault(kind, Tally())
        try:
            tally.add(file)
        except ElementTree.ParseError:
            tally.failures.append(f"{file.name} is not whole: the run was cut off")
    if (folder / "stopped").is_file():
        tallies["preparation"] = Tally(failures=[(folder / "stopped").read_text(encoding="utf-8").strip()])
    return tallies


def asked() -> argparse.Namespace:
    parser = argparse.ArgumentParser(usage=__doc__)
    parser.add_argument("--count", action="store_true")
    parser.add_argument("--whole", type=int, metavar="SECONDS")
    parser.add_argument("folder", type=Path)
    return parser.parse_args()


def main() -> int:
    arguments = asked()
    tallies = read(arguments.folder)
    passed = sum(tally.passed for tally in tallies.values())
    failed = sum(len(tally.failures) for tally in tallies.values())
    skipped = [name for tally in tallies.values() for name in tally.skipped]
    if not arguments.count:
        for kind, tally in tallies.items():
            print(f"{kind}: {tally.passed} passed, {len(tally.failures)} failed, {len(tally.skipped)} skipped")
            for name in tally.failures:
                print(f"    failed: {name}")
    print(f"{passed} passed, {failed} failed" + (f", {len(skipped)} skipped" if skipped else ""))
    is_good = passed > 0 and failed == 0
    if arguments.whole is not None:
        for name in skipped:
            print(f"FAILED: a whole run skips nothing, and this was skipped: {name}")
        if arguments.whole > LIMIT:
            print(f"FAILED: the run took {arguments.whole} seconds; {LIMIT} are allowed")
        is_good = is_good and not skipped and arguments.whole <= LIMIT
    return 0 if is_good else 1


if __name__ == "__main__":
    sys.exit(main())
