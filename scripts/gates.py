"""Counts what each operation of Benchmarks/Operations costs, and compares it with the table in docs/performance.md.

`scripts/gates` says how it is called; it builds the program first. Ends with status 1 when a count is off.
"""

import argparse
import os
import platform
import re
import shutil
import subprocess
import sys
import xml.etree.ElementTree as ElementTree
from collections import Counter
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
PROGRAM = ROOT / ".build" / "release" / "operations"
WORK = ROOT / ".build" / "gates"
TABLE = ROOT / "docs" / "performance.md"
HEADING = "## Counts that do not depend on the clock"

# How far instructions may be off, in percent, where the table does not say otherwise.
TOLERANCE = 3
# The C library's functions that hand out memory.
ALLOCATING = {"malloc", "calloc", "realloc", "reallocarray", "aligned_alloc", "memalign", "posix_memalign"}

COUNTED = re.compile(r"^Counted with (.+)\.$")
ROW = re.compile(r"^\| *(\S[^|]*?) *\| *([\d,]+) *\| *± *(\d+) % *\| *([\d,.]+) *\|$")
NAME = re.compile(r"\((\d+)\)(?: (.*))?$")


@dataclass(frozen=True)
class Count:
    """What one run of an operation costs."""

    instructions: int
    allocations: float


@dataclass(frozen=True)
class Stored:
    """The same as it is stored, and how far instructions may be off, in percent."""

    count: Count
    tolerance: int


def this_machine() -> str:
    """What counts depend on, besides the code: what compiles, the C library, and the processor."""
    said = subprocess.run(["swift", "--version"], check=True, capture_output=True, text=True).stdout
    swift = re.search(r"Swift version (\S+)", said)
    processor = platform.machine()
    # The cryptographic library chooses its code by what the processor can do.
    if re.search(r"^flags\s*:.*\bavx2\b", Path("/proc/cpuinfo").read_text(encoding="utf-8"), re.MULTILINE):
        processor += " with AVX2"
    return f"Swift {swift[1] if swift else '?'} and glibc {platform.libc_ver()[1]} on {processor}"


def count_all() -> dict[str, Count]:
    """What each operation costs, in the order of the program."""
    shutil.rmtree(WORK, ignore_errors=True)
    WORK.mkdir(parents=True)
    # Without what a debugger needs valgrind starts sooner, and meets no format that it does not know.
    program = WORK / "operations"
    subprocess.run(["strip", "--strip-debug", "-o", program, PROGRAM], check=True)
    counting = ["--zero-before=*countingBegins*", "--dump-before=*countingEnds*"]
    command = [
        "valgrind",
        "--tool=callgrind",
        f"--callgrind-out-file={WORK / 'counts'}",
        *counting,
        program,
    ]
    # Sets and dictionaries in the same order every time, and nothing that the caller's shell says.
    environment = {"PATH": os.environ["PATH"], "SWIFT_DETERMINISTIC_HASHING": "1"}
    run = subprocess.run(command, env=environment, capture_output=True, text=True)
    if run.returncode != 0:
        sys.exit(f"gates: {' '.join(map(str, command))} failed:\n{run.stdout}{run.stderr}")
    words = [line.split(" ", 1) for line in run.stdout.splitlines()]
    rounds = next(int(value) for key, value in words if key == "rounds")
    names = [value for key, value in words if key == "operation"]
    return {name: read_dump(dump_of(number), rounds) for number, name in enumerate(names, start=1)}


def dump_of(number: int) -> Path:
    """The file in which valgrind left what it counted of an operation."""
    return WORK / f"counts.{number}"


