"""API keys from outside: made, shown once, introspected, revoked; dead with their account (ADR 0009)."""

import json
import secrets

import pytest

from toolkit.client import refusal
from toolkit.expect import check_one_line_error
from toolkit.waiting import STALENESS, eventually

INACTIVE = {"active": False}


def make_key(server, *options: str, name: str = "Warehouse") -> dict:
    """Makes a key by the command line, and remembers it as a secret of the server's."""
    made = server.command("api-key", "create", "--name", name, *options)
    server.canaries.add("api key", made["api_key"])
    return made


@pytest.fixture
def resource(server):
    """A resource server for the server's own audience, which keys are for when nothing else is said."""
    return server.create_client("--audience", server.issuer, name="API " + secrets.token_hex(3))


def test_a_key_is_shown_once_and_listed_without_it(server, account):
    made = make_key(server, "--account", account.user_id, "--scope", "locks.read", "--scope", "locks.write")
    assert made["api_key"].startswith("lkk_")
    assert len(made["api_key"]) == 47
    assert made["api_key_id"].startswith("key_")
    listed = [key for key in server.command("api-key", "list") if key["api_key_id"] == made["api_key_id"]]
    assert len(listed) == 1
    assert "api_key" not in listed[0]
    assert made["api_key"] not in str(server.command("api-key", "list"))
    assert listed[0]["name"] == "Warehouse"
    assert listed[0]["user_id"] == account.user_id
    assert listed[0]["scopes"] == ["locks.read", "locks.write"]
    assert listed[0]["status"] == "active"
    assert [key["api_key_id"] for key in server.command("api-key", "list", "--account", account.email)] == [
        made["api_key_id"]
    ]
    shown = server.run("api-key", "create", "--name", "For people")
    assert "shown this once" in shown.stdout


def test_a_resource_server_learns_what_a_key_stands_for(server, account, resource):
    made = make_key(server, "--account", account.user_id, "--scope", "locks.read")
    answer = resource.introspect(made["api_key"])
    assert answer["active"] is True
    assert answer["token_type"] == "api_key"
    assert answer["sub"] == answer["user_id"] == account.user_id
    assert answer["scope"] == "locks.read"
    assert answer["aud"] == answer["iss"] == server.issuer
    assert answer["api_key_id"] == made["api_key_id"]
    assert answer["name"] == "Warehouse"
    assert "client_id" not in answer
    assert "exp" not in answer
    own = resource.introspect(make_key(server)["api_key"])
    assert own["active"] is True
    assert "sub" not in own
    assert "user_id" not in own


def test_I01_only_a_resource_server_that_a_key_is_for_learns_of_it(server, resource):
    made = make_key(server)
    for client in (server.partners.web, server.partners.seam, server.partners.resource, server.partners.machine):
        assert client.introspect(made["api_key"]) == INACTIVE
    elsewhere = make_key(server, "--audience", "https://api.partner.example/locks")
    assert resource.introspect(elsewhere["api_key"]) == INACTIVE
    assert server.partners.resource.introspect(elsewhere["api_key"])["active"] is True


def test_a_key_for_an_api_that_is_not_registered_is_made_with_a_warning(sqlite_server):
    audience = f"https://{secrets.token_hex(3)}.example/api"
    make = ("api-key", "create", "--name", "Early", "--audience", audience, "--json")
    done = sqlite_server.run(*make, "--audience", audience)
    assert done.returncode == 0, done.stderr
    made = json.loads(done.stdout)
    sqlite_server.canaries.add("api key", made["api_key"])
    assert made["audiences"] == [audience]
    assert f"latchkey client create --name NAME --audience {audience}" in done.stderr
    sqlite_server.create_client("--audience", audience, name="Late API")
    done = sqlite_server.run(*make)
    sqlite_server.canaries.add("api key", json.loads(done.stdout)["api_key"])
    assert done.stderr == ""


def test_I02_what_is_not_a_live_key_is_inactive_and_nothing_else(server, resource):
    made = make_key(server)
    for text in ("lkk_" + secrets.token_urlsafe(32), "lkk_", made["api_key"] + "A", made["api_key"][:-1], "lkk_%00"):
        answer = resource.post("/oauth/introspect", {"token": text})
        assert (answer.status_code, answer.text) == (200, '{"active":false}')
    assert resource.introspect(made["api_key"])["active"] is True
    revoked = server.command("api-key", "revoke", made["api_key_id"])
    assert revoked["status"] == "revoked"
    answer = resource.post("/oauth/introspect", {"token": made["api_key"]})
    assert (answer.status_code, answer.text) == (200, '{"active":false}')
    assert server.command("api-key", "revoke", made["api_key_id"])["revoked_at"] == revoked["revoked_at"]


def test_a_disabled_accounts_keys_are_dead_at_once_and_a_deleted_ones_for_ever(server, account, resource):
    made = make_key(server, "--account", account.email)
    server.command("account", "disable", account.user_id)
    assert resource.introspect(made["api_key"]) == INACTIVE
    server.command("account", "enable", account.user_id)
    assert resource.introspect(made["api_key"])["active"] is True
    server.command("account", "delete", account.user_id, "--yes")
    assert resource.introspect(made["api_key"]) == INACTIVE
    assert made["api_key_id"] not in [key["api_key_id"] for key in server.command("api-key", "list")]


def test_a_key_is_no_token_of_the_authorization_server(server, account):
    made = make_key(server, "--account", account.user_id)
    web = server.partners.web
    refusal(web.refresh(made["api_key"]), 400, "invalid_grant")
    assert web.revoke(made["api_key"]).status_code == 200
    assert server.command("api-key", "list", "--account", account.user_id)[0]["status"] == "active"


def test_when_a_key_was_last_used_is_noted_behind(own_server):
    own_server.start()
    resource = own_server.create_client("--audience", own_server.issuer, name="API")
    made = make_key(own_server)
    assert own_server.command("api-key", "list")[0]["last_used_at"] is None
    assert resource.introspect(made["api_key"])["active"] is True
    eventually(lambda: own_server.command("api-key", "list")[0]["last_used_at"] is not None, seconds=5 + STALENESS + 5)


def test_a_key_works_on_every_node_at_once(cluster):
    first, second = cluster.start().nodes
    resource = first.create_client("--audience", first.issuer, name="API")
    resource.at(second).wait_until_known()
    made = make_key(first)
    assert resource.at(second).introspect(made["api_key"])["active"] is True
    first.command("api-key", "revoke", made["api_key_id"])
    assert resource.at(second).introspect(made["api_key"]) == INACTIVE


@pytest.mark.parametrize(
    "words, says",
    [
        (("create", "--name", ""), "name"),
        (("create", "--name", "x", "--scope", "two words"), "scope"),
        (("create", "--name", "x", "--audience", "nope"), "absolute URI"),
        (("create", "--name", "x", "--account", "usr_nobody"), "usr_"),
        (("create", "--name", "x", "--account", "nobody@example.com"), "account list"),
        (("revoke", "key_aaaaaaaaaaaaaaaaaaaaaaaaaa"), "api-key list"),
        (("revoke", "lkk_" + "A" * 43), "its id"),
    ],
)
def test_a_wrong_command_says_what_to_do(sqlite_server, words, says):
    check_one_line_error(sqlite_server.run("api-key", *words), says)
