"""Expectations that several files share."""

import math
import subprocess
from collections.abc import Callable
from urllib.parse import urlsplit

from .waiting import eventually


def check_one_line_error(done: subprocess.CompletedProcess, *words: str) -> None:
    assert done.returncode == 1, (done.returncode, done.stdout, done.stderr)
    lines = done.stderr.strip().splitlines()
    assert len(lines) == 1, done.stderr
    for word in words:
        assert word in lines[0], lines[0]


def check_guesses(statuses: list[int], wrong: int, free: int) -> None:
    """Checks that so many guesses are looked at, and that waits begin then.

    A slow machine outlasts the first ones, of a second, of two…: then one more guess is looked at.
    """
    assert statuses[:free] == [wrong] * free, statuses
    assert set(statuses[free:]) <= {wrong, 429}, statuses
    assert 429 in statuses[free:], statuses


def guessed_at_most(free: int, seconds: float) -> int:
    """How many guesses are looked at in so many seconds, however many come at once.

    After the free ones one more is let through after 1, 2, 4… seconds.
    """
    return free + 1 + int(math.log2(seconds + 1))


def guess_until_locked(guess: Callable[[], int], wait: int = 4) -> None:
    """Guesses until so many seconds are to be waited, which a test does not outlast; `guess` returns them, or 0."""
    eventually(lambda: guess() >= wait, 120)


def check_refused_here(page) -> None:
    """A page of our own, that sends nobody anywhere."""
    assert page.status == 400, page
    assert page.location is None, page
    assert page.html, page
    assert not [form for form in page.forms if urlsplit(form.action).netloc != urlsplit(page.url).netloc]
    assert 'http-equiv="refresh"' not in page.html.lower()
