"""What the summary makes of a run: a whole one that skipped something has not shown what it promises."""

from __future__ import annotations

import subprocess
import sys

import pytest

from toolkit.databases import ROOT

pytestmark = pytest.mark.smoke

PASSED = '<testcase classname="a" name="passes" />'
SKIPPED = '<testcase classname="a" name="cannot"><skipped message="wrk is missing" /></testcase>'
FAILED = '<testcase classname="a" name="fails"><failure message="no" /></testcase>'


@pytest.mark.parametrize(
    "cases, words, status, said",
    [
        (PASSED + SKIPPED, [], 0, "1 passed, 0 failed, 1 skipped"),
        (PASSED + SKIPPED, ["--count"], 0, "1 passed, 0 failed, 1 skipped"),
        (PASSED, ["--whole", "2400"], 0, "1 passed, 0 failed"),
        (PASSED + SKIPPED, ["--whole", "2400"], 1, "a cannot: wrk is missing"),
        (PASSED, ["--whole", "2401"], 1, "the run took 2401 seconds; 2400 are allowed"),
        (PASSED + FAILED, [], 1, "failed: a fails"),
        (SKIPPED, [], 1, "0 passed, 0 failed, 1 skipped"),
    ],
)
def test_a_whole_run_is_red_when_something_was_skipped_or_it_took_too_long(tmp_path, cases, words, status, said):
    (tmp_path / "faults.xml").write_text(f"<testsuites><testsuite>{cases}</testsuite></testsuites>")
    done = subprocess.run(
        [sys.executable, ROOT / "scripts" / "summary.py", *words, tmp_path], capture_output=True, text=True, timeout=60
    )
    assert done.returncode == status, done.stdout + done.stderr
    assert said in done.stdout
