"""The part of a page of the documentation that a measurement writes."""

from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Marks:
    """The two lines between which a command writes."""

    command: str

    @property
    def begin(self) -> str:
        return f"<!-- Written by `{self.command} --write`. Do not edit it by hand. -->"

    @property
    def end(self) -> str:
        return f"<!-- The end of what `{self.command} --write` has written. -->"

    def put(self, page: Path, content: str) -> None:
        """Replaces what stands between the marks."""
        before, begin, rest = page.read_text(encoding="utf-8").partition(self.begin)
        _, end, after = rest.partition(self.end)
        if not begin or not end:
            raise SystemExit(f"{self.command}: {page} has no place for figures: it needs these two lines:\n{self}")
        page.write_text(f"{before}{begin}\n\n{content.strip()}\n\n{end}{after}", encoding="utf-8")

    def __str__(self) -> str:
        return f"{self.begin}\n{self.end}"
