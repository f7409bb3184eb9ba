"""The gates on instructions and allocations judge what was counted (ADR 0023)."""

import importlib.util
from pathlib import Path

import pytest

GATES = Path(__file__).resolve().parents[2] / "scripts" / "gates.py"

# Two functions that ask for memory, one of them by way of the other, as callgrind writes them.
DUMP = """\
version: 1
desc: Trigger: --dump-before=*countingEnds*
fn=(1) main
16 300
cfn=(2) malloc
calls=100 0
16 7000
cfn=(3) grow
calls=50 0
16 9000

fn=(3)
16 1000
cfn=(4) realloc'2
calls=50 0
16 3000
cfn=(5) malloc_usable_size
calls=50 0
16 100

totals: 20400
"""


@pytest.fixture(scope="module")
def gates():
    specification = importlib.util.spec_from_file_location("gates", GATES)
    module = importlib.util.module_from_spec(specification)
    specification.loader.exec_module(module)
    return module


def test_a_dump_adds_up_to_one_run(gates, tmp_path):
    (tmp_path / "counts.1").write_text(DUMP, encoding="utf-8")
    assert gates.read_dump(tmp_path / "counts.1", rounds=100) == gates.Count(instructions=204, allocations=1.5)


@pytest.mark.parametrize(("instructions", "allocations"), [(1000, 12), (1030, 12), (970, 12), (1000, 12.4)])
def test_what_lies_within_the_tolerance_passes(gates, instructions, allocations):
    stored = gates.Stored(gates.Count(1000, 12), tolerance=3)
    assert gates.complaints("form", gates.Count(instructions, allocations), stored) == []


@pytest.mark.parametrize(
    ("instructions", "allocations", "expected"),
    [
        (1031, 12, ["'form'", "1,031", "1,000 ± 3 %", "+3.1 %", '--profile "form"', "--write"]),
        (1000, 13, ["'form'", "13 allocations", "stored are 12", '--profile "form"', "--write"]),
        (969, 12, ["'form'", "969", "-3.1 %", "better", "--write"]),
        (1000, 11, ["'form'", "11 allocations", "stored are 12", "better", "--write"]),
    ],
)
def test_a_failure_says_which_operation_what_was_seen_and_what_to_do(gates, instructions, allocations, expected):
    stored = gates.Stored(gates.Count(1000, 12), tolerance=3)
    (complaint,) = gates.complaints("form", gates.Count(instructions, allocations), stored)
    for words in expected:
        assert words in complaint


def test_an_operation_that_is_not_stored_or_no_longer_there_fails(gates):
    count = gates.Count(1000, 12)
    assert "not stored yet" in gates.complaints("form", count, None)[0]
    assert "no such operation" in gates.complaints("form", None, gates.Stored(count, 3))[0]


def test_what_is_written_is_what_is_read(gates, tmp_path, monkeypatch):
    page = tmp_path / "performance.md"
    words = ["# Performance", gates.HEADING, "Words.", "Counted with nothing yet.", "More.", "## Behind"]
    page.write_text("\n\n".join(words) + "\n", encoding="utf-8")
    monkeypatch.setattr(gates, "TABLE", page)
    monkeypatch.setattr(gates, "ROOT", tmp_path)
    seen = {"form of a refresh": gates.Count(12345, 7), "whole: JWT, ES256": gates.Count(99, 0.5)}
    for _ in range(2):
        gates.write_table("Swift 6", seen)
        machine, stored = gates.read_table()
        assert machine == "Swift 6"
        assert stored == {name: gates.Stored(count, gates.TOLERANCE) for name, count in seen.items()}
        assert page.read_text(encoding="utf-8").endswith(" |\n\nMore.\n\n## Behind\n")
