"""The files of a backup and a restore that are refused, killed or given something else: security.md row F12."""

import fcntl
import json
import os
import pwd
import sqlite3
import stat
import subprocess
from contextlib import closing
from pathlib import Path

import pytest

from toolkit.client import refusal
from toolkit.expect import check_one_line_error
from toolkit.process import BINARY, Latchkey


def backed_up(new_server, folder: Path) -> tuple[Latchkey, str, Path]:
    """A database with one account, the account's address, and a backup of both."""
    server = new_server("sqlite")
    email = server.create_account().email
    backup = folder / "good"
    assert server.run("backup", str(backup)).returncode == 0
    return server, email, backup


def test_F12_a_backup_overwrites_nothing_and_leaves_nothing_behind(new_server, tmp_path):
    server = new_server("sqlite")
    server.create_account()
    there = tmp_path / "there"
    there.write_text("mine")
    refused = server.run("backup", str(there))
    assert refused.returncode == 1
    assert "overwrites nothing" in refused.stderr
    assert there.read_text() == "mine"
    refused = server.run("backup", str(tmp_path / "no" / "folder"))
    assert refused.returncode == 1
    check_one_line_error(server.run("backup", "-"), "standard output", "name a file")
    assert not (server.folder / "-").exists()
    assert server.run("backup", str(tmp_path / "good")).returncode == 0
    assert not list(tmp_path.glob("*.part"))
    tables = sqlite3.connect(tmp_path / "good").execute("pragma integrity_check").fetchall()
    assert tables == [("ok",)]


def alone(server: Latchkey, *words: str, inject: str | None = None) -> subprocess.CompletedProcess:
    """Runs a command on what is there, be it nothing; strace may make system calls fail, or kill it at one."""
    prefix = []
    if inject is not None:
        call = inject.split(":")[0]
        prefix = ["strace", "-f", "-qq", "-o", "/dev/null", "-e", f"trace={call}", "-e", f"inject={inject}"]
    return subprocess.run(
        [*prefix, BINARY, *words, "--database", server.database.url],
        cwd=server.folder,
        env=server.environment,
        capture_output=True,
        text=True,
        timeout=120,
    )


def test_F12_a_backup_is_written_to_a_disk_that_knows_no_hard_links(new_server, tmp_path):
    server = new_server("sqlite")
    server.create_account()
    no_links = "link,linkat:error=EPERM"
    done = alone(server, "backup", str(tmp_path / "good"), inject=no_links)
    assert done.returncode == 0, done.stderr
    assert sqlite3.connect(tmp_path / "good").execute("pragma integrity_check").fetchall() == [("ok",)]
    assert sorted(file.name for file in tmp_path.glob("good*")) == ["good"]
    # And what is there stays there, on such a disk too.
    (tmp_path / "there").write_text("mine")
    assert alone(server, "backup", str(tmp_path / "there"), inject=no_links).returncode == 1
    assert (tmp_path / "there").read_text() == "mine"


def test_F12_a_restore_tells_what_is_lost_and_what_follows_from_it(new_server, tmp_path):
    server, _, good = backed_up(new_server, tmp_path)
    late = server.create_client("--partner", "seam")
    done = server.run("restore", str(good), "--replace")
    assert done.returncode == 0, done.stderr
    (lost,) = [line for line in done.stdout.splitlines() if line.startswith("Lost")]
    # Nobody was connected, so nobody has to connect again.
    assert "1 client;" in lost
    assert "invalid_client" in lost
    assert "latchkey client create --id ID" in lost
    server.start()
    refusal(late.refresh("nonsense"), 401, "invalid_client")
    # As it was, for whoever knows its secret still.
    words = ("--partner", "seam", "--id", late.client_id, "--secret", late.client_secret)
    server.create_client(*words).wait_until_known()
    refusal(late.refresh("nonsense"), 400, "invalid_grant")


def emails(server: Latchkey) -> set[str]:
    return {one["email"] for one in server.command("account", "list")}


def assert_whole(path: Path) -> None:
    # Closed at once: a restore would find this process using it.
    with closing(sqlite3.connect(path)) as connection:
        verdict = connection.execute("pragma integrity_check").fetchall()
    assert verdict == [("ok",)]


def test_F12_a_log_that_was_left_behind_does_not_flow_into_the_restored_database(new_server, tmp_path):
    server, early, good = backed_up(new_server, tmp_path)
    server.start()
    late = [server.create_account().email for _ in range(20)]
    # Dead at once: what was committed last is in the log alone.
    server.kill()
    path = server.database.path
    log = path.with_name(path.name + "-wal")
    left = log.read_bytes()
    assert len(left) > 0
    path.rename(tmp_path / "moved-away")
    done = alone(server, "restore", str(good), "--json")
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["old_database"] is None
    assert emails(server) == {early}
    assert_whole(path)
    # It is kept, for whoever wants to mate it with the database that was moved away.
    (kept,) = path.parent.glob("*.before-restore-*-wal")
    assert kept.read_bytes() == left
    kept.rename(tmp_path / "moved-away-wal")
    known = sqlite3.connect(tmp_path / "moved-away").execute("select email from accounts").fetchall()
    assert {email for (email,) in known} == {early, *late}


