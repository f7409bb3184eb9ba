"""What an operator sees of a server: its metrics and its log, each read strictly."""

import json
import re
from pathlib import Path

from . import exposition
from .databases import ROOT
from .process import Latchkey
from .wire import send

PAGE = ROOT / "docs" / "observability.md"
TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z")


def scrape(server: Latchkey, base: str | None = None) -> dict[str, exposition.Family]:
    """The metrics of a server, by name."""
    answer = send("GET", (base or server.base) + "/metrics")
    assert answer.status_code == 200, answer.text
    assert answer.headers["Content-Type"] == exposition.MEDIA_TYPE
    assert not server.canaries.found_in(answer.content)
    return exposition.read(answer.text)


def events(server: Latchkey) -> dict[str, int]:
    """How often there was each security event."""
    family = scrape(server)["latchkey_security_events_total"]
    return {dict(labels)["event"]: int(value) for (_, labels), value in family.samples.items()}


def table(heading: str) -> dict[str, list[str]]:
    """A table of docs/observability.md: its rows by their first cell."""
    section = PAGE.read_text().split(f"\n## {heading}\n", 1)[1].split("\n## ", 1)[0]
    rows = {}
    for line in section.splitlines():
        if line.startswith("| `"):
            cells = [cell.strip() for cell in line.strip("|").split("|")]
            rows[cells[0].strip("`")] = cells[1:]
    assert rows, f"no table under {heading}"
    return rows


def lines(server: Latchkey) -> list[dict[str, str]]:
    """The log, whose every line must be one JSON object of documented members."""
    return read_log(server.log_path)


def read_log(path: Path) -> list[dict[str, str]]:
    documented = set(table("Members of a line"))
    told = []
    # What is behind the last end of a line is just being written.
    whole, _, _ = path.read_bytes().rpartition(b"\n")
    for line in whole.splitlines():
        event = json.loads(line.decode("utf-8"))
        assert isinstance(event, dict), line
        assert all(isinstance(value, str) for value in event.values()), line
        assert list(event)[:4] == ["time", "level", "logger", "message"], line
        assert TIME.fullmatch(event["time"]), line
        assert event["level"] in {"trace", "debug", "info", "notice", "warning", "error", "critical"}, line
        # At the lowest levels libraries speak too, with members of their own.
        if event["level"] not in {"debug", "trace"} or event["message"] == "answered":
            unknown = set(event) - documented
            assert not unknown, f"docs/observability.md does not know {unknown}: {line}"
        told.append(event)
    return told
