"""The throw-away databases of a measurement, and what tells whether one was written to."""

import shutil
import sqlite3
import subprocess
import tempfile
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]


@dataclass(frozen=True)
class Place:
    """A database's address, and the folder of what is sent to the server on it."""

    url: str
    folder: Path


def _folder(parent: Path, name: str) -> Path:
    folder = parent / name
    folder.mkdir()
    return folder


class SQLite:
    """A file of its own, on the file system of the temporary folder."""

    name = "sqlite"
    title = "SQLite (WAL, synchronous=FULL)"

    def __init__(self) -> None:
        self.folder = Path(tempfile.mkdtemp(prefix="latchkey-bench."))
        self.file = self.folder / "ledger.sqlite"
        self.url = f"sqlite:{self.file}"
        self.main = Place(self.url, self.folder)
        self._watcher: sqlite3.Connection | None = None
        self._version: str | None = None
        self._writes = 0

    def beside(self, name: str) -> Place:
        """Another database of the same kind."""
        folder = _folder(self.folder, name)
        return Place(f"sqlite:{folder / 'ledger.sqlite'}", folder)

    def query(self, sql: str) -> str:
        if self._watcher is None:
            self._watcher = sqlite3.connect(f"file:{self.file}?mode=ro", uri=True)
        return str(self._watcher.execute(sql).fetchone()[0])

    def settle(self) -> None:
        """Nothing: its plans follow from the keys alone."""

    def look(self) -> None:
        """Notes whether somebody has committed since the last look: SQLite tells that much, and no number."""
        version = self.query("pragma data_version")
        self._writes += self._version not in (None, version)
        self._version = version

    def writes(self) -> int:
        """How many commits the looks have seen."""
        self.look()
        return self._writes

    def close(self) -> None:
        if self._watcher is not None:
            self._watcher.close()
        shutil.rmtree(self.folder)


class Postgres:
    """A throw-away cluster with the durable settings of scripts/postgres."""

    name = "postgres"
    title = "PostgreSQL (fsync and synchronous_commit on)"

    def __init__(self) -> None:
        self.folder = Path(tempfile.mkdtemp(prefix="latchkey-bench."))
        started = subprocess.run([ROOT / "scripts" / "postgres", "start"], check=True, text=True, capture_output=True)
        self.cluster = Path(started.stdout.strip())
        self.url = (self.cluster / "url").read_text().strip()
        self.main = Place(self.url, self.folder)

    def beside(self, name: str) -> Place:
        """Another database of the same kind."""
        self.query(f"create database latchkey_{name}")
        return Place(f"{self.url}_{name}", _folder(self.folder, name))

    def query(self, sql: str) -> str:
        command = ["psql", "--no-psqlrc", "--no-align", "--tuples-only", "--command", sql, self.url]
        return subprocess.run(command, check=True, text=True, capture_output=True).stdout.strip()

    def settle(self) -> None:
        """Does at once what PostgreSQL does by itself within a minute: it counts the rows that it plans with."""
        self.query("analyze")

    def look(self) -> None:
        """Nothing: the server counts by itself."""

    def writes(self) -> int:
        """How many transactions have written: those that only read take no number."""
        return int(self.query("select txid_snapshot_xmax(txid_current_snapshot())"))

    def close(self) -> None:
        subprocess.run([ROOT / "scripts" / "postgres", "stop", self.cluster], check=True)
        shutil.rmtree(self.folder)


DATABASES = {database.name: database for database in (SQLite, Postgres)}
