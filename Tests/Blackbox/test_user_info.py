"""The user-info endpoint from outside (OpenID Connect Core, section 5.3; RFC 6750)."""

import pytest

from toolkit.client import refusal
from toolkit.person import Person
from toolkit.wire import send

PATH = "/oauth/userinfo"


def bearer(token: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {token}"}


@pytest.mark.parametrize("method", ["GET", "POST"])
@pytest.mark.parametrize("partner", ["seam", "web", "opaque", "phone"])
def test_S04_userinfo_says_who_the_person_is(server, person, partner, method):
    connected = person.connect(getattr(server.partners, partner))
    answer = send(method, server.base + PATH, headers=bearer(connected.access))
    assert answer.status_code == 200
    assert answer.headers["Cache-Control"] == "no-store"
    info = answer.json()
    assert info["sub"] == info["user_id"] == person.account.user_id


def test_S04_name_and_address_are_told_only_with_the_scopes_that_mean_them(own_server):
    scopes = ("--scope", "openid", "--scope", "profile", "--scope", "email")
    client = own_server.create_client("--redirect-uri", "https://partner.example/callback", *scopes)
    own_server.start()
    person = Person(own_server, own_server.create_account(name="Ada Lovelace"))
    expected = {
        "openid": {},
        "profile": {"name": "Ada Lovelace"},
        "email": {"email": person.account.email},
        "openid profile email": {"name": "Ada Lovelace", "email": person.account.email},
    }
    for scope, members in expected.items():
        access = person.connect(client, scope=scope).access
        info = send("GET", own_server.base + PATH, headers=bearer(access)).json()
        assert info == {"sub": person.account.user_id, "user_id": person.account.user_id} | members
    own_server.command("account", "set-email", person.account.user_id, "new@example.com")
    assert send("GET", own_server.base + PATH, headers=bearer(access)).json()["email"] == "new@example.com"


def test_S02_without_a_token_the_challenge_names_no_error(sqlite_server):
    for headers in ({}, {"Authorization": "Basic eDp5"}, {"Token": "lkk_" + "A" * 43}):
        answer = send("GET", sqlite_server.base + PATH, headers=headers)
        assert answer.status_code == 401
        assert answer.headers["WWW-Authenticate"].startswith("Bearer")
        assert "error" not in answer.headers["WWW-Authenticate"]


@pytest.mark.parametrize("text", ["nonsense", "lka_nonsense", "lkk_" + "A" * 43, "a b", "%%%"])
def test_S02_a_bad_token_is_401_invalid_token(sqlite_server, text):
    answer = send("GET", sqlite_server.base + PATH, headers=bearer(text))
    refusal(answer, 401, "invalid_token")
    assert 'error="invalid_token"' in answer.headers["WWW-Authenticate"]


def test_S01_a_token_in_the_address_or_in_a_form_is_not_read(server, person):
    access = person.connect(server.partners.web).access
    refusal(send("GET", server.base + PATH, params={"access_token": access}), 400, "invalid_request")
    assert send("POST", server.base + PATH, data={"access_token": access}).status_code == 401


@pytest.mark.parametrize("partner", ["web", "opaque"])
def test_a_cut_connection_a_revoked_token_and_a_refresh_token_are_seen_at_once(server, person, partner):
    client = getattr(server.partners, partner)
    connected, other = person.connect(client), person.connect(client)
    refusal(send("GET", server.base + PATH, headers=bearer(connected.refresh)), 401, "invalid_token")
    client.revoke(connected.access)
    refusal(send("GET", server.base + PATH, headers=bearer(connected.access)), 401, "invalid_token")
    assert send("GET", server.base + PATH, headers=bearer(other.access)).status_code == 200
    client.revoke(other.refresh)
    refusal(send("GET", server.base + PATH, headers=bearer(other.access)), 401, "invalid_token")


def test_a_disabled_accounts_tokens_tell_nothing(server, person):
    access = person.connect(server.partners.web).access
    server.command("account", "disable", person.account.user_id)
    refusal(send("GET", server.base + PATH, headers=bearer(access)), 401, "invalid_token")
    server.command("account", "enable", person.account.user_id)
    assert send("GET", server.base + PATH, headers=bearer(access)).status_code == 200


def test_a_clients_own_token_speaks_for_nobody(server):
    access = server.partners.machine.client_credentials().json()["access_token"]
    refusal(send("GET", server.base + PATH, headers=bearer(access)), 403, "insufficient_scope")


@pytest.mark.parametrize("format", ["jwt", "opaque"])
def test_A19_a_token_for_another_api_alone_is_none_here(own_server, format):
    audience = "https://api.example.com/locks"
    own_server.create_client("--audience", audience, name="Locks")
    options = ("--redirect-uri", "https://partner.example/callback", "--scope", "email", "--access-token", format)
    client = own_server.create_client(*options, name="Partner")
    own_server.start()
    person = Person(own_server, own_server.create_account())
    foreign = person.connect(client, resource=audience).access
    refusal(send("GET", own_server.base + PATH, headers=bearer(foreign)), 401, "invalid_token")
    own = person.connect(client).access
    assert send("GET", own_server.base + PATH, headers=bearer(own)).json()["email"] == person.account.email


def test_M01_the_metadata_names_the_endpoint(server):
    metadata = send("GET", server.base + "/.well-known/openid-configuration").json()
    assert metadata["userinfo_endpoint"] == server.issuer + PATH


def test_a_profile_has_user_info_at_its_own_path_and_in_its_own_words(own_server):
    ifttt = own_server.create_client("--partner", "ifttt", "--redirect-uri", "https://ifttt.com/channels/x/authorize")
    other = own_server.create_client("--redirect-uri", "https://partner.example/callback", "--scope", "a")
    own_server.start()
    person = Person(own_server, own_server.create_account(name="Ada Lovelace"))
    path = "/ifttt/v1/user/info"
    access = person.connect(ifttt).access
    expected = {"data": {"id": person.account.user_id, "name": "Ada Lovelace"}}
    assert send("GET", own_server.base + path, headers=bearer(access)).json() == expected
    assert send("GET", own_server.base + PATH, headers=bearer(access)).json() == expected
    foreign = person.connect(other).access
    for headers in ({}, bearer("nonsense"), bearer(foreign)):
        refused = send("GET", own_server.base + path, headers=headers)
        assert refused.status_code == 401
        assert refused.headers["WWW-Authenticate"].startswith("Bearer")
        assert list(refused.json()) == ["errors"]
        assert refused.json()["errors"][0]["message"]
    own_server.command("account", "disable", person.account.user_id)
    assert send("GET", own_server.base + path, headers=bearer(access)).status_code == 401
