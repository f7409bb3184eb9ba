"""Servers, databases, clients and browsers for the black-box tests.

`server` runs a test twice, on SQLite and on PostgreSQL, each time against one process that the whole run shares.
`sqlite_server` is the shared SQLite one alone, for what no database can change. `new_server` starts a process that
only the test uses, and `cluster` two processes on one PostgreSQL. PostgreSQL comes from `LATCHKEY_TEST_POSTGRES`, or
is started for this run. What the fault suite shares of this is in `toolkit/fixtures.py`.
"""

import shutil
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

import pytest
from playwright.sync_api import Browser, expect, sync_playwright

from partner_table import PROFILES
from toolkit.client import OAuthClient
from toolkit.console_world import World
from toolkit.databases import Postgres, SQLite
from toolkit.login_endpoint import Endpoint
from toolkit.partner import PartnerSite
from toolkit.person import Person
from toolkit.process import Account, Latchkey
from toolkit.receiver import Receiver
from toolkit.stage import Stage

pytest_plugins = ["toolkit.fixtures"]

SCOPES = ("--scope", "locks.read", "--scope", "locks.write")
PHONE_URI = "http://127.0.0.1/callback"
WEB_URI = "https://partner.example/callback"


@dataclass
class Partners:
    """The clients that a shared server knows from its start."""

    seam: OAuthClient
    """Seam's current guide: confidential, stable refresh token, PKCE optional."""
    web: OAuthClient
    """An ordinary confidential client without a profile."""
    opaque: OAuthClient
    """The same with opaque access tokens."""
    phone: OAuthClient
    """A public client: PKCE, successor refresh tokens."""
    successor: OAuthClient
    """A confidential client whose refresh tokens rotate to a deterministic successor."""
    strict: OAuthClient
    """A confidential client whose refresh tokens are good for one use."""
    machine: OAuthClient
    """A client that acts for itself only."""
    resource: OAuthClient
    """A resource server: no grants, an audience."""


AUDIENCE = "https://api.partner.example/locks"


def register_partners(server: Latchkey) -> Partners:
    """Registers the standard clients, before or beside a running server."""
    web = ("--redirect-uri", WEB_URI, *SCOPES)
    return Partners(
        seam=server.create_client("--partner", "seam", name="Seam"),
        web=server.create_client(*web, name="Web partner"),
        opaque=server.create_client(*web, "--access-token", "opaque", name="Opaque partner"),
        phone=server.create_client("--public", "--redirect-uri", PHONE_URI, *SCOPES, name="Phone app"),
        successor=server.create_client(*web, "--refresh", "successor", name="Careful partner"),
        strict=server.create_client(*web, "--refresh", "strict", name="Strict partner"),
        machine=server.create_client("--grant", "client_credentials", "--scope", "locks.read", name="Machine"),
        resource=server.create_client("--audience", AUDIENCE, name="Locks API"),
    )


def check_no_secret_in(server: Latchkey) -> None:
    """What must hold of every server at its end: nothing that it ever handed out lies in its database or its log."""
    found = server.canaries.found_in(server.database.content()) + server.canaries.found_in(server.log_path.read_bytes())
    assert not found, f"secrets lie in the clear in the database or the log: {found[:10]}"


class SharedServer(Latchkey):
    """A server that many tests use, with its standard clients."""

    partners: Partners


def _shared_server(database, folder: Path) -> Iterator[SharedServer]:
    server = SharedServer(database, folder, environment={"LATCHKEY_LOG_LEVEL": "trace"})
    receiver = Receiver()
    server.extra_environment |= {
        "LATCHKEY_WEBHOOK_URL": receiver.url,
        "LATCHKEY_WEBHOOK_SECRET": server.run("webhook", "secret").stdout.strip(),
    }
    server.canaries.add("webhook secret", server.extra_environment["LATCHKEY_WEBHOOK_SECRET"])
    try:
        server.partners = register_partners(server)
        server.start()
        yield server
        status = server.stop()
        assert status == 0, f"latchkey serve ended with status {status} on SIGTERM"
        check_no_secret_in(server)
    finally:
        server.kill()
        receiver.stop()
        database.remove()


@pytest.fixture(scope="session")
def sqlite_server(tmp_path_factory) -> Iterator[SharedServer]:
    folder = tmp_path_factory.mktemp("sqlite")
    yield from _shared_server(SQLite(folder), folder)


@pytest.fixture(scope="session")
def postgres_server(tmp_path_factory, postgres_url) -> Iterator[SharedServer]:
    yield from _shared_server(Postgres(postgres_url), tmp_path_factory.mktemp("postgres"))


