"""A disk that is full or failing: reading goes on, and so does revoking; security.md row F2.

The server runs in a mount namespace of its own, whose database lies on a small disk in memory.
"""

import json
import os
import re
import shutil
import signal
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from toolkit.client import OAuthClient, refusal
from toolkit.client import tokens as tokens_of
from toolkit.databases import SQLite
from toolkit.person import Person
from toolkit.process import Latchkey
from toolkit.waiting import eventually
from toolkit.wire import send

WEB = ("--redirect-uri", "https://partner.example/callback", "--scope", "locks.read", "--scope", "locks.write")
PATIENCE = 30.0
RESERVE = 4 * 1024 * 1024


def namespace() -> list[str]:
    """The command that gives a process mounts of its own; skips where this machine lets nobody have them."""
    for words in (["unshare", "--mount"], ["unshare", "--mount", "--map-root-user"]):
        if shutil.which("unshare") and subprocess.run([*words, "mount", "-t", "tmpfs", "none", "/mnt"]).returncode == 0:
            return words
    pytest.skip("this machine lets nobody mount a small disk in memory: neither as root nor in a user's namespace")
    return []


class SmallDisk(Latchkey):
    """A server whose folder is a disk of 16 MiB, seen from outside through the process."""

    def start(self, **named) -> "SmallDisk":
        # What was prepared is copied to the disk; the shell then becomes the server.
        folder, before = self.folder, self.folder.with_name(self.folder.name + "-before")
        shutil.copytree(folder, before)
        script = f"mount -t tmpfs -o size=16m none '{folder}' && cp -a '{before}/.' '{folder}' && exec \"$@\""
        self.log_path = before / "serve.log"
        self.prefix = (*namespace(), "sh", "-c", f"{script}", "sh")
        return super().start(**named)

    @property
    def disk(self) -> Path:
        return Path(f"/proc/{self.process.pid}/root") / self.folder.relative_to("/")

    def fill(self) -> None:
        """Leaves no free byte."""
        with (self.disk / "fill").open("ab") as file:
            room = os.statvfs(self.disk)
            for size in (room.f_bavail * room.f_frsize, 65536, 4096):
                try:
                    while size:
                        os.posix_fallocate(file.fileno(), file.tell(), size)
                        file.seek(0, os.SEEK_END)
                except OSError:
                    continue

    def free(self) -> None:
        (self.disk / "fill").unlink()


@pytest.fixture
def small(tmp_path) -> Iterator[SmallDisk]:
    folder = tmp_path / "disk"
    folder.mkdir()
    server = SmallDisk(SQLite(folder), folder)
    yield server
    server.kill()


def write_until_refused(client: OAuthClient, token: str) -> str:
    """Moves a generation again and again until there is no room for it; returns the last token that was delivered."""
    for _ in range(5000):
        answer = client.refresh(token)
        if answer.status_code != 200:
            assert answer.status_code == 503, answer.text
            assert int(answer.headers["Retry-After"]) >= 1
            return token
        token = answer.json()["refresh_token"]
    raise AssertionError("the disk never filled")


def test_F2_on_a_full_disk_reading_and_revoking_go_on_and_writing_comes_back_without_a_restart(small):
    server = small
    seam = server.create_client("--partner", "seam", name="Seam")
    careful = server.create_client(*WEB, "--refresh", "successor", name="Careful partner")
    person = Person(server, server.create_account())
    server.start()
    assert (server.disk / "latchkey.sqlite.reserve").stat().st_size == RESERVE
    kept, single = person.connect(seam), person.connect(seam)
    doomed = [person.connect(seam) for _ in range(12)]
    rotating = person.connect(careful).refresh
    code = person.authorize(seam).code
    used = person.authorize(seam).code
    stolen = tokens_of(seam.exchange(used))
    page = person.visit(seam.authorize_url())

    server.fill()
    rotating = write_until_refused(careful, rotating)

    # Reading, verifying and refreshing go on.
    for path in ("/oauth/jwks", "/.well-known/oauth-authorization-server", "/healthz", "/readyz"):
        assert send("GET", server.base + path).status_code == 200
    for _ in range(3):
        fresh = seam.refreshed(kept.refresh)
        assert seam.introspect(fresh.access)["active"] is True
        assert seam.locks(fresh.access).status_code == 200
    assert person.visit(server.base + "/account").status == 200
    # Nothing new begins, and nobody is told that their code is bad.
    answer = seam.exchange(code)
    assert answer.status_code == 503
    assert "Retry-After" in answer.headers
    assert person.submit(page.consent_form, button="allow").status == 503

    # A code that is used a second time ends what the first time gave, although a code can be redeemed no more.
    refusal(seam.exchange(used), 400, "invalid_grant")
    assert seam.introspect(stolen.access) == {"active": False}
    refusal(seam.refresh(stolen.refresh), 400, "invalid_grant")
    # What is revoked is revoked, for good.
    assert seam.revoke(single.access).status_code == 200
    assert seam.introspect(single.access) == {"active": False}
    for tokens in doomed:
        assert seam.revoke(tokens.refresh).status_code == 200
        assert seam.introspect(tokens.access) == {"active": False}
        refusal(seam.refresh(tokens.refresh), 400, "invalid_grant")
    log = (server.disk / "latchkey.sqlite.revocations").read_text()
    assert sum(json.loads(line).get("ended") == "connection.revoked" for line in log.splitlines()) == len(doomed) + 1
    assert (server.disk / "latchkey.sqlite.reserve").stat().st_size < RESERVE
    # And all the same nothing else is written: the room is for what ends.
    assert careful.refresh(rotating).status_code == 503

    server.free()
    answer = eventually(lambda: careful.refresh(rotating), PATIENCE, enough=lambda answer: answer.status_code == 200)
    careful.refreshed(answer.json()["refresh_token"])
    assert person.connect(seam).user_id == person.account.user_id
    assert (server.disk / "latchkey.sqlite.reserve").stat().st_size == RESERVE
    for tokens in doomed:
        refusal(seam.refresh(tokens.refresh), 400, "invalid_grant")
    assert server.is_running


