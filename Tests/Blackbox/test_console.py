"""The operators' console over HTTP: who may do what, and what each change leaves behind (security.md, 1B and 1M)."""

import base64
import hashlib
import re
import secrets
import sqlite3
from urllib.parse import urlsplit

import pytest

from toolkit.console import Operator, invite, routes, value_of
from toolkit.console_world import REDIRECT, World
from toolkit.person import Person
from toolkit.receiver import Receiver
from toolkit.waiting import eventually
from toolkit.wire import send, together


@pytest.mark.parametrize("route", routes(), ids=lambda route: f"{route[0]} {route[1]}")
@pytest.mark.parametrize("role", ["anonymous", "customer", "reader", "operator", "disabled"])
def test_U02_every_route_is_open_to_whom_it_is_meant_for(world, route, role):
    method, pattern, access = route
    url = world.server.base + world.path(pattern)
    if access == "anyone":
        assert Person(world.server).request(
            method, url, data={"token": "wrong"} if method == "POST" else None
        ).status in (
            200,
            401,
            403,
            410,
        )
        return
    who = Person(world.server) if role == "anonymous" else getattr(world, role)
    named = {"data": {"token": "wrong"}} if method == "POST" else {}
    status = who.request(method, url, **named).status
    if role in ("anonymous", "customer", "disabled"):
        assert status == 401
    elif access == "operators" and role == "reader":
        assert status == 403
    elif method == "POST":
        assert status == 403, "the token was wrong"
    else:
        assert status == 200


@pytest.mark.parametrize("route", [route for route in routes() if route[0] == "POST"], ids=lambda route: route[1])
def test_L07_a_form_needs_this_sessions_token_and_comes_from_our_pages(world, route):
    _, pattern, _ = route
    url = world.server.base + world.path(pattern)
    foreign = Operator(world.server).join().token()
    for token in ({"other": "field"}, {"token": ""}, {"token": foreign}):
        assert world.operator.request("POST", url, data=token).status == 403
    mine = {"token": world.operator.token()}
    for headers in (
        {"Sec-Fetch-Site": "cross-site"},
        {"Sec-Fetch-Site": "same-site"},
        {"Origin": "https://evil.example"},
    ):
        assert world.operator.request("POST", url, data=mine, headers=headers).status == 403


def test_a_read_only_operator_is_shown_no_button_and_no_link_that_changes_anything(world):
    closed = [
        re.compile(re.sub(":id", "[^/]+", pattern) + "$")
        for method, pattern, access in routes()
        if method == "GET" and access == "operators"
    ]
    for method, pattern, access in routes():
        if method != "GET" or access != "readers":
            continue
        page = world.reader.open(world.path(pattern).removeprefix("/console"))
        posts = [form.action for form in page.forms if form.method == "post"]
        assert all(action.endswith("/sign-out") for action in posts), posts
        dead = [link for link in page.links if any(one.match(urlsplit(link).path) for one in closed)]
        assert not dead, f"{pattern} leads to what is refused: {dead}"


def test_U03_no_get_shows_a_secret_or_its_hash(world):
    secrets = [world.client.client_secret, world.key["api_key"], world.operator.password, world.account.password]
    forbidden = list(secrets) + ["$argon2id$"]
    for secret in secrets:
        digest = hashlib.sha256(secret.encode()).digest()
        forbidden += [
            digest.hex(),
            base64.b64encode(digest).decode(),
            base64.urlsafe_b64encode(digest).decode().rstrip("="),
        ]
    for method, pattern, _ in routes():
        if method == "GET":
            page = world.operator.open(world.path(pattern).removeprefix("/console"))
            assert page.headers["Cache-Control"] == "no-store"
            found = [word for word in forbidden if word in page.html]
            assert not found, f"{pattern} shows a secret"


@pytest.fixture
def changing_world(new_server):
    """A world that a test may take apart, whose company is told of what happens."""
    server, receiver = new_server(), Receiver()
    secret = server.run("webhook", "secret").stdout.strip()
    server.extra_environment |= {"LATCHKEY_WEBHOOK_URL": receiver.url, "LATCHKEY_WEBHOOK_SECRET": secret}
    server.create_account()
    server.start()
    world = World(server)
    yield world
    receiver.stop()


