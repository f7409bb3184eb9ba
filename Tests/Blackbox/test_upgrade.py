"""A migration that is killed (F10). Two releases on one database: `Tests/Faults/test_F10_upgrade.py`."""

import sqlite3
import subprocess
from pathlib import Path

import pytest

from toolkit.databases import Postgres, SQLite, postgres_program
from toolkit.process import BINARY, clean_environment


def schema_of(database: SQLite | Postgres) -> str:
    if database.kind == "sqlite":
        with sqlite3.connect(database.path) as connection:
            rows = connection.execute("select type, name, tbl_name, sql from sqlite_master order by name").fetchall()
            rows += connection.execute("select * from migrations order by number").fetchall()
            rows += connection.execute("select * from revisions order by name").fetchall()
            return "\n".join(map(str, rows))
    dump = [postgres_program("pg_dump"), "--no-sync", "--restrict-key=none", database.url]
    done = subprocess.run(dump, capture_output=True, text=True, timeout=60)
    if done.returncode != 0:  # older ones know no such option
        done = subprocess.run([*dump[:2], database.url], capture_output=True, text=True, timeout=60, check=True)
    return "\n".join(line for line in done.stdout.splitlines() if "OWNER TO" not in line and "Owner:" not in line)


def migrate(database: SQLite | Postgres, folder: Path, *prefix: str) -> subprocess.CompletedProcess:
    return subprocess.run(
        [*prefix, BINARY, "migrate", "--database", database.url],
        cwd=folder,
        env=clean_environment() | database.environment,
        capture_output=True,
        text=True,
        timeout=60,
    )


# SQLite flushes once for each step; PostgreSQL is told something for each statement, every ninth of which is enough.
@pytest.mark.parametrize(("kind", "call", "stride"), [("sqlite", "fdatasync", 1), ("postgres", "sendto", 9)])
def test_F10_a_migration_that_is_killed_at_any_step_is_finished_by_the_next(database, tmp_path, kind, call, stride):
    clean = database(kind)
    assert migrate(clean, tmp_path).returncode == 0
    wanted = schema_of(clean)
    if kind == "sqlite":
        clean.path.rename(clean.path.with_suffix(".clean"))
    kills = 0
    for moment in range(1, 2000, stride):
        fresh = database(kind)
        if kind == "sqlite":
            for file in tmp_path.glob("latchkey.sqlite*"):
                if file.suffix != ".clean":
                    file.unlink()
        trace = ["strace", "-f", "-qq", "-o", "/dev/null", "-e", f"trace={call}"]
        killed = migrate(fresh, tmp_path, *trace, "-e", f"inject={call}:signal=KILL:when={moment}")
        if killed.returncode == 0:
            break
        kills += 1
        again = migrate(fresh, tmp_path)
        assert again.returncode == 0, (moment, again.stderr)
        assert schema_of(fresh) == wanted, f"killed at {call} number {moment}"
    assert kills >= 5, f"nothing was killed: {killed.stderr}"
