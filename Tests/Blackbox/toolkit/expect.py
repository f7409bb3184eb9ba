"""Expectations that several files share."""

import subprocess
import time
from collections.abc import Callable

from .process import STALENESS, Latchkey


def eventually(condition, seconds: float = STALENESS) -> None:
    """Waits until the condition holds, for at most what a running server may need to see a change."""
    deadline = time.monotonic() + seconds
    while not condition() and time.monotonic() < deadline:
        time.sleep(0.05)
    assert condition(), f"the running server did not see the change within {seconds} s"


def everywhere(nodes: list[Latchkey], is_seen: Callable[[Latchkey], bool], seconds: float = STALENESS) -> None:
    """Waits until every node sees a change that was made just now: all of them have the same deadline."""
    made = time.monotonic()
    for node in nodes:
        while not is_seen(node):
            assert time.monotonic() - made < seconds, f"{node.base} did not see the change within {seconds} s"
            time.sleep(0.02)
        took = time.monotonic() - made
        assert took < seconds, f"{node.base} saw the change after {took:.2f} s, and {seconds} s are allowed"


def check_one_line_error(done: subprocess.CompletedProcess, *words: str) -> None:
    assert done.returncode == 1, (done.returncode, done.stdout, done.stderr)
    lines = done.stderr.strip().splitlines()
    assert len(lines) == 1, done.stderr
    for word in words:
        assert word in lines[0], lines[0]
