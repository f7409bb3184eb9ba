"""Go's golang.org/x/oauth2 connects, calls the API and refreshes, and finds out by itself how to authenticate."""

from urllib.parse import parse_qsl, urlsplit

import pytest

from toolkit.client import challenge
from toolkit.drivers import Driver, build_go_client
from toolkit.front import BasicEatingFront
from toolkit.stage import profile_client


@pytest.fixture(scope="session")
def go_program(tmp_path_factory):
    return build_go_client(tmp_path_factory.mktemp("go"))


@pytest.fixture
def go(go_program):
    with Driver([go_program]) as driver:
        yield driver


@pytest.fixture(params=["seam", "slack", "gpt-actions", "web", "opaque", "successor"])
def client(request, server):
    return profile_client(server, request.param)


def code(go, client, person, **changes) -> str:
    settings = {
        "client_id": client.client_id,
        "client_secret": client.client_secret,
        "authorize_url": client.server.base + "/oauth/authorize",
        "token_url": client.server.base + "/oauth/token",
        "redirect_uri": client.redirect_uri,
        "scopes": client.scope.split(),
        "state": "go state/1",
        "challenge": challenge(client.verifier) if client.proves else "",
    }
    page = person.visit(go("start", **settings | changes)["url"])
    page = person.sign_in(page) if page.sign_in_form else page
    query = dict(parse_qsl(urlsplit(person.decide(page, "allow").target).query))
    assert query["state"] == "go state/1"
    return query["code"]


def exchange(go, client, code: str) -> dict:
    answer = go("exchange", code=code, verifier=client.verifier if client.proves else "")
    if "token" in answer:
        remember(client, answer["token"])
    return answer


def remember(client, token: dict) -> None:
    client.server.canaries.add("access token", token["access_token"])
    client.server.canaries.add("refresh token", token["refresh_token"])


def test_it_connects_calls_and_refreshes(go, client, person):
    first = exchange(go, client, code(go, client, person))
    assert first["user_id"] == person.account.user_id
    assert first["token"]["expiry"] > "2026", "without expires_in it would never refresh"
    locks = client.server.base + "/v1/locks"
    assert go("call", url=locks)["token"] == first["token"], "a live token is not refreshed"
    seen = {first["token"]["access_token"]}
    for _ in range(2):
        go("expire")
        answer = go("call", url=locks)
        assert answer.get("status") == 200, answer
        remember(client, answer["token"])
        assert answer["token"]["access_token"] not in seen
        seen.add(answer["token"]["access_token"])


def test_the_code_survives_the_probe_with_basic_that_a_front_broke(go, client, person):
    with BasicEatingFront(client.server.base) as front:
        found = code(go, client, person, token_url=front.base + "/oauth/token")
        token = exchange(go, client, found)["token"]
        assert front.had_authorization == [True, False], "Basic first, the body after its failure"
        go("expire")
        assert go("call", url=client.server.base + "/v1/locks")["status"] == 200
        assert front.had_authorization == [True, False, False], "what worked is remembered"
    assert token["refresh_token"]


def test_the_code_survives_a_wrong_secret_tried_both_ways(go, client, person):
    found = code(go, client, person, client_secret="lks_" + "x" * 43)
    refused = exchange(go, client, found)
    assert refused["refused"] == 401
    assert '"invalid_client"' in refused["error"]
    assert client.exchange(found).status_code == 200


def test_a_dead_refresh_token_is_400(go, client, person):
    exchange(go, client, code(go, client, person))
    go("expire", code="lkr_" + "A" * 66)
    refused = go("call", url=client.server.base + "/v1/locks")
    # Go 0.3.0 wraps the refusal of a refresh in the error of the API call.
    assert refused.get("refused") == 400, refused
    assert '"invalid_grant"' in refused["error"]
