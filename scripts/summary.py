"""Adds up the JUnit files of a test run.

    scripts/summary.py FOLDER           a table of suites, the failures by name, and the sum
    scripts/summary.py --count FOLDER   the sum alone, as the line `N passed, M failed`

Ends with status 1 when a test failed, when a run stopped before its tests, or when nothing ran.
"""

import sys
import xml.etree.ElementTree as ElementTree
from dataclasses import dataclass, field
from pathlib import Path

KINDS = {"blackbox": "black-box tests", "faults": "fault tests", "gates": "counts of the hot paths"}


@dataclass
class Tally:
    """What one kind of test came to."""

    passed: int = 0
    skipped: int = 0
    failures: list[str] = field(default_factory=list)

    def add(self, file: Path) -> None:
        """Adds every test case of one JUnit file."""
        for case in ElementTree.parse(file).iter("testcase"):
            name = f"{case.get('classname', '')} {case.get('name', '')}".strip()
            if case.find("failure") is not None or case.find("error") is not None:
                self.failures.append(name)
            elif case.find("skipped") is not None:
                self.skipped += 1
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


def main() -> int:
    arguments = [argument for argument in sys.argv[1:] if argument != "--count"]
    if len(arguments) != 1:
        print(__doc__, file=sys.stderr)
        return 2
    tallies = read(Path(arguments[0]))
    passed = sum(tally.passed for tally in tallies.values())
    failed = sum(len(tally.failures) for tally in tallies.values())
    skipped = sum(tally.skipped for tally in tallies.values())
    if "--count" not in sys.argv:
        for kind, tally in tallies.items():
            print(f"{kind}: {tally.passed} passed, {len(tally.failures)} failed, {tally.skipped} skipped")
            for name in tally.failures:
                print(f"    failed: {name}")
    ran = passed + failed > 0
    print(f"{passed} passed, {failed} failed" + (f", {skipped} skipped" if skipped else ""))
    return 0 if ran and failed == 0 else 1


if __name__ == "__main__":
    sys.exit(main())
