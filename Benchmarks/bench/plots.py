"""Line charts as SVG text, for docs/performance.md: readable on a light and on a dark page, and by a reviewer.

    line_chart("Refreshes by connections", [Series("opaque", [(1, 9000), (16, 37000)])],
               Axis("connections", scale="log", ticks=[1, 16]), Axis("requests/s"))

Each series is named at its last point, in its colour: there is no legend to look up. A series may be dashed, for what
is only a measure of the others.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from html import escape

LIGHT = ("#0b6bb8", "#c2410c", "#0f7a55", "#8a3ea8", "#9a6a00", "#c01860", "#0e7490", "#4b5563")
DARK = ("#6cb6ff", "#ff9a5c", "#4fd1a1", "#d2a8ff", "#e3b341", "#ff7eb6", "#56d4e8", "#b1bac4")
"""The colours of the series, in turn, on a light and on a dark ground: they differ in lightness too."""

WIDTH, HEIGHT = 860, 440
LEFT, RIGHT, TOP, BOTTOM = 94, 212, 74, 58
LABEL_HEIGHT = 17
"""The least distance of two names at the right edge."""


@dataclass(frozen=True)
class Series:
    """One line: its name, and its points in the order of x."""

    name: str
    points: Sequence[tuple[float, float]]
    is_dashed: bool = False


@dataclass(frozen=True)
class Axis:
    """What an axis shows, and how."""

    title: str
    scale: str = "linear"
    """`linear`, from zero; or `log`, where every value must be above zero."""
    ticks: Sequence[float] | None = None
    """Where the marks are; round numbers by default."""
    labels: Sequence[str] | None = None
    """What stands at the ticks; their values by default."""


class Ruler:
    """An axis with its range laid over a stretch of the picture."""

    def __init__(self, axis: Axis, values: Sequence[float], start: float, end: float, ends_with_data: bool = False):
        if axis.scale not in ("linear", "log"):
            raise ValueError(f"an axis is linear or log, not {axis.scale}")
        if axis.scale == "log" and min(values) <= 0:
            raise ValueError(f"{axis.title}: a logarithmic axis has no place for {min(values)}")
        self.axis = axis
        self.start = start
        self.end = end
        self.ticks = list(axis.ticks or self._round_ticks(min(values), max(values)))
        if ends_with_data and not axis.ticks:
            lowest = min(values) if axis.scale == "log" else 0
            self.ticks = [tick for tick in self.ticks if lowest <= tick <= max(values)] or self.ticks
        self.low = min([*self.ticks, *values]) if axis.scale == "log" else min([0, *self.ticks, *values])
        self.high = max([*self.ticks, *values])
        if self.low == self.high:
            self.high = self.low * 2 or 1

    def _round_ticks(self, low: float, high: float) -> list[float]:
        if self.axis.scale == "log":
            return _decades(low, high)
        step = round_step(high / 6) if high > 0 else 1
        return [number * step for number in range(max(1, math.ceil(high / step - 1e-9)) + 1)]

    def place(self, value: float) -> float:
        """Where a value is in the picture."""
        if self.axis.scale == "log":
            part = math.log(value / self.low) / math.log(self.high / self.low)
        else:
            part = (value - self.low) / (self.high - self.low)
        return self.start + part * (self.end - self.start)

    def marks(self) -> list[tuple[float, str]]:
        """The ticks' places and what stands there."""
        labels = self.axis.labels or [figure(tick) for tick in self.ticks]
        return [(self.place(tick), label) for tick, label in zip(self.ticks, labels, strict=True)]


def line_chart(title: str, series: Sequence[Series], x: Axis, y: Axis, subtitle: str = "") -> str:
    """The chart as the text of an SVG file.

    Series without points are left out; without any points there is nothing to draw, and a `ValueError` says so.
    """
    drawn = [one for one in series if one.points]
    if not drawn:
        raise ValueError(f"{title}: there are no points")
    across = Ruler(x, [point[0] for one in drawn for point in one.points], LEFT, WIDTH - RIGHT, True)
    up = Ruler(y, [point[1] for one in drawn for point in one.points], HEIGHT - BOTTOM, TOP)
    parts = [_head(title, subtitle), *_grid(across, up, x, y)]
    ends = []
    for number, one in enumerate(drawn):
        places = [(across.place(a), up.place(b)) for a, b in one.points]
        parts.append(_line(places, number % len(LIGHT), one.is_dashed))
        ends.append(places[-1])
    for number, (one, end, height) in enumerate(zip(drawn, ends, spread([end[1] for end in ends]), strict=True)):
        parts.append(_name(one.name, end, height, number % len(LIGHT)))
    return "\n".join([*parts, "</svg>"]) + "\n"


def spread(heights: Sequence[float]) -> list[float]:
    """Heights near the given ones, in the same order from top to bottom, with room for a line of text each."""
    order = sorted(range(len(heights)), key=lambda index: heights[index])
    clusters: list[list[int]] = []

    def top(cluster: list[int]) -> float:
        """Where a cluster begins when its middle lies at the mean of what it names, and all of it in the picture."""
        extent = LABEL_HEIGHT * (len(cluster) - 1)
        wanted = sum(heights[index] for index in cluster) / len(cluster) - extent / 2
        return max(TOP, min(wanted, HEIGHT - BOTTOM - extent))

    for index in order:
        clusters.append([index])
        while len(clusters) > 1 and top(clusters[-1]) < top(clusters[-2]) + LABEL_HEIGHT * len(clusters[-2]):
            last = clusters.pop()
            clusters[-1] += last
    placed = [0.0] * len(heights)
    for cluster in clusters:
        for number, index in enumerate(cluster):
            placed[index] = top(cluster) + LABEL_HEIGHT * number
    return placed