def test_F12_a_restore_that_is_killed_at_any_of_its_steps_leaves_a_whole_database_and_can_be_done_again(
    new_server, tmp_path
):
    server, early, good = backed_up(new_server, tmp_path)
    path = server.database.path
    seen = set()
    for step in range(1, 12):
        server.start()
        late = server.create_account().email
        before = emails(server)
        server.kill()
        killed = f"link,linkat,rename,renameat,renameat2:signal=KILL:when={step}"
        done = alone(server, "restore", str(good), "--replace", inject=killed)
        if done.returncode == 0:
            break
        assert path.exists(), step
        # The old one with all that it knew, or the new one: nothing in between.
        state = emails(server)
        assert state in (before, {early}), step
        seen.add(late in state)
        assert_whole(path)
        server.command("restore", str(good), "--replace")
        assert emails(server) == {early}
        assert_whole(path)
    assert done.returncode == 0, done.stderr
    assert seen, "the restore was killed nowhere"
    assert emails(server) == {early}


def damaged(source: Path, target: Path) -> Path:
    content = bytearray(source.read_bytes())
    for place in range(8192, len(content) - 8192, 4096):
        content[place : place + 64] = os.urandom(64)
    target.write_bytes(content)
    return target


def test_F12_what_is_no_whole_backup_is_refused_and_the_old_database_stays(new_server, tmp_path):
    server = new_server("sqlite")
    account = server.create_account()
    good = tmp_path / "good"
    assert server.run("backup", str(good)).returncode == 0
    noise = tmp_path / "noise"
    noise.write_bytes(os.urandom(8192))
    foreign = tmp_path / "foreign"
    sqlite3.connect(foreign).execute("create table a (b)")
    newer = tmp_path / "newer"
    newer.write_bytes(good.read_bytes())
    with sqlite3.connect(newer) as connection:
        connection.execute("insert into migrations (number, name, compatible_since) values (9999, 'later', 9999)")
    empty = tmp_path / "empty"
    empty.touch()
    expected = {
        str(noise): "not a SQLite database",
        str(empty): "it is empty",
        str(foreign): "not one of Latchkey's",
        str(newer): "newer release",
        str(damaged(good, tmp_path / "damaged")): "damaged",
        str(tmp_path / "nothing"): "there is no file",
    }
    for file, words in expected.items():
        done = server.run("restore", file, "--replace")
        assert done.returncode == 1, file
        assert words in done.stderr, (file, done.stderr)
    assert [one["user_id"] for one in server.command("account", "list")] == [account.user_id]
    assert not list(tmp_path.glob("*.restoring*"))
    assert not list(tmp_path.glob("*.before-restore*"))


def test_F12_a_backup_of_what_a_newer_release_brought_further_is_restored_while_that_suits_this_one(
    new_server, tmp_path
):
    """Whoever has gone back a release has backups of the newer one's schema, and none of an older one's."""
    server = new_server("sqlite")
    early = server.create_account().email
    with closing(sqlite3.connect(server.database.path)) as connection:
        connection.execute("insert into migrations (number, name, compatible_since) values (9999, 'later', 1)")
        connection.commit()
    assert server.command("migrate") == {"ran": [], "schema": 9999}
    assert "is at version 9999." in server.run("migrate").stdout
    good = tmp_path / "good"
    assert server.command("backup", str(good))["schema"] == 9999
    server.create_account()
    server.command("restore", str(good), "--replace")
    assert emails(server) == {early}
    server.start()


def test_F12_a_folder_is_no_backup_and_nothing_of_it_is_copied(new_server, tmp_path):
    server = new_server("sqlite")
    account = server.create_account()
    folder = tmp_path / "folder"
    folder.mkdir()
    (folder / "large").write_bytes(bytes(1 << 20))
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    for strange in (folder, pipe):
        done = server.run("restore", str(strange), "--replace")
        assert done.returncode == 1
        assert "no file" in done.stderr
    assert not list(server.database.path.parent.glob("*.restoring*"))
    assert [one["user_id"] for one in server.command("account", "list")] == [account.user_id]


def test_F12_a_backup_behind_a_symbolic_link_is_restored_and_stays_as_it_was(new_server, tmp_path):
    server, early, good = backed_up(new_server, tmp_path)
    server.create_account()
    before = good.read_bytes()
    link = tmp_path / "latest"
    link.symlink_to(good)
    server.command("restore", str(link), "--replace")
    assert emails(server) == {early}
    assert good.read_bytes() == before
    assert not server.database.path.is_symlink()


