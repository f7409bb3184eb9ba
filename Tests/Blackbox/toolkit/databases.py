"""The two databases that a server can be given, and what a test does to them from outside."""

import base64
import copy
import os
import secrets
import shutil
import signal
import subprocess
from pathlib import Path
from urllib.parse import urlsplit

from .ports import free_port
from .waiting import eventually

ROOT = Path(__file__).resolve().parents[3]
POSTGRES_SCRIPT = ROOT / "scripts" / "postgres"


def postgres_program(name: str) -> str:
    """The path of one of PostgreSQL's programs."""
    for folder in [Path("/usr/lib/postgresql/15/bin"), *sorted(Path("/usr/lib/postgresql").glob("*/bin"))]:
        if (folder / name).exists():
            return str(folder / name)
    return shutil.which(name) or name


class RefusedStatement(Exception):
    """PostgreSQL refused a statement: the statement and what it said."""


class SQLite:
    """A database file in a folder of its own."""

    kind = "sqlite"

    def __init__(self, folder: Path):
        self.path = folder / "latchkey.sqlite"
        self.url = f"sqlite:{self.path}"
        self.environment: dict[str, str] = {}

    def is_prepared(self) -> bool:
        """Whether a command finds a database there."""
        return self.path.exists()

    def content(self) -> bytes:
        """Everything that lies on the disk for this database: the file, its write-ahead log and its index.

        The key file beside it is left out: it is the secret that the design keeps outside the database.
        """
        names = [self.path.name + end for end in ("", "-wal", "-shm", "-journal")]
        files = [self.path.with_name(name) for name in names]
        return b"\n".join(file.read_bytes() for file in files if file.exists())

    def remove(self) -> None:
        """Nothing to do: the folder goes with the test run."""


class Postgres:
    """A database of its own on a PostgreSQL server, with the key that nodes share."""

    kind = "postgres"

    def __init__(self, server_url: str):
        self.server_url = server_url
        self.name = "latchkey_" + secrets.token_hex(6)
        self.url = urlsplit(server_url)._replace(path="/" + self.name).geturl()
        self.environment = {"LATCHKEY_SECRET_KEY": base64.b64encode(os.urandom(32)).decode()}
        self.query(f"create database {self.name}", self.server_url)
        self._is_prepared = False

    def is_prepared(self) -> bool:
        """Whether a command finds Latchkey's tables there."""
        if not self._is_prepared:
            # Not over the line that the test may have broken.
            direct = urlsplit(self.server_url)._replace(path="/" + self.name).geturl()
            self._is_prepared = self.query("select to_regclass('migrations') is not null", direct).strip() == "t"
        return self._is_prepared

    def at(self, port: int) -> "Postgres":
        """The same database, reached at another port of this machine."""
        there = copy.copy(self)
        place = urlsplit(self.url)
        there.url = place._replace(netloc=f"{place.username}:{place.password}@127.0.0.1:{port}").geturl()
        return there

    def query(self, sql: str, url: str | None = None) -> str:
        """Runs one statement and returns what it printed."""
        command = [postgres_program("psql"), "--no-psqlrc", "-qAt", "-v", "ON_ERROR_STOP=1", "-c", sql, url or self.url]
        done = subprocess.run(command, capture_output=True, text=True, timeout=60)
        if done.returncode != 0:
            raise RefusedStatement(f"{sql}: {done.stderr.strip()}")
        return done.stdout

    def content(self) -> bytes:
        """A dump of the whole database."""
        command = [postgres_program("pg_dump"), "--no-sync", self.url]
        return subprocess.run(command, check=True, capture_output=True, timeout=60).stdout

    def remove(self) -> None:
        """Drops the database, and whoever is still connected to it.

        Only a superuser may force the server's own vacuum out of a database; without force the server waits for it.
        """
        try:
            self.query(f"drop database if exists {self.name} with (force)", self.server_url)
        except RefusedStatement:
            self.query(f"drop database if exists {self.name}", self.server_url)