DANGEROUS = [
    "/clients/:id/secret",
    "/clients/:id/old-secrets",
    "/clients/:id/disconnect",
    "/clients/:id/delete",
    "/connections/:id/cut",
    "/accounts/:id/disable",
    "/accounts/:id/password",
    "/accounts/:id/delete",
    "/sessions/end",
    "/api-keys/new",
    "/api-keys/:id/revoke",
    "/keys/rotate",
    "/keys/replace",
]


def test_U04_what_cuts_or_gives_access_asks_for_the_password_again(changing_world):
    world, server = changing_world, changing_world.server
    pages = {path: world.operator.open(world.path("/console" + path).removeprefix("/console")) for path in DANGEROUS}
    values = {"name": "A key", "account": world.account.user_id, "new_password": "a new correct horse"}
    server.restart(clock_offset=301)
    before = server.command("audit", "list", "--limit", "1")
    for path in DANGEROUS:
        action = world.path("/console" + path).removeprefix("/console")
        assert "password" in world.operator.form(world.operator.open(action), action).fields, path
        early = world.operator.form(pages[path], action)
        assert "password" not in early.fields, "the password was proved a moment ago"
        page = world.operator.submit(early, values)
        assert page.status == 403, path
        assert "Write your password" in page.text
        assert "password" in world.operator.form(page, action).fields
    assert server.command("audit", "list", "--limit", "1") == before, "nothing was done"
    form = world.operator.form(world.operator.open("/api-keys/new"), "/api-keys/new")
    assert world.operator.submit(form, {"name": "A key", "password": "wrong horse"}).status == 403
    page = world.operator.submit(form, {"name": "A key", "password": world.operator.password})
    server.canaries.add("API key", value_of(page, "API key"))
    assert world.operator.open("").status == 200, "the new cookie was given"


def test_U04_a_form_sent_several_times_at_once_is_done_once_and_calls_no_right_password_wrong(own_server):
    own_server.start()
    ada = Operator(own_server).join()
    own_server.restart(clock_offset=301)
    form = ada.form(ada.open("/api-keys/new"), "/api-keys/new")
    values = {"name": "A key", "password": ada.password}
    pages = together([lambda: ada.submit(form, values)] * 6)
    for page in pages:
        if page.status == 200:
            own_server.canaries.add("API key", value_of(page, "API key"))
    # Some come while another's password is looked at, some when the session has its new name already.
    statuses = sorted(page.status for page in pages)
    assert statuses.count(200) == 1, statuses
    assert set(statuses) <= {200, 401, 409, 503}, statuses
    assert not [page for page in pages if "is not right" in page.text]
    assert len(own_server.command("api-key", "list")) == 1


SECOND = "https://partner.example/second"


def mark(text: str) -> str:
    """By which a form says what it showed."""
    return base64.urlsafe_b64encode(hashlib.sha256(text.encode()).digest()[:12]).decode()


CHANGES = [
    ("/clients/new", {"name": "New", "redirect_uris": REDIRECT, "profile": "", "scopes": ""}),
    ("/clients/:id/edit", {"name": "Another name"}),
    ("/clients/:id/redirect-uris/add", {"uri": SECOND}),
    ("/clients/:id/redirect-uris/replace", {"was": mark(SECOND), "uri": "https://partner.example/third"}),
    ("/clients/:id/redirect-uris/remove", {"uri": REDIRECT}),
    ("/clients/:id/secret", {}),
    ("/clients/:id/old-secrets", {}),
    ("/clients/:id/disable", {}),
    ("/clients/:id/enable", {}),
    ("/connections/:id/cut", {}),
    ("/clients/:id/disconnect", {}),
    ("/accounts/:id/sessions", {}),
    ("/sessions/end", {}),
    ("/accounts/:id/disable", {}),
    ("/accounts/:id/enable", {}),
    ("/accounts/:id/password", {"new_password": "a new correct horse"}),
    ("/api-keys/new", {"name": "Another key"}),
    ("/api-keys/:id/revoke", {}),
    ("/keys/rotate", {}),
    ("/keys/replace", {}),
    ("/webhooks/:id/retry", {}),
    ("/accounts/:id/delete", {}),
    ("/clients/:id/delete", {}),
]


