"""strace on a running server: which system calls a request makes, a kill before the k-th of them, a disk that lies."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from collections import Counter
from pathlib import Path

import pytest

from toolkit.process import Latchkey
from toolkit.waiting import eventually

WRITING = ("pwrite64", "fdatasync", "fsync", "ftruncate", "write", "writev", "sendto", "sendmsg")
"""The calls by which a server changes a file or says something; the crash points lie before each of them."""


def need_strace() -> None:
    """Skips a test where strace may not be attached to other processes."""
    scope = Path("/proc/sys/kernel/yama/ptrace_scope")
    is_allowed = os.geteuid() == 0 or not scope.exists() or scope.read_text().strip() == "0"
    if not shutil.which("strace") or not is_allowed:
        pytest.skip("strace is missing, or this user may not attach it (kernel.yama.ptrace_scope)")


class Strace:
    """strace, attached to all threads of a server for as long as the `with` block lasts."""

    def __init__(self, server: Latchkey, log: Path, *words: str, calls: tuple[str, ...] = WRITING):
        self.server, self.log = server, log
        self.words = ["strace", "-f", "-p", str(server.process.pid), "-o", str(log), "-e", f"trace={','.join(calls)}"]
        self.words += words

    def __enter__(self) -> Strace:
        self.process = subprocess.Popen(self.words, stdin=subprocess.DEVNULL, stderr=subprocess.PIPE)
        eventually(self._is_attached, 20, "strace has not attached", pause=0.01)
        return self

    def __exit__(self, *_) -> None:
        self.process.terminate()
        try:
            self.process.wait(timeout=1)
        except subprocess.TimeoutExpired:
            # Now and then strace misses the end of a thread that it has killed, and waits for it for ever.
            self.process.kill()
            self.process.wait()
        self.process.stderr.close()

    def _is_attached(self) -> bool:
        assert self.process.poll() is None, f"strace ended: {self.process.stderr.read().decode()}"
        mark = f"\nTracerPid:\t{self.process.pid}\n"
        try:
            tasks = list(Path(f"/proc/{self.server.process.pid}/task").iterdir())
            return all(mark in (task / "status").read_text() for task in tasks)
        except (FileNotFoundError, ProcessLookupError):
            return False  # a thread has ended meanwhile

    @property
    def has_killed(self) -> bool:
        """Whether the server was killed at the place that was asked for."""
        return "+++ killed by SIGKILL +++" in self.log.read_text(errors="replace")

    def calls(self) -> dict[str, int]:
        """How often each call was made, by the thread that made it most often: strace counts for each thread alone."""
        counted: Counter[tuple[str, str]] = Counter()
        for line in self.log.read_text(errors="replace").splitlines():
            if found := re.match(r"(\d+) +(\w+)\(", line):
                counted[found.groups()] += 1
        most: dict[str, int] = {}
        for (_, call), times in counted.items():
            most[call] = max(most.get(call, 0), times)
        return most


def kill_before(call: str, place: int) -> tuple[str, ...]:
    """The words that make strace kill the process when a thread is about to make a call for the k-th time."""
    return ("-e", f"inject={call}:signal=KILL:when={place}")
