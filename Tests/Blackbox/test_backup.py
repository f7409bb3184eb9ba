"""What a restore brings back, and what it must not: security.md row F12."""

import fcntl
import json
import os
import sqlite3
import stat
import subprocess
import threading
from contextlib import closing
from pathlib import Path

import pytest

from toolkit.client import Authorization, OAuthClient, refusal
from toolkit.console import invite
from toolkit.databases import postgres_program
from toolkit.person import Person
from toolkit.process import BINARY, Latchkey
from toolkit.wire import send

WEB = ("--redirect-uri", "https://partner.example/callback", "--scope", "locks.read", "--scope", "locks.write")


class Story:
    """What happens before a backup, between it and the crash, and what must hold after the restore."""

    def __init__(self, server: Latchkey):
        self.server = server
        self.seam = server.create_client("--partner", "seam", name="Seam")
        self.careful = server.create_client(*WEB, "--refresh", "successor", name="Careful partner")
        self.leaving = server.create_client(*WEB, name="Partner who leaves")
        self.resource = server.create_client("--audience", "https://api.partner.example", name="Locks API")
        self.person = Person(server, server.create_account())
        self.gone = Person(server, server.create_account())

    def connections(self) -> set[str]:
        listed = self.server.command("connection", "list", "--account", self.person.account.user_id)
        return {one["connection_id"] for one in listed}

    def before(self) -> None:
        """All that the backup holds."""
        connect = self.person.connect
        self.kept, self.revoked = connect(self.seam), connect(self.seam)
        earlier = self.connections()
        self.cut = connect(self.seam)
        (self.cut_id,) = self.connections() - earlier
        self.token = connect(self.seam)
        self.rotating, self.reused = connect(self.careful), connect(self.careful)
        self.left = connect(self.leaving)
        self.of_gone = self.gone.connect(self.seam)
        self.code = self.person.authorize(self.seam).code
        self.page = self.person.visit(self.seam.authorize_url())
        self.invitation = invite(self.server, "--name", "Grace", "--email", "grace@example.com")
        self.key = self.server.command("api-key", "create", "--name", "Old key", "--scope", "locks.read")
        assert self.page.consent_form

    def between(self) -> None:
        """All that the backup cannot know."""
        seam, server = self.seam, self.server
        assert seam.revoke(self.revoked.refresh).status_code == 200
        assert seam.revoke(self.token.access).status_code == 200
        server.command("connection", "revoke", self.cut_id)
        for _ in range(3):
            self.rotating = self.careful.refreshed(self.rotating.refresh)
        oldest = self.reused.refresh
        for _ in range(3):
            self.reused = self.careful.refreshed(self.reused.refresh)
        refusal(self.careful.refresh(oldest), 400, "invalid_grant")
        assert server.run("client", "delete", self.leaving.client_id, "--yes").returncode == 0
        assert server.run("account", "delete", self.gone.account.user_id, "--yes").returncode == 0
        server.command("api-key", "revoke", self.key["api_key_id"])
        self.late = self.person.connect(seam)
        assert seam.exchange(self.code).status_code == 200

    def after(self) -> None:
        """Who was connected is; who was cut is not."""
        seam = self.seam
        assert seam.refreshed(self.kept.refresh).user_id == self.person.account.user_id
        self.rotating = self.careful.refreshed(self.rotating.refresh)
        refusal(seam.refresh(self.revoked.refresh), 400, "invalid_grant")
        refusal(seam.refresh(self.cut.refresh), 400, "invalid_grant")
        refusal(self.careful.refresh(self.reused.refresh), 400, "invalid_grant")
        refusal(seam.refresh(self.of_gone.refresh), 400, "invalid_grant")
        refusal(self.leaving.refresh(self.left.refresh), 401, "invalid_client")
        assert seam.introspect(self.token.access) == {"active": False}
        assert seam.introspect(self.kept.access)["active"] is True
        # A connection that is younger than the backup is lost, and its partner is told so.
        refusal(seam.refresh(self.late.refresh), 400, "invalid_grant")
        refusal(seam.exchange(self.code), 400, "invalid_grant")
        # What was under way does not go on, sessions and invitations have ended.
        page = self.person.submit(self.page.consent_form, button="allow")
        assert not page.leaves, page
        assert self.person.visit(seam.authorize_url()).sign_in_form
        assert Person(self.server).visit(self.invitation).status == 410
        keys = {key["api_key_id"]: key for key in self.server.command("api-key", "list")}
        assert keys[self.key["api_key_id"]]["revoked_at"] is not None
        assert self.person.connect(seam).user_id == self.person.account.user_id


def check_report(report: dict) -> None:
    assert report["ended"]["codes"] >= 1
    assert report["ended"]["sessions"] >= 2
    assert report["ended"]["operator_invitations"] == 1
    counts = report["reapplied"]
    assert counts["connection.revoked"] >= 3
    assert counts["client.deleted"] == counts["account.deleted"] == counts["api_key.revoked"] == 1
    assert counts["access_token.revoked"] == 1


class Writers:
    """People who connect without a pause, so that a backup meets a busy server."""

    def __init__(self, story: Story, count: int = 2):
        self.ended = threading.Event()
        self.failures: list[str] = []
        self.made = 0
        people = [Person(story.server, story.server.create_account()) for _ in range(count)]
        self.threads = [threading.Thread(target=self.run, args=(story.seam, person)) for person in people]

    def run(self, client: OAuthClient, person: Person) -> None:
        while not self.ended.is_set():
            page = person.visit(client.authorize_url())
            page = person.sign_in(page) if page.sign_in_form else page
            answer = client.exchange(Authorization(person.decide(page, "allow").target, client).code)
            self.made += 1
            if answer.status_code != 200:
                self.failures.append(f"{answer.status_code} {answer.text}")

    def __enter__(self) -> "Writers":
        for thread in self.threads:
            thread.start()
        return self

    def __exit__(self, *_) -> None:
        self.ended.set()
        for thread in self.threads:
            thread.join()
        assert not self.failures, self.failures[:3]
        assert self.made > 0


