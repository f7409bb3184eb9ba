"""Checks docs/specifications.md, the table from each requirement to the code and the test that keep it.

    | RFC § | requirement | level | file | test |

- RFC §        one section, written `RFC 6749 §4.1.2`, `RFC 7636 App. B` or `OpenID Connect Core §3.1.2.1`; the
               column of a table for OpenID Connect is `OpenID Connect Core §`
- requirement  what it demands, in a sentence
- level        MUST, MUST NOT, SHOULD, SHOULD NOT, REQUIRED, RECOMMENDED, MAY or OPTIONAL
- file         the source file that does it, from the repository's root
- test         the names of the tests that show it, each in backquotes, separated by commas

Three things must hold: every section that a comment in Sources names has a row, every row's file exists, and every
row's tests exist. Swift tests are found by their function's or `@Test` name, Python tests by `def test_…`.
`scripts/specs.py --missing` prints a row to fill in for each section that has none.
"""

import re
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
PAGE = ROOT / "docs" / "specifications.md"
COLUMNS = ["requirement", "level", "file", "test"]
DOCUMENTS = ["RFC §", "OpenID Connect Core §"]
LEVELS = {"MUST", "MUST NOT", "SHOULD", "SHOULD NOT", "REQUIRED", "RECOMMENDED", "MAY", "OPTIONAL"}

SECTION = r"(?:§\s?[A-Z]?[\d.]*\w|App(?:\.|endix)\s?[A-Z](?:\.\d+)*)"
# `RFC 6749 §4.1.2`, and lists that go on: `RFC 6749 §4.1.2, §5.2 and §6`.
DOCUMENT = r"(?:RFC\s?(\d{3,5})|OpenID Connect Core(?: 1\.0)?)"
MENTION = re.compile(rf"{DOCUMENT}\s({SECTION}(?:(?:,\s|\sand\s|,\sand\s|/|\sor\s){SECTION})*)")
SWIFT_TEST = re.compile(r"func\s+(?:`([^`]+)`|(\w+))\s*[(<]|@Test\(\s*\"((?:\\.|[^\"\\])+)\"")
PYTHON_TEST = re.compile(r"^\s*(?:async\s+)?def\s+(test_\w+)\(", re.MULTILINE)


def sections_in(text: str) -> list[str]:
    """The sections that a text names, each as `RFC 6749 §4.1.2`."""
    found = []
    for number, places in MENTION.findall(text):
        for place in re.findall(SECTION, places):
            name = re.sub(r"^§\s?", "§", place).rstrip(".")
            name = re.sub(r"^App(?:\.|endix)\s?", "App. ", name)
            found.append(f"RFC {number} {name}" if number else f"OpenID Connect Core {name}")
    return found


def mentions() -> dict[str, str]:
    """Every section that Sources names, with the place of its first mention."""
    first: dict[str, str] = {}
    for path in sorted((ROOT / "Sources").rglob("*.swift")):
        for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), start=1):
            for section in sections_in(line):
                first.setdefault(section, f"{path.relative_to(ROOT)}:{number}")
    return first


def test_names() -> set[str]:
    """The names of all tests, Swift's and Python's."""
    names: set[str] = set()
    for path in (ROOT / "Tests").rglob("*.swift"):
        for match in SWIFT_TEST.finditer(path.read_text(encoding="utf-8")):
            names.update(name for name in match.groups() if name)
    for path in (ROOT / "Tests").rglob("test_*.py"):
        names.update(PYTHON_TEST.findall(path.read_text(encoding="utf-8")))
    return names


def rows() -> tuple[list[tuple[int, list[str]]], list[str]]:
    """The table's rows with their line numbers, and what is wrong with its shape."""
    table, wrong, seen_header = [], [], False
    for number, line in enumerate(PAGE.read_text(encoding="utf-8").splitlines(), start=1):
        if not line.startswith("|"):
            continue
        cells = [cell.strip().replace("\\|", "|") for cell in re.split(r"(?<!\\)\|", line.strip())[1:-1]]
        if cells[0] in DOCUMENTS and cells[1:] == COLUMNS:
            seen_header = True
        elif all(re.fullmatch(r":?-+:?", cell) for cell in cells):
            continue
        elif len(cells) != len(COLUMNS) + 1:
            wanted = len(COLUMNS) + 1
            wrong.append(f"docs/specifications.md:{number}: a row has {wanted} cells, this one has {len(cells)}")
        elif seen_header:
            table.append((number, cells))
    if not seen_header:
        wrong.append(f"docs/specifications.md: no table with the columns | {DOCUMENTS[0]} | {' | '.join(COLUMNS)} |")
    return table, wrong


def check_row(number: int, cells: list[str], tests: set[str]) -> list[str]:
    """What is wrong with one row."""
    where = f"docs/specifications.md:{number}"
    section, requirement, level, file, test = cells
    wrong = []
    if sections_in(section) != [section]:
        wrong.append(f"{where}: '{section}' is not one section, written like 'RFC 6749 §4.1.2'")
    if not requirement:
        wrong.append(f"{where}: the requirement is empty")
    if level not in LEVELS:
        wrong.append(f"{where}: '{level}' is not a level of RFC 2119")
    if not (ROOT / file.strip("`")).is_file() or not file.strip("`"):
        wrong.append(f"{where}: there is no file {file}")
    named = re.findall(r"`([^`]+)`", test)
    if not named:
        wrong.append(f"{where}: no test is named; put its name in backquotes")
    wrong += [f"{where}: there is no test named {name}" for name in named if name not in tests]
    return wrong


def main() -> int:
    if not PAGE.is_file():
        print("docs/specifications.md is missing")
        return 1
    table, wrong = rows()
    tests = test_names()
    for number, cells in table:
        wrong += check_row(number, cells, tests)
    listed = {cells[0] for _, cells in table}
    missing = {section: place for section, place in mentions().items() if section not in listed}
    if "--missing" in sys.argv[1:]:
        for section, place in sorted(missing.items()):
            print(f"| {section} |  |  | {place.rsplit(':', 1)[0]} | `` |")
        return 0
    wrong += [
        f"{place}: {section} is named here and has no row in docs/specifications.md"
        for section, place in missing.items()
    ]
    for line in wrong:
        print(line)
    print(f"specs: {len(table)} rows, {len(wrong)} faults")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
