"""OAuth clients that live in other programs: each is driven by one JSON command a line, and answers with one."""

import json
import os
import shutil
import subprocess
from pathlib import Path

import pytest

from .databases import ROOT

CLIENTS = ROOT / "Tests" / "Blackbox" / "clients"
HOME_ASSISTANT = ROOT / ".venv" / "home-assistant" / "bin" / "python"


class Driver:
    """A running client; it ends with the `with` block."""

    def __init__(self, command: list):
        clean = {name: value for name, value in os.environ.items() if not name.lower().endswith("_proxy")}
        self.process = subprocess.Popen(
            command,
            env=clean,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    def __enter__(self) -> "Driver":
        return self

    def __exit__(self, *_) -> None:
        self.process.stdin.close()
        try:
            self.process.wait(timeout=20)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        self.process.stdout.close()
        self.process.stderr.close()

    def __call__(self, do: str, **named) -> dict:
        self.process.stdin.write(json.dumps({"do": do} | named) + "\n")
        self.process.stdin.flush()
        line = self.process.stdout.readline()
        assert line, f"the client ended at '{do}': {self.process.stderr.read()[-3000:]}"
        return json.loads(line)


def home_assistant() -> Driver:
    """Home Assistant's OAuth client."""
    if not HOME_ASSISTANT.exists():
        pytest.skip("Home Assistant's client needs Python 3.11 or 3.12 (scripts/python-environment)")
    return Driver([HOME_ASSISTANT, CLIENTS / "home_assistant.py"])


def build_go_client(folder: Path) -> Path:
    """Compiles the driver of golang.org/x/oauth2 against Debian's package."""
    go = shutil.which("go")
    assert go, "Go is missing: scripts/install test brings it"
    program = folder / "go-client"
    environment = dict(os.environ) | {"GO111MODULE": "off", "GOFLAGS": "-mod=", "GOPATH": "/usr/share/gocode"}
    done = subprocess.run(
        [go, "build", "-o", program, CLIENTS / "go" / "main.go"],
        cwd=folder,
        env=environment,
        capture_output=True,
        text=True,
        timeout=300,
    )
    assert done.returncode == 0, done.stderr
    return program
