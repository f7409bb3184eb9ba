"""The log beside the database that keeps what was cut from coming back: security.md row F12."""

import json
import os
import pwd
import sqlite3
import stat
from contextlib import closing
from pathlib import Path

import pytest

from toolkit.client import refusal
from toolkit.person import Person
from toolkit.process import Latchkey
from toolkit.wire import send


def test_F12_what_a_restore_ends_again_is_not_noted_again_at_each_start(new_server, tmp_path):
    server = new_server("sqlite")
    seam = server.create_client("--partner", "seam", name="Seam")
    person = Person(server, server.create_account())
    server.start()
    cut = person.connect(seam)
    good = tmp_path / "good"
    used = person.authorize(seam).code
    assert seam.exchange(used).status_code == 200
    open_code = person.authorize(seam).code
    assert server.run("backup", str(good)).returncode == 0
    assert seam.revoke(cut.refresh).status_code == 200
    server.stop()
    log = Path(str(server.database.path) + ".revocations")

    def noted() -> list[str]:
        return [line for line in log.read_text().splitlines() if "ended" in line]

    assert len(noted()) == 1
    for _ in range(2):
        # Codes that were redeemed before the backup had ended before.
        assert server.command("restore", str(good), "--replace")["ended"]["codes"] == 1
        server.start()
        refusal(seam.refresh(cut.refresh), 400, "invalid_grant")
        server.stop()
    assert len(noted()) == 1
    server.start()
    refusal(seam.exchange(open_code), 400, "invalid_grant")


def test_F12_a_token_that_is_revoked_again_and_again_takes_one_line(new_server):
    server = new_server("sqlite")
    seam = server.create_client("--partner", "seam", name="Seam")
    person = Person(server, server.create_account())
    server.start()
    tokens = person.connect(seam)
    for _ in range(5):
        assert seam.revoke(tokens.access).status_code == 200
    log = Path(str(server.database.path) + ".revocations").read_text()
    assert [json.loads(line)["ended"] for line in log.splitlines() if "ended" in line] == ["access_token.revoked"]


def revive(server: Latchkey, sql: str) -> None:
    if server.database.kind == "postgres":
        server.database.query(sql)
        return
    with closing(sqlite3.connect(server.database.path)) as line, line:
        line.execute(sql)


@pytest.mark.parametrize("engine", ["sqlite", "postgres"])
def test_F12_a_database_that_was_put_back_without_a_restore_is_told_of(new_server, database, tmp_path, engine):
    log = tmp_path / "revocations"
    server = new_server(database=database(engine), environment={"LATCHKEY_REVOCATION_LOG": str(log)})
    seam = server.create_client("--partner", "seam", name="Seam")
    person = Person(server, server.create_account())
    server.start()
    cut, kept = person.connect(seam), person.connect(seam)
    assert seam.revoke(cut.refresh).status_code == 200
    server.stop()
    said = "connections that were cut are alive again"
    server.start()
    assert said not in server.log
    server.stop()
    # As it was before: only what names the connection that was cut is told of.
    revive(server, "update connections set revoked_at = null, revoked_why = null where revoked_at is not null")
    server.start()
    assert f"1 {said}" in server.log
    assert "latchkey restore --in-place" in server.log
    assert seam.refresh(kept.refresh).status_code == 200


@pytest.mark.parametrize("kind", ["sqlite", "postgres"])
def test_F12_the_revocation_log_holds_names_and_times_and_no_secret(new_server, tmp_path, kind):
    log = tmp_path / "log"
    server = new_server(kind, environment={"LATCHKEY_REVOCATION_LOG": str(log)})
    seam = server.create_client("--partner", "seam", name="Seam")
    person = Person(server, server.create_account())
    server.start()
    tokens = person.connect(seam)
    assert seam.revoke(tokens.refresh).status_code == 200
    lines = [json.loads(line) for line in log.read_text().splitlines()]
    assert stat.S_IMODE(log.stat().st_mode) == 0o600
    ended = [line for line in lines if "ended" in line]
    assert [line["ended"] for line in ended] == ["connection.revoked"]
    assert ended[0]["why"] == "client"
    # Again and again the same: one line.
    for _ in range(5):
        assert seam.revoke(tokens.refresh).status_code == 200
    assert sum("ended" in line for line in log.read_text().splitlines()) == 1
    assert not server.canaries.found_in(log.read_bytes())


