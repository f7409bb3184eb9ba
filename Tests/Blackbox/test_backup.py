"""What a restore brings back, and what it must not: security.md row F12."""

import sqlite3
import stat
import subprocess
import threading
from pathlib import Path

from toolkit.client import Authorization, OAuthClient, refusal
from toolkit.console import invite
from toolkit.databases import postgres_program
from toolkit.person import Person
from toolkit.process import Latchkey

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


def test_F12_a_dump_of_postgresql_brings_nothing_back_that_was_cut(new_server, database, tmp_path):
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
