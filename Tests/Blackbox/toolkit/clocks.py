"""Processes whose clock is not the machine's, by libfaketime; the fixture `faketime` takes away what it leaves."""

import functools
import itertools
import os
import shutil
import subprocess
import tempfile
from pathlib import Path

NUMBERS = itertools.count()


@functools.cache
def _libraries() -> str:
    """What such a process loads first."""
    folder = tempfile.mkdtemp(prefix="latchkey-clocks.")
    source, timers = Path(__file__).with_name("true_timers.c"), Path(folder) / "true_timers.so"
    # Swift brings a compiler of C.
    compiler = shutil.which("clang") or "cc"
    subprocess.run([compiler, "-shared", "-fPIC", "-O1", "-o", timers, source], check=True)
    return f"{timers}:{next(Path('/usr/lib').glob('*/faketime/libfaketimeMT.so.1'))}"


def take_away() -> None:
    """Takes away what was made for them; whoever starts another one makes it anew."""
    if _libraries.cache_info().currsize:
        shutil.rmtree(Path(_libraries().split(":")[0]).parent)
        _libraries.cache_clear()


def faked(**variables: str) -> dict[str, str]:
    """The environment of a process whose clock is not the machine's; its timers stay true."""
    # Left to itself the library names its shared memory by setting a variable, which moves the environment away from
    # the arguments; Swift finds those by what lies before the environment.
    name = f"latchkey_{os.getpid()}_{next(NUMBERS)}"
    shared = {"FAKETIME_SHARED": f"/faketime_sem_{name} /faketime_shm_{name}"}
    return {"LD_PRELOAD": _libraries(), "FAKETIME_DONT_FAKE_MONOTONIC": "1"} | shared | variables


class Clock:
    """A clock that is set while a process lives by it."""

    def __init__(self, folder: Path):
        self.file = folder / "clock"
        self.set("+0s")
        self.environment = faked(FAKETIME_TIMESTAMP_FILE=str(self.file), FAKETIME_NO_CACHE="1")

    def set(self, offset: str) -> None:
        """Sets it to the machine's time and an offset such as `+60s` or `-1h`."""
        draft = self.file.with_suffix(".draft")
        draft.write_text(offset + "\n")
        # It is read at every look at the time: never a half of it.
        draft.replace(self.file)
