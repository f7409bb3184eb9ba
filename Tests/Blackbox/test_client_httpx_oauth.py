"""httpx-oauth connects and refreshes; it keeps nothing of the old token, so every answer must be whole."""

import asyncio
from collections.abc import Coroutine
from concurrent.futures import ThreadPoolExecutor
from urllib.parse import parse_qsl, urlsplit

import pytest
from httpx_oauth.oauth2 import GetAccessTokenError, OAuth2, RefreshTokenError

from toolkit.client import challenge
from toolkit.stage import profile_client


def run(task: Coroutine):
    """Runs a coroutine in a thread of its own: Playwright's event loop may be running in this one."""
    with ThreadPoolExecutor(max_workers=1) as thread:
        return thread.submit(asyncio.run, task).result()


@pytest.fixture(autouse=True)
def no_proxy(monkeypatch):
    for name in ("http_proxy", "https_proxy", "all_proxy"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.upper(), raising=False)


@pytest.fixture(params=["seam", "zapier", "make", "web", "opaque", "successor"])
def client(request, server):
    return profile_client(server, request.param)


@pytest.fixture(params=["client_secret_post", "client_secret_basic"])
def library(request, client):
    base = client.server.base
    return OAuth2(
        client.client_id,
        client.client_secret,
        base + "/oauth/authorize",
        base + "/oauth/token",
        base + "/oauth/token",
        base + "/oauth/revoke",
        base_scopes=client.scope.split(),
        token_endpoint_auth_method=request.param,
        revocation_endpoint_auth_method=request.param,
    )


def remember(client, token: dict) -> dict:
    client.server.canaries.add("access token", token["access_token"])
    client.server.canaries.add("refresh token", token["refresh_token"])
    return token


def connect(library, client, person) -> dict:
    proof = {"code_challenge": challenge(client.verifier), "code_challenge_method": "S256"} if client.proves else {}
    url = run(library.get_authorization_url(client.redirect_uri, state="s", **proof))
    page = person.visit(url)
    page = person.sign_in(page) if page.sign_in_form else page
    code = dict(parse_qsl(urlsplit(person.decide(page, "allow").target).query))["code"]
    verifier = client.verifier if client.proves else None
    return remember(client, run(library.get_access_token(code, client.redirect_uri, verifier)))


def test_it_connects_calls_and_refreshes_with_what_the_last_answer_said(library, client, person):
    token = connect(library, client, person)
    assert not token.is_expired()
    seen = set()
    for _ in range(3):
        assert client.locks(token["access_token"]).status_code == 200
        assert token["access_token"] not in seen
        assert token["user_id"] == person.account.user_id
        seen.add(token["access_token"])
        # The library forgets the refresh token unless the answer repeats it.
        token = remember(client, run(library.refresh_token(token["refresh_token"])))
        assert token["expires_at"] > 0


def test_it_revokes(library, client, person):
    token = connect(library, client, person)
    run(library.revoke_token(token["refresh_token"], "refresh_token"))
    with pytest.raises(RefreshTokenError) as refused:
        run(library.refresh_token(token["refresh_token"]))
    assert refused.value.response.status_code == 400
    assert refused.value.response.json()["error"] == "invalid_grant"


def test_a_wrong_code_is_an_error_it_understands(library, client):
    verifier = client.verifier if client.proves else None
    with pytest.raises(GetAccessTokenError) as refused:
        run(library.get_access_token("A" * 43, client.redirect_uri, verifier))
    assert refused.value.response.json()["error"] == "invalid_grant"
