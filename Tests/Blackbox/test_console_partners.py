"""Partners' applications in the console: made, changed, disabled, cut and deleted (partners.md A-01)."""

import json
import re
import sqlite3

import pytest

from toolkit.console import Operator, value_of
from toolkit.console_world import REDIRECT, plain_client
from toolkit.person import Person
from toolkit.wire import send


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
    assert "if it was not kept, give the connection a new one" in again.text
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


def test_scopes_with_a_comma_between_them_are_told_and_nothing_is_made_or_changed(own_server):
    client = own_server.create_client("--partner", "seam").client_id
    own_server.start()
    before = own_server.command("client", "list")
    ada = Operator(own_server).join()
    form = ada.form(ada.open("/clients/new?profile=none"), "/clients/new")
    said = {"name": "Partner", "redirect_uris": REDIRECT, "scopes": "locks.read,locks.write"}
    edited = ada.press(f"/clients/{client}/edit", scopes=said["scopes"])
    for page in (ada.submit(form, said), edited):
        assert (page.status, "holds a comma" in page.text) == (422, True), page.text
    assert own_server.command("client", "list") == before
    assert own_server.command("client", "show", client)["scopes"] == ["locks.read", "locks.write"]


def test_a_client_that_acts_for_nobody_has_no_redirect_uris_to_add_and_no_consent(own_server):
    robot = own_server.create_client("--grant", "client_credentials", "--scope", "locks.read", name="Robot")
    web = own_server.create_client("--partner", "seam")
    own_server.start()
    operator = Operator(own_server).join()
    absent = ("Redirect URIs", "Refresh tokens", "Consent")
    text = operator.open(f"/clients/{robot.client_id}").text
    assert "client_credentials" in text
    assert not [words for words in absent if words in text], text
    text = operator.open(f"/clients/{web.client_id}").text
    assert all(words in text for words in absent), text


def test_scopes_that_are_emptied_are_none(new_server):
    server = new_server(environment={"LATCHKEY_SCOPES": "locks.read,locks.write"})
    server.start()
    ada = Operator(server).join()
    form = ada.form(ada.open("/clients/new?profile=none"), "/clients/new")
    assert "locks.read" in form.fields["scopes"], "all of them are offered"
    made = ada.submit(form, {"name": "Partner", "redirect_uris": REDIRECT, "scopes": ""})
    server.canaries.add("client secret", value_of(made, "client_secret"))
    assert "no scope" in made.text, "and that is told"
    assert server.command("client", "show", value_of(made, "client_id"))["scopes"] == []


def scopeless(server, ada: Operator) -> str:
    """The client_id of a connection without a profile that may ask for no scope."""
    form = ada.form(ada.open("/clients/new?profile=none"), "/clients/new")
    made = ada.submit(form, {"name": "Partner", "redirect_uris": REDIRECT, "scopes": ""})
    server.canaries.add("client secret", value_of(made, "client_secret"))
    return value_of(made, "client_id")


def changed(ada: Operator, client_id: str, **values: str):
    """The page after a change in the edit form, with the form behind its Undo."""
    path = f"/clients/{client_id}/edit"
    page = ada.press(path, **values)
    return page, ada.form(page, path)


def stored(server, client_id: str) -> dict:
    """What is stored of a client: None is what follows the profile or the settings."""
    with sqlite3.connect(server.database.path) as database:
        (text,) = database.execute("select registration from clients where client_id = ?", (client_id,)).fetchone()
    return json.loads(text)


def test_a_client_that_may_ask_for_no_scope_keeps_to_that_when_it_is_renamed(new_server):
    server = new_server(environment={"LATCHKEY_SCOPES": "locks.read,locks.write"})
    server.start()
    ada = Operator(server).join()
    client_id = scopeless(server, ada)
    _, undo = changed(ada, client_id, name="Renamed")
    shown = server.command("client", "show", client_id)
    assert (shown["name"], shown["scopes"]) == ("Renamed", [])
    ada.submit(undo)
    shown = server.command("client", "show", client_id)
    assert (shown["name"], shown["scopes"]) == ("Partner", [])
    assert "Empty: it may ask for no scope." in ada.open(f"/clients/{client_id}/edit").text


