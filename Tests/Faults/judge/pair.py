"""A Patroni pair (`scripts/patroni`) that a test may break."""

from __future__ import annotations

import shutil
import subprocess
import time
from pathlib import Path

import pytest

from toolkit.databases import ROOT

SCRIPT = ROOT / "scripts" / "patroni"


class Pair:
    """Two PostgreSQL members under Patroni, and the etcd by which they agree."""

    def __init__(self, *words: str):
        for program in ("patroni", "etcd"):
            if not shutil.which(program):
                pytest.skip(f"{program} is missing: scripts/install test brings it")
        self.folder = Path(self._script("start", *words))
        self.url = (self.folder / "url").read_text().strip()

    def _script(self, *words: str) -> str:
        done = subprocess.run([SCRIPT, *words], capture_output=True, text=True, timeout=180)
        assert done.returncode == 0, f"scripts/patroni {' '.join(words)}: {done.stderr[-3000:]}"
        return done.stdout.strip()

    def __call__(self, action: str) -> str:
        return self._script(action, str(self.folder))

    def wait_for_new_primary(self, old: str, seconds: float = 60) -> None:
        deadline = time.monotonic() + seconds
        while (name := self("primary")) in ("", old):
            assert time.monotonic() < deadline, (
                f"nobody took over from {old or 'nobody'} within {seconds:.0f} s: {name}"
            )
            time.sleep(0.2)

    def stop(self) -> None:
        self("stop")
