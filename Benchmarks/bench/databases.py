"""The throw-away databases of a measurement, and what tells whether one was written to."""

import shutil
import sqlite3
import subprocess
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]


class SQLite:
    """A file of its own, on the file system of the temporary folder."""

    name = "sqlite"
    title = "SQLite (WAL, synchronous=FULL)"
    settling = 1.0
    """How many seconds the counters may be late."""

    def __init__(self) -> None:
        self.folder = Path(tempfile.mkdtemp(prefix="latchkey-bench."))
        self.file = self.folder / "ledger.sqlite"
        self.url = f"sqlite:{self.file}"
        self._watcher: sqlite3.Connection | None = None

    def query(self, sql: str) -> str:
        if self._watcher is None:
            self._watcher = sqlite3.connect(f"file:{self.file}?mode=ro", uri=True)
        return str(self._watcher.execute(sql).fetchone()[0])

    def counters(self) -> dict[str, str]:
        """What every committed write changes: SQLite's own counter, and both files' size and time."""
        seen = {"pragma data_version": self.query("pragma data_version")}
        for file in (self.file, self.file.with_name(self.file.name + "-wal")):
            state = file.stat()
            seen[f"{file.name}: bytes"] = str(state.st_size)
            seen[f"{file.name}: time of change"] = str(state.st_mtime_ns)
        return seen

    def close(self) -> None:
        if self._watcher is not None:
            self._watcher.close()
        shutil.rmtree(self.folder)


class Postgres:
    """A throw-away cluster with the durable settings of scripts/postgres."""

    name = "postgres"
    title = "PostgreSQL (fsync and synchronous_commit on)"
    settling = 12.0
    """How many seconds the counters may be late: idle sessions report their statistics every 10 s."""

    def __init__(self) -> None:
        self.folder = Path(tempfile.mkdtemp(prefix="latchkey-bench."))
        started = subprocess.run([ROOT / "scripts" / "postgres", "start"], check=True, text=True, capture_output=True)
        self.cluster = Path(started.stdout.strip())
        self.url = (self.cluster / "url").read_text().strip()

    def query(self, sql: str) -> str:
        command = ["psql", "--no-psqlrc", "--no-align", "--tuples-only", "--command", sql, self.url]
        return subprocess.run(command, check=True, text=True, capture_output=True).stdout.strip()

    def counters(self) -> dict[str, str]:
        """What writes change: the next transaction id (reads take none), row counts, and the end of the log."""
        rows = (
            "select tup_inserted + tup_updated + tup_deleted from pg_stat_database where datname = current_database()"
        )
        return {
            "next transaction id": self.query("select txid_snapshot_xmax(txid_current_snapshot())"),
            "rows written": self.query(rows),
            "end of the write-ahead log": self.query("select pg_current_wal_insert_lsn()"),
        }

    def close(self) -> None:
        subprocess.run([ROOT / "scripts" / "postgres", "stop", self.cluster], check=True)
        shutil.rmtree(self.folder)


DATABASES = {database.name: database for database in (SQLite, Postgres)}
