"""Pages of other sites: public clients that are pages in the browser use the endpoints that go by no cookie."""

import json

import pytest
from playwright.sync_api import Browser

from toolkit.client import tokens
from toolkit.wire import send

PAGE = "https://app.example"
OPEN = {
    "/oauth/token": "POST",
    "/oauth/revoke": "POST",
    "/oauth/userinfo": "GET",
    # Where partners' documents want them.
    "/api/client/v1/oauth/accessToken": "POST",
    "/ifttt/v1/user/info": "GET",
    "/oauth/jwks": "GET",
    "/.well-known/oauth-authorization-server": "GET",
    "/.well-known/openid-configuration": "GET",
}
CLOSED = [
    "/oauth/authorize",
    "/authorize",
    "/login",
    "/oauth/consent",
    "/oauth/introspect",
    "/account",
    "/console",
    "/healthz",
]


@pytest.mark.parametrize(("path", "method"), OPEN.items())
def test_a_page_may_ask_and_read_what_goes_by_no_cookie(sqlite_server, path, method):
    asked = {"Origin": PAGE, "Access-Control-Request-Method": method, "Access-Control-Request-Headers": "authorization"}
    preflight = send("OPTIONS", sqlite_server.base + path, headers=asked)
    assert preflight.status_code == 204
    assert preflight.headers["Access-Control-Allow-Origin"] == "*"
    assert method in preflight.headers["Access-Control-Allow-Methods"].split(", ")
    assert "Authorization" in preflight.headers["Access-Control-Allow-Headers"]
    # A refusal may be read as well.
    answer = send(method, sqlite_server.base + path, headers={"Origin": PAGE})
    assert answer.headers["Access-Control-Allow-Origin"] == "*"
    assert not {"Access-Control-Allow-Credentials"} & (preflight.headers.keys() | answer.headers.keys())


@pytest.mark.parametrize("path", CLOSED)
@pytest.mark.parametrize("method", ["OPTIONS", "GET", "POST"])
def test_A13_U04_no_page_reads_what_goes_by_a_cookie_or_a_secret(sqlite_server, path, method):
    asked = {"Origin": PAGE, "Access-Control-Request-Method": "POST"}
    answer = send(method, sqlite_server.base + path, headers=asked)
    assert not [name for name in answer.headers if name.lower().startswith("access-control-")]


ASK = """async ([url, body, bearer]) => {
    const headers = bearer ? {Authorization: "Bearer " + bearer} : {}
    const answer = await fetch(url, {method: body ? "POST" : "GET", body: body && new URLSearchParams(body), headers})
    return [answer.status, await answer.text()]
}"""


def test_a_page_in_the_browser_exchanges_its_code_and_asks_who_connected(sqlite_server, person, browser: Browser):
    phone = sqlite_server.partners.phone
    form = phone.exchange_form(person.authorize(phone).code) | {"client_id": phone.client_id}
    page = browser.new_page()
    # Another origin, whose documents this server has as well.
    page.goto(sqlite_server.base.replace("127.0.0.1", "localhost") + "/oauth/jwks")
    status, text = page.evaluate(ASK, [sqlite_server.base + "/oauth/token", form, None])
    assert status == 200, text
    body = json.loads(text)
    phone.keep_secret(body)
    status, text = page.evaluate(ASK, [sqlite_server.base + "/oauth/userinfo", None, body["access_token"]])
    assert person.account.user_id in text
    page.close()
    tokens(phone.refresh(body["refresh_token"]))
