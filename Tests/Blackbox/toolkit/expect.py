"""Expectations that several files share."""

import subprocess
import time

from .process import STALENESS


def eventually(condition, seconds: float = STALENESS) -> None:
    """Waits until the condition holds, for at most what a running server may need to see a change."""
    deadline = time.monotonic() + seconds
    while not condition() and time.monotonic() < deadline:
        time.sleep(0.05)
    assert condition(), f"the running server did not see the change within {seconds} s"


def check_one_line_error(done: subprocess.CompletedProcess, *words: str) -> None:
    assert done.returncode == 1, (done.returncode, done.stdout, done.stderr)
    lines = done.stderr.strip().splitlines()
    assert len(lines) == 1, done.stderr
    for word in words:
        assert word in lines[0], lines[0]
