"""The operators' console over HTTP: who comes in, who may do what, and what forms do (security.md, 1B and 1M)."""

import base64
import hashlib
import re
import secrets
import sqlite3
from urllib.parse import urlsplit

import pytest

from toolkit.console import Operator, invite, routes, value_of
from toolkit.expect import eventually
from toolkit.person import Person
from toolkit.receiver import Receiver
from toolkit.wire import fire_together, form_shot, send

REDIRECT = "https://partner.example/callback"


def plain_client(server, name="Example partner"):
    return server.create_client("--redirect-uri", REDIRECT, "--scope", "locks.read", name=name)


class World:
    """A server with one of everything, and somebody of every role."""

    def __init__(self, server):
        self.server = server
        self.client = plain_client(server)
        self.account = server.create_account()
        self.customer = Person(server, self.account)
        self.customer.connect(self.client)
        self.connection = server.command("connection", "list", "--client", self.client.client_id)[0]["connection_id"]
        self.key = server.command("api-key", "create", "--name", "A program")
        server.canaries.add("API key", self.key["api_key"])
        self.event = server.command("webhook", "list", "--limit", "1")[0]["event_id"]
        self.entry = server.command("audit", "list", "--limit", "1")[0]["number"]
        self.operator = Operator(server, name="Full").join()
        self.reader = Operator(server, name="Reader", read_only=True).join()
        self.disabled = Operator(server, name="Gone").join()
        server.command("operator", "disable", self.disabled.email)

    def path(self, pattern: str) -> str:
        """A route's path with a real identifier in it."""
        subjects = {
            "clients": self.client.client_id,
            "connections": self.connection,
            "accounts": self.account.user_id,
            "api-keys": self.key["api_key_id"],
            "webhooks": self.event,
            "audit": str(self.entry),
        }
        return pattern.replace(":id", subjects.get(pattern.split("/")[2] if pattern.count("/") > 1 else "", "x"))


@pytest.fixture(scope="module")
def world(sqlite_server) -> World:
    return World(sqlite_server)


# U01, L11: how somebody becomes an operator


def test_U01_without_operators_the_console_says_which_command_to_run(own_server):
    own_server.start()
    page = Person(own_server).visit(own_server.base + "/console")
    assert page.status == 401
    assert "latchkey operator invite" in page.text
    assert not page.forms, "there is nothing to guess at"


def test_U01_an_invitation_lets_somebody_choose_a_password_and_in(own_server):
    own_server.start()
    ada = Operator(own_server).join()
    assert own_server.command("operator", "list")[0]["email"] == ada.email
    assert ada.visit(ada.link).status == 410, "the link worked once"
    again = Operator.__new__(Operator)
    again.__dict__ = dict(ada.__dict__) | {"cookies": {}}
    assert "Dashboard" in again.enter().text


def test_L11_of_twenty_parallel_uses_of_a_link_one_joins(own_server):
    own_server.start()
    link = invite(own_server, "--name", "Ada")
    shots = []
    for number in range(20):
        person = Person(own_server)
        form = person.visit(link).forms[0]
        values = form.fields | {
            "email": f"ada{number}@acme.example",
            "password": "correct horse 1",
            "again": "correct horse 1",
        }
        cookies = "; ".join(f"{name}={value}" for name, value in person.cookies.items())
        shots.append(form_shot(own_server.base, urlsplit(form.action).path, values, {"Cookie": cookies}))
    statuses = [answer.status for answer in fire_together(shots)]
    assert statuses.count(303) == 1, statuses
    assert set(statuses) <= {303, 410, 503}
    assert len(own_server.command("operator", "list")) == 1


def test_L11_the_link_begins_with_the_issuer_and_nothing_else(new_server):
    server = new_server(issuer="https://id.acme.example/auth")
    assert invite(server, "--name", "Ada").startswith("https://id.acme.example/auth/console/invitation?code=lko_")


@pytest.mark.parametrize("password", ["short", "password1", "x" * 1025])
def test_an_operators_password_follows_the_rule(sqlite_server, password):
    ada = Operator(sqlite_server)
    page = ada.visit(ada.link)
    done = ada.submit(page.forms[0], {"password": password, "again": password})
    assert done.status == 422
    assert ada.join(), "the link was not used up"


# L05, L06, L08: sessions


