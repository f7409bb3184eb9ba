"""Writes the rows past the server: into SQLite in one go without its log, into PostgreSQL by COPY."""

import sqlite3
import subprocess
import time
from collections.abc import Iterable, Iterator
from pathlib import Path

from .rows import ACCOUNTS, CODES, CONNECTIONS, SESSIONS, WORDS, Rows

PIECE = 100_000


def told(rows: Iterable[tuple[object, ...]], what: str, total: int) -> Iterator[tuple[object, ...]]:
    """The rows, with a line of progress now and then."""
    start, number = time.monotonic(), 0
    for row in rows:
        yield row
        number += 1
        if number % (10 * PIECE) == 0:
            print(f"    {number:,} of {total:,} {what}, {time.monotonic() - start:.0f} s", flush=True)
    print(f"    {number:,} {what} in {time.monotonic() - start:.1f} s", flush=True)


def each_piece(rows: Iterator[tuple[object, ...]]) -> Iterator[list[tuple[object, ...]]]:
    piece: list[tuple[object, ...]] = []
    for row in rows:
        piece.append(row)
        if len(piece) == PIECE:
            yield piece
            piece = []
    yield piece


class SQLiteFiller:
    """One writer with a large cache; its rows reach each index in the order in which a server's would."""

    CACHE_MEGABYTES = 2000

    def __init__(self, file: Path):
        self.connection = sqlite3.connect(file, isolation_level=None)
        for setting in (
            "journal_mode = off", "synchronous = off", "foreign_keys = off",
            f"cache_size = -{self.CACHE_MEGABYTES * 1000}",
        ):  # fmt: skip
            self.connection.execute("pragma " + setting).fetchall()
        # Nothing that is measured asks for words: their second index is made at the end.
        self.index = self.connection.execute(
            "select sql from sqlite_master where name = 'account_words_by_account'"
        ).fetchone()[0]
        self.connection.execute("drop index account_words_by_account")
        self.connection.execute("begin")

    def write(self, into: str, rows: Iterable[tuple[object, ...]]) -> None:
        places = ", ".join("?" * (into.count(",") + 1))
        self.connection.executemany(f"insert into {into} values ({places})", rows)

    def finish(self) -> None:
        self.connection.execute(self.index)
        self.connection.execute("commit")
        self.connection.execute("pragma journal_mode = wal").fetchall()
        self.connection.close()


class PostgresFiller:
    """COPY through psql, as the cluster's superuser, with nothing checked that the rows are known to keep."""

    def __init__(self, psql: list[str]):
        self.psql = psql
        self.indexes = self.ask(
            "select indexdef from pg_indexes where schemaname = 'public' and tablename in "
            "('accounts', 'account_words', 'connections', 'codes', 'sessions') and indexname not like '%\\_pkey'"
        ).splitlines()
        names = self.ask(
            "select indexname from pg_indexes where schemaname = 'public' and tablename in "
            "('accounts', 'account_words', 'connections', 'codes', 'sessions') and indexname not like '%\\_pkey'"
        ).splitlines()
        for name in names:
            self.ask(f"drop index {name}")

    def ask(self, sql: str) -> str:
        command = [*self.psql, "--command", sql]
        return subprocess.run(command, check=True, text=True, capture_output=True).stdout.strip()

    def write(self, into: str, rows: Iterable[tuple[object, ...]]) -> None:
        command = ["--command", "set session_replication_role = replica", "--command", f"copy {into} from stdin"]
        with subprocess.Popen([*self.psql, *command], stdin=subprocess.PIPE, stdout=subprocess.DEVNULL) as copy:
            assert copy.stdin is not None
            for piece in each_piece(iter(rows)):
                copy.stdin.write("".join(map(self.line, piece)).encode())
            copy.stdin.close()
            if copy.wait() != 0:
                raise SystemExit(f"growth: COPY {into} failed.")

    @staticmethod
    def line(row: tuple[object, ...]) -> str:
        return (
            "\t".join(
                ["\\\\x" + one.hex() if type(one) is bytes else "\\N" if one is None else str(one) for one in row]
            )
            + "\n"
        )

    def finish(self) -> None:
        for index in self.indexes:
            start = time.monotonic()
            self.ask(f"set maintenance_work_mem = '1GB'; {index}")
            print(f"    {index.split(' ON ')[0].lower()} in {time.monotonic() - start:.1f} s", flush=True)
        self.ask("vacuum (analyze)")
        self.ask("checkpoint")


def fill(filler: SQLiteFiller | PostgresFiller, rows: Rows) -> None:
    """Writes everything; afterwards the rows know which connections were picked."""
    accounts: list[tuple[object, ...]] = []

    def kept() -> Iterator[tuple[object, ...]]:
        """Accounts in pieces, so that their words can follow them."""
        for row in told(rows.accounts(), "accounts", rows.accounts_count):
            accounts.append(row)
            yield row

    filler.write(ACCOUNTS, kept())
    words = (word for account in accounts for word in rows.words(account))
    filler.write(WORDS, told(words, "words", rows.accounts_count * 7))
    accounts.clear()
    filler.write(CONNECTIONS, told(rows.connections(), "connections", rows.count))
    filler.write(CODES, told(rows.codes(), "codes", rows.recent()))
    filler.write(SESSIONS, told(rows.sessions(), "sessions", rows.recent()))
    filler.finish()
