"""Nothing that is typed into the console is a fault (security.md Z07)."""

import base64
import secrets

from toolkit.console import Operator, routes
from toolkit.console_world import REDIRECT, plain_client

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
            f"/clients/{client.client_id}/redirect-uris/replace": ("uri", "was"),
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


def test_an_undo_fits_into_the_cookie_however_many_scopes_there_are(own_server):
    scopes = [f"locks.{number:03}.{'x' * 40}" for number in range(39)]
    words = [word for scope in scopes for word in ("--scope", scope)]
    client = own_server.create_client("--redirect-uri", REDIRECT, *words, name="Partner")
    own_server.start()
    ada = Operator(own_server).join()
    path = f"/clients/{client.client_id}/edit"
    page = ada.press(path, scopes=" ".join(reversed(scopes[1:])))
    assert len(own_server.command("client", "show", client.client_id)["scopes"]) == len(scopes) - 1
    ada.submit(ada.form(page, path))
    assert sorted(own_server.command("client", "show", client.client_id)["scopes"]) == scopes


def test_Z07_a_search_is_text_and_no_statement(world):
    for typed in ("'", '" or 1=1 --', "%", "_", "\\", "a" * 5000, "\0", "𝕊"):
        page = world.operator.request("GET", world.operator.home + "/accounts", params={"q": typed})
        assert page.status in (200, 400, 414), typed[:10]