class PostgresServer:
    """A throw-away PostgreSQL that a test may stop and start again."""

    def __init__(self):
        self.folder = self._script("start")
        self.url = (Path(self.folder) / "url").read_text().strip()
        self.superuser_url = f"postgres:///postgres?user=postgres&host={self.folder}&port={urlsplit(self.url).port}"

    def _script(self, *words: str) -> str:
        done = subprocess.run([POSTGRES_SCRIPT, *words], check=True, capture_output=True, text=True, timeout=120)
        return done.stdout.strip()

    def halt(self) -> None:
        """Stops it at once, as a crash would."""
        self._script("halt", self.folder)

    def resume(self) -> None:
        """Starts it again with the same data on the same port."""
        self._script("resume", self.folder)

    def freeze(self) -> list[int]:
        """Stops its processes where they are, and returns their ids; first the one that starts the others."""
        postmaster = int((Path(self.folder) / "data" / "postmaster.pid").read_text().split()[0])
        os.kill(postmaster, signal.SIGSTOP)
        children = list(map(int, Path(f"/proc/{postmaster}/task/{postmaster}/children").read_text().split()))
        for child in children:
            os.kill(child, signal.SIGSTOP)
        return [postmaster, *children]

    def stream_backup(self) -> subprocess.Popen:
        """Has its log written elsewhere, as backups do, until the caller ends the process."""
        self.log_backup.mkdir()
        command = [postgres_program("pg_receivewal"), "--directory", self.log_backup, "--dbname", self.superuser_url]
        return subprocess.Popen(command)

    @property
    def log_backup(self) -> Path:
        """Where it is written then."""
        return Path(self.folder) / "log-backup"

    def stop(self) -> None:
        """Stops it and removes its folder."""
        self._script("stop", self.folder)


class Copy:
    """A second PostgreSQL of a throw-away one's files, as they are now; it has a port of its own, and stands still."""

    def __init__(self, primary: PostgresServer, name: str, *words: str):
        self.primary_port = urlsplit(primary.url).port
        self.socket_folder = primary.folder
        self.data = Path(primary.folder) / name
        self.port = free_port()
        source = ["--host", primary.folder, "--port", str(self.primary_port), "--username", "postgres"]
        made = ["--wal-method=stream", "--checkpoint=fast", "--pgdata", str(self.data), *words]
        self._run("pg_basebackup", *source, *made)

    def start(self, *settings: str) -> None:
        with (self.data / "postgresql.auto.conf").open("a") as file:
            file.writelines(f"{line}\n" for line in (f"port = {self.port}", *settings))
        self._control("start", "--log", str(self.data / "log"))

    def stop(self) -> None:
        if (self.data / "postmaster.pid").exists():
            self._control("stop", "--mode=immediate")

    def _wait_for(self, question: str, otherwise: str) -> None:
        """Waits until it answers a question with yes."""
        eventually(lambda: self._ask(question) == "t", 30, otherwise)

    def _ask(self, sql: str, port: int | None = None) -> str:
        place = ["--host", self.socket_folder, "--port", str(port or self.port), "--username", "postgres", "postgres"]
        return self._run("psql", "--no-psqlrc", "-qAt", "-c", sql, *place).strip()

    def _control(self, verb: str, *words: str) -> None:
        self._run("pg_ctl", verb, "--wait", "--silent", "--pgdata", str(self.data), *words)

    @staticmethod
    def _run(program: str, *words: str) -> str:
        """PostgreSQL refuses to run as root: then everything runs as the user postgres, as in scripts/postgres."""
        owner = ["runuser", "-u", "postgres", "--"] if os.geteuid() == 0 else []
        done = subprocess.run(
            [*owner, postgres_program(program), *words],
            cwd="/",
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE if program != "pg_ctl" else subprocess.DEVNULL,
            stderr=subprocess.PIPE if program != "pg_ctl" else subprocess.DEVNULL,
            text=True,
            timeout=60,
            check=True,
        )
        return done.stdout or ""


class Standby(Copy):
    """A second PostgreSQL that follows a throw-away one, until it is promoted."""

    def __init__(self, primary: PostgresServer):
        super().__init__(primary, "standby", "--write-recovery-conf")
        self.start()

    def pause_replay(self) -> None:
        """From now on it does not learn of what the primary commits."""
        self._ask("select pg_wal_replay_pause()")

    def resume_replay(self) -> None:
        self._ask("select pg_wal_replay_resume()")

    def catch_up(self) -> None:
        """Waits until it knows everything that the primary has committed until now."""
        written = self._ask("select pg_current_wal_lsn()", self.primary_port)
        self._wait_for(f"select pg_last_wal_replay_lsn() >= '{written}'", "the standby does not catch up")

    def promote(self) -> None:
        """Makes it the primary."""
        self._control("promote")


class BaseBackup(Copy):
    """A backup of a throw-away PostgreSQL's files; with its log since, the server comes back as of any point."""

    def __init__(self, primary: PostgresServer):
        super().__init__(primary, "base-backup")

    def come_back(self, point: str, log: Path) -> None:
        """Starts it as it was at a point with a name; `log` is the folder with what was written since the backup."""
        for piece in log.iterdir():
            # Whoever runs the tests has written it, and the user postgres is to read it.
            piece.chmod(0o644)
        self._run("touch", str(self.data / "recovery.signal"))
        target = [f"recovery_target_name = '{point}'", "recovery_target_action = 'promote'"]
        self.start(f'restore_command = \'cp "{log}/%f" "%p"\'', *target)
        self._wait_for("select not pg_is_in_recovery()", f"PostgreSQL does not come back as of {point}")