def test_undoing_a_change_of_scopes_brings_back_none_and_all_as_they_were(new_server):
    server = new_server(environment={"LATCHKEY_SCOPES": "locks.read,locks.write"})
    every = server.create_client("--redirect-uri", REDIRECT, name="Asks for all").client_id
    profiled = server.create_client("--partner", "seam", name="Seam").client_id
    server.start()
    ada = Operator(server).join()
    none = scopeless(server, ada)
    for client_id, emptied in ((none, []), (every, []), (profiled, None)):
        before = stored(server, client_id).get("scopes")
        _, undo = changed(ada, client_id, scopes="locks.read")
        assert stored(server, client_id)["scopes"] == ["locks.read"]
        ada.submit(undo)
        assert stored(server, client_id).get("scopes") == before, "as it was, and pinned to nothing"
        changed(ada, client_id, scopes="locks.read")
        _, undo = changed(ada, client_id, scopes="")
        assert stored(server, client_id).get("scopes") == emptied
        ada.submit(undo)
        assert stored(server, client_id)["scopes"] == ["locks.read"]


def test_all_known_scopes_can_be_taken_from_a_client_at_once_and_come_back_as_all(new_server):
    server = new_server(environment={"LATCHKEY_SCOPES": "locks.read,locks.write"})
    every = server.create_client("--redirect-uri", REDIRECT, name="Asks for all").client_id
    server.start()
    ada = Operator(server).join()
    path = f"/clients/{every}/edit"
    assert ada.form(ada.open(path), path).fields["scopes"] == "locks.read locks.write", "what it may ask for"
    changed(ada, every, name="Renamed")
    assert "scopes" not in stored(server, every), "a field that nobody touched pins nothing"
    _, undo = changed(ada, every, scopes="")
    assert stored(server, every)["scopes"] == []
    ada.submit(undo)
    assert "scopes" not in stored(server, every), "all that the settings name, tomorrow too"


def edited_by_two(server) -> tuple[str, str, Operator, Operator]:
    """A connection that may ask for two scopes, the path of its edit page, and two operators."""
    scopes = ("--scope", "locks.read", "--scope", "locks.write")
    client_id = server.create_client("--redirect-uri", REDIRECT, *scopes, name="Partner").client_id
    server.start()
    return client_id, f"/clients/{client_id}/edit", Operator(server).join(), Operator(server).join()


def test_an_old_edit_page_does_not_bring_back_what_another_operator_took_away(own_server):
    client_id, path, ada, grace = edited_by_two(own_server)
    old = ada.form(ada.open(path), path)
    changed(grace, client_id, scopes="locks.read")
    page = ada.follow(ada.submit(old, {"name": "Renamed"}))
    shown = own_server.command("client", "show", client_id)
    assert (shown["name"], shown["scopes"]) == ("Renamed", ["locks.read"])
    changed(grace, client_id, access_token_lifetime="600")
    ada.submit(ada.form(page, path))
    shown = own_server.command("client", "show", client_id)
    assert (shown["name"], shown["scopes"]) == ("Partner", ["locks.read"]), "Undo undoes what was done, and no more"
    assert shown["access_token_lifetime"] == 600


def test_a_field_that_two_operators_change_is_told_to_the_second_one(own_server):
    client_id, path, ada, grace = edited_by_two(own_server)
    old = ada.form(ada.open(path), path)
    _, undo = changed(grace, client_id, scopes="locks.read")
    refused = ada.submit(old, {"name": "Renamed", "scopes": "locks.write"})
    assert refused.status == 409
    assert "changed meanwhile by somebody else: Scopes" in refused.text
    shown = own_server.command("client", "show", client_id)
    assert (shown["name"], shown["scopes"]) == ("Partner", ["locks.read"]), "nothing of it is saved"
    again = ada.form(refused, path)
    assert again.fields["scopes"] == "locks.read", "the form shows what there is now"
    assert ada.submit(again, {"scopes": "locks.write"}).status == 303
    assert own_server.command("client", "show", client_id)["scopes"] == ["locks.write"]
    assert grace.submit(undo).status == 409, "an Undo replaces what it was shown for, and nothing newer"
    assert own_server.command("client", "show", client_id)["scopes"] == ["locks.write"]
    # Both want the same: nobody is refused.
    old = ada.form(ada.open(path), path)
    changed(grace, client_id, scopes="locks.read")
    assert ada.submit(old, {"scopes": "locks.read"}).status == 303