@pytest.mark.parametrize("is_lost", [False, True], ids=["there", "lost"])
def test_F12_a_database_behind_a_symbolic_link_is_replaced_where_it_is(new_server, tmp_path, is_lost):
    server, early, good = backed_up(new_server, tmp_path)
    late = server.create_account().email
    link, disk = server.database.path, tmp_path / "disk"
    disk.mkdir()
    real = disk / "real.sqlite"
    link.rename(real)
    # One link after another, the second a relative one.
    (disk / "current").symlink_to("real.sqlite")
    link.symlink_to(disk / "current")
    if is_lost:
        real.unlink()
    # By itself: the toolkit would make the lost one anew first.
    words = [server.program, "restore", str(good), "--replace", "--database", server.database.url]
    subprocess.run(words, cwd=server.folder, env=server.environment, check=True, timeout=60)
    assert link.is_symlink()
    assert not real.is_symlink()
    assert_whole(real)
    assert emails(server) == {early}
    kept = [*tmp_path.rglob("*.before-restore-*")]
    assert [file.parent for file in kept] == ([] if is_lost else [disk])
    for file in kept:
        with closing(sqlite3.connect(file)) as old:
            assert {email for (email,) in old.execute("select email from accounts")} == {early, late}
    assert not [*tmp_path.rglob("*.restoring*")]
    server.start()


@pytest.mark.skipif(os.geteuid() != 0, reason="only root makes files for somebody else")
def test_F12_a_database_that_root_restores_belongs_to_whom_the_old_one_did_else_the_folder(new_server, tmp_path):
    server, early, good = backed_up(new_server, tmp_path)
    folder = tmp_path / "data"
    folder.mkdir()
    somebody, another = pwd.getpwnam("nobody"), pwd.getpwnam("daemon")
    os.chown(folder, somebody.pw_uid, somebody.pw_gid)
    path = folder / "latchkey.sqlite"

    def restore(*words: str) -> tuple[int, int]:
        command = [server.program, "restore", str(good), *words, "--database", f"sqlite:{path}"]
        subprocess.run(command, cwd=server.folder, env=server.environment, check=True, timeout=60)
        assert_whole(path)
        assert stat.S_IMODE(path.stat().st_mode) == 0o600
        return path.stat().st_uid, path.stat().st_gid

    assert restore() == (somebody.pw_uid, somebody.pw_gid)
    os.chown(path, another.pw_uid, another.pw_gid)
    assert restore("--replace") == (another.pw_uid, another.pw_gid)


@pytest.mark.parametrize("command", ["backup", "restore"])
def test_F12_what_a_killed_backup_or_restore_left_is_swept_up_by_the_next(new_server, tmp_path, command):
    server, _, good = backed_up(new_server, tmp_path)
    path = server.database.path
    words = ["backup", str(tmp_path / "other")] if command == "backup" else ["restore", str(good), "--replace"]
    ending = "part" if command == "backup" else "restoring"
    left = alone(server, *words, inject="link,linkat,rename,renameat,renameat2:signal=KILL:when=1")
    assert left.returncode != 0
    drafts = [*tmp_path.rglob(f"*.{ending}")]
    assert len(drafts) == 1
    # A file of somebody else's that is only called so.
    mine = drafts[0].with_name(f"film.123.{ending}")
    mine.write_text("mine, and not yet whole")
    mine.chmod(0o600)
    done = alone(server, *words)
    assert done.returncode == 0, done.stderr
    assert [*tmp_path.rglob(f"*.{ending}*")] == [mine]
    assert_whole(path)


def test_F12_a_draft_that_somebody_is_at_work_on_is_not_swept_up(new_server, tmp_path):
    server = new_server("sqlite")
    server.create_account()
    draft = tmp_path / "good.123.part"
    draft.touch(mode=0o600)
    with draft.open("rb+") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        assert server.run("backup", str(tmp_path / "good")).returncode == 0
        assert draft.exists()
    assert server.run("backup", str(tmp_path / "next")).returncode == 0
    assert not draft.exists()


def test_F12_a_restore_with_another_secret_key_is_refused(new_server, tmp_path):
    server = new_server("sqlite")
    server.start()
    assert server.stop() == 0
    good = tmp_path / "good"
    assert server.run("backup", str(good)).returncode == 0
    key = Path(str(server.database.path) + ".key")
    right = key.read_text()
    server.extra_environment = {"LATCHKEY_SECRET_KEY": "A" * 43 + "="}
    refused = server.run("restore", str(good), "--replace")
    assert refused.returncode == 1
    assert "secret-key does not open" in refused.stderr
    server.extra_environment = {}
    key.unlink()
    assert any("secret key" in one for one in server.command("restore", str(good), "--replace")["warnings"])
    key.write_text(right)
    key.chmod(0o600)
    server.start()


def test_F12_a_log_without_one_readable_line_stops_the_restore_before_anything_is_replaced(new_server, tmp_path):
    server, early, good = backed_up(new_server, tmp_path)
    noise = tmp_path / "noise"
    late = server.create_account().email
    noise.write_bytes(os.urandom(4096))
    refused = server.run("restore", str(good), "--replace", "--apply-revocations", str(noise))
    assert refused.returncode == 1
    assert "no line of" in refused.stderr
    assert emails(server) == {early, late}
    assert not list(server.database.path.parent.glob("*.before-restore*"))
    # Half a line at the end is a crash, and is told of.
    noise.write_text('{"at":1000}\n{"at":2000,"en')
    done = server.command("restore", str(good), "--replace", "--apply-revocations", str(noise))
    assert any("cannot be read" in one for one in done["warnings"])
