"""Reads Prometheus' text format 0.0.4, strictly: what a scraper could take two ways is a failure here."""

import re
from dataclasses import dataclass, field

NAME = re.compile(r"[a-zA-Z_:][a-zA-Z0-9_:]*")
LABEL = re.compile(r'([a-zA-Z_][a-zA-Z0-9_]*)="((?:[^"\\\n]|\\\\|\\"|\\n)*)"')
VALUE = re.compile(r"(?:[+-]?Inf|NaN|[+-]?\d+(?:\.\d+)?(?:[eE][+-]?\d+)?)")
MEDIA_TYPE = "text/plain; version=0.0.4; charset=utf-8"

Labels = tuple[tuple[str, str], ...]


@dataclass
class Family:
    """A metric with all its samples."""

    name: str
    help: str
    type: str
    samples: dict[tuple[str, Labels], float] = field(default_factory=dict)

    def value(self, suffix: str = "", **labels: str) -> float:
        """The one sample with exactly these labels."""
        return self.samples[(self.name + suffix, tuple(sorted(labels.items())))]

    def sum(self, suffix: str = "", **labels: str) -> float:
        """All samples that have these labels, added up."""
        wanted = set(labels.items())
        return sum(v for (name, have), v in self.samples.items() if name == self.name + suffix and wanted <= set(have))

    def labels(self) -> set[str]:
        """The names of its labels."""
        return {name for _, labels in self.samples for name, _ in labels} - {"le"}


def read(text: str) -> dict[str, Family]:
    """Every family of a page by its name."""
    assert text.endswith("\n"), "the last line must end with a line feed"
    families: dict[str, Family] = {}
    current: Family | None = None
    lines = iter(text[:-1].split("\n"))
    for line in lines:
        if line.startswith("# HELP "):
            name, _, help_text = line[7:].partition(" ")
            kind = next(lines)
            assert kind.startswith(f"# TYPE {name} "), f"after {line!r} comes {kind!r}"
            assert NAME.fullmatch(name), line
            assert name not in families, f"{name} comes twice"
            assert not re.search(r"\\(?![\\n])", help_text), line
            current = families[name] = Family(name, help_text, kind.rsplit(" ", 1)[1])
            assert current.type in {"counter", "gauge", "histogram"}, kind
            continue
        assert current is not None, f"a sample before its family: {line!r}"
        name, labels, value = sample(line)
        ends = ("_bucket", "_sum", "_count") if current.type == "histogram" else ("",)
        assert name in {current.name + end for end in ends}, f"{name} stands among the samples of {current.name}"
        key = (name, tuple(sorted(labels)))
        assert key not in current.samples, f"{line!r} comes twice"
        current.samples[key] = value
    for family in families.values():
        check(family)
    return families


def sample(line: str) -> tuple[str, list[tuple[str, str]], float]:
    """Name, labels and value of a line."""
    found = NAME.match(line)
    assert found, line
    rest = line[found.end() :]
    labels = []
    if rest.startswith("{"):
        rest = rest[1:]
        while not rest.startswith("}"):
            label = LABEL.match(rest)
            assert label, line
            value = re.sub(r"\\(.)", lambda m: {"n": "\n"}.get(m[1], m[1]), label[2])
            labels.append((label[1], value))
            rest = rest[label.end() :].removeprefix(",")
        rest = rest[1:]
    assert len({name for name, _ in labels}) == len(labels), f"a label comes twice: {line}"
    assert rest.startswith(" "), line
    assert VALUE.fullmatch(rest[1:]), line
    return found[0], labels, float(rest[1:])


def check(family: Family) -> None:
    """What holds between the samples of a family."""
    if family.type == "counter":
        assert family.name.endswith("_total"), family.name
        assert all(value >= 0 for value in family.samples.values()), family.name
    if family.type != "histogram":
        return
    series: dict[Labels, list[tuple[float, float]]] = {}
    for (name, labels), value in family.samples.items():
        if name.endswith("_bucket"):
            rest = tuple(pair for pair in labels if pair[0] != "le")
            series.setdefault(rest, []).append((float(dict(labels)["le"].replace("+Inf", "inf")), value))
    for rest, buckets in series.items():
        assert [le for le, _ in buckets] == sorted({le for le, _ in buckets}), (
            f"{family.name} {rest}: le is not in order"
        )
        counts = [count for _, count in buckets]
        assert counts == sorted(counts), f"{family.name} {rest}: buckets are not cumulative"
        assert buckets[-1][0] == float("inf")
        assert counts[-1] == family.samples[(family.name + "_count", rest)], f"{family.name} {rest}"
        assert (family.name + "_sum", rest) in family.samples
