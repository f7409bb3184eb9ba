"""The figures of a run, for people and for `docs/reliability.md`."""

from __future__ import annotations

import json
import os
from dataclasses import asdict, dataclass
from pathlib import Path


@dataclass(frozen=True)
class Figure:
    """What was seen of one fault."""

    fault: str
    what: str
    seen: str


class Figures:
    """Gathers what the tests measured; a row is there only if its test got as far as its end."""

    def __init__(self):
        self.rows: list[Figure] = []

    def note(self, fault: str, what: str, **seen) -> None:
        """Keeps a row: its figures by name, and prints it, so that a long run shows where it is."""
        told = ", ".join(f"{name.replace('_', ' ')}: {_text(value)}" for name, value in seen.items())
        self.rows.append(Figure(fault, what, told))
        print(f"\n{fault:>4}  {what}: {told}", flush=True)

    def table(self) -> str:
        """The rows as Markdown."""
        lines = ["| fault | what was done | what was seen |", "|---|---|---|"]
        ordered = sorted(self.rows, key=lambda row: (int(row.fault.lstrip("F") or 0), row.what))
        lines += [f"| {row.fault} | {row.what} | {row.seen} |" for row in ordered]
        return "\n".join(lines) + "\n"

    def write(self, folder: Path) -> None:
        """Writes the table, and the same as JSON."""
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "figures.md").write_text(self.table())
        (folder / "figures.json").write_text(json.dumps([asdict(row) for row in self.rows], indent=2) + "\n")


def report_folder() -> Path | None:
    """Where the run wants its figures; nowhere in `make test`."""
    named = os.environ.get("LATCHKEY_FAULT_REPORT")
    return Path(named) if named else None


def _text(value) -> str:
    if isinstance(value, float):
        return f"{value:.2f}" if value < 10 else f"{value:.1f}"
    if isinstance(value, int):
        return f"{value:,}"
    return str(value)
