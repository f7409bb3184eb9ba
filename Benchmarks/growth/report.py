"""The tables and the plot of what was found."""

import statistics
from pathlib import Path

from bench.marks import Marks
from bench.plots import Axis, Series, line_chart

from .load import CONNECTIONS

TITLES = {"sqlite": "SQLite", "postgres": "PostgreSQL"}
KINDS = {"refresh": "refresh (opaque, stable)", "exchange": "code exchange"}
LIMIT = 0.85
MARKS = Marks("scripts/growth")

Found = dict[str, dict[str, object]]


def present(samples: list[dict[str, object]]) -> list[tuple[str, str]]:
    """The kinds that were measured, with their titles."""
    return [(kind, title) for kind, title in KINDS.items() if any(one["kind"] == kind for one in samples)]


def ratios(samples: list[dict[str, object]], kind: str) -> dict[int, float]:
    """For each size the median of its rate over the smallest size's of the same round."""
    chosen = [one for one in samples if one["kind"] == kind]
    smallest = min(one["size"] for one in chosen)
    base = {one["round"]: one["rate"] for one in chosen if one["size"] == smallest}
    return {
        size: statistics.median(one["rate"] / base[one["round"]] for one in chosen if one["size"] == size)
        for size in sorted({one["size"] for one in chosen})
    }


def load_table(found: Found) -> list[str]:
    lines = [
        "| database | request | connections held | requests/s | of the smallest | p50 ms | p99 ms | CPU s per 1000 |",
        "|---|---|---:|---:|---:|---:|---:|---:|",
    ]
    for engine, samples in found.get("load", {}).items():
        for kind, title in present(samples):
            for size, ratio in ratios(samples, kind).items():
                chosen = [one for one in samples if one["kind"] == kind and one["size"] == size]

                def middle(name: str, chosen: list[dict[str, object]] = chosen) -> float:
                    return statistics.median(one[name] for one in chosen)

                failures = sum(one["failures"] for one in chosen)
                rate = "struck" if failures else f"{middle('rate'):,.0f}"
                lines.append(
                    f"| {TITLES[engine]} | {title} | {size:,} | {rate} | {ratio * 100:.0f} % | "
                    f"{middle('p50_ms'):.2f} | "
                    f"{middle('p99_ms'):.2f} | {middle('cpu_per_thousand'):.3f} |"
                )
    return lines


def sweep_table(found: Found) -> list[str]:
    lines = [
        "| database | beside 1,000 sign-ins a second | refreshes/s | p99 ms | below saturation | p99 ms | still due |",
        "|---|---|---:|---:|---:|---:|---:|",
    ]
    for engine, samples in found.get("sweep", {}).items():
        for kind in ("nothing to sweep", "sweeping"):
            chosen = [one for one in samples if one["kind"] == kind]

            def middle(load: str, name: str, chosen: list[dict[str, object]] = chosen) -> float:
                return statistics.median(one[load][name] for one in chosen)

            lines.append(
                f"| {TITLES[engine]} | {kind} | {middle('saturated', 'rate'):,.0f} | "
                f"{middle('saturated', 'p99_ms'):.2f} | "
                f"{middle('half', 'rate'):,.0f} | {middle('half', 'p99_ms'):.2f} | "
                f"{max(one['due'] for one in chosen):,} |"
            )
    return lines


PARTS = {
    "a connection": ["connections"],
    "an account": ["accounts", "account_words"],
    "a code (kept for a day)": ["codes"],
    "a session": ["sessions"],
}


def bytes_table(found: Found) -> list[str]:
    lines = ["| database | connections held | what | of which | bytes |", "|---|---:|---|---|---:|"]
    for engine, sizes in found.get("bytes", {}).items():
        for size, entry in sizes.items():
            for what, tables in PARTS.items():
                count = entry["rows"][tables[0]]
                parts = {name: size for name, (table, size) in entry["parts"].items() if table in tables}
                detail = ", ".join(
                    f"{name.replace('sqlite_autoindex_', 'key of ').removesuffix('_1')} {bytes / count:.0f}"
                    for name, bytes in sorted(parts.items(), key=lambda part: -part[1])
                )
                lines.append(
                    f"| {TITLES[engine]} | {int(size):,} | {what} | {detail} | **{sum(parts.values()) / count:.0f}** |"
                )
            whole = entry["whole"] / entry["rows"]["connections"]
            lines.append(f"| {TITLES[engine]} | {int(size):,} | everything, by connection | | {whole:.0f} |")
    return lines


def verdicts(found: Found) -> list[tuple[bool, str]]:
    said = []
    for engine, samples in found.get("load", {}).items():
        for kind, title in present(samples):
            ratio, size = min((ratio, size) for size, ratio in ratios(samples, kind).items())
            said.append(
                (
                    ratio >= LIMIT,
                    f"{TITLES[engine]}: {title}, slowest at {size:,} connections: {ratio * 100:.0f} % of the smallest",
                )
            )
    for engine, samples in found.get("sweep", {}).items():
        for load in ("saturated", "half"):
            p99 = {
                kind: statistics.median(one[load]["p99_ms"] for one in samples if one["kind"] == kind)
                for kind in ("nothing to sweep", "sweeping")
            }
            change = p99["sweeping"] / p99["nothing to sweep"] - 1
            said.append(
                (
                    change <= 0.2,
                    f"{TITLES[engine]}: the sweep moves the refreshes' p99 by {change * 100:+.0f} % ({load})",
                )
            )
    return said


def markdown(found: Found) -> str:
    lines: list[str] = []
    for name, table in (("load", load_table), ("sweep", sweep_table), ("bytes", bytes_table)):
        if name in found:
            lines += ["", *table(found)]
    lines += ["", *[f"- {'met' if good else '**missed**'}: {sentence}" for good, sentence in verdicts(found)]]
    return "\n".join(lines).strip() + "\n"


def plot(found: Found) -> str:
    """Throughput by the size of the database, as a part of the smallest size's."""
    series = []
    sizes: set[int] = set()
    for engine, samples in found["load"].items():
        for kind, _ in present(samples):
            parts = ratios(samples, kind)
            sizes |= set(parts)
            series.append(Series(f"{TITLES[engine]}, {kind}", [(size, part * 100) for size, part in parts.items()]))
    ticks = sorted(sizes)
    series.append(Series("the limit", [(size, LIMIT * 100) for size in ticks], is_dashed=True))
    return line_chart(
        "Cost by database size",
        series,
        Axis("connections held", scale="log", ticks=ticks),
        Axis("requests/s, % of the smallest size's"),
        f"{CONNECTIONS} connections to the server; tokens and codes from all over the database",
    )


def document(found: Found, root: Path) -> None:
    """Puts load and sweep into the documentation; what the bytes say is told there in words."""
    commits = ", ".join(f"{kind} {commit}" for kind, commit in sorted(found["commits"].items()) if kind != "bytes")
    machine = f"Commits: {commits}; on the machine of the figures above."
    shown = {kind: found[kind] for kind in ("load", "sweep") if kind in found}
    picture = root / "docs" / "images" / "growth.svg"
    picture.write_text(plot(found), encoding="utf-8")
    image = f"![Rates by the size of the database](images/{picture.name})"
    MARKS.put(root / "docs" / "performance.md", "\n".join([machine, "", markdown(shown), image]))


def write(found: Found, folder: Path, name: str) -> None:
    folder.mkdir(exist_ok=True)
    (folder / f"{name}.md").write_text(f"# Growth, {name}\n\n{markdown(found)}", encoding="utf-8")
    if "load" in found:
        (folder / f"{name}.svg").write_text(plot(found), encoding="utf-8")
