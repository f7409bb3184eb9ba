"""The charts of docs/performance.md: to scale, well-formed, and named so that the names can be read."""

import re
import xml.etree.ElementTree as ElementTree

import pytest

from bench.plots import LABEL_HEIGHT, Axis, Series, figure, line_chart, round_step, spread


def test_a_chart_scales_names_and_escapes():
    text = line_chart(
        "A < B",
        [Series("up", [(1, 0), (10, 5), (100, 10)]), Series("of nothing", [])],
        Axis("x", scale="log"),
        Axis("y & z"),
    )
    ElementTree.fromstring(text)
    points = re.search(r'points="([^"]+)"', text).group(1)
    places = [tuple(map(float, point.split(","))) for point in points.split()]
    # Equal steps on both axes: tenfold and plus five.
    assert places[1][0] - places[0][0] == pytest.approx(places[2][0] - places[1][0], abs=0.2)
    assert places[0][1] - places[1][1] == pytest.approx(places[1][1] - places[2][1], abs=0.2)
    assert "of nothing" not in text
    with pytest.raises(ValueError, match="no place for 0"):
        line_chart("t", [Series("s", [(0, 1)])], Axis("x", scale="log"), Axis("y"))
    with pytest.raises(ValueError, match="no points"):
        line_chart("t", [], Axis("x"), Axis("y"))


def test_names_at_the_edge_keep_their_order_and_their_distance():
    wanted = [200.0, 201.0, 100.0, 202.0, 379.0, 381.0]
    placed = spread(wanted)
    order = sorted(range(len(wanted)), key=lambda index: wanted[index])
    heights = [placed[index] for index in order]
    assert all(b - a >= LABEL_HEIGHT - 1e-6 for a, b in zip(heights, heights[1:], strict=False))
    assert placed[2] == 100.0


def test_ticks_are_round():
    assert [round_step(wanted) for wanted in (0.9, 1, 3, 7, 11_000)] == [1, 1, 5, 10, 20_000]
    assert [figure(value) for value in (40_000, 2.5, 10_000_000)] == ["40,000", "2.5", "10 M"]
