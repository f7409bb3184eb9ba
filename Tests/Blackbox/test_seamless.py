"""Seamless.AI's OAuth: rows A-01 to A-07, A-10, A-11, A-15 and A-16 of its documents, on both databases."""

import json
import secrets
import time
from urllib.parse import parse_qsl, urlencode, urlsplit

import pytest
from authlib.integrations.requests_client import OAuth2Session
from playwright.sync_api import Browser

from toolkit.client import OAuthClient, tokens
from toolkit.expect import check_one_line_error
from toolkit.person import Person
from toolkit.process import Latchkey
from toolkit.waiting import eventually
from toolkit.wire import send

CALLBACK = "https://y.example/cb?foo=bar"
TOKEN = "/api/client/v1/oauth/accessToken"


@pytest.fixture(scope="module", params=["sqlite", "postgres"])
def server(request, module_server) -> Latchkey:
    server = module_server(request.param)
    server.seamless = make_seamless(server)
    return server.start()


def make_seamless(server: Latchkey) -> OAuthClient:
    return server.create_client("--partner", "seamless", "--redirect-uri", CALLBACK, name="Reports")


@pytest.fixture
def client(server) -> OAuthClient:
    return server.seamless


def link(client: OAuthClient, **more: str) -> str:
    query = {"client_id": client.client_id, "redirect_uri": CALLBACK} | more
    return f"{client.server.base}/oauth/authorize?{urlencode(query)}"


def walk(person: Person, url: str, decision: str = "allow") -> str:
    page = person.visit(url)
    if page.sign_in_form:
        page = person.sign_in(page)
    page = person.decide(page, decision)
    assert page.leaves, page
    return page.target


def new_code(client: OAuthClient) -> str:
    target = walk(Person(client.server, client.server.create_account()), link(client))
    return dict(parse_qsl(urlsplit(target).query))["code"]


def body_of(client: OAuthClient, **more: str | None) -> dict[str, str]:
    """The documents' body; a change to None leaves a member out."""
    whole = {"client_id": client.client_id, "client_secret": client.client_secret, "redirect_uri": CALLBACK} | more
    return {name: value for name, value in whole.items() if value is not None}


def post(client: OAuthClient, body: dict, as_json: bool = True, path: str = TOKEN):
    kind, data = ("application/json", json.dumps(body))
    if not as_json:
        kind, data = "application/x-www-form-urlencoded", urlencode(body)
    return send("POST", client.server.base + path, data=data, headers={"Content-Type": kind})


def exchange(client: OAuthClient, code: str, **more):
    return post(client, body_of(client, grant_type="authorization_code", code=code, **more))


def refresh(client: OAuthClient, token: str, **more):
    return post(client, body_of(client, grant_type="refresh_token", refresh_token=token, **more))


def check_refusal(answer, status: int, error: str) -> None:
    assert answer.status_code == status, f"{answer.status_code} {answer.text}"
    body = answer.json()
    assert body["error"] == error
    assert body["message"] == body["error_description"]
    assert body["message"]


def test_A_01_a_connection_is_id_secret_and_one_redirect_uri(own_server):
    made = own_server.command("client", "create", "--partner", "seamless", "--redirect-uri", CALLBACK)
    assert made["client_id"]
    assert made["client_secret"]
    assert made["redirect_uris"] == [CALLBACK]
    assert made["scopes"] == ["publicAPI.v1.all"]
    assert "client_secret" not in own_server.command("client", "show", made["client_id"])
    check_one_line_error(own_server.run("client", "create", "--partner", "seamless"), "--redirect-uri")
    two = ("--redirect-uri", CALLBACK, "--redirect-uri", "https://z.example/cb")
    check_one_line_error(own_server.run("client", "create", "--partner", "seamless", *two), "at most 1 redirect URI")


@pytest.mark.parametrize("more", [{}, {"response_type": "code"}])
def test_A_02_client_id_and_redirect_uri_are_enough(server, client, more):
    target = walk(Person(server, server.create_account()), link(client, **more))
    assert target.startswith(CALLBACK + "&code=")


