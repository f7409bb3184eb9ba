"""Introspection and revocation: security.md, rows I01 to I05 and V01 to V06."""

import secrets
import sqlite3
import time

import pytest

from toolkit.client import refusal, tokens
from toolkit.person import Person
from toolkit.waiting import CUT_WITHIN, eventually, everywhere
from toolkit.wire import send


@pytest.fixture
def web(server):
    return server.partners.web


INACTIVE = {"active": False}


def test_I01_a_caller_sees_only_tokens_that_are_meant_for_it(server, web, person):
    other, resource = server.partners.successor, server.partners.resource
    for client in (web, server.partners.opaque):
        connected = person.connect(client)
        assert client.introspect(connected.access)["active"] is True, "its own client may look"
        assert other.introspect(connected.access) == INACTIVE
        assert resource.introspect(connected.access) == INACTIVE, "its audience is another"
        refusal(
            client.using(authentication="none").post("/oauth/introspect", {"token": connected.access}),
            401,
            "invalid_client",
        )


def test_I01_a_public_client_cannot_introspect(server, person):
    phone = server.partners.phone
    answer = phone.post("/oauth/introspect", {"token": person.connect(phone).access})
    assert answer.status_code in (400, 401, 403) or answer.json() == INACTIVE


@pytest.mark.parametrize("kind", ["garbage", "empty prefix", "jwt of nobody", "unsigned jwt", "random", "long"])
def test_I02_what_is_not_a_live_token_is_inactive_and_nothing_else(server, web, kind):
    value = {
        "garbage": "%%% not a token \x00",
        "empty prefix": "lka_",
        "jwt of nobody": "eyJhbGciOiJFUzI1NiIsInR5cCI6ImF0K2p3dCJ9.eyJzdWIiOiJ4In0." + "A" * 86,
        "unsigned jwt": "eyJhbGciOiJub25lIiwidHlwIjoiYXQrand0In0.eyJzdWIiOiJ4In0.",
        "random": "lkr_" + secrets.token_urlsafe(64),
        "long": "x" * 3000,
    }[kind]
    answer = web.post("/oauth/introspect", {"token": value})
    assert answer.status_code == 200
    assert answer.json() == INACTIVE


def test_I02_revoked_tokens_are_inactive_for_every_caller(server, web, person):
    connected = person.connect(web)
    web.revoke(connected.refresh)
    assert web.introspect(connected.access) == INACTIVE
    assert web.introspect(connected.refresh) == INACTIVE


def test_I02_a_missing_token_is_an_invalid_request(server, web):
    refusal(web.post("/oauth/introspect", {}), 400, "invalid_request")


@pytest.mark.parametrize("name", ["web", "opaque"])
def test_I03_an_active_token_is_described(server, person, name):
    client = getattr(server.partners, name)
    connected = person.connect(client)
    seen = client.introspect(connected.access)
    assert seen["active"] is True
    assert set(seen["scope"].split()) == {"locks.read", "locks.write"}
    assert seen["client_id"] == client.client_id
    assert seen["sub"] == connected.user_id
    assert seen["iss"] == server.issuer
    assert seen["aud"]
    assert seen["token_type"] == "Bearer"
    assert type(seen["exp"]) is int
    assert 3500 < seen["exp"] - time.time() < 3700
    assert seen["iat"] <= time.time() + 1


@pytest.mark.parametrize("format", ["jwt", "opaque"])
def test_R11_a_scope_that_is_taken_from_a_client_is_gone_from_its_live_tokens_until_it_is_given_back(
    server, person, format
):
    options = ("--redirect-uri", "https://partner.example/callback", "--access-token", format)
    both, left = ("--scope", "email", "--scope", "locks.read"), ("--scope", "locks.read")
    client = server.create_client(*options, *both, name="Narrowed partner")
    access = person.connect(client).access

    def told() -> dict:
        return send("GET", server.base + "/oauth/userinfo", headers={"Authorization": f"Bearer {access}"}).json()

    assert client.introspect(access)["scope"] == "email locks.read"
    assert told()["email"] == person.account.email
    server.command("client", "update", client.client_id, *left)
    eventually(lambda: client.introspect(access)["scope"] == "locks.read")
    assert "email" not in told()
    server.command("client", "update", client.client_id, *both)
    eventually(lambda: client.introspect(access)["scope"] == "email locks.read")


