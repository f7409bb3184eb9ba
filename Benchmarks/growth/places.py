"""Where the databases of each size are: made once, measured as often as one likes, removed at the end."""

import json
import os
import shutil
import sqlite3
import subprocess
import time
from pathlib import Path

from bench.machine import Machine

from .fill import PostgresFiller, SQLiteFiller, fill
from .rows import Rows

ROOT = Path(__file__).resolve().parents[2]
BENCH_SERVER = ROOT / ".build" / "release" / "bench-server"
CLIENTS = 20
PICKED = 100_000
"""How many connections the load comes from, picked from all over: the same number at each size."""
SIGNING_IN = 1000
"""Accounts with a password that is known, for those who sign in during a measurement."""


class Place:
    """One database of one size, with the folder that its measurements need."""

    engine = ""

    def __init__(self, folder: Path, size: int):
        self.size = size
        self.folder = folder / f"{self.engine}-{size}"

    @property
    def url(self) -> str:
        raise NotImplementedError

    def filler(self) -> SQLiteFiller | PostgresFiller:
        raise NotImplementedError

    def command(self, *arguments: str) -> list[str]:
        name, *rest = arguments
        return [str(BENCH_SERVER), name, "--database", self.url, "--folder", str(self.folder), *rest]

    def run(self, *arguments: str) -> str:
        ended = subprocess.run(self.command(*arguments), text=True, capture_output=True, check=False)
        if ended.returncode != 0:
            raise SystemExit(f"growth: bench-server {arguments[0]} failed.\n{ended.stdout}{ended.stderr}")
        return ended.stdout

    def query(self, sql: str) -> list[tuple[object, ...]]:
        raise NotImplementedError

    def fill(self) -> None:
        self.folder.mkdir(parents=True)
        start = time.monotonic()
        print(f"==> {self.engine}: {self.size:,} connections", flush=True)
        self.create()
        self.run("prepare", "--connections", "0", "--accounts", str(SIGNING_IN))
        self.run("growth-clients", str(CLIENTS))
        rows = Rows(self.size, [f"partner-{number}" for number in range(1, CLIENTS + 1)], PICKED)
        fill(self.filler(), rows)
        self.write(
            "picked.txt", [f"{client} {key.hex()} {nonce.hex()}" for client, key, nonce in rows.picks.connections]
        )
        self.write("picked-accounts.txt", [f"{client} {account.hex()}" for client, account in rows.picks.accounts])
        self.run("growth-tokens")
        self.write_bodies()
        (self.folder / "accounts").write_text(str(rows.accounts_count))
        print(f"    filled in {time.monotonic() - start:.0f} s", flush=True)

    def create(self) -> None:
        pass

    def write(self, name: str, lines: list[str]) -> None:
        (self.folder / name).write_text("".join(line + "\n" for line in lines))

    @property
    def secrets(self) -> dict[str, str]:
        return dict(line.split() for line in (self.folder / "growth-clients.txt").read_text().splitlines())

    def write_bodies(self) -> None:
        """As many bodies at each size, so that the load generator works alike."""
        secrets = self.secrets
        pairs = [line.split() for line in (self.folder / "growth-refresh.txt").read_text().splitlines()]
        bodies = [
            f"grant_type=refresh_token&client_id={client}&client_secret={secrets[client]}&refresh_token={token}"
            for client, token in pairs
        ]
        self.write("refresh.bodies", [bodies[number % len(bodies)] for number in range(PICKED)])

    def exchange_bodies(self, count: int) -> str:
        """Codes that nobody has redeemed, of accounts from all over."""
        self.run("growth-codes", str(count))
        secrets = self.secrets
        constant = (
            "grant_type=authorization_code&redirect_uri=https%3A%2F%2Fpartner.example%2Fcallback"
            "&code_verifier=dBjftJeZ4CVP-mBg92tKL7eTvoXbQSJDcjRPJyNUZYE"
        )
        pairs = [line.split() for line in (self.folder / "growth-codes.txt").read_text().splitlines()]
        self.write(
            "exchange.bodies",
            [f"{constant}&client_id={client}&client_secret={secrets[client]}&code={code}" for client, code in pairs],
        )
        return str(self.folder / "exchange.bodies")

    def warm(self) -> None:
        """Makes sure that what the system can keep in memory is there."""

    def forget(self) -> None:
        """Takes away what was made since it was filled: exchanges make ten thousand connections a second."""
        filled = int((self.folder / "accounts").stat().st_mtime * 1000)
        self.execute(
            f"delete from codes where issued_at > {filled}",
            f"delete from connections where created_at > {filled} and revoked_at is null",
        )

    def execute(self, *statements: str) -> None:
        """Changes something beside a server that is at rest."""
        raise NotImplementedError

    def bytes(self) -> dict[str, tuple[str, int]]:
        """What each table and each index takes: its table and its bytes."""
        raise NotImplementedError

    def remove(self) -> None:
        shutil.rmtree(self.folder, ignore_errors=True)


