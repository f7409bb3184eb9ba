"""Keys in the console: those of programs, and those that sign tokens (security.md M07)."""

import re

import pytest

from toolkit.console import Operator, value_of
from toolkit.console_world import plain_client
from toolkit.person import Person
from toolkit.wire import send


def test_an_api_key_is_shown_once_and_revoked(own_server):
    own_server.start()
    ada = Operator(own_server).join()
    form = ada.form(ada.open("/api-keys/new"), "/api-keys/new")
    page = ada.submit(form, {"name": "Importer", "scopes": "locks.read"})
    key = value_of(page, "API key")
    own_server.canaries.add("API key", key)
    assert key.startswith("lkk_")
    again = ada.submit(form, {"name": "Importer"})
    assert again.status == 409
    assert "if it was not kept, make another one and revoke this one" in again.text
    listed = own_server.command("api-key", "list")
    assert [each["name"] for each in listed] == ["Importer"]
    assert key not in ada.open("/api-keys").html
    beyond = ada.open(f"/api-keys?after=1.{listed[0]['api_key_id']}")
    assert "There is nothing more here" in beyond.text
    assert "Importer" not in beyond.text, "a later page does not begin again at the first key"
    ada.press(f"/api-keys/{listed[0]['api_key_id']}/revoke")
    assert "revoked" in ada.open("/api-keys").text


@pytest.mark.parametrize(("field", "value"), [("name", "x" * 201), ("scopes", 'locks"read')])
def test_what_is_wrong_with_a_new_api_key_is_told_at_its_field(server, field, value):
    ada = Operator(server).join()
    form = ada.form(ada.open("/api-keys/new"), "/api-keys/new")
    page = ada.submit(form, {"name": "Importer"} | {field: value})
    assert page.status == 422
    (wrong,) = re.findall(r"<input[^>]* aria-invalid=[^>]*>", page.html)
    assert f'name="{field}"' in wrong
    assert re.search(r'aria-describedby="[^"]*problem"', wrong)


def test_a_signing_key_is_rotated_after_a_confirmation(own_server):
    own_server.start()
    ada = Operator(own_server).join()
    before = len(own_server.command("key", "list"))
    form = ada.form(ada.open("/keys/rotate"), "/keys/rotate")
    assert ada.submit(form).status == 303
    again = ada.submit(form)
    assert again.status == 409
    assert "shown once" not in again.text, "no signing key is ever shown"
    assert "Look there before you send it again." in again.text
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