def test_a_wrong_value_keeps_what_was_typed_and_what_the_page_showed_first(own_server):
    client = plain_client(own_server)
    own_server.start()
    ada, grace = Operator(own_server).join(), Operator(own_server).join()
    path = f"/clients/{client.client_id}/edit"
    wrong = ada.submit(ada.form(ada.open(path), path), {"name": "Renamed", "access_token_lifetime": "long"})
    assert wrong.status == 422
    assert "whole number of seconds" in wrong.text
    told = r'id="access_token_lifetime"[^>]* aria-invalid="true" aria-describedby="access_token_lifetime-hint problem"'
    assert re.search(told, wrong.html), "it is read out with the field that it is about"
    form = ada.form(wrong, path)
    assert (form.fields["name"], form.fields["access_token_lifetime"]) == ("Renamed", "long")
    changed(grace, client.client_id, name="Another")
    assert ada.submit(form, {"access_token_lifetime": "600"}).status == 409


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


def test_a_lifetime_that_ends_connections_unannounced_is_warned_of(own_server):
    own_server.create_client("--partner", "seam-legacy", name="Seam legacy")
    own_server.start()
    ada = Operator(own_server).join()
    assert "unannounced" not in ada.open("/clients/seam").text
    page, _ = changed(ada, "seam", access_token_lifetime="3600")
    assert "Each connection ends unannounced after 1 hour." in page.text
    assert "token_response name refresh_token and give it the grant refresh_token too" in page.text
    assert "Edit sets another lifetime." in page.text
    alone = own_server.create_client("--redirect-uri", REDIRECT, "--grant", "authorization_code", name="Reports")
    assert "give it the grant refresh_token too" in ada.open(f"/clients/{alone.client_id}").text


def test_A_01_the_one_redirect_uri_that_a_profile_allows_is_replaced(own_server):
    client = own_server.create_client("--partner", "seamless", "--redirect-uri", REDIRECT, name="Reports")
    own_server.start()
    ada = Operator(own_server).join()
    path = f"/clients/{client.client_id}"
    action, second = path + "/redirect-uris/replace", "https://staging.partner.example/callback"
    page = ada.open(path)
    assert not [form for form in page.forms if form.action.endswith(("/add", "/remove"))]
    shown = ada.form(page, action)
    done = ada.press(path, action, uri=second)
    assert own_server.command("client", "show", client.client_id)["redirect_uris"] == [second]
    late = ada.submit(shown, {"uri": "https://third.partner.example/callback"})
    assert late.status == 422
    assert "changed meanwhile by somebody else" in late.text
    assert not [form for form in late.forms if form.action.endswith("/replace")], "it is looked at first"
    wrong = ada.press(path, action, uri="http://partner.example/callback")
    assert wrong.status == 422
    assert ada.form(wrong, action).fields["uri"] == "http://partner.example/callback", "what was typed is kept"
    undo = next(form for form in done.forms if form.fields.get("uri") == REDIRECT)
    assert ada.submit(undo).status == 303
    assert own_server.command("client", "show", client.client_id)["redirect_uris"] == [REDIRECT]


def test_a_redirect_uri_with_a_mistake_is_mended_where_it_is_refused(own_server):
    client = plain_client(own_server)
    own_server.start()
    ada = Operator(own_server).join()
    path, mended = f"/clients/{client.client_id}", "https://partner.example/mended"
    for wrong in ("http://partner.example/mended", REDIRECT):
        page = ada.press(path, path + "/redirect-uris/add", uri=wrong)
        assert page.status == 422
        form = ada.form(page, path + "/redirect-uris/add")
        assert form.fields["uri"] == wrong, "what was typed is kept"
    assert "is one of them already" in page.text
    assert "Added" in ada.follow(ada.submit(form, {"uri": mended})).text
    assert own_server.command("client", "show", client.client_id)["redirect_uris"] == [REDIRECT, mended]