def test_F12_nothing_is_acknowledged_that_the_log_does_not_hold(new_server, tmp_path):
    log = tmp_path / "folder" / "log"
    log.parent.mkdir()
    server = new_server(environment={"LATCHKEY_REVOCATION_LOG": str(log)})
    seam = server.create_client("--partner", "seam", name="Seam")
    person = Person(server, server.create_account())
    server.start()
    tokens = person.connect(seam)
    log.unlink()
    log.parent.rmdir()
    answer = seam.revoke(tokens.refresh)
    assert answer.status_code == 503
    assert "Retry-After" in answer.headers
    assert send("GET", server.base + "/readyz").status_code == 200
    log.parent.mkdir()
    assert seam.revoke(tokens.refresh).status_code == 200
    assert "connection.revoked" in log.read_text()


def test_a_server_that_cannot_write_its_revocation_log_does_not_start(new_server, tmp_path):
    server = new_server(environment={"LATCHKEY_REVOCATION_LOG": str(tmp_path / "no" / "folder")})
    server.start(wait=False)
    assert server.process.wait(timeout=30) == 1
    server.process = None
    assert "revocation-log" in server.log


@pytest.mark.skipif(os.geteuid() != 0, reason="only root makes files for somebody else")
def test_F12_a_log_that_root_begins_belongs_to_whom_its_folder_does(new_server, tmp_path):
    somebody = pwd.getpwnam("nobody")
    folder, elsewhere = tmp_path / "logs", tmp_path / "elsewhere"
    for one in (folder, elsewhere):
        one.mkdir()
    os.chown(folder, somebody.pw_uid, somebody.pw_gid)

    def owner_of_log(log: Path) -> tuple[int, int]:
        server.extra_environment = {"LATCHKEY_REVOCATION_LOG": str(log)}
        server.command("account", "disable", server.create_account().email)
        assert "ended" in log.read_text()
        assert stat.S_IMODE(log.stat().st_mode) == 0o600
        return log.stat().st_uid, log.stat().st_gid

    server = new_server("sqlite")
    log = folder / "log"
    assert owner_of_log(log) == (somebody.pw_uid, somebody.pw_gid)
    # What is there is left to whom it belongs.
    os.chown(log, 0, 0)
    assert owner_of_log(log) == (0, 0)
    # And nobody gets a file of root's by a link that leads out of their folder.
    log.unlink()
    log.symlink_to(elsewhere / "log")
    assert owner_of_log(log) == (0, 0)
    assert (elsewhere / "log").exists()


def test_F12_a_command_that_ends_something_says_when_no_revocation_log_is_kept(new_server, tmp_path):
    server = new_server("postgres")
    done = server.run("account", "disable", server.create_account().email)
    assert done.returncode == 0, done.stderr
    assert "no revocation log is kept" in done.stderr
    assert "no revocation log" not in server.run("account", "list").stderr
    # A key that is added ends none yet.
    for words in ((), (), ("--now",)):
        done = server.run("key", "rotate", *words)
        assert done.returncode == 0, done.stderr
        assert ("no revocation log" in done.stderr) == bool(words), words
    for choice in ("none", str(tmp_path / "revocations")):
        server.extra_environment = {"LATCHKEY_REVOCATION_LOG": choice}
        done = server.run("account", "disable", server.create_account().email)
        assert done.returncode == 0, done.stderr
        assert "no revocation log" not in done.stderr


def test_F12_a_node_on_postgresql_says_when_it_keeps_no_revocation_log(new_server, tmp_path):
    server = new_server("postgres").start()
    assert "no revocation log is kept" in server.log
    server.extra_environment = {"LATCHKEY_REVOCATION_LOG": str(tmp_path / "revocations")}
    server.stop()
    server.log_path.unlink()
    server.start()
    assert "no revocation log is kept" not in server.log
