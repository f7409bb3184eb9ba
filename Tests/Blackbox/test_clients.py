"""Clients that nobody here wrote: Authlib, requests-oauthlib and curl complete the flow and refresh."""

import json
import subprocess

import pytest
from authlib.integrations.requests_client import OAuth2Session as AuthlibSession
from requests_oauthlib import OAuth2Session as OAuthlibSession

from toolkit.client import refusal
from toolkit.waiting import eventually


@pytest.fixture(autouse=True)
def plain_http_is_fine_on_loopback(monkeypatch):
    monkeypatch.setenv("OAUTHLIB_INSECURE_TRANSPORT", "1")
    monkeypatch.setenv("AUTHLIB_INSECURE_TRANSPORT", "1")
    monkeypatch.setenv("OAUTHLIB_RELAX_TOKEN_SCOPE", "1")


@pytest.fixture(params=["seam", "web", "opaque", "successor"])
def client(request, server):
    return getattr(server.partners, request.param)


def remember(server, token: dict) -> None:
    server.canaries.add("access token", token["access_token"])
    server.canaries.add("refresh token", token.get("refresh_token"))


def allow(person, url: str) -> str:
    """The person's part: from the library's link back to the partner's redirect URI."""
    page = person.visit(url)
    page = person.sign_in(page) if page.sign_in_form else page
    return person.decide(page, "allow").target


def check_works(client, token: dict) -> None:
    remember(client.server, token)
    assert client.locks(token["access_token"]).status_code == 200
    assert token["user_id"].startswith("usr_")


@pytest.mark.parametrize("method", ["client_secret_basic", "client_secret_post"])
def test_authlib_connects_and_refreshes(server, client, person, method):
    with AuthlibSession(
        client.client_id,
        client.client_secret,
        scope=client.scope,
        redirect_uri=client.redirect_uri,
        token_endpoint_auth_method=method,
        code_challenge_method="S256",
    ) as library:
        library.trust_env = False
        url, state = library.create_authorization_url(server.base + "/oauth/authorize", code_verifier=client.verifier)
        token = library.fetch_token(
            server.base + "/oauth/token",
            authorization_response=allow(person, url),
            state=state,
            code_verifier=client.verifier,
        )
        check_works(client, token)
        renewed = library.refresh_token(server.base + "/oauth/token", refresh_token=token["refresh_token"])
        check_works(client, renewed)
        assert renewed["access_token"] != token["access_token"]


def test_R11_authlib_repeats_its_scope_and_gets_what_the_operator_left_of_it(server, person):
    options = ("--redirect-uri", "https://partner.example/callback", "--scope", "locks.read", "--scope", "locks.write")
    client = server.create_client(*options, name="Narrowed partner")
    connected = person.connect(client)
    server.command("client", "update", client.client_id, "--scope", "locks.read")
    eventually(lambda: client.refreshed(connected.refresh).body.get("scope") == "locks.read")
    with AuthlibSession(client.client_id, client.client_secret, scope="locks.read locks.write") as library:
        library.trust_env = False
        renewed = library.refresh_token(server.base + "/oauth/token", refresh_token=connected.refresh)
    check_works(client, renewed)
    assert renewed["scope"] == "locks.read"
    refusal(client.refresh(connected.refresh, scope="locks.read profile"), 400, "invalid_scope")


def test_requests_oauthlib_connects_and_refreshes(server, client, person):
    with OAuthlibSession(
        client.client_id, redirect_uri=client.redirect_uri, scope=client.scope.split(), pkce="S256"
    ) as library:
        library.trust_env = False
        url, _ = library.authorization_url(server.base + "/oauth/authorize")
        token = library.fetch_token(
            server.base + "/oauth/token", authorization_response=allow(person, url), client_secret=client.client_secret
        )
        check_works(client, token)
        renewed = library.refresh_token(
            server.base + "/oauth/token", client_id=client.client_id, client_secret=client.client_secret
        )
        check_works(client, renewed)
        assert renewed["access_token"] != token["access_token"]


def curl(*arguments: str) -> dict:
    command = ["curl", "--silent", "--show-error", "--fail-with-body", "--noproxy", "*", *arguments]
    done = subprocess.run(command, capture_output=True, text=True, timeout=30)
    assert done.returncode == 0, done.stdout + done.stderr
    return json.loads(done.stdout)


@pytest.mark.parametrize("way", ["--user", "--data-urlencode"])
def test_curl_connects_and_refreshes(server, client, person, way):
    back = person.authorize(client)
    if way == "--user":
        credentials = ["--user", f"{client.client_id}:{client.client_secret}"]
    else:
        credentials = ["--data-urlencode", f"client_id={client.client_id}"]
        credentials += ["--data-urlencode", f"client_secret={client.client_secret}"]
    form = [f"{name}={value}" for name, value in client.exchange_form(back.code).items()]
    data = [word for pair in form for word in ("--data-urlencode", pair)]
    token = curl(server.base + "/oauth/token", *credentials, *data)
    check_works(client, token)
    data = ["--data", "grant_type=refresh_token", "--data-urlencode", f"refresh_token={token['refresh_token']}"]
    renewed = curl(server.base + "/oauth/token", *credentials, *data)
    check_works(client, renewed)
    locks = curl(server.base + "/v1/locks", "--header", f"Authorization: Bearer {renewed['access_token']}")
    assert locks["locks"]
