"""A database that is gone, emptied or another program's: partners meet no empty server (security.md, I1)."""

import contextlib
import sqlite3
import subprocess
from pathlib import Path

import pytest

from toolkit.client import refusal
from toolkit.expect import check_one_line_error
from toolkit.person import Person
from toolkit.process import Latchkey
from toolkit.waiting import eventually
from toolkit.wire import send


def connected(server: Latchkey):
    """A server with a connection, and one that was cut; it is not running any more."""
    seam = server.create_client("--partner", "seam", name="Seam")
    person = Person(server, server.create_account())
    server.start()
    kept, cut = person.connect(seam), person.connect(seam)
    assert seam.revoke(cut.refresh).status_code == 200
    assert server.stop() == 0
    return seam, kept, cut


def beside(server: Latchkey, ending: str) -> Path:
    return server.database.path.with_name(server.database.path.name + ending)


@pytest.mark.parametrize("left", ["nothing", "an empty file", "a file without tables"])
def test_F15_a_server_whose_database_is_gone_does_not_start_empty(new_server, tmp_path, left):
    server = new_server("sqlite")
    seam, kept, cut = connected(server)
    path, away = server.database.path, tmp_path / "away"
    backup = tmp_path / "backup"
    assert server.run("backup", str(backup)).returncode == 0
    path.rename(away)
    if left == "an empty file":
        path.touch()
    elif left == "a file without tables":
        with contextlib.closing(sqlite3.connect(path)) as line:
            line.execute("pragma user_version = 1")
    before = path.read_bytes() if path.exists() else None
    check_one_line_error(server.run("serve"), "is gone, or empty", ".key", "latchkey restore FILE", "latchkey migrate")
    assert (path.read_bytes() if path.exists() else None) == before
    if left == "an empty file":
        # Nor does a command make an empty one of it, with which the server would start.
        for words in (("account", "list"), ("backup", str(tmp_path / "empty"))):
            check_one_line_error(server.run(*words), "is gone, or empty")
        assert path.stat().st_size == 0
        # There is nothing to be replaced, and so nothing is kept either.
        assert server.command("restore", str(backup))["old_database"] is None
        assert not list(path.parent.glob("*.before-restore-*"))
    else:
        path.unlink(missing_ok=True)
        # Not by `run`, which prepares a database where there is none.
        for command in (["account", "list"], ["backup", str(tmp_path / "nothing")]):
            words = [server.program, *command, "--database", server.database.url]
            done = subprocess.run(words, env=server.environment, capture_output=True, text=True, timeout=60)
            check_one_line_error(done, "is gone, or empty", "latchkey restore FILE")
        away.rename(path)
    server.start()
    assert seam.refreshed(kept.refresh).user_id == kept.user_id
    refusal(seam.refresh(cut.refresh), 400, "invalid_grant")


@pytest.mark.parametrize("tells", [".key", ".revocations", ".reserve", ".before-restore-2026-11-21"])
def test_F15_each_file_beside_a_lost_database_tells_of_it(new_server, tells):
    server = new_server("sqlite")
    beside(server, tells).write_text("A" * 43 + "=\n")
    beside(server, tells).chmod(0o600)
    check_one_line_error(server.run("serve"), "is gone, or empty", tells)
    assert not server.database.path.exists()


def test_F15_a_server_whose_tables_on_postgresql_are_gone_does_not_start_empty(new_server, tmp_path):
    log = tmp_path / "revocations"
    server = new_server("postgres", environment={"LATCHKEY_REVOCATION_LOG": str(log)})
    seam, kept, cut = connected(server)
    assert '"ended"' in log.read_text()
    server.database.query("alter schema public rename to away; create schema public")
    refused = server.run("serve")
    check_one_line_error(refused, "is gone, or empty", str(log), "docs/backup.md", "latchkey migrate")
    tables = "select count(*) from information_schema.tables where table_schema = 'public'"
    assert server.database.query(tables).strip() == "0"
    done = server.run("migrate")
    assert done.returncode == 0, done.stderr
    assert "made a new, empty database" in done.stderr
    assert str(log) in done.stderr
    assert "made a new" not in server.run("migrate").stderr
    server.start()
    assert server.command("account", "list") == []
    assert server.stop() == 0
    server.database.query("drop schema public cascade; alter schema away rename to public")
    server.start()
    assert seam.refreshed(kept.refresh).user_id == kept.user_id
    refusal(seam.refresh(cut.refresh), 400, "invalid_grant")


def test_F15_a_revocation_log_in_which_nothing_has_ended_tells_of_no_lost_postgresql_database(new_server, tmp_path):
    log = tmp_path / "revocations"
    first, second = (new_server("postgres", environment={"LATCHKEY_REVOCATION_LOG": str(log)}) for _ in range(2))
    first.start()
    assert first.stop() == 0
    assert log.stat().st_size > 0
    second.start()


def test_F15_a_server_begins_anew_when_it_is_told_to(new_server):
    server = new_server("sqlite")
    connected(server)
    server.database.path.unlink()
    done = server.run("migrate")
    assert done.returncode == 0, done.stderr
    assert "made a new, empty database" in done.stderr
    assert ".revocations" in done.stderr
    server.start()
    assert server.command("account", "list") == []
    assert "made a new" not in server.run("migrate").stderr


def test_F15_a_key_that_was_put_there_first_is_used_for_a_new_database(new_server):
    server = new_server("sqlite")
    key = beside(server, ".key")
    key.write_text("A" * 43 + "=\n")
    key.chmod(0o600)
    assert server.run("migrate").returncode == 0
    server.start()
    assert key.read_text() == "A" * 43 + "=\n"


def test_F15_another_programs_database_is_left_as_it_is(new_server):
    server = new_server("sqlite")
    with contextlib.closing(sqlite3.connect(server.database.path)) as line:
        line.execute("create table migrations (id integer, migration text)")
    before = server.database.path.read_bytes()
    for words in (["serve"], ["migrate"], ["account", "list"]):
        check_one_line_error(server.run(*words), "another program's database", "--database")
    assert server.database.path.read_bytes() == before
    assert not list(server.database.path.parent.glob("latchkey.sqlite?*"))


def test_F15_a_server_whose_file_is_moved_away_is_not_ready_and_acknowledges_no_write(new_server, tmp_path):
    server = new_server("sqlite")
    seam = server.create_client("--partner", "seam", name="Seam")
    person = Person(server, server.create_account())
    server.start()
    kept = person.connect(seam)
    code, path = person.authorize(seam).code, server.database.path
    for replacement in (None, b""):
        path.rename(tmp_path / "away")
        if replacement is not None:
            path.write_bytes(replacement)
        answer = send("GET", server.base + "/readyz")
        assert answer.status_code == 503
        assert "Retry-After" in answer.headers
        (missing,) = answer.json()["missing"]
        assert "its place" in missing or "in the place of its own" in missing
        assert str(path) not in answer.text
        for refused in (seam.exchange(code), seam.revoke(kept.refresh)):
            assert refused.status_code == 503
            assert "Retry-After" in refused.headers
        (tmp_path / "away").rename(path)
        eventually(lambda: send("GET", server.base + "/readyz").status_code == 200)
    # Nothing was lost meanwhile, and it goes on where it was.
    assert seam.exchange(code).status_code == 200
    assert seam.revoke(kept.refresh).status_code == 200
    refusal(seam.refresh(kept.refresh), 400, "invalid_grant")
