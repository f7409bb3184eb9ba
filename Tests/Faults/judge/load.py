"""The latency of refreshes while something else goes on: load from wrk, whose own work disturbs less than Python's."""

from __future__ import annotations

import json
import shutil
import statistics
import subprocess
import threading
from pathlib import Path
from urllib.parse import urlencode

import pytest

from toolkit.client import OAuthClient
from toolkit.databases import ROOT
from toolkit.person import Person
from toolkit.process import Latchkey

from .herd import fire, form

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


class Flood:
    """People who sign in with right passwords, so many a second, however long those before them wait; on a thread."""

    def __init__(self, people: list[Person], client: OAuthClient, pace: int, seconds: int):
        forms = [self._form(person, client) for person in people]
        self.shots = [form("/login", *forms[number % len(forms)]) for number in range(pace * seconds)]
        how = {"wires": len(self.shots), "pace": pace}
        self.thread = threading.Thread(target=fire, args=(people[0].server.base, self.shots), kwargs=how)

    @staticmethod
    def _form(person: Person, client: OAuthClient) -> tuple[dict, dict]:
        page = person.visit(client.authorize_url())
        values = page.sign_in_form.fields | {"email": person.account.email, "password": person.account.password}
        return values, person.cookies

    def __enter__(self) -> Flood:
        self.thread.start()
        return self

    def __exit__(self, *_) -> None:
        self.thread.join()
        statuses = {shot.status for shot in self.shots}
        assert statuses <= {302, 303, 503}, f"a sign-in was answered neither well nor with 503: {statuses}"

    @property
    def good(self) -> int:
        """How many are signed in."""
        return sum(shot.status != 503 for shot in self.shots)

    @property
    def came(self) -> float:
        """How many came in a second."""
        return len(self.shots) / max(shot.left_after for shot in self.shots)


def median(values: list[float]) -> float:
    return statistics.median(values)