def test_A_02_another_response_type_is_refused(client):
    assert "error=unsupported_response_type" in send("GET", link(client, response_type="token")).headers["Location"]


def test_A_03_a_query_in_the_redirect_uri_must_be_encoded(server, client):
    unencoded = f"{server.base}/oauth/authorize?client_id={client.client_id}&redirect_uri={CALLBACK}"
    assert Person(server).visit(unencoded).sign_in_form, "one parameter needs no encoding to be read right"
    leaking = unencoded.replace("?foo=bar", "?foo=bar&x=1")
    answer = send("GET", leaking.replace("cb?foo=bar", "cb&foo=bar"), headers={"Accept": "text/html"})
    assert answer.status_code == 400
    assert "Location" not in answer.headers


@pytest.mark.parametrize("state", ["a+b/c=&d", "é€", "x" * 4000])
def test_A_04_state_comes_back_unchanged(server, client, state):
    target = walk(Person(server, server.create_account()), link(client, state=state))
    assert dict(parse_qsl(urlsplit(target).query))["state"] == state


def test_A_04_no_state_comes_back_without_one(server, client):
    query = dict(parse_qsl(urlsplit(walk(Person(server, server.create_account()), link(client))).query))
    assert set(query) == {"foo", "code"}
    denied = dict(parse_qsl(urlsplit(walk(Person(server, server.create_account()), link(client), "deny")).query))
    assert denied["error"] == "access_denied"
    assert "state" not in denied


@pytest.mark.parametrize("path", [TOKEN, "/oauth/token"])
@pytest.mark.parametrize("as_json", [True, False], ids=["json", "form"])
def test_A_05_a_code_is_exchanged_as_json_and_as_a_form(client, path, as_json):
    body = body_of(client, grant_type="authorization_code", code=new_code(client))
    assert post(client, body, as_json, path).status_code == 200


def test_A_05_where_requests_carry_a_secret_no_client_is_public(sqlite_server):
    create = ("client", "create", "--partner", "seamless", "--redirect-uri", "https://y.example/cb")
    done = sqlite_server.run(*create, "--public", "--refresh", "successor")
    check_one_line_error(done, "client_secret", "--public")


def test_A_05_a_public_client_stays_connected_when_requests_are_to_carry_a_secret(own_server, tmp_path):
    """Basic counts as `client_secret`, and a public client sends it with an empty password."""
    folder = tmp_path / "partners"
    folder.mkdir()
    profile = "id: later\nname: Later\nsources: {{A1: Acme}}\nrules: {{token_request: {{must_send: [{}grant_type]}}}}\n"
    (folder / "later.yaml").write_text(profile.format(""))
    server = own_server
    server.options = ("--partners", str(folder))
    registration = ("--partner", "later", "--partners", str(folder), "--public", "--redirect-uri", CALLBACK)
    made = server.create_client(*registration, name="Later", proves=True)
    account = server.create_account()
    server.start()
    first = made.redeem(Person(server, account).authorize(made))
    (folder / "later.yaml").write_text(profile.format("client_secret, "))
    server.restart()
    again = made.using(authentication="basic", client_secret="").refresh(first.refresh)
    assert again.status_code == 200, again.text
    done = server.run("client", "update", made.client_id, "--name", "Renamed", "--partners", str(folder))
    assert done.returncode == 0, done.stderr
    done = server.run("client", "create", *registration, "--name", "Another")
    check_one_line_error(done, "client_secret", "--public")


def test_A_05_null_is_as_if_omitted_and_what_nobody_reads_may_be_anything(client):
    others = {"scope": None, "code_verifier": None, "state": None, "expires": 3600, "offline": True, "audience": ["a"]}
    body = body_of(client, grant_type="authorization_code", code=new_code(client)) | others | {"meta": {"code": "b"}}
    first = tokens(post(client, body)).body["refresh_token"]
    assert post(client, body_of(client, grant_type="refresh_token", refresh_token=first) | others).status_code == 200
    check_refusal(
        post(client, body_of(client, grant_type="refresh_token") | {"refresh_token": 1}), 400, "invalid_request"
    )
    null = body_of(client, grant_type="refresh_token") | {"refresh_token": None}
    check_refusal(post(client, null), 400, "invalid_request")