def read_dump(path: Path, rounds: int) -> Count:
    """Adds up a file in callgrind's format: the instructions, and the calls of what hands out memory."""
    names: dict[str, str] = {}
    called = ""
    instructions = allocations = 0
    for line in path.read_text(encoding="utf-8", errors="replace").splitlines():
        key, _, rest = line.partition("=")
        if key in ("fn", "cfn"):
            # A name is written out once, behind its number.
            number, name = NAME.match(rest).groups()
            if name:
                names[number] = name
            called = names[number]
        elif key == "calls" and re.split("['@]", called)[0] in ALLOCATING:
            allocations += int(rest.split()[0])
        elif line.startswith("totals:"):
            instructions = int(line.split()[1])
    return Count(round(instructions / rounds), round(allocations / rounds, 1))


def read_table() -> tuple[str, dict[str, Stored]]:
    """What docs/performance.md says, and of which machine."""
    rows: dict[str, Stored] = {}
    machine = None
    for line in section()[1]:
        if match := COUNTED.match(line):
            machine = match[1]
        if match := ROW.match(line):
            name, instructions, tolerance, allocations = match.groups()
            count = Count(int(instructions.replace(",", "")), float(allocations.replace(",", "")))
            rows[name] = Stored(count, int(tolerance))
    if machine is None:
        sys.exit(f"gates: {TABLE.relative_to(ROOT)} does not say what it was counted with; --write stores that")
    return machine, rows


def section() -> tuple[list[str], list[str], list[str]]:
    """The lines of docs/performance.md before the table's section, in it and behind it."""
    lines = TABLE.read_text(encoding="utf-8").splitlines()
    if HEADING not in lines:
        sys.exit(
            f"gates: {TABLE.relative_to(ROOT)} has no section '{HEADING}'; its table is what counts are compared with"
        )
    start = lines.index(HEADING)
    later = [number for number, line in enumerate(lines) if number > start and line.startswith("## ")]
    end = later[0] if later else len(lines)
    return lines[:start], lines[start:end], lines[end:]


def write_table(machine: str, seen: dict[str, Count]) -> None:
    """Stores what was counted; tolerances stay as they are."""
    before, inside, behind = section()
    old = {match[1]: int(match[3]) for line in inside if (match := ROW.match(line))}
    table = [["operation", "instructions", "may be off", "allocations"]]
    for name, count in seen.items():
        tolerance = f"± {old.get(name, TOLERANCE)} %"
        table.append([name, f"{count.instructions:,}", tolerance, f"{count.allocations:,g}"])
    widths = [max(len(row[column]) for row in table) for column in range(4)]
    rows = []
    for name, *figures in table:
        cells = [f"{figure:>{width}}" for figure, width in zip(figures, widths[1:], strict=True)]
        rows.append(f"| {name:<{widths[0]}} | {' | '.join(cells)} |")
    rule = "|" + "-" * (widths[0] + 2) + "|" + "".join("-" * (width + 1) + ":|" for width in widths[1:])
    place = next((number for number, line in enumerate(inside) if COUNTED.match(line)), len(inside))
    rest = "\n".join(line for line in inside[place + 1 :] if not line.startswith("|")).strip("\n").splitlines()
    inside = [*inside[:place], f"Counted with {machine}.", "", rows[0], rule, *rows[1:], "", *rest, ""]
    TABLE.write_text("\n".join(before + inside + behind).rstrip("\n") + "\n", encoding="utf-8")
    print(f"gates: {len(seen)} operations stored in {TABLE.relative_to(ROOT)}")