@pytest.fixture(params=["sqlite", "postgres"])
def server(request) -> SharedServer:
    """The shared server, once on each database."""
    return request.getfixturevalue(f"{request.param}_server")


def _stage(database, folder: Path) -> Iterator[Stage]:
    stage = Stage(database, folder, PROFILES)
    try:
        yield stage
        assert stage.server.stop() == 0
        check_no_secret_in(stage.server)
    finally:
        stage.server.kill()
        database.remove()


@pytest.fixture(scope="session")
def sqlite_stage(tmp_path_factory) -> Iterator[Stage]:
    """A server on SQLite with a client of every partner profile."""
    folder = tmp_path_factory.mktemp("stage-sqlite")
    yield from _stage(SQLite(folder), folder)


@pytest.fixture(scope="session")
def postgres_stage(tmp_path_factory, postgres_url) -> Iterator[Stage]:
    """The same on PostgreSQL."""
    yield from _stage(Postgres(postgres_url), tmp_path_factory.mktemp("stage-postgres"))


@pytest.fixture(params=["sqlite", "postgres"])
def stage(request) -> Stage:
    """The server with all partners' clients, once on each database."""
    return request.getfixturevalue(f"{request.param}_stage")


@pytest.fixture(scope="module")
def module_server(request, tmp_path_factory) -> Iterator[Callable[[str], Latchkey]]:
    """Makes a server for the tests of one file, not yet started."""
    with ExitStack() as made:

        def make(kind: str) -> Latchkey:
            folder = tmp_path_factory.mktemp(kind)
            database = SQLite(folder) if kind == "sqlite" else Postgres(request.getfixturevalue("postgres_url"))
            made.callback(database.remove)
            server = Latchkey(database, folder)
            made.callback(server.kill)
            return server

        yield make


@pytest.fixture(params=["sqlite", "postgres"])
def own_server(request, new_server) -> Latchkey:
    """A server for this test alone, once on each database, not yet started."""
    return new_server(request.param)


@pytest.fixture(params=["one node", "two nodes"])
def nodes(request) -> list[Latchkey]:
    """One node on SQLite, then two on one PostgreSQL, not yet started: where parallel callers may land."""
    if request.param == "one node":
        return [request.getfixturevalue("new_server")("sqlite")]
    return request.getfixturevalue("cluster").nodes


@pytest.fixture
def account(request) -> Account:
    """A fresh account on the test's server."""
    for name in ("server", "sqlite_server"):
        if name in request.fixturenames:
            return request.getfixturevalue(name).create_account()
    raise AssertionError("the fixture 'account' needs the fixture 'server' or 'sqlite_server'")


@pytest.fixture
def person(request, account) -> Person:
    """Somebody with a fresh account and a fresh browser on the test's server."""
    name = "server" if "server" in request.fixturenames else "sqlite_server"
    return Person(request.getfixturevalue(name), account)


WITHOUT = [
    # The lists under the address bar, which nobody sees: each window starts two processes for them.
    "WebUIOmniboxPopup",
    "WebUIOmniboxAimPopup",
    # What Playwright switches off as well, and this list replaces its own.
    "AimEnabled",
    "AvoidCorsURLLoaderRestartOnRedirect",
    "AvoidUnnecessaryBeforeUnloadCheckSync",
    "DestroyProfileOnBrowserClose",
    "HttpsFirstBalancedModeAutoEnable",
    "HttpsUpgrades",
    "LensOverlay",
    "MediaRouter",
    "NetworkTimeServiceQuerying",
    "OptimizationHints",
    "PaintHolding",
    "PreconnectToSearch",
    "ThirdPartyStoragePartitioning",
]
"""What Chromium has and the tests do without."""


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    """Debian's Chromium, driven by Playwright."""
    expect.set_options(timeout=20_000)
    switches = ["--no-sandbox", "--disable-features=" + ",".join(WITHOUT)]
    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=shutil.which("chromium"), args=switches)
        yield chromium
        chromium.close()


@pytest.fixture
def partner_site() -> Iterator[Callable[..., PartnerSite]]:
    """Makes partners' web sites on loopback."""
    with ExitStack() as made:
        yield lambda **named: made.enter_context(PartnerSite(**named))


@pytest.fixture(scope="module")
def world(sqlite_server) -> World:
    """What the console shows, for tests that leave it as it is."""
    return World(sqlite_server)


@pytest.fixture
def login_endpoint() -> Iterator[Callable[[Callable], Endpoint]]:
    """Makes login endpoints that answer as they are told."""
    with ExitStack() as made:
        yield lambda answer: made.enter_context(Endpoint(answer))
