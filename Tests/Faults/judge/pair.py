"""A Patroni pair (`scripts/patroni`) that a test may break."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest

from toolkit.databases import ROOT
from toolkit.waiting import eventually

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
        what = f"nobody has taken over from {old or 'nobody'}"
        eventually(lambda: self("primary"), seconds, what, enough=lambda name: name not in ("", old), pause=0.2)

    def stop(self) -> None:
        self("stop")