def round_step(wanted: float) -> float:
    """The next of 1, 2, 2.5, 5 and 10 times a power of ten."""
    power = 10 ** math.floor(math.log10(wanted))
    return next(factor * power for factor in (1, 2, 2.5, 5, 10) if factor * power >= wanted * (1 - 1e-9))


def figure(value: float) -> str:
    """A number as people write it: 40,000, 2.5, 0.1, 10 M."""
    if abs(value) >= 1_000_000:
        return f"{value / 1_000_000:g} M"
    return f"{value:,.0f}" if value == int(value) else f"{value:g}"


def _decades(low: float, high: float) -> list[float]:
    """1, 10, 100, …; with 2 and 5 between them where there are few."""
    first, last = math.floor(math.log10(low)), math.ceil(math.log10(high))
    factors = (1, 2, 5) if last - first <= 3 else (1,)
    every = [factor * 10.0**power for power in range(first, last + 1) for factor in factors]
    below = [tick for tick in every if tick <= low]
    above = [tick for tick in every if tick >= high]
    return [tick for tick in every if below[-1] <= tick <= above[0]]


def _head(title: str, subtitle: str) -> str:
    def strokes(colours: Sequence[str]) -> str:
        return " ".join(f".s{n} {{ --c: {colour}; }}" for n, colour in enumerate(colours))

    size = f'viewBox="0 0 {WIDTH} {HEIGHT}" width="{WIDTH}" height="{HEIGHT}"'
    return f"""<svg xmlns="http://www.w3.org/2000/svg" {size} role="img" aria-label="{escape(title)}">
<style>
svg {{ --ground: #ffffff; --edge: #d7dce2; --grid: #e6e9ee; --text: #1f2933; --soft: #5b6672; }}
{strokes(LIGHT)}
@media (prefers-color-scheme: dark) {{
svg {{ --ground: #12171e; --edge: #303842; --grid: #242c36; --text: #e6edf3; --soft: #9aa7b4; }}
{strokes(DARK)}
}}
text {{ font: 13px system-ui, -apple-system, "Segoe UI", "DejaVu Sans", sans-serif; fill: var(--soft); }}
.title {{ font-size: 17px; font-weight: 600; fill: var(--text); }}
.ground {{ fill: var(--ground); stroke: var(--edge); }}
.grid {{ stroke: var(--grid); }}
.base {{ stroke: var(--soft); }}
.line {{ fill: none; stroke: var(--c); stroke-width: 2.2; stroke-linejoin: round; stroke-linecap: round; }}
.dashed {{ stroke-dasharray: 2 6; }}
.dot {{ fill: var(--c); stroke: var(--ground); stroke-width: 1.5; }}
.lead {{ fill: none; stroke: var(--c); stroke-opacity: 0.45; }}
.name {{ fill: var(--c); font-weight: 500; }}
</style>
<rect class="ground" x="0.5" y="0.5" width="{WIDTH - 1}" height="{HEIGHT - 1}" rx="8"/>
<text class="title" x="24" y="32">{escape(title)}</text>
<text x="24" y="52">{escape(subtitle)}</text>"""


def _grid(across: Ruler, up: Ruler, x: Axis, y: Axis) -> list[str]:
    left, right, floor = LEFT, WIDTH - RIGHT, HEIGHT - BOTTOM
    parts = []
    for place, label in up.marks():
        parts.append(f'<line class="grid" x1="{left}" y1="{place:.1f}" x2="{right}" y2="{place:.1f}"/>')
        parts.append(f'<text x="{left - 10}" y="{place + 4.5:.1f}" text-anchor="end">{escape(label)}</text>')
    for place, label in across.marks():
        parts.append(f'<line class="base" x1="{place:.1f}" y1="{floor}" x2="{place:.1f}" y2="{floor + 5}"/>')
        parts.append(f'<text x="{place:.1f}" y="{floor + 21}" text-anchor="middle">{escape(label)}</text>')
    middle = (TOP + floor) / 2
    return [
        *parts,
        f'<line class="base" x1="{left}" y1="{floor}" x2="{right}" y2="{floor}"/>',
        f'<text x="{(left + right) / 2}" y="{HEIGHT - 16}" text-anchor="middle">{escape(x.title)}</text>',
        f'<text x="26" y="{middle}" text-anchor="middle" transform="rotate(-90 26 {middle})">{escape(y.title)}</text>',
    ]


def _line(places: Sequence[tuple[float, float]], colour: int, is_dashed: bool) -> str:
    points = " ".join(f"{x:.1f},{y:.1f}" for x, y in places)
    line = f'<polyline class="line s{colour}{" dashed" if is_dashed else ""}" points="{points}"/>'
    if len(places) > 12:
        return line
    dots = [f'<circle class="dot s{colour}" cx="{x:.1f}" cy="{y:.1f}" r="3.6"/>' for x, y in places]
    return "\n".join([line, *dots])


def _name(name: str, end: tuple[float, float], height: float, colour: int) -> str:
    edge = WIDTH - RIGHT
    lead = f"M{end[0] + 6:.1f},{end[1]:.1f} L{max(edge, end[0]) + 14:.1f},{height:.1f} h6"
    return (
        f'<path class="lead s{colour}" d="{lead}"/>\n'
        f'<text class="name s{colour}" x="{edge + 24}" y="{height + 4.5:.1f}">{escape(name)}</text>'
    )