def redirects(server, client_id: str) -> tuple[list[str], list[str]]:
    shown = server.command("client", "show", client_id)
    return shown["redirect_uris"], shown["redirect_hosts"]


def test_undoing_the_first_redirect_uri_lets_the_profile_say_them_again(own_server):
    seam = own_server.create_client("--partner", "seam", name="Seam").client_id
    legacy = own_server.create_client("--partner", "seam-legacy", name="Seam legacy").client_id
    own_server.start()
    ada = Operator(own_server).join()
    uri = "https://acme.integrations.getseam.com/callback"
    for client_id in (legacy, seam):
        before = redirects(own_server, client_id)
        path = f"/clients/{client_id}"
        done = ada.press(path, path + "/redirect-uris/add", uri=uri)
        pinned = redirects(own_server, client_id)
        assert (uri in pinned[0], pinned[1]) == (True, [])
        undone = ada.follow(ada.submit(next(form for form in done.forms if form.action.endswith("/remove"))))
        assert undone.status == 200
        assert redirects(own_server, client_id) == before
        audit = own_server.command("audit", "list", "--limit", "1")[0]
        assert "redirect_uris" not in audit["after"], "it follows the profile again"
        ada.submit(next(form for form in undone.forms if form.action.endswith("/add") and form.fields["uri"] == uri))
        assert redirects(own_server, client_id) == pinned, "and an Undo of the Undo pins it again"


def test_undoing_a_redirect_uri_leaves_those_that_came_meanwhile(own_server):
    own_server.create_client("--partner", "seam-legacy", name="Seam legacy")
    own_server.start()
    ada = Operator(own_server).join()
    path, first, second = (
        "/clients/seam",
        "https://a.integrations.getseam.com/cb",
        "https://b.integrations.getseam.com/cb",
    )
    done = ada.press(path, path + "/redirect-uris/add", uri=first)
    ada.press(path, path + "/redirect-uris/add", uri=second)
    ada.submit(next(form for form in done.forms if form.action.endswith("/remove") and form.fields["uri"] == first))
    assert redirects(own_server, "seam") == ([second], [])


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
        person = Person(own_server, own_server.create_account())
        person.connect(client)
    ada = Operator(own_server).join()
    path = f"/clients/{client.client_id}"
    assert "2 live connections of 2 accounts stop" in ada.open(path + "/disable").text
    done = ada.press(path + "/disable")
    assert own_server.command("client", "show", client.client_id)["disabled"]
    told = person.visit(client.authorize_url())
    assert (told.status, told.leaves) == (400, False)
    assert "does not let it connect accounts at the moment" in told.text
    ada.submit(ada.form(done, path + "/enable"))
    assert not own_server.command("client", "show", client.client_id)["disabled"]


def with_own_profile(new_server, tmp_path):
    """A server with a client of a profile of its own, and the profile's file."""
    folder = tmp_path / "partners"
    folder.mkdir()
    profile = folder / "acme.yaml"
    profile.write_text(
        "id: acme\nname: Acme\nsources: { A1: Acme }\nrules: { redirect_uris: [https://acme.example/callback] }\n"
    )
    server = new_server("sqlite", options=("--partners", str(folder)))
    options = ("--partner", "acme", "--scope", "locks.read", "--partners", str(folder))
    return server, server.create_client(*options, name="Lock partner", proves=True), profile