@pytest.mark.parametrize("missing", ["client_id", "client_secret", "redirect_uri", "grant_type", "code"])
def test_A_05_a_missing_field_is_400_and_burns_nothing(client, missing):
    code = new_code(client)
    body = body_of(client, grant_type="authorization_code", code=code)
    check_refusal(post(client, {name: body[name] for name in body if name != missing}), 400, "invalid_request")
    assert post(client, body).status_code == 200


@pytest.mark.parametrize("kind", ["text/plain", "application/xml", "", "application/json; charset=utf-16"])
def test_A_05_another_content_type_is_refused(client, kind):
    data = json.dumps(body_of(client, grant_type="authorization_code", code="x"))
    answer = send("POST", client.server.base + TOKEN, data=data, headers={"Content-Type": kind})
    check_refusal(answer, 400, "invalid_request")
    assert "application/json" in answer.json()["message"]


def test_A_06_expires_at_is_in_whole_seconds_and_true(client):
    before = time.time()
    body = tokens(exchange(client, new_code(client))).body
    assert {"access_token", "refresh_token", "expires_at", "expires_in", "token_type", "user_id"} <= set(body)
    assert type(body["expires_at"]) is int
    assert before < body["expires_at"] < before + 365 * 24 * 3600
    assert abs(body["expires_at"] - client.introspect(body["access_token"])["exp"]) <= 2
    assert abs(body["expires_at"] - (before + body["expires_in"])) <= 5


def test_A_07_a_refresh_needs_redirect_uri_and_has_the_same_shape(client):
    first = tokens(exchange(client, new_code(client)))
    second = tokens(refresh(client, first.refresh))
    assert set(second.body) == set(first.body)
    assert second.refresh == first.refresh
    assert second.access != first.access
    assert second.user_id == first.user_id
    assert client.locks(first.access).status_code == client.locks(second.access).status_code
    check_refusal(refresh(client, first.refresh, redirect_uri=None), 400, "invalid_request")
    check_refusal(refresh(client, first.refresh, redirect_uri="https://evil.example/"), 400, "invalid_request")
    check_refusal(refresh(client, first.refresh, client_secret=None), 400, "invalid_request")
    assert refresh(client, first.refresh).status_code == 200


def test_A_07_after_another_redirect_uri_was_registered_the_old_one_is_the_requests_fault(own_server):
    server = own_server
    client = make_seamless(server)
    server.start()
    first = tokens(exchange(client, new_code(client)))
    moved = "https://y.example/moved"
    done = server.run("client", "update", client.client_id, "--redirect-uri", moved)
    assert done.returncode == 0, done.stderr
    assert "1 live connection " in done.stderr
    assert f"'{CALLBACK}'" in done.stderr
    eventually(lambda: refresh(client, first.refresh).status_code != 200)
    answer = refresh(client, first.refresh)
    check_refusal(answer, 400, "invalid_request")
    found = []

    def is_told() -> bool:
        found[:] = server.command("refusal", "list", "--request-id", answer.headers["X-Request-Id"])
        return bool(found)

    eventually(is_told, 20)
    assert (found[0]["parameter"], found[0]["expected"], found[0]["got"]) == ("redirect_uri", moved, CALLBACK)
    assert refresh(client, first.refresh, redirect_uri=moved).status_code == 200, "the connection is kept"
    assert "live connection" not in server.run("client", "update", client.client_id, "--name", "Renamed").stderr


def test_A_07_a_profile_may_accept_a_refresh_without_redirect_uri(own_server, tmp_path):
    folder = tmp_path / "partners"
    folder.mkdir()
    (folder / "lenient.yaml").write_text(
        "id: lenient\nname: Lenient\nsources: {A1: Acme}\nrules:\n  proof_key: optional\n"
        "  token_request: { bodies: [json, form], must_send: [client_id, client_secret, grant_type] }\n"
        "loosened: [{ rule: proof_key, why: its document has none }]\n"
    )
    server = own_server
    server.options = ("--partners", str(folder))
    partner = ("--partner", "lenient", "--partners", str(folder))
    client = server.create_client(*partner, "--redirect-uri", CALLBACK, name="Lenient")
    account = server.create_account()
    server.start()
    first = client.redeem(Person(server, account).authorize(client))
    body = body_of(client, grant_type="refresh_token", refresh_token=first.refresh, redirect_uri=None)
    assert post(client, body, path="/oauth/token").status_code == 200