class SQLitePlace(Place):
    engine = "sqlite"

    @property
    def file(self) -> Path:
        return self.folder / "ledger.sqlite"

    @property
    def url(self) -> str:
        return f"sqlite:{self.file}"

    def filler(self) -> SQLiteFiller:
        return SQLiteFiller(self.file)

    def query(self, sql: str) -> list[tuple[object, ...]]:
        connection = sqlite3.connect(f"file:{self.file}?mode=ro", uri=True)
        try:
            return connection.execute(sql).fetchall()
        finally:
            connection.close()

    def execute(self, *statements: str) -> None:
        connection = sqlite3.connect(self.file, timeout=30, isolation_level=None)
        try:
            for statement in (*statements, "pragma wal_checkpoint(truncate)"):
                connection.execute(statement)
        finally:
            connection.close()

    def warm(self) -> None:
        # As requests would, page by page. What is read in one go the system keeps in pieces of up to 2 MB, and a page
        # that is written costs a walk through its piece: half of the exchanges with 10 million connections.
        with self.file.open("rb") as file:
            os.fsync(file.fileno())
            for advice in (os.POSIX_FADV_DONTNEED, os.POSIX_FADV_RANDOM):
                os.posix_fadvise(file.fileno(), 0, 0, advice)
            while file.read(1 << 20):
                pass

    def bytes(self) -> dict[str, tuple[str, int]]:
        tables = dict(self.query("select name, tbl_name from sqlite_master"))
        rows = self.query("select name, pgsize from dbstat where aggregate = 1")
        return {str(name): (str(tables.get(name, name)), int(size)) for name, size in rows}


class PostgresPlace(Place):
    """A database of its own in a cluster that all sizes share."""

    engine = "postgres"

    def __init__(self, folder: Path, size: int):
        super().__init__(folder, size)
        self.cluster = Cluster(folder)

    @property
    def name(self) -> str:
        return f"growth_{self.size}"

    @property
    def url(self) -> str:
        return self.cluster.url.rpartition("/")[0] + "/" + self.name

    def create(self) -> None:
        self.cluster.ask(f"create database {self.name} owner latchkey")

    def filler(self) -> PostgresFiller:
        return PostgresFiller(self.cluster.psql(self.name))

    def query(self, sql: str) -> list[tuple[object, ...]]:
        command = [*self.cluster.psql(self.name), "--command", sql]
        said = subprocess.run(command, check=True, text=True, capture_output=True).stdout
        return [tuple(line.split("|")) for line in said.splitlines()]

    def execute(self, *statements: str) -> None:
        for statement in statements:
            self.query(statement)

    def warm(self) -> None:
        self.query("create extension if not exists pg_prewarm")
        self.query(
            "select sum(pg_prewarm(oid)) from pg_class where relkind in ('r', 'i') and "
            "relnamespace = 'public'::regnamespace and relname not like 'account_words%'"
        )

    def bytes(self) -> dict[str, tuple[str, int]]:
        rows = self.query(
            "select c.relname, coalesce(t.relname, c.relname), pg_relation_size(c.oid) from pg_class c "
            "left join pg_index i on i.indexrelid = c.oid left join pg_class t on t.oid = i.indrelid "
            "where c.relnamespace = 'public'::regnamespace and c.relkind in ('r', 'i')"
        )
        return {str(name): (str(table), int(str(size))) for name, table, size in rows}

    def remove(self) -> None:
        super().remove()


class Cluster:
    """The throw-away PostgreSQL of scripts/postgres, with a quarter of the memory as its own manual advises."""

    def __init__(self, folder: Path):
        self.note = folder / "cluster"

    @property
    def folder(self) -> Path:
        if not self.note.exists():
            self.note.parent.mkdir(parents=True, exist_ok=True)
            script = [ROOT / "scripts" / "postgres", "start"]
            started = subprocess.run(
                script, check=True, text=True, capture_output=True, env=os.environ | {"TMPDIR": str(self.note.parent)}
            )
            self.note.write_text(started.stdout.strip())
            self.set_up(fills=True)
        return Path(self.note.read_text())

    @property
    def url(self) -> str:
        return (self.folder / "url").read_text().strip()

    def psql(self, database: str = "postgres") -> list[str]:
        port = self.url.rpartition(":")[2].partition("/")[0]
        return [
            "psql", "--no-psqlrc", "--quiet", "--no-align", "--tuples-only", "--set=ON_ERROR_STOP=1",
            f"--host={self.folder}", f"--port={port}", "--username=postgres", f"--dbname={database}",
        ]  # fmt: skip

    def ask(self, sql: str) -> str:
        return subprocess.run([*self.psql(), "--command", sql], check=True, text=True, capture_output=True).stdout

    def set_up(self, *, fills: bool) -> None:
        """While it is filled it flushes nothing; while it is measured everything, as scripts/postgres has it."""
        memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") // 4 // (1 << 20)
        settings = {
            "shared_buffers": f"'{memory}MB'", "max_wal_size": "'4GB'", "wal_compression": "on",
            "fsync": "off" if fills else "on", "full_page_writes": "off" if fills else "on",
            "synchronous_commit": "off" if fills else "on", "autovacuum": "off" if fills else "on",
        }  # fmt: skip
        for name, value in settings.items():
            self.ask(f"alter system set {name} = {value}")
        self.ask("checkpoint")
        for word in ("halt", "resume"):
            subprocess.run([ROOT / "scripts" / "postgres", word, self.folder], check=True)

    def remove(self) -> None:
        if self.note.exists():
            subprocess.run([ROOT / "scripts" / "postgres", "stop", self.folder], check=True)
            self.note.unlink()


PLACES: dict[str, type[Place]] = {"sqlite": SQLitePlace, "postgres": PostgresPlace}


def results(folder: Path) -> dict[str, dict[str, object]]:
    """What the steps before have found."""
    file = folder / "results.json"
    return json.loads(file.read_text()) if file.exists() else {}


def keep(folder: Path, kind: str, engine: str, found: object) -> None:
    known = results(folder)
    known.setdefault(kind, {})[engine] = found
    # The steps of one table may be taken days apart.
    known.setdefault("commits", {})[kind] = Machine.look().commit
    (folder / "results.json").write_text(json.dumps(known, indent=1) + "\n")
