"""The pictures of a run, and its place in docs/performance.md."""

from collections.abc import Iterable
from pathlib import Path

from .marks import Marks
from .plots import Axis, Series, line_chart
from .report import DatabaseReport, Report, median
from .scenarios import FIXED

SHOWN = {
    "fixed": "fixed JSON",
    "refresh-opaque": "refresh, opaque",
    "refresh-jwt": "refresh, ES256",
    "introspect-opaque": "introspection, opaque",
    "client-credentials-opaque": "client credentials",
    "refresh-successor": "refresh, successor",
    "code": "code exchange",
    "authorize": "authorize and exchange",
}
"""The scenarios of the pictures, and how they are called there."""
NINES = [2, 10, 100, 1000]
NINES_LABELS = ["50 %", "90 %", "99 %", "99.9 %"]
MARKS = Marks("scripts/bench")


def pictures(report: Report) -> dict[str, str]:
    """The SVG files by name."""
    drawn = {}
    for database in report.databases:
        samples = database.measurements.samples
        if len({connections for _, connections in samples}) > 1:
            drawn[f"bench-rates-{database.name}.svg"] = _rates(database)
        if any(connections == 16 for _, connections in samples):
            drawn[f"bench-latency-{database.name}.svg"] = _latencies(database)
    if any(len(database.memory) > 1 for database in report.databases):
        drawn["bench-memory.svg"] = line_chart(
            "Memory over time",
            [
                Series(_plain_name(database), [(seconds / 60, megabytes) for seconds, megabytes in database.memory])
                for database in report.databases
            ],
            Axis("minutes since the start of the run"),
            Axis("resident MB"),
            "The measuring server, while all work items are measured in turn",
        )
    return drawn


def _rates(database: DatabaseReport) -> str:
    samples = database.measurements.samples
    connections = sorted({count for _, count in samples})
    series = [
        Series(
            title,
            [(n, median(sample.rate for sample in samples[name, n])) for n in connections if (name, n) in samples],
            is_dashed=name == FIXED.name,
        )
        for name, title in SHOWN.items()
    ]
    return line_chart(
        f"Throughput by connections, {_plain_name(database)}",
        series,
        Axis("connections", scale="log", ticks=connections, labels=[str(count) for count in connections]),
        Axis("answers a second"),
        "Medians; the dotted line is the framework's fixed answer",
    )


def _latencies(database: DatabaseReport) -> str:
    series = []
    for name, title in SHOWN.items():
        samples = database.measurements.samples.get((name, 16))
        if not samples:
            continue
        points = []
        for percent, _ in samples[0].percentiles:
            enough = min(sample.requests for sample in samples) * (100 - percent) / 100 >= 5
            if 50 <= percent <= 99.9 and enough:
                points.append((100 / (100 - percent), median(sample.within_ms(percent) for sample in samples)))
        series.append(Series(title, points, is_dashed=name == FIXED.name))
    last = max(point[0] for one in series for point in one.points)
    marks = [(nine, label) for nine, label in zip(NINES, NINES_LABELS, strict=True) if nine <= last * 1.001]
    return line_chart(
        f"Latency at 16 connections, {_plain_name(database)}",
        series,
        Axis("this many of the requests", scale="log", ticks=[m[0] for m in marks], labels=[m[1] for m in marks]),
        Axis("were answered within … ms", scale="log"),
        "The server is saturated: the next request leaves when the last is answered",
    )


def _plain_name(database: DatabaseReport) -> str:
    return database.title.partition(" (")[0]


def document(report: Report, names: Iterable[str]) -> str:
    """What stands between the marks in docs/performance.md."""
    shown = {
        "bench-rates": "Requests a second over the number of connections",
        "bench-latency": "In how many milliseconds so many percent of the requests were answered",
        "bench-memory": "Resident memory over the time of the run",
    }
    images = []
    for name in names:
        words = next(words for start, words in shown.items() if name.startswith(start))
        images += ["", f"![{words}](images/{name})"]
    return "\n".join(["## Figures", "", report.markdown(level=3).rstrip(), "", "### Pictures", *images])


def write(report: Report, root: Path) -> list[Path]:
    """Puts the figures and pictures of a run into the documentation; says which files it wrote."""
    page = root / "docs" / "performance.md"
    drawn = pictures(report)
    MARKS.put(page, document(report, drawn))
    folder = root / "docs" / "images"
    for name, picture in drawn.items():
        (folder / name).write_text(picture, encoding="utf-8")
    return [page, *(folder / name for name in drawn)]
