"""Waiting for what comes of itself, and the design's bounds on how long that may take."""

from __future__ import annotations

import subprocess
import time
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

from .wire import serves

if TYPE_CHECKING:
    from .process import Latchkey

Seen = TypeVar("Seen")

STALENESS = 2.0
"""The design's bound on how long a node may know an older state, in seconds."""
CUT_WITHIN = 1.0
"""Within how many seconds a connection that was cut is dead on every node."""


def eventually(
    look: Callable[[], Seen],
    seconds: float = STALENESS,
    otherwise: str | Callable[[], str] = "the running server did not see the change",
    *,
    enough: Callable[[Seen], bool] = bool,
    pause: float = 0.05,
) -> Seen:
    """What `look` gives as soon as that is enough; after so many seconds it fails, and says `otherwise`."""
    end = time.monotonic() + seconds
    while True:
        # One look begins when the time is over: who looks later sees it.
        is_last = time.monotonic() >= end
        seen = look()
        if enough(seen):
            return seen
        if is_last:
            told = otherwise() if callable(otherwise) else otherwise
            raise AssertionError(f"after {seconds:.3g} s, having seen {seen!r} at last: {told}")
        time.sleep(pause)


def everywhere(nodes: list[Latchkey], is_seen: Callable[[Latchkey], bool], seconds: float = STALENESS) -> None:
    """Waits until every node sees a change that was made just now: all of them have the same deadline."""
    end = time.monotonic() + seconds
    for node in nodes:
        left = end - time.monotonic()
        eventually(lambda node=node: is_seen(node), left, f"{node.base} did not see the change", pause=0.02)


def until_ready(base: str, process: subprocess.Popen, log: Path, seconds: float = 30) -> None:
    """Waits until a process that has just been started is ready at `base`; else shows the end of its log."""

    def last_words() -> str:
        return log.read_text(errors="replace")[-3000:] if log.exists() else ""

    def is_ready() -> bool:
        assert process.poll() is None, f"it ended with status {process.returncode}:\n{last_words()}"
        return serves(base + "/readyz")

    eventually(is_ready, seconds, lambda: f"nobody is ready at {base}:\n{last_words()}", pause=0.02)
