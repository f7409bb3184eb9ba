"""What the fault suite shares: databases and servers with the black-box tests, and the figures of the run."""

from pathlib import Path

import pytest

from judge.report import Figures, report_folder

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


def pytest_sessionfinish() -> None:
    if (folder := report_folder()) and _figures.rows:
        _figures.write(folder)


def pytest_terminal_summary(terminalreporter) -> None:
    if _figures.rows:
        terminalreporter.section("what was seen")
        terminalreporter.write_line(_figures.table())