def complaints(name: str, seen: Count | None, stored: Stored | None) -> list[str]:
    """What is wrong with an operation's counts: a sentence each."""
    if seen is None:
        return [f"'{name}' is stored, but there is no such operation: store the counts again (make gates ARGS=--write)"]
    if stored is None:
        return [f"'{name}' is not stored yet: store the counts (make gates ARGS=--write)"]
    found = []
    change = 100 * (seen.instructions / stored.count.instructions - 1)
    if 100 * abs(seen.instructions - stored.count.instructions) > stored.tolerance * stored.count.instructions:
        found.append(
            f"'{name}' takes {seen.instructions:,} instructions; stored are {stored.count.instructions:,} "
            f"± {stored.tolerance} %, so this is {change:+.1f} %"
        )
    if abs(seen.allocations - stored.count.allocations) > 0.5:
        found.append(f"'{name}' makes {seen.allocations:,g} allocations; stored are {stored.count.allocations:,g}")
    is_worse = seen.instructions > stored.count.instructions or seen.allocations > stored.count.allocations
    remedy = (
        f"See what it does more with make gates ARGS='--profile \"{name}\"'; if it has to, "
        if is_worse
        else "It has become better: so that it stays so, "
    )
    return [f"{sentence}. {remedy}store the counts with make gates ARGS=--write" for sentence in found]


def check(machine: str, seen: dict[str, Count], report: Path | None) -> int:
    """Compares, prints, and writes the JUnit file; returns the exit status."""
    stored_on, stored = read_table()
    is_judged = machine == stored_on
    suite = ElementTree.Element("testsuite", name="gates")
    failures = 0
    for name in dict.fromkeys([*seen, *stored]):
        found = complaints(name, seen.get(name), stored.get(name)) if is_judged else []
        case = ElementTree.SubElement(suite, "testcase", classname="gates", name=name)
        if name in seen:
            verdict = "FAILED" if found else "ok    "
            print(f"{verdict}  {seen[name].instructions:>9,} {seen[name].allocations:>6,g}  {name}")
        for sentence in found:
            print(f"        {sentence}")
            ElementTree.SubElement(case, "failure", message=sentence)
        failures += bool(found)
    if report:
        ElementTree.ElementTree(suite).write(report, encoding="utf-8", xml_declaration=True)
    if not is_judged:
        print(f"gates: nothing is judged here: the counts were stored with {stored_on}, and this is {machine}")
    print(f"gates: {len(seen)} operations, {failures} off")
    return 1 if failures else 0


def own_costs(path: Path) -> Counter[str]:
    """The instructions of each function itself, without those that it calls."""
    names: dict[str, str] = {}
    own: Counter[str] = Counter()
    function = ""
    is_call = False
    for line in path.read_text(encoding="utf-8", errors="replace").splitlines():
        key, _, rest = line.partition("=")
        if key in ("fn", "cfn"):
            number, name = NAME.match(rest).groups()
            if name:
                names[number] = name
            function = names[number] if key == "fn" else function
        elif key == "calls":
            # The next line holds what the call cost.
            is_call = True
        elif line[:1] in set("+-*0123456789"):
            own[function] += 0 if is_call else int(line.split()[1])
            is_call = False
    return own


def profile(name: str, names: list[str]) -> int:
    """Prints where an operation's instructions go, function by function."""
    if name not in names:
        sys.exit(f"gates: there is no operation '{name}'; there are: {'; '.join(names)}")
    own = own_costs(dump_of(names.index(name) + 1))
    total = sum(own.values())
    lines = "".join(f"{100 * cost / total:5.1f} %  {function}\n" for function, cost in own.most_common(40))
    said = subprocess.run(
        ["swift", "demangle", "--simplified"], input=lines, text=True, check=True, capture_output=True
    )
    print(said.stdout, end="")
    return 0


def main() -> int:
    parser = argparse.ArgumentParser(prog="scripts/gates", description="Counts what the hot paths cost.")
    parser.add_argument("--write", action="store_true", help="store what was counted in docs/performance.md")
    parser.add_argument("--profile", metavar="NAME", help="say where one operation's instructions go")
    parser.add_argument("--report", metavar="FILE", type=Path, help="write a JUnit file")
    arguments = parser.parse_args()
    machine = this_machine()
    seen = count_all()
    if arguments.profile:
        return profile(arguments.profile, list(seen))
    if arguments.write:
        write_table(machine, seen)
        return 0
    return check(machine, seen, arguments.report)


if __name__ == "__main__":
    sys.exit(main())
