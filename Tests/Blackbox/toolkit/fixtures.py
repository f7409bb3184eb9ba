"""Fixtures that the black-box tests and the fault suite share: databases, servers, two nodes on one database."""

import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from . import clocks
from .databases import Postgres, PostgresServer, SQLite
from .ports import free_port
from .process import Latchkey


@pytest.fixture(scope="session")
def postgres_url() -> Iterator[str]:
    """The address of a PostgreSQL server on which databases can be made."""
    if url := os.environ.get("LATCHKEY_TEST_POSTGRES"):
        yield url
        return
    server = PostgresServer()
    try:
        yield server.url
    finally:
        server.stop()


@pytest.fixture
def database(tmp_path, request) -> Iterator[Callable[[str], SQLite | Postgres]]:
    """Makes an empty database of a kind, removed after the test."""
    made = []

    def make(kind: str) -> SQLite | Postgres:
        fresh = SQLite(tmp_path) if kind == "sqlite" else Postgres(request.getfixturevalue("postgres_url"))
        made.append(fresh)
        return fresh

    yield make
    for one in made:
        one.remove()


@pytest.fixture
def new_server(tmp_path, database) -> Iterator[Callable[..., Latchkey]]:
    """Makes a server for this test alone; call `start()` on it once its clients and accounts are registered."""
    made: list[Latchkey] = []

    def make(kind: str = "sqlite", **named) -> Latchkey:
        server = Latchkey(named.pop("database", None) or database(kind), tmp_path, **named)
        made.append(server)
        return server

    yield make
    for server in made:
        server.kill()


@pytest.fixture(scope="module")
def faketime() -> Iterator[None]:
    """Takes away what was made for clocks, and libfaketime's shared memory of processes that have ended."""

    def there() -> set[Path]:
        return set(Path("/dev/shm").glob("*faketime_*"))

    before = there()
    yield
    clocks.take_away()
    for left in there() - before:
        if not Path("/proc", left.name.rsplit("_", 1)[1]).exists():
            left.unlink(missing_ok=True)


@dataclass
class Cluster:
    """Two nodes that share nothing but their PostgreSQL, their key and their issuer."""

    nodes: list[Latchkey]

    def start(self) -> "Cluster":
        for node in self.nodes:
            node.start()
        return self


@pytest.fixture
def cluster(new_server, database) -> Cluster:
    """Two nodes on one PostgreSQL, not yet started."""
    shared, port = database("postgres"), free_port()
    first = new_server(database=shared, port=port)
    second = new_server(database=shared, issuer=first.issuer, canaries=first.canaries)
    return Cluster([first, second])