def test_L06_the_consoles_cookie_is_its_own_strict_and_not_for_scripts(new_server):
    server = new_server(issuer="https://id.acme.example")
    server.start()
    ada = Operator(server).join()
    assert "__Host-latchkey-console" in ada.cookies
    lines = [line for answer in ada.answers for line in answer.raw.headers.getlist("Set-Cookie") if "-console=" in line]
    for line in lines:
        assert all(word in line for word in ("Secure", "HttpOnly", "SameSite=Strict", "Path=/"))
        assert "Domain" not in line


def test_L05_the_session_id_changes_at_sign_in_and_at_a_new_proof(new_server):
    server = new_server()
    client = plain_client(server)
    server.start()
    ada = Operator(server).join()
    first = ada.cookies["latchkey-console"]
    server.restart(clock_offset=301)
    page = ada.open(f"/clients/{client.client_id}/secret")
    form = ada.form(page, f"/clients/{client.client_id}/secret")
    assert form.asks_for_password, "five minutes have passed"
    assert ada.submit(form, {"password": "not my password"}).status == 403
    assert ada.cookies["latchkey-console"] == first
    assert "client_secret" in ada.submit(form, {"password": ada.password}).text
    second = ada.cookies["latchkey-console"]
    assert second != first
    old = Person(server)
    old.cookies = {"latchkey-console": first}
    assert old.visit(server.base + "/console").status == 401


def test_L08_signing_out_ends_the_session_on_the_server(world):
    ada = Operator(world.server).join()
    stolen = dict(ada.cookies)
    page = ada.open("")
    ada.submit(ada.form(page, "/sign-out"))
    thief = Person(world.server)
    thief.cookies = stolen
    assert thief.visit(world.server.base + "/console").status == 401


def test_L08_idle_and_absolute_limits_are_the_servers(new_server):
    server = new_server()
    server.start()
    ada = Operator(server).join()
    server.restart(clock_offset=29 * 60)
    assert ada.open("").status == 200
    server.restart(clock_offset=58 * 60)
    assert ada.open("").status == 200, "it was used, and lasts longer"
    server.restart(clock_offset=90 * 60)
    assert ada.open("").status == 401
    ada.enter()
    server.restart(clock_offset=90 * 60 + 12 * 3600)
    assert ada.open("").status == 401


def test_L02_an_operators_sign_in_is_limited(world):
    ada = Operator(world.server).join()
    guesser = Person(world.server, source="127.0.9.1")
    form = guesser.visit(world.server.base + "/console").sign_in_form
    statuses = [guesser.submit(form, {"email": ada.email, "password": f"wrong horse {i}"}).status for i in range(13)]
    assert statuses[:9] == [422] * 9
    assert 429 in statuses
    assert "Dashboard" in ada.open("").text, "a session goes on"


@pytest.mark.parametrize(
    "wanted", ["//evil.example", "https://evil.example/", "/\\evil.example", "/console/../login", "/account"]
)
def test_L13_a_sign_in_leads_into_the_console_and_nowhere_else(world, wanted):
    ada = Operator(world.server).join()
    ada.cookies = {}
    form = ada.visit(ada.home).sign_in_form
    done = ada.submit(form, {"email": ada.email, "password": ada.password, "next": wanted})
    assert done.status == 303
    assert done.location == "/console"


# U02: the matrix


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


