"""Load from wrk, whose own work disturbs less than Python's: the latency of refreshes while something else goes on."""

from __future__ import annotations

import json
import shutil
import statistics
import subprocess
import threading
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import urlencode

import pytest

from toolkit.client import OAuthClient
from toolkit.databases import ROOT
from toolkit.person import Person
from toolkit.process import Latchkey

SCRIPTS = ROOT / "Benchmarks" / "wrk"


def _wrk(server: Latchkey, path: str, script: str, file: Path, connections: int, seconds: int) -> dict:
    if not shutil.which("wrk"):
        pytest.skip("wrk is missing: scripts/install faults brings it")
    command = ["wrk", "-t1", f"-c{connections}", f"-d{seconds}s", "--timeout", "10s", "-s", script]
    done = subprocess.run(
        [*command, server.base + path, "--", str(file)], cwd=SCRIPTS, capture_output=True, text=True, timeout=120
    )
    lines = [line for line in done.stdout.splitlines() if line.startswith("RESULT ")]
    assert done.returncode == 0, done.stderr
    assert lines, done.stdout
    return json.loads(lines[-1].removeprefix("RESULT "))


class Refreshes:
    """Refreshes of stable tokens in a steady stream, and how long they take."""

    def __init__(self, server: Latchkey, client: OAuthClient, tokens: list[str], folder: Path):
        self.server = server
        self.file = folder / "refreshes.txt"
        fields = [{"grant_type": "refresh_token", "refresh_token": token} | client.secret_form() for token in tokens]
        self.file.write_text("".join(urlencode(one) + "\n" for one in fields))

    def p99(self, seconds: int = 3) -> float:
        """The 99th percentile of one stretch, in milliseconds; every refresh must be good."""
        result = _wrk(self.server, "/oauth/token", "forms.lua", self.file, connections=4, seconds=seconds)
        assert result["refused"] == result["broken"] == 0, result
        # Of requests that are never answered wrk says nothing, and calls their percentile zero.
        assert result["requests"] > 100, f"hardly a refresh was answered within {seconds} s: {result}"
        return result["p99"] / 1000


@contextmanager
def sign_ins(person: Person, client: OAuthClient, folder: Path, connections: int = 16):
    """Sign-ins with the right password, without a pause, for the length of a `with` block."""
    page = person.visit(client.authorize_url())
    values = page.sign_in_form.fields | {"email": person.account.email, "password": person.account.password}
    cookies = "; ".join(f"{name}={value}" for name, value in person.cookies.items())
    file = folder / "sign-ins.txt"
    file.write_text(f"{urlencode(values)}\t{cookies}\n")
    ended = threading.Event()
    seen = {"sign-ins": 0, "asked to come again": 0}

    def flood() -> None:
        while not ended.is_set():
            result = _wrk(person.server, "/login", "shedding.lua", file, connections, seconds=1)
            seen["sign-ins"] += result["requests"] - result["shed"]
            seen["asked to come again"] += result["shed"]

    thread = threading.Thread(target=flood)
    thread.start()
    try:
        yield seen
    finally:
        ended.set()
        thread.join()


def median(values: list[float]) -> float:
    return statistics.median(values)