def test_F2_the_reserve_is_made_whole_when_there_was_no_room_for_it_at_the_start(small):
    server = small
    careful = server.create_client(*WEB, "--refresh", "successor", name="Careful partner")
    person = Person(server, server.create_account())
    # Room for the database, and too little for the reserve.
    fill = server.folder / "fill"
    fill.write_bytes(bytes(13 * 1024 * 1024))
    server.start()
    reserve = server.disk / "latchkey.sqlite.reserve"
    assert reserve.stat().st_size == 0
    assert "no room can be kept" in server.log
    rotating = person.connect(careful).refresh
    assert reserve.stat().st_size == 0
    server.free()

    def is_whole() -> bool:
        nonlocal rotating
        rotating = careful.refreshed(rotating).refresh
        return reserve.stat().st_size == RESERVE

    eventually(is_whole, PATIENCE)


class Injection:
    """strace, attached to a server, making a system call fail."""

    def __init__(self, server: Latchkey, call: str, error: str):
        self.process = subprocess.Popen(
            ["strace", "-f", "-o", "/dev/null", "-p", str(server.process.pid)]
            + ["-e", f"trace={call}", "-e", f"inject={call}:error={error}"],
            stderr=subprocess.PIPE,
            text=True,
        )
        line = self.process.stderr.readline()
        if not re.search("attached", line):
            self.process.wait()
            pytest.skip(f"strace cannot attach to a process here: {line.strip()}")
        # It says so of every thread, the last of them after all are stopped.
        os.set_blocking(self.process.stderr.fileno(), False)

    def __enter__(self) -> "Injection":
        return self

    def __exit__(self, *_) -> None:
        os.set_blocking(self.process.stderr.fileno(), True)
        self.process.send_signal(signal.SIGINT)
        self.process.communicate(timeout=PATIENCE)


@pytest.mark.parametrize(
    ("call", "error"), [("fdatasync", "EIO"), ("pwrite64", "EIO"), ("pwrite64", "ENOSPC")], ids=str
)
def test_F2_a_revocation_that_the_disk_refused_is_never_acknowledged(new_server, call, error):
    server = new_server("sqlite")
    seam = server.create_client("--partner", "seam", name="Seam")
    person = Person(server, server.create_account())
    server.start()
    kept, doomed = person.connect(seam), person.connect(seam)
    with Injection(server, call, error):
        # The threads of the server are traced a moment after strace says so: the first answers may still be good.
        (answer,) = eventually(lambda: refused(seam.revoke(fresh_access(seam, kept))), PATIENCE)
        assert "Retry-After" in answer.headers
        assert seam.revoke(doomed.refresh).status_code == 503
        assert send("GET", server.base + "/oauth/jwks").status_code == 200
        assert seam.refreshed(kept.refresh).user_id == person.account.user_id
    eventually(lambda: seam.revoke(doomed.refresh).status_code == 200, PATIENCE)
    assert seam.introspect(doomed.access) == {"active": False}
    server.kill()
    server.start()
    refusal(seam.refresh(doomed.refresh), 400, "invalid_grant")
    assert seam.refreshed(kept.refresh).user_id == person.account.user_id
    assert person.connect(seam).user_id == person.account.user_id


def refused(answer) -> list:
    """The answer if it is 503, in a list: an answer that is no success counts as false."""
    return [answer] if answer.status_code == 503 else []


def fresh_access(client: OAuthClient, tokens) -> str:
    """A fresh access token, to be revoked alone."""
    return client.refreshed(tokens.refresh).access