CHANGES = [
    ("/clients/new", {"name": "New", "redirect_uris": REDIRECT, "profile": "", "scopes": ""}),
    ("/clients/:id/edit", {"name": "Another name"}),
    ("/clients/:id/redirect-uris/add", {"uri": "https://partner.example/second"}),
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


HOSTILE_VALUES = [
    "\0",
    "a\0b",
    "-1",
    "0",
    "9223372036854775807",
    "9223372036854775808",
    "-9223372036854775808",
    "1" * 400,
    "9223372036854775807.c",
    "-9223372036854775808.con_" + "a" * 26,
    ".",
    "1.",
    "' or 1=1 --",
    "%",
    "\U0001d54a\u202e",
    "\ud7ff",
    "x" * 600,
]


def test_Z07_no_value_in_an_address_of_the_console_is_a_fault(server):
    ada = Operator(server).join()
    names = (
        "q",
        "before",
        "after",
        "client",
        "account",
        "subject",
        "actor",
        "action",
        "open",
        "span",
        "profile",
        "code",
    )
    for method, pattern, _ in routes():
        if method != "GET" or pattern.endswith("/sign-in"):
            continue
        for value in HOSTILE_VALUES:
            params = dict.fromkeys(names, value)
            page = ada.request("GET", server.base + pattern.replace(":id", "x"), params=params)
            assert page.status in (200, 400, 404, 410), f"{pattern} {value[:20]!r}: {page!r}"


def test_Z07_no_value_in_a_form_of_the_console_is_a_fault(server):
    ada = Operator(server).join()
    client = plain_client(server)
    token = ada.token()
    for value in HOSTILE_VALUES:
        once = base64.urlsafe_b64encode(secrets.token_bytes(16)).decode().rstrip("=")
        fields = {"token": token, "once": once}
        for path, names in {
            "/clients/new": ("name", "redirect_uris", "scopes"),
            f"/clients/{client.client_id}/edit": ("name", "scopes", "access_token_lifetime", "refresh", "consent"),
            f"/clients/{client.client_id}/redirect-uris/add": ("uri",),
            f"/clients/{client.client_id}/redirect-uris/remove": ("uri",),
            "/api-keys/new": ("name", "account", "scopes"),
        }.items():
            for name in names:
                page = ada.request("POST", f"{ada.home}{path}", data=fields | {"name": "N"} | {name: value})
                assert page.status in (200, 303, 404, 409, 422), f"{path} {name} {value[:20]!r}: {page!r}"
        for account in ("a\0@b.example", value + "@acme.example"):
            page = ada.request("POST", ada.home + "/api-keys/new", data=fields | {"name": "N", "account": account})
            assert page.status == 422, f"{account[:20]!r}: {page!r}"


def test_an_undo_fits_into_the_cookie_however_long_the_address_is(own_server):
    client = plain_client(own_server)
    own_server.start()
    ada = Operator(own_server).join()
    path, uri = f"/clients/{client.client_id}", "https://partner.example/" + "x" * 1_900
    form = ada.form(ada.open(path), path + "/redirect-uris/add")
    done = ada.submit(form, {"uri": uri})
    assert all(len(line) < 4096 for line in done.response.raw.headers.getlist("Set-Cookie"))
    page = ada.follow(done)
    undo = next(form for form in page.forms if form.action.endswith("/remove"))
    assert undo.fields["uri"] == uri, "the first form is the one behind Undo"
    ada.submit(undo)
    assert own_server.command("client", "show", client.client_id)["redirect_uris"] == [REDIRECT]


def test_U07_an_accounts_sessions_are_listed_and_everybody_is_signed_out_at_once(own_server):
    account = own_server.create_account()
    client = plain_client(own_server)
    own_server.start()
    people = [Person(own_server, account), Person(own_server, own_server.create_account())]
    tokens = [person.connect(client) for person in people]
    ada = Operator(own_server).join()
    page = ada.open(f"/accounts/{account.user_id}")
    assert "Unknown browser" in page.text
    assert "signed in nowhere" not in page.text
    assert "2 sessions ended" in ada.press("/sessions/end").text
    assert "signed in nowhere" in ada.open(f"/accounts/{account.user_id}").text
    assert all(person.visit(own_server.base + "/account").sign_in_form for person in people)
    assert all(client.refresh(one.refresh).status_code == 200 for one in tokens), "connections stay"
    assert ada.open("").status == 200, "operators stay"


def test_L11_an_invitation_can_be_taken_back(own_server):
    own_server.start()
    lost, other = invite(own_server, "--email", "eve@acme.example"), invite(own_server, "--name", "Somebody")
    assert own_server.command("operator", "withdraw", "eve@acme.example") == {"withdrawn": 1}
    assert Person(own_server).visit(lost).status == 410
    assert Person(own_server).visit(other).status == 200
    assert own_server.command("operator", "withdraw") == {"withdrawn": 1}
    assert Person(own_server).visit(other).status == 410


def test_U04_other_sites_scripts_are_told_nothing(world):
    headers = {
        "Origin": "https://evil.example",
        "Cookie": "; ".join(f"{n}={v}" for n, v in world.operator.cookies.items()),
    }
    for path in ("/console", "/console/clients"):
        answer = send("GET", world.server.base + path, headers=headers)
        assert not [name for name in answer.headers if name.lower().startswith("access-control")]
        assert "script-src" not in answer.headers["Content-Security-Policy"]
        assert "frame-ancestors 'none'" in answer.headers["Content-Security-Policy"]


# A-01 and the rest of what operators do


def test_A_01_create_new_connection_shows_id_secret_and_redirect_uri_once(own_server):
    own_server.start()
    ada = Operator(own_server).join()
    form = ada.form(ada.open("/clients/new?profile=seam"), "/clients/new")
    page = ada.submit(form, {"name": "Seam"})
    assert page.status == 200
    assert page.headers["Cache-Control"] == "no-store"
    client_id, secret = value_of(page, "client_id"), value_of(page, "client_secret")
    own_server.canaries.add("client secret", secret)
    assert re.fullmatch(r"lks_[\w-]{43}", secret)
    assert "https://connect.getseam.com/oauth/callback" in page.text
    assert own_server.command("client", "show", client_id)["partner"] == "seam"
    again = ada.submit(form, {"name": "Seam"})
    assert again.status == 409, "loading the page again makes nothing"
    assert secret not in again.html
    assert [each["name"] for each in own_server.command("client", "list")].count("Seam") == 1
    assert secret not in ada.open(f"/clients/{client_id}").html
    audit = own_server.command("audit", "list")
    made = next(entry for entry in audit if entry["action"] == "client.created")
    assert own_server.command("operator", "list")[0]["operator_id"] in str(made)


def test_what_only_the_operator_knows_of_a_profiles_redirect_uris_is_asked_for(own_server):
    own_server.start()
    ada = Operator(own_server).join()
    page = ada.open("/clients/new?profile=google-home")
    assert "oauth-redirect.googleusercontent.com/r/{project_id}" in page.text
    form = ada.form(page, "/clients/new")
    empty = ada.submit(form, {"name": "Google"})
    assert empty.status == 422
    assert "project_id" in empty.text
    said = {"value_project_id": "acme-locks", "scopes": "locks.read"}
    made = ada.submit(ada.form(empty, "/clients/new"), said)
    assert made.status == 200
    own_server.canaries.add("client secret", value_of(made, "client_secret"))
    assert "https://oauth-redirect.googleusercontent.com/r/acme-locks" in made.text
    shown = own_server.command("client", "show", value_of(made, "client_id"))
    assert shown["redirect_uris"] == [
        "https://oauth-redirect.googleusercontent.com/r/acme-locks",
        "https://oauth-redirect-sandbox.googleusercontent.com/r/acme-locks",
    ]
    assert shown["scopes"] == ["locks.read"], "the profile names none"


def test_a_wildcard_is_warned_of_where_it_is_made_and_can_be_pinned(own_server):
    own_server.start()
    ada = Operator(own_server).join()
    assert "any host below integrations.getseam.com" in ada.open("/clients/new").text
    page = ada.open("/clients/new?profile=seam-legacy")
    assert "pin the exact addresses" in page.text
    made = ada.submit(ada.form(page, "/clients/new"), {"name": "Seam"})
    own_server.canaries.add("client secret", value_of(made, "client_secret"))
    assert value_of(made, "client_id") == "seam"
    shown = ada.open("/clients/seam")
    assert "integrations.getseam.com" in shown.text
    assert "pin them here" in shown.text
    uri = "https://acme.integrations.getseam.com/callback"
    ada.press("/clients/seam", "/clients/seam/redirect-uris/add", uri=uri)
    pinned = own_server.command("client", "show", "seam")
    assert (pinned["redirect_uris"], pinned["redirect_hosts"]) == ([uri], [])
    assert "pin them here" not in ada.open("/clients/seam").text


def test_a_wrong_redirect_uri_is_told_and_nothing_is_made(own_server):
    own_server.start()
    ada = Operator(own_server).join()
    form = ada.form(ada.open("/clients/new?profile=none"), "/clients/new")
    page = ada.submit(form, {"name": "Partner", "redirect_uris": "http://partner.example/cb", "scopes": ""})
    assert page.status == 422
    assert "https" in page.text
    fields = ada.form(page, "/clients/new").fields
    assert fields["name"] == "Partner", "what was typed is kept"
    assert "Partner" not in [each["name"] for each in own_server.command("client", "list")]


def test_redirect_uris_are_added_and_removed_without_replacing_each_other(own_server):
    client = plain_client(own_server)
    own_server.start()
    ada = Operator(own_server).join()
    path = f"/clients/{client.client_id}"
    second = "https://staging.partner.example/callback"
    ada.press(path, path + "/redirect-uris/add", uri=second)
    assert own_server.command("client", "show", client.client_id)["redirect_uris"] == [REDIRECT, second]
    page = ada.open(path)
    removal = next(f for f in page.forms if f.action.endswith("/remove") and f.fields["uri"] == REDIRECT)
    done = ada.follow(ada.submit(removal))
    assert own_server.command("client", "show", client.client_id)["redirect_uris"] == [second]
    undo = next(form for form in done.forms if form.action.endswith("/add") and form.fields.get("uri") == REDIRECT)
    ada.submit(undo)
    assert sorted(own_server.command("client", "show", client.client_id)["redirect_uris"]) == sorted([REDIRECT, second])
    for uri in (REDIRECT, second):
        page = ada.open(path)
        last = ada.submit(next(f for f in page.forms if f.action.endswith("/remove") and f.fields["uri"] == uri))
    assert last.status == 422, "the last one stays"


def test_a_rotated_secret_is_shown_once_and_two_live_until_the_older_is_ended(own_server):
    client = plain_client(own_server)
    own_server.start()
    ada = Operator(own_server).join()
    path = f"/clients/{client.client_id}"
    form = ada.form(ada.open(path + "/secret"), path + "/secret")
    page = ada.submit(form)
    new = value_of(page, "client_secret")
    own_server.canaries.add("client secret", new)
    assert ada.submit(form).status == 409, "a page that is loaded again rotates nothing"

    def works(secret: str) -> bool:
        data = {
            "grant_type": "refresh_token",
            "refresh_token": "x",
            "client_id": client.client_id,
            "client_secret": secret,
        }
        return send("POST", own_server.base + "/oauth/token", data=data).json()["error"] == "invalid_grant"

    assert works(new)
    assert works(client.client_secret)
    ada.press(path + "/old-secrets")
    assert works(new)
    assert not works(client.client_secret)


def test_disabling_says_what_stops_and_can_be_undone(own_server):
    client = plain_client(own_server)
    own_server.start()
    for _ in range(2):
        Person(own_server, own_server.create_account()).connect(client)
    ada = Operator(own_server).join()
    path = f"/clients/{client.client_id}"
    assert "2 live connections of 2 accounts stop" in ada.open(path + "/disable").text
    done = ada.press(path + "/disable")
    assert own_server.command("client", "show", client.client_id)["disabled"]
    ada.submit(ada.form(done, path + "/enable"))
    assert not own_server.command("client", "show", client.client_id)["disabled"]


def test_cutting_one_and_cutting_all_end_the_tokens_at_once(own_server):
    client = plain_client(own_server)
    own_server.start()
    tokens = [Person(own_server, own_server.create_account()).connect(client) for _ in range(3)]
    ada = Operator(own_server).join()
    one = own_server.command("connection", "list")[0]["connection_id"]
    ada.press(f"/connections/{one}/cut")
    assert sum(client.refresh(each.refresh).status_code == 200 for each in tokens) == 2
    assert "2 live connections of 2 accounts end at once" in ada.open(f"/clients/{client.client_id}/disconnect").text
    ada.press(f"/clients/{client.client_id}/disconnect")
    assert not any(client.refresh(each.refresh).status_code == 200 for each in tokens)


def test_deleting_an_oauth_connection_says_what_it_cuts_and_ends_it_all(own_server):
    client = plain_client(own_server)
    own_server.start()
    tokens = [Person(own_server, own_server.create_account()).connect(client) for _ in range(2)]
    ada = Operator(own_server).join()
    path = f"/clients/{client.client_id}"
    asked = ada.open(path + "/delete")
    assert "2 live connections of 2 accounts" in asked.text
    assert "cannot be undone" in asked.text
    assert client.client_id in [each["client_id"] for each in own_server.command("client", "list")], "asking is no deed"
    ada.press(path + "/delete")
    assert client.client_id not in [each["client_id"] for each in own_server.command("client", "list")]
    for each in tokens:
        assert client.refresh(each.refresh).status_code == 401
        assert client.locks(each.access).status_code == 401
    assert own_server.command("connection", "list") == []


def test_U07_an_accounts_sessions_and_connections_are_shown_and_ended(own_server):
    account = own_server.create_account()
    client = plain_client(own_server, "Shown partner")
    own_server.start()
    browsers = [Person(own_server, account) for _ in range(2)]
    tokens = [browser.connect(client) for browser in browsers]
    ada = Operator(own_server).join()
    path = f"/accounts/{account.user_id}"
    page = ada.open(path)
    assert page.text.count("Unknown browser") == 2, "each session is shown"
    assert page.text.count("Shown partner") == 2
    done = ada.press(path + "/sessions")
    assert "2 sessions ended" in done.text
    for browser in browsers:
        assert browser.visit(own_server.base + "/account").sign_in_form, "the session is dead, whatever the cookie says"
    assert all(client.refresh(each.refresh).status_code == 200 for each in tokens), "connections stay"
    ended = own_server.command("audit", "list", "--action", "account.sessions_ended")
    assert [entry["subject"] for entry in ended] == [f"account:{account.user_id}"]
    cut = next(link for link in ada.open(path).links if link.endswith("/cut"))
    ada.press(cut.split("/console", 1)[1])
    assert sorted(client.refresh(each.refresh).status_code for each in tokens) == [200, 400]


def test_an_account_is_found_disabled_and_signed_out(own_server):
    account = own_server.create_account(name="Zoe Quinn")
    client = plain_client(own_server)
    own_server.start()
    person = Person(own_server, account)
    tokens = person.connect(client)
    ada = Operator(own_server).join()
    for typed in ("zoe", account.email[:8], account.user_id):
        assert account.email in ada.visit(f"{ada.home}/accounts?q={typed}").text
    path = f"/accounts/{account.user_id}"
    assert "1 live connection stops" in ada.open(path + "/disable").text
    done = ada.press(path + "/disable")
    assert client.refresh(tokens.refresh).status_code == 400
    ada.submit(ada.form(done, path + "/enable"))
    assert client.refresh(tokens.refresh).status_code == 200
    page = ada.press(path + "/password", new_password="a new correct horse")
    assert page.status == 200
    own_server.canaries.add("password", "a new correct horse")
    account.password = "a new correct horse"
    Person(own_server, account).connect(client)
    ada.press(path + "/delete")
    assert own_server.command("account", "list") == []


def test_an_api_key_is_shown_once_and_revoked(own_server):
    own_server.start()
    ada = Operator(own_server).join()
    form = ada.form(ada.open("/api-keys/new"), "/api-keys/new")
    page = ada.submit(form, {"name": "Importer", "scopes": "locks.read"})
    key = value_of(page, "API key")
    own_server.canaries.add("API key", key)
    assert key.startswith("lkk_")
    assert ada.submit(form, {"name": "Importer"}).status == 409
    listed = own_server.command("api-key", "list")
    assert [each["name"] for each in listed] == ["Importer"]
    assert key not in ada.open("/api-keys").html
    ada.press(f"/api-keys/{listed[0]['api_key_id']}/revoke")
    assert "revoked" in ada.open("/api-keys").text


def test_a_signing_key_is_rotated_after_a_confirmation(own_server):
    own_server.start()
    ada = Operator(own_server).join()
    before = len(own_server.command("key", "list"))
    ada.press("/keys/rotate")
    assert len(own_server.command("key", "list")) == before + 1
    assert "published" in ada.open("/keys").text


def test_M07_a_signing_key_in_wrong_hands_is_replaced_at_once(own_server):
    client = plain_client(own_server)
    own_server.start()
    connected = Person(own_server, own_server.create_account()).connect(client)
    old = {key["kid"] for key in send("GET", own_server.base + "/oauth/jwks").json()["keys"]}
    ada = Operator(own_server).join()
    assert "cannot be undone" in ada.open("/keys/replace").text
    ada.press("/keys/replace")
    new = {key["kid"] for key in send("GET", own_server.base + "/oauth/jwks").json()["keys"]}
    assert new
    assert not new & old, "no old key is published"
    assert client.introspect(connected.access) == {"active": False}
    assert client.locks(connected.access).status_code == 401
    later = client.refreshed(connected.refresh)
    assert client.introspect(later.access)["active"], "connections outlive the key"


def following_pages(page) -> list[str]:
    return [link for link in page.links if "after=" in link and "#" not in link]


def test_lists_have_pages_whose_last_one_is_reached(own_server):
    names = [f"Partner {number}" for number in range(53)]
    for name in names:
        plain_client(own_server, name)
    own_server.start()
    ada = Operator(own_server).join()
    page = ada.open("/clients")
    (following,) = following_pages(page)
    seen = page.text
    page = ada.visit(following)
    assert all(name in seen or name in page.text for name in names)
    assert not following_pages(page), "that was the last page"
    found = ada.visit(ada.home + "/clients?q=partner+52")
    assert "Partner 52" in found.text
    assert "Partner 51" not in found.text


def test_Z07_a_search_is_text_and_no_statement(world):
    for typed in ("'", '" or 1=1 --', "%", "_", "\\", "a" * 5000, "\0", "𝕊"):
        page = world.operator.request("GET", world.operator.home + "/accounts", params={"q": typed})
        assert page.status in (200, 400, 414), typed[:10]