def test_an_application_that_cannot_be_used_keeps_its_name(new_server, tmp_path):
    server, client, profile = with_own_profile(new_server, tmp_path)
    account = server.create_account()
    person = Person(server, account)
    server.start()
    person.connect(client)
    connection = server.command("connection", "list")[0]["connection_id"]
    profile.unlink()
    server.restart()
    refused = person.visit(client.authorize_url())
    assert refused.status == 503
    assert "Your connections keep working" not in refused.text
    ada = Operator(server).join()
    for state in ("unusable", "unusable, disabled"):
        for path in ("/clients", f"/clients/{client.client_id}"):
            assert f">{state}</span>" in ada.open(path).html, "the list and the page say the same"
        pages = [
            ada.open("/connections"),
            ada.open(f"/connections?client={client.client_id}"),
            ada.open(f"/connections/{connection}"),
            ada.open(f"/connections/{connection}/cut"),
            ada.open(f"/accounts/{account.user_id}"),
            ada.open(f"/debugger?client={client.client_id}"),
            person.visit(server.base + "/account"),
        ]
        for page in pages:
            assert page.status == 200
            assert "Lock partner" in page.text, page
            assert client.client_id not in page.text, page
        if state == "unusable":
            ada.press(f"/clients/{client.client_id}/disable")


def test_a_connection_that_cannot_be_used_is_promised_nothing(new_server, tmp_path):
    server, client, profile = with_own_profile(new_server, tmp_path)
    profile.unlink()
    server.start()
    ada = Operator(server).join()
    path = f"/clients/{client.client_id}"
    page = ada.open(path)
    assert "no partner profile 'acme'" in page.text
    assert not [link for link in page.links if link.endswith(("/secret", "/edit"))]
    unsaved = ada.open(path + "/edit")
    assert unsaved.status == 422
    assert "cannot be edited before that is mended" in unsaved.text
    assert not [form for form in unsaved.forms if form.action.endswith("/edit")]
    asked = ada.open(path + "/secret")
    assert asked.status == 422
    assert "gets no new secret before that is mended" in asked.text
    assert not [form for form in asked.forms if form.action.endswith("/secret")]
    ada.press(path + "/disable")
    enabled = ada.press(path, path + "/enable")
    assert "is enabled, but cannot be used before it is mended" in enabled.text
    told = server.run("client", "enable", client.client_id)
    assert "cannot be used" in told.stdout
    assert "work again" not in told.stdout


@pytest.mark.parametrize("client_id", ["new", ".", ".."])
def test_a_client_whose_id_means_something_in_an_address_has_its_page(new_server, client_id):
    server = new_server("sqlite")
    server.create_client("--redirect-uri", REDIRECT, "--scope", "locks.read", "--id", client_id, name="Odd one")
    server.start()
    ada = Operator(server).join()
    link = next(link for link in ada.open("/clients").links if "/clients/=" in link)
    page = ada.visit(link)
    assert value_of(page, "client_id") == client_id
    path = link.removeprefix(ada.home)
    edited, _ = changed(ada, path.removeprefix("/clients/"), name="Renamed")
    assert "Renamed" in edited.text
    assert server.command("client", "show", client_id)["name"] == "Renamed"
    assert "Create New Connection" in ada.open("/clients/new").text


def test_a_connection_without_scopes_says_so(own_server):
    client = own_server.create_client("--redirect-uri", "https://partner.example/callback", name="Modest partner")
    person = Person(own_server, own_server.create_account())
    own_server.start()
    person.connect(client)
    connection = own_server.command("connection", "list", "--client", client.client_id)[0]["connection_id"]
    assert value_of(Operator(own_server).join().open(f"/connections/{connection}"), "Scopes") == "none"


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


def following_pages(page) -> list[str]:
    return [link for link in page.links if "after=" in link and "#" not in link]


def test_lists_have_pages_whose_last_one_is_reached(own_server):
    # The one that is searched for ends in a 0, which no made id has: ids are searched by their beginnings too.
    names = [f"Partner {number}" for number in range(28, 81)]
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
    beyond = ada.open("/clients?after=0.x")
    assert "There is nothing more here" in beyond.text
    assert "There are no OAuth connections yet" not in beyond.text
    assert "First page" in beyond.text
    found = ada.visit(ada.home + "/clients?q=partner+80")
    assert "Partner 80" in found.text
    assert "Partner 79" not in found.text