def test_F12_a_restore_of_sqlite_brings_nothing_back_that_was_cut(new_server, tmp_path):
    server = new_server("sqlite")
    story = Story(server)
    server.start()
    story.before()
    backup = tmp_path / "latchkey.backup"
    with Writers(story):
        made = server.command("backup", str(backup))
    assert made["bytes"] == backup.stat().st_size
    assert stat.S_IMODE(backup.stat().st_mode) == 0o600
    assert str(server.database.path) + ".key" in made["not_in_it"][0]
    key = Path(str(server.database.path) + ".key").read_bytes().strip()
    assert key not in backup.read_bytes()
    assert not server.canaries.found_in(backup.read_bytes())
    story.between()

    refused = server.run("restore", str(backup), "--replace")
    assert refused.returncode == 1
    assert "stop the server first" in refused.stderr
    # Dead at once, as a machine that is lost: what was acknowledged is in the log all the same.
    server.kill()
    refused = server.run("restore", str(backup))
    assert refused.returncode == 1
    assert "--replace" in refused.stderr
    report = server.command("restore", str(backup), "--replace")
    check_report(report)
    assert report["lost"]["connections"] >= 1
    assert report["backup_of"] is not None
    assert report["warnings"] == []
    assert sqlite3.connect(report["old_database"]).execute("select count(*) from connections").fetchone()[0] > 5
    server.start()
    story.after()
    assert server.stop() == 0
    # The same again: nothing lives a second time, and nothing that began after the first restore goes on.
    server.command("restore", str(backup), "--replace")
    server.start()
    refusal(story.seam.refresh(story.revoked.refresh), 400, "invalid_grant")
    assert story.seam.refreshed(story.kept.refresh).user_id == story.person.account.user_id


def test_F12_a_dump_of_postgresql_brings_nothing_back_that_was_cut(new_server, database, postgres_url, tmp_path):
    server = new_server("postgres", environment={"LATCHKEY_REVOCATION_LOG": str(tmp_path / "revocations")})
    story = Story(server)
    server.start()
    story.before()
    dump = tmp_path / "latchkey.dump"
    with Writers(story):
        subprocess.run(
            [postgres_program("pg_dump"), "--format=custom", f"--file={dump}", server.database.url],
            check=True,
            timeout=60,
        )
    story.between()
    refused = server.run("restore", "--in-place")
    assert refused.returncode == 1
    assert "stop every server first" in refused.stderr
    server.kill()

    second = database("postgres")
    second.environment = server.database.environment
    subprocess.run(
        [postgres_program("pg_restore"), "--no-owner", f"--dbname={second.url}", dump], check=True, timeout=60
    )
    server.database = second
    # The node's own log is found by the setting; another node's is named.
    other = tmp_path / "other-node"
    other.write_text("")
    check_report(server.command("restore", "--in-place", "--apply-revocations", str(other)))
    server.start()
    story.after()


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


def emails(server: Latchkey) -> set[str]:
    return {one["email"] for one in server.command("account", "list")}


def assert_whole(path: Path) -> None:
    # Closed at once: a restore would find this process using it.
    with closing(sqlite3.connect(path)) as connection:
        verdict = connection.execute("pragma integrity_check").fetchall()
    assert verdict == [("ok",)]


def test_F12_a_log_that_was_left_behind_does_not_flow_into_the_restored_database(new_server, tmp_path):
    server = new_server("sqlite")
    early = server.create_account().email
    good = tmp_path / "good"
    assert server.run("backup", str(good)).returncode == 0
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
    server = new_server("sqlite")
    early = server.create_account().email
    good = tmp_path / "good"
    assert server.run("backup", str(good)).returncode == 0
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
        connection.execute("insert into migrations (number, name) values (9999, 'later')")
    expected = {
        str(noise): "not a SQLite database",
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
    server = new_server("sqlite")
    early = server.create_account().email
    good = tmp_path / "good"
    assert server.run("backup", str(good)).returncode == 0
    server.create_account()
    before = good.read_bytes()
    link = tmp_path / "latest"
    link.symlink_to(good)
    server.command("restore", str(link), "--replace")
    assert emails(server) == {early}
    assert good.read_bytes() == before
    assert not server.database.path.is_symlink()


@pytest.mark.parametrize("command", ["backup", "restore"])
def test_F12_what_a_killed_backup_or_restore_left_is_swept_up_by_the_next(new_server, tmp_path, command):
    server = new_server("sqlite")
    server.create_account()
    path, good = server.database.path, tmp_path / "good"
    assert server.run("backup", str(good)).returncode == 0
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


def test_F12_a_log_without_one_readable_line_stops_the_restore_before_anything_is_replaced(new_server, tmp_path):
    server = new_server("sqlite")
    early = server.create_account().email
    good, noise = tmp_path / "good", tmp_path / "noise"
    assert server.run("backup", str(good)).returncode == 0
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


def test_F12_a_command_that_ends_something_says_when_no_revocation_log_is_kept(new_server, tmp_path):
    server = new_server("postgres")
    done = server.run("account", "disable", server.create_account().email)
    assert done.returncode == 0, done.stderr
    assert "no revocation log is kept" in done.stderr
    assert "no revocation log" not in server.run("account", "list").stderr
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
