"""Home Assistant's own OAuth client completes its dialogue, calls the API and refreshes."""

from urllib.parse import parse_qsl, urlsplit

import pytest

from toolkit.drivers import home_assistant

REDIRECT = "https://my.home-assistant.io/redirect/oauth"


@pytest.fixture(params=["jwt", "opaque"])
def client(request, server):
    """A client of the profile, with tokens of either kind."""
    scopes = ("--scope", "locks.read", "--scope", "locks.write")
    return server.create_client("--partner", "home-assistant", *scopes, "--access-token", request.param)


@pytest.fixture
def home():
    with home_assistant() as driver:
        yield driver


def start(home, client, **changes) -> str:
    """Begins the dialogue "add integration" and returns the link that it shows."""
    credentials = {
        "client_id": client.client_id,
        "client_secret": client.client_secret,
        "authorize_url": client.server.base + "/oauth/authorize",
        "token_url": client.server.base + "/oauth/token",
    }
    return home("start", **credentials | changes)["url"]


def come_back(home, person, url: str, decision: str = "allow", **changes) -> dict:
    page = person.visit(url)
    page = person.sign_in(page) if page.sign_in_form else page
    target = person.decide(page, decision).target
    assert target.startswith(REDIRECT + "?")
    return home("come_back", query=dict(parse_qsl(urlsplit(target).query)) | changes)


def remember(client, token: dict) -> None:
    client.server.canaries.add("access token", token["access_token"])
    client.server.canaries.add("refresh token", token["refresh_token"])


def connect(home, client, person) -> dict:
    token = come_back(home, person, start(home, client))["token"]
    remember(client, token)
    return token


def test_it_connects_calls_and_refreshes_twice(home, client, person):
    first = connect(home, client, person)
    assert isinstance(first["expires_in"], int), "without expires_in the dialogue is aborted"
    assert first["user_id"] == person.account.user_id
    locks = client.server.base + "/v1/locks"
    assert home("call", url=locks) == {"status": 200, "token": first}, "a live token is not refreshed"
    seen = {first["access_token"]}
    for _ in range(2):
        home("expire")
        answer = home("call", url=locks)
        remember(client, answer["token"])
        assert answer["status"] == 200
        assert answer["token"]["access_token"] not in seen
        assert answer["token"]["expires_at"] > first["expires_at"] - 60
        assert answer["token"]["user_id"] == person.account.user_id
        seen.add(answer["token"]["access_token"])
    assert client.locks(first["access_token"]).status_code == 200, "the first access token lives on"


def test_a_refused_permission_ends_the_dialogue_in_its_words(home, client, person):
    back = come_back(home, person, start(home, client), decision="deny")
    assert back == {"aborted": "user_rejected_authorize"}


def test_a_wrong_secret_is_unauthorized_and_not_a_failed_code(home, client, person):
    url = start(home, client, client_secret="lks_" + "x" * 43)
    assert come_back(home, person, url) == {"aborted": "oauth_unauthorized"}, "401, not 400"


def test_a_wrong_code_fails_without_blaming_the_credentials(home, client, person):
    assert come_back(home, person, start(home, client), code="A" * 43) == {"aborted": "oauth_failed"}, "400, not 401"


def test_a_dead_refresh_token_is_400_so_that_it_asks_the_person_again(home, client, person):
    connect(home, client, person)
    home("damage_refresh_token")
    home("expire")
    assert home("call", url=client.server.base + "/v1/locks") == {"refused": 400}


def test_a_cut_connection_is_400_so_that_it_asks_the_person_again(home, client, person):
    token = connect(home, client, person)
    assert client.revoke(token["refresh_token"]).status_code == 200
    home("expire")
    assert home("call", url=client.server.base + "/v1/locks") == {"refused": 400}