def test_I04_a_resource_server_learns_nothing_from_a_refresh_token(server, web, person):
    connected = person.connect(web)
    assert server.partners.resource.introspect(connected.refresh) == INACTIVE
    assert server.partners.opaque.introspect(connected.refresh) == INACTIVE


def test_V01_only_its_own_client_can_revoke_a_token(server, web, person):
    connected = person.connect(web)
    for stranger in (server.partners.opaque, server.partners.phone, server.partners.resource):
        for token in (connected.refresh, connected.access):
            refusal(stranger.revoke(token), 400, "invalid_grant")
    tokens(web.refresh(connected.refresh))
    assert web.introspect(connected.access)["active"] is True


@pytest.mark.parametrize("value", ["nonsense", "lkr_" + "A" * 80, "a.b.c", "ü🔑"])
def test_V02_revoking_what_is_not_there_is_200(server, web, value):
    assert web.revoke(value).status_code == 200


@pytest.mark.parametrize("hint", ["access_token", "refresh_token", "nonsense", ""])
def test_V02_a_wrong_hint_still_revokes(server, web, person, hint):
    connected = person.connect(web)
    assert web.revoke(connected.refresh, token_type_hint=hint).status_code == 200
    refusal(web.refresh(connected.refresh), 400, "invalid_grant")


def test_V02_revoking_twice_is_200(server, web, person):
    connected = person.connect(web)
    assert web.revoke(connected.refresh).status_code == 200
    assert web.revoke(connected.refresh).status_code == 200


def test_V02_a_missing_token_is_an_invalid_request(server, web):
    refusal(web.post("/oauth/revoke", {}), 400, "invalid_request")


def test_V03_revoking_without_a_database_is_503_and_never_200(new_server):
    # The same on PostgreSQL, stopped and frozen: test_security_refresh.py, R13.
    server = new_server("sqlite")
    seam = server.create_client("--partner", "seam", name="Seam")
    person = Person(server, server.create_account())
    server.start()
    connected = person.connect(seam)
    lock = sqlite3.connect(server.database.path, isolation_level=None)
    lock.execute("begin exclusive")
    answer = seam.revoke(connected.refresh)
    lock.execute("rollback")
    lock.close()
    assert answer.status_code == 503
    assert int(answer.headers["Retry-After"]) >= 1
    tokens(seam.refresh(connected.refresh))
    assert seam.revoke(connected.refresh).status_code == 200
    refusal(seam.refresh(connected.refresh), 400, "invalid_grant")


@pytest.mark.parametrize("name", ["web", "opaque", "successor", "phone"])
def test_V04_revoking_a_refresh_token_kills_its_access_tokens(server, person, name):
    client = getattr(server.partners, name)
    connected = person.connect(client)
    newer = client.refreshed(connected.refresh)
    assert client.revoke(newer.refresh).status_code == 200
    for one in (connected, newer):
        refusal(client.refresh(one.refresh), 400, "invalid_grant")
        if client.authentication != "none":
            assert client.introspect(one.access) == INACTIVE


def test_V04_a_revocation_is_seen_on_the_other_node(cluster):
    first, second = cluster.nodes
    seam = first.create_client("--partner", "seam", "--access-token", "opaque", name="Seam")
    person = Person(first, first.create_account())
    cluster.start()
    connected = person.connect(seam)
    assert seam.at(second).locks(connected.access).status_code == 200
    assert seam.revoke(connected.refresh).status_code == 200
    assert seam.at(second).introspect(connected.access) == INACTIVE
    refusal(seam.at(second).refresh(connected.refresh), 400, "invalid_grant")
    everywhere([second], lambda node: seam.at(node).locks(connected.access).status_code == 401, CUT_WITHIN)


def test_V05_a_public_client_can_revoke_its_own_token(server, person):
    phone = server.partners.phone
    connected = person.connect(phone)
    assert phone.revoke(connected.refresh).status_code == 200
    refusal(phone.refresh(connected.refresh), 400, "invalid_grant")


@pytest.mark.parametrize("name", ["web", "opaque"])
def test_V06_a_revoked_access_token_is_really_inactive(server, person, name):
    client = getattr(server.partners, name)
    connected = person.connect(client)
    answer = client.revoke(connected.access, token_type_hint="access_token")
    if answer.status_code == 400:
        assert answer.json()["error"] == "unsupported_token_type"
        assert client.introspect(connected.access)["active"] is True
        return
    assert answer.status_code == 200
    assert client.introspect(connected.access) == INACTIVE