def test_A_10_failures_have_a_message_and_the_members_of_the_rfc(client):
    code = new_code(client)
    check_refusal(exchange(client, code, client_secret="wrong"), 401, "invalid_client")
    check_refusal(exchange(client, code, client_id="nobody"), 401, "invalid_client")
    check_refusal(exchange(client, code, redirect_uri="https://other.example/"), 401, "invalid_grant")
    check_refusal(exchange(client, "lkc_" + secrets.token_urlsafe(32)), 401, "invalid_grant")
    check_refusal(refresh(client, "lkr_" + secrets.token_urlsafe(32)), 401, "invalid_grant")
    check_refusal(post(client, body_of(client, grant_type="password")), 400, "unsupported_grant_type")
    assert exchange(client, code).status_code == 200
    check_refusal(exchange(client, code), 401, "invalid_grant")


def test_A_10_the_path_is_of_this_profile_alone(server):
    web = server.create_client("--redirect-uri", CALLBACK, name="Web")
    check_refusal(post(web, body_of(web, grant_type="authorization_code", code="x")), 401, "invalid_client")


def test_A_11_a_request_without_scope_gets_the_one_scope(client):
    token = tokens(exchange(client, new_code(client))).access
    assert client.introspect(token)["scope"] == "publicAPI.v1.all"


def test_A_15_the_token_endpoint_needs_no_bearer_token(client):
    answer = exchange(client, new_code(client))
    assert "Authorization" not in answer.request.headers
    assert answer.status_code == 200


def test_A_16_deleting_a_connection_ends_its_tokens(client):
    server = client.server
    granted = tokens(exchange(client, new_code(client)))
    connection = client.introspect(granted.access)["connection_id"]
    assert server.run("connection", "revoke", connection).returncode == 0
    eventually(lambda: not client.introspect(granted.access)["active"])
    eventually(lambda: client.locks(granted.access).status_code == 401)
    check_refusal(refresh(client, granted.refresh), 401, "invalid_grant")


def test_authlib_connects_and_refreshes(client):
    session = OAuth2Session(
        client.client_id,
        client.client_secret,
        redirect_uri=CALLBACK,
        token_endpoint_auth_method="client_secret_post",
    )
    session.trust_env = False
    token = session.fetch_token(client.server.base + TOKEN, code=new_code(client), grant_type="authorization_code")
    assert token["access_token"]
    assert not token.is_expired()
    again = session.refresh_token(
        client.server.base + TOKEN, token["refresh_token"], body=urlencode({"redirect_uri": CALLBACK})
    )
    assert again["access_token"] != token["access_token"]
    assert client.introspect(again["access_token"])["active"]


def test_a_browser_goes_the_whole_way(server, client, browser: Browser):
    account = server.create_account()
    page = browser.new_context().new_page()
    reached = []

    def arrive(route):
        reached.append(route.request.url)
        route.fulfill(status=200, content_type="text/html", body="<h1>Back at the application</h1>")

    page.route("https://y.example/**", arrive)
    page.goto(link(client, state="from-the-browser"))
    page.get_by_label("Email", exact=True).fill(account.email)
    page.get_by_label("Password", exact=True).fill(account.password)
    page.get_by_role("button", name="Sign in", exact=True).click()
    page.get_by_role("button", name="Allow", exact=True).click()
    page.get_by_role("heading", name="Back at the application").wait_for()
    page.context.close()
    query = dict(parse_qsl(urlsplit(reached[0]).query))
    assert query["foo"] == "bar"
    assert query["state"] == "from-the-browser"
    assert exchange(client, query["code"]).status_code == 200
