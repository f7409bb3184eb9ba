"""How somebody becomes an operator of the console, comes in and goes (security.md U01, L02 to L13)."""

import sqlite3
from urllib.parse import urlsplit

import pytest

from toolkit.console import Operator, invite, value_of
from toolkit.console_world import plain_client
from toolkit.expect import check_guesses, check_one_line_error
from toolkit.person import Person
from toolkit.wire import fire_together, form_shot


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
        cookies = person.cookie_header
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


@pytest.mark.parametrize("address", ["ada lovelace@acme.example", "ada@.example", "ada@acme..example", "ada@acme."])
def test_an_operators_address_follows_the_command_lines_rule(sqlite_server, address):
    words = ("operator", "invite", "--issuer", sqlite_server.issuer)
    check_one_line_error(sqlite_server.run(*words, "--email", address), "not an e-mail address")
    ada = Person(sqlite_server)
    form = ada.visit(invite(sqlite_server, "--name", "Ada")).forms[0]
    values = {"password": "correct horse 1", "again": "correct horse 1"}
    done = ada.submit(form, values | {"email": address})
    assert done.status == 422
    assert "Write the e-mail address" in done.text
    done = ada.submit(form, values | {"email": f"ada.{len(address)}@acme.example"})
    assert done.status == 303, "the link still works"


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


def test_L08_a_session_that_cannot_be_written_still_holds_for_as_long_as_it_does(new_server):
    server = new_server()
    server.start()
    ada = Operator(server).join()
    server.restart(clock_offset=16 * 60)
    lock = sqlite3.connect(server.database.path, isolation_level=None)
    lock.execute("begin immediate")
    assert ada.open("/audit").status == 200, "who looks at it now would make it last longer"
    lock.close()


def test_L08_a_form_that_comes_after_the_session_is_told_so_and_its_page_comes_back(new_server):
    server = new_server()
    client, account = plain_client(server), server.create_account()
    server.start()
    ada = Operator(server).join()
    one, person = f"/clients/{client.client_id}", f"/accounts/{account.user_id}"
    forms = {
        place: ada.form(ada.open(place), action)
        for place, action in [
            (one, one + "/redirect-uris/add"),
            (one + "/edit", one + "/edit"),
            (person + "/disable", person + "/disable"),
        ]
    }
    sign_out = ada.form(ada.open(""), "/sign-out")
    server.restart(clock_offset=31 * 60)
    assert "What you sent" not in ada.open(one).text, "nothing was sent"
    assert "What you sent" not in ada.submit(sign_out).text, "signed out is what it wanted"
    assert "latchkey-console" not in ada.cookies
    for place, form in forms.items():
        page = ada.submit(form, {"uri": "https://partner.example/second"})
        assert page.status == 401
        assert "You are not signed in any more. What you sent was not done now." in page.text
        assert "If you sent it twice, the first may have been done: look before you send it again." in page.text
        assert page.sign_in_form.fields["next"] == "/console" + place
    done = ada.submit(page.sign_in_form, {"email": ada.email, "password": ada.password})
    assert (done.status, done.location) == (303, f"/console{person}/disable")
    assert "Disable Ada Lovelace?" in ada.follow(done).text
    assert "What you sent" not in ada.open(one).text


def test_L02_an_operators_sign_in_is_limited(world):
    ada = Operator(world.server).join()
    guesser = Person(world.server, source="127.0.9.1")
    form = guesser.visit(world.server.base + "/console").sign_in_form
    statuses = [guesser.submit(form, {"email": ada.email, "password": f"wrong horse {i}"}).status for i in range(13)]
    check_guesses(statuses, 422, free=9)
    assert "Dashboard" in ada.open("").text, "a session goes on"


def test_L02_guesses_of_others_do_not_keep_a_signed_in_operator_from_proving_the_password(own_server):
    own_server.start()
    ada = Operator(own_server).join()
    own_server.restart(clock_offset=301)
    # Whoever has a session is known by that, in whatever browser.
    del ada.cookies["latchkey-device"]
    guesser = Person(own_server, source="127.0.9.2")
    form = guesser.visit(own_server.base + "/console").sign_in_form
    for number in range(13):
        guesser.submit(form, {"email": ada.email, "password": f"wrong horse {number}"})
    page = ada.press("/api-keys/new", name="A key")
    assert page.status == 200, page
    own_server.canaries.add("API key", value_of(page, "API key"))


def test_L02_an_operators_own_wrong_proofs_are_limited_and_the_wait_is_told(own_server):
    own_server.start()
    ada = Operator(own_server).join()
    own_server.restart(clock_offset=301)
    form = ada.form(ada.open("/api-keys/new"), "/api-keys/new")
    pages = [ada.submit(form, {"name": "A key", "password": f"wrong horse {number}"}) for number in range(13)]
    check_guesses([page.status for page in pages], 403, free=9)
    blocked = next(page for page in pages if page.status == 429)
    assert "There were too many tries." in blocked.text
    assert int(blocked.response.headers["Retry-After"]) >= 1
    assert not own_server.command("api-key", "list")


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


def test_L11_an_invitation_can_be_taken_back(own_server):
    own_server.start()
    lost, other = invite(own_server, "--email", "eve@acme.example"), invite(own_server, "--name", "Somebody")
    assert own_server.command("operator", "withdraw", "eve@acme.example") == {"withdrawn": 1}
    assert Person(own_server).visit(lost).status == 410
    assert Person(own_server).visit(other).status == 200
    assert own_server.command("operator", "withdraw") == {"withdrawn": 1}
    assert Person(own_server).visit(other).status == 410