def test_U06_every_route_that_changes_something_writes_one_entry_of_who_did_it(changing_world):
    world, server = changing_world, changing_world.server
    assert {path for path, _ in CHANGES} == {
        path.removeprefix("/console") for method, path, access in routes() if method == "POST" and access == "operators"
    }
    Person(server, server.create_account()).connect(world.client)
    operator_id = next(
        one["operator_id"] for one in server.command("operator", "list") if one["email"] == world.operator.email
    )
    token = world.operator.token()
    for path, values in CHANGES:
        last = server.command("audit", "list", "--limit", "1")[0]["number"]
        once = base64.urlsafe_b64encode(secrets.token_bytes(16)).decode().rstrip("=")
        url = server.base + world.path("/console" + path)
        page = world.operator.request("POST", url, data=values | {"token": token, "once": once})
        assert page.status in (200, 303), f"{path}: {page!r}"
        told = [one for one in server.command("audit", "list", "--limit", "20") if one["number"] > last]
        assert len(told) == 1, f"{path}: {told}"
        assert (told[0]["actor"]["kind"], told[0]["actor"]["id"]) == ("operator", operator_id), path


def test_L07_no_get_changes_anything(changing_world):
    world, server = changing_world, changing_world.server
    eventually(lambda: {one["state"] for one in server.command("webhook", "list")} == {"delivered"}, 20)

    def rows() -> dict[str, list]:
        with sqlite3.connect(server.database.path) as database:
            tables = [name for (name,) in database.execute("select name from sqlite_master where type = 'table'")]
            # Gathered from what the customer did before, and written a moment later.
            kept = set(tables) - {"counters", "sqlite_sequence"}
            return {table: sorted(map(str, database.execute(f"select * from {table}"))) for table in kept}

    link = invite(server, "--name", "Previewed")
    before = rows()
    for _ in range(2):
        world.operator.visit(link)
        for method, pattern, _ in routes():
            if method == "GET":
                for who in (world.operator, world.reader, world.disabled, Person(server)):
                    who.request("GET", server.base + world.path(pattern))
    assert rows() == before


def test_U04_other_sites_scripts_are_told_nothing(world):
    headers = {
        "Origin": "https://evil.example",
        "Cookie": world.operator.cookie_header,
    }
    for path in ("/console", "/console/clients"):
        answer = send("GET", world.server.base + path, headers=headers)
        assert not [name for name in answer.headers if name.lower().startswith("access-control")]
        assert "script-src" not in answer.headers["Content-Security-Policy"]
        assert "frame-ancestors 'none'" in answer.headers["Content-Security-Policy"]


def test_an_error_of_the_console_is_english_throughout_and_leads_back_to_its_list(world):
    german = {"Accept-Language": "de"}
    home, ada, base = world.operator.home, world.operator, world.server.base
    for path, place in {
        "/accounts/x": "/accounts",
        "/clients/nobody": "/clients",
        "/connections/x/cut": "/connections",
        "/api-keys/x/revoke": "/api-keys",
        "/webhooks/x": "/webhooks",
        "/audit/0": "/audit",
    }.items():
        page = ada.request("GET", home + path, headers=german)
        assert page.status == 404
        assert "Go back to the list" in page.text
        assert '<html lang="en">' in page.html
        assert home + place in page.links, path
    others = [
        ada.request("GET", home + "/invitation?code=lko_x", headers=german),
        ada.request("POST", home + "/keys/rotate", data={"token": "wrong"}, headers=german),
        ada.request("GET", home + "/nowhere", headers=german),
    ]
    assert [page.status for page in others] == [410, 403, 404]
    for page in others:
        assert '<html lang="en">' in page.html, page
    assert '<html lang="de">' in Person(world.server).visit(base + "/account/sign-in", headers=german).html
