"""What the fault suite shares: databases and servers with the black-box tests, and the figures of the run."""

import os
import subprocess
from pathlib import Path

import pytest

from judge.report import Figures, report_folder
from toolkit.databases import ROOT

pytest_plugins = ["toolkit.fixtures"]

_figures = Figures()


@pytest.fixture
def figures() -> Figures:
    """Where a test notes what it saw."""
    return _figures


@pytest.fixture
def room(tmp_path) -> Path:
    """A folder of this test for what is made of the server's files."""
    folder = tmp_path / "room"
    folder.mkdir()
    return folder


@pytest.fixture(scope="session")
def previous_release() -> Path:
    """The program of the release before this one. A whole run has built it; else the first build takes ten minutes."""
    if named := os.environ.get("LATCHKEY_PREVIOUS_RELEASE"):
        return Path(named)
    done = subprocess.run([ROOT / "scripts" / "previous-release"], stdout=subprocess.PIPE, text=True, timeout=3600)
    if done.returncode == 3:
        pytest.skip("this clone does not have the previous release: run 'git fetch --unshallow'")
    assert done.returncode == 0, "the previous release does not build: see what scripts/previous-release prints"
    return Path(done.stdout.strip())


def pytest_sessionfinish() -> None:
    if (folder := report_folder()) and _figures.rows:
        _figures.write(folder)


def pytest_terminal_summary(terminalreporter) -> None:
    if _figures.rows:
        terminalreporter.section("what was seen")
        terminalreporter.write_line(_figures.table())
