"""Seam's older guides for door locks and intercoms: each row of their OAuth text, L-01 to L-11, on both databases."""

import json
from concurrent.futures import ThreadPoolExecutor
from urllib.parse import parse_qsl, quote, urlencode, urlsplit

import pytest
from playwright.sync_api import Browser
from requests_oauthlib import OAuth2Session

from toolkit.client import Authorization, OAuthClient, refusal, tokens
from toolkit.expect import check_one_line_error
from toolkit.person import Person
from toolkit.ports import free_port
from toolkit.process import Latchkey
from toolkit.waiting import CUT_WITHIN, STALENESS, eventually
from toolkit.wire import send

CALLBACK = "https://acme.integrations.getseam.com/cb?x=1"
SECRET = "a-secret-of-at-least-22-characters"
YEAR = 365 * 24 * 3600


def make_seam(server: Latchkey, secret: str = SECRET) -> OAuthClient:
    return server.create_client("--partner", "seam-legacy", "--secret", secret, name="Seam", redirect_uri=CALLBACK)


@pytest.fixture(scope="module", params=["sqlite", "postgres"])
def server(request, module_server) -> Latchkey:
    server = module_server(request.param)
    server.seam = make_seam(server)
    return server.start()


@pytest.fixture
def seam(server) -> OAuthClient:
    return server.seam


def link(server: Latchkey, redirect_uri: str = CALLBACK, **more: str) -> str:
    return f"{server.base}/authorize?{urlencode({'redirect_uri': redirect_uri} | more)}"


def walk(person: Person, url: str, decision: str = "allow") -> str:
    """From the partner's link to the partner's redirect."""
    page = person.visit(url)
    if page.sign_in_form:
        page = person.sign_in(page)
    page = person.decide(page, decision)
    assert page.leaves, page
    return page.target


def code_of(target: str) -> str:
    return dict(parse_qsl(urlsplit(target).query))["code"]


def exchange(server: Latchkey, code: str, as_json: bool = False, path: str = "/oauth/token", **changes):
    """The guides' token request: code, client_id and client_secret, and nothing else."""
    body = {"code": code, "client_id": "seam", "client_secret": SECRET} | changes
    if as_json:
        kind, data = "application/json", json.dumps(body)
    else:
        kind, data = "application/x-www-form-urlencoded", urlencode(body)
    return send("POST", server.base + path, data=data, headers={"Content-Type": kind})


def locks(server: Latchkey, token: str, path: str = "/v1/locks") -> int:
    return send("GET", server.base + path, headers={"Authorization": f"Bearer {token}"}).status_code


def test_L_01_redirect_uri_alone_shows_a_sign_in_page(server):
    page = Person(server).visit(link(server))
    assert page.status == 200
    assert page.sign_in_form, page


@pytest.mark.parametrize(
    "uri",
    [
        "https://acme.integrations.getseam.com/cb?x=1",
        "https://a.b.integrations.getseam.com",
        "https://acme.integrations.getseam.com/cb?state=seams-own&x=%2F",
    ],
)
def test_L_02_every_host_below_the_domain_is_accepted(server, uri):
    assert Person(server).visit(link(server, uri)).sign_in_form


@pytest.mark.parametrize(
    "uri",
    [
        "http://a.integrations.getseam.com/cb",
        "https://integrations.getseam.com/cb",
        "https://evilintegrations.getseam.com/cb",
        "https://a.integrations.getseam.com.evil.tld/cb",
        "https://a.integrations.getseam.com@evil.tld/cb",
        "https://evil.tld\\@a.integrations.getseam.com/cb",
        "https://evil.tld/@a.integrations.getseam.com/cb",
        "https://evil.tld?.integrations.getseam.com",
        "https://evil.tld#.integrations.getseam.com",
        "https://a.integrations.getseam.com/cb#frag",
        "https://a.integrations.getseam.com/cb?x=1;code=evil",
        "https://a.integrations.getseam.com:8443/cb",
        "https://a.integrations.getseam.com./cb",
        "https://u:p@a.integrations.getseam.com/cb",
        "https://\u0430.integrations.getseam.com/cb",
        "https://a.integrations.gets\u0435am.com/cb",
        "https://a\t.integrations.getseam.com/cb",
        "https://a.integrations.getseam.com/cb\n",
        "https://a.integrations.getseam.com%00.evil.tld/cb",
        "//evil",
        "//a.integrations.getseam.com/cb",
        "javascript:alert(1)//a.integrations.getseam.com",
        "https:///a.integrations.getseam.com/cb",
        "https://.integrations.getseam.com/cb",
        "https://*.integrations.getseam.com/cb",
        "https://a.integrations.getseam.com/cb?code=evil",
        "https://a.integrations.getseam.com/cb?x=1&%63od%65=evil",
        "https://a.integrations.getseam.com/cb?error=access_denied",
        "https://a.integrations.getseam.com/cb?x=%zz",
        "https://a.integrations.getseam.com/\\@evil.tld",
        "https://a.integrations.getseam.com:443@evil.tld/",
        "https://a.integrations.getseam.com:/cb",
        "https://[::1].integrations.getseam.com/",
        "https://a\u3002integrations.getseam.com/",
        "https://-a.integrations.getseam.com/",
        "https:a.integrations.getseam.com/cb",
        "https:\\\\a.integrations.getseam.com/cb",
        " https://a.integrations.getseam.com/cb",
        "*",
        "",
    ],
)
def test_L_02_anything_else_is_a_page_and_no_redirect(server, uri):
    for path in ("/authorize", "/oauth/authorize"):
        query = {"redirect_uri": uri, "client_id": "seam", "response_type": "code"}
        answer = send("GET", f"{server.base}{path}?{urlencode(query)}", headers={"Accept": "text/html"})
        assert answer.status_code == 400, (uri, answer.status_code)
        assert "Location" not in answer.headers
        assert "text/html" in answer.headers["Content-Type"]


def test_L_02_two_redirect_uris_are_a_page(server):
    answer = send("GET", link(server) + "&redirect_uri=" + quote("https://b.integrations.getseam.com/", safe=""))
    assert answer.status_code == 400
    assert "Location" not in answer.headers


@pytest.mark.parametrize("query", ["?x=1", "?x=%2Fa+b&state=s%3D1&y", "?x=1&x=2", ""])
def test_L_03_the_code_is_appended_and_the_query_kept_byte_for_byte(server, query):
    uri = "https://acme.integrations.getseam.com/cb" + query
    target = walk(Person(server, server.create_account()), link(server, uri))
    assert target.startswith(uri + ("&" if query else "?") + "code=")
    rest = target[len(uri) + 1 :]
    assert "&" not in rest, "nothing but the code"
    assert exchange(server, code_of(rest and target)).status_code == 200


def test_L_03_a_denial_comes_back_as_access_denied(server):
    target = walk(Person(server, server.create_account()), link(server), "deny")
    assert target.startswith(CALLBACK + "&error=access_denied")


def test_L_04_what_is_sent_must_be_right_and_state_comes_back(server):
    person = Person(server, server.create_account())
    target = walk(person, link(server, client_id="seam", response_type="code", state="a b&c=d"))
    assert dict(parse_qsl(urlsplit(target).query))["state"] == "a b&c=d"
    other = send("GET", link(server, client_id="somebody"), headers={"Accept": "text/html"})
    assert other.status_code == 400
    assert "Location" not in other.headers
    wrong = send("GET", link(server, response_type="token"))
    assert "error=unsupported_response_type" in wrong.headers["Location"]
    both = send("GET", link(server, "https://a.integrations.getseam.com/?state=1", state="2"))
    assert both.status_code == 400
    assert "Location" not in both.headers


def test_L_04_the_path_is_of_this_profile_alone(server):
    web = server.create_client("--redirect-uri", "https://web.example/cb", name="Web")
    answer = send("GET", f"{server.base}/authorize?{urlencode(web.parameters())}", headers={"Accept": "text/html"})
    assert answer.status_code == 400
    assert "Location" not in answer.headers
    usual = send("GET", f"{server.base}/oauth/authorize?{urlencode({'redirect_uri': CALLBACK})}")
    assert usual.status_code == 400, "at the usual path a client_id is needed"


def test_L_05_a_code_is_good_once_and_a_second_time_ends_what_it_gave(server):
    code = code_of(walk(Person(server, server.create_account()), link(server)))
    token = tokens(exchange(server, code)).access
    assert locks(server, token) == 200
    refusal(exchange(server, code), 400, "invalid_grant")
    assert locks(server, token) == 401


def test_L_05_of_parallel_redemptions_one_wins(server):
    code = code_of(walk(Person(server, server.create_account()), link(server)))
    with ThreadPoolExecutor(20) as pool:
        statuses = list(pool.map(lambda _: exchange(server, code).status_code, range(20)))
    assert sorted(statuses) == [200] + [400] * 19


def test_L_05_a_failed_authentication_does_not_burn_the_code(server):
    code = code_of(walk(Person(server, server.create_account()), link(server)))
    refusal(exchange(server, code, client_secret="wrong"), 401, "invalid_client")
    refusal(exchange(server, code, redirect_uri="https://b.integrations.getseam.com/"), 400, "invalid_grant")
    refusal(exchange(server, code, grant_type="client_credentials"), 400, "unauthorized_client")
    assert exchange(server, code, grant_type="authorization_code", redirect_uri=CALLBACK).status_code == 200


def test_L_06_an_empty_parameter_counts_as_omitted(server):
    page = Person(server, server.create_account())
    code = code_of(walk(page, link(server, client_id="", scope="")))
    assert exchange(server, code, grant_type="").status_code == 200


@pytest.mark.parametrize("as_json", [False, True], ids=["form", "json"])
def test_L_06_three_fields_become_a_token(server, as_json):
    code = code_of(walk(Person(server, server.create_account()), link(server)))
    answer = exchange(server, code, as_json)
    body = tokens(answer).body
    assert set(body) == {"access_token", "token_type"}
    assert body["token_type"] == "Bearer"
    assert answer.headers["Cache-Control"] == "no-store"
    assert locks(server, body["access_token"]) == 200


@pytest.mark.parametrize(
    "body",
    ['{"code":1}', '{"code":"a","code":"b"}', '{"code":{"a":"b"}}', "[]", "{", '{"code":[null]}', ""]
    + ['\ufeff{"code":"a"}', '{"code":"a"}{"code":"b"}', '{"code":"a","\\u0063ode":"b"}', '{"code":"\\ud800"}']
    + ['{"code":"a\x00"}', "[" * 30_000, '{"code":"' + "a" * 70_000],
    ids=lambda body: body[:20],
)
def test_L_06_a_json_body_that_is_no_flat_object_of_texts_is_refused(server, body):
    answer = send("POST", server.base + "/oauth/token", data=body, headers={"Content-Type": "application/json"})
    refusal(answer, 413 if len(body) > 65_536 else 400, "invalid_request")


@pytest.mark.parametrize("as_json", [False, True], ids=["form", "json"])
def test_L_06_a_nul_is_no_code_and_no_fault(server, as_json):
    refusal(exchange(server, "\x00", as_json), 400, "invalid_grant")
    refusal(exchange(server, "a\x00b", as_json, redirect_uri=CALLBACK + "\x00"), 400, "invalid_grant")
    refusal(exchange(server, "a", as_json, client_id="seam\x00"), 401, "invalid_client")
    refusal(exchange(server, "a", as_json, client_secret=SECRET + "\x00"), 401, "invalid_client")


def test_L_06_json_is_refused_for_a_client_whose_profile_does_not_name_it(server):
    web = server.create_client("--redirect-uri", "https://web.example/cb", name="Web")
    body = json.dumps(web.exchange_form("x") | web.secret_form())
    answer = send("POST", server.base + "/oauth/token", data=body, headers={"Content-Type": "application/json"})
    refusal(answer, 400, "invalid_request")


def test_L_07_seamsecret_works_in_test_mode_only(own_server):
    server = own_server
    done = server.run("client", "create", "--partner", "seam-legacy", "--secret", "seamsecret", "--json")
    assert done.returncode == 0
    assert "test mode only" in done.stderr
    assert json.loads(done.stdout)["client_id"] == "seam"
    account = server.create_account()
    server.start()
    code = code_of(walk(Person(server, account), link(server)))
    refusal(exchange(server, code, client_secret="seamsecret"), 401, "invalid_client")
    assert "test secret" in server.log
    server.stop()
    server.options = ("--sample-api", "--test-mode")
    server.start()
    code = code_of(walk(Person(server, account), link(server)))
    assert exchange(server, code, client_secret="seamsecret").status_code == 200


def test_L_08_the_token_lives_for_years_until_its_connection_is_cut(own_server):
    server = own_server
    seam, account = make_seam(server), server.create_account()
    server.start()
    token = tokens(exchange(server, code_of(walk(Person(server, account), link(server))))).access
    found = seam.introspect(token)
    assert found["active"]
    assert "exp" not in found
    assert found["user_id"] == account.user_id
    server.restart(clock_offset=3 * YEAR)
    assert locks(server, token) == 200
    (connection,) = server.command("connection", "list")
    assert connection["client_id"] == "seam"
    assert server.run("connection", "revoke", connection["connection_id"]).returncode == 0
    eventually(lambda: locks(server, token) == 401, CUT_WITHIN)
    assert seam.introspect(token) == {"active": False}


def test_L_08_revoking_the_token_cuts_its_connection(server, seam):
    token = tokens(exchange(server, code_of(walk(Person(server, server.create_account()), link(server))))).access
    connection = seam.introspect(token)["connection_id"]
    assert seam.revoke(token).status_code == 200
    assert locks(server, token) == 401
    states = {one["connection_id"]: one["status"] for one in server.command("connection", "list")}
    assert states[connection] == "revoked"


def test_L_10_the_guides_paths_stand_below_the_base_path(new_server):
    port = free_port()
    root = f"http://127.0.0.1:{port}"
    server = new_server(port=port, issuer=root + "/some/base")
    make_seam(server)
    account = server.create_account()
    server.base = server.issuer
    server.start()
    person = Person(server, account)
    page = person.visit(link(server))
    assert page.sign_in_form, page
    assert page.sign_in_form.action.startswith(server.issuer + "/")
    token = tokens(exchange(server, code_of(walk(person, link(server))))).access
    assert locks(server, token) == 200
    for path in ("/authorize", "/oauth/token"):
        assert send("POST", root + path).status_code == 404


def test_L_11_the_authorization_server_may_have_another_host_than_the_api(new_server):
    server = new_server(issuer="https://login.example.test")
    make_seam(server)
    account = server.create_account()
    server.start()
    code = code_of(walk(Person(server, account), link(server)))
    token = tokens(exchange(server, code)).access
    assert locks(server, token) == 200, "the API at 127.0.0.1 takes a token of https://login.example.test"


def test_the_wildcard_is_warned_of_and_can_be_pinned(own_server):
    server = own_server
    done = server.run("client", "create", "--partner", "seam-legacy", "--secret", SECRET, "--json")
    assert "--redirect-uri" in done.stderr
    assert "integrations.getseam.com" in done.stderr
    made = json.loads(done.stdout)
    assert made["redirect_hosts"] == ["integrations.getseam.com"]
    assert made["access_token_lifetime"] is None
    assert {"redirect_hosts", "access_token_lifetime"} <= {one["rule"] for one in made["loosened"]}
    assert made["unmet"] == []
    server.start()
    assert "integrations.getseam.com" in server.log
    assert "pin" in server.log
    assert Person(server).visit(link(server)).sign_in_form
    changed = server.command("client", "update", "seam", "--redirect-uri", CALLBACK)
    assert changed["redirect_hosts"] == []
    assert changed["redirect_uris"] == [CALLBACK]
    other = link(server, "https://other.integrations.getseam.com/")
    eventually(lambda: send("GET", other).status_code == 400, STALENESS)
    assert Person(server).visit(link(server)).sign_in_form


def test_what_the_profile_says_is_not_lost_by_accident_and_can_be_had_back(own_server):
    server = own_server
    make_seam(server)
    domain = "integrations.getseam.com"
    for option in ("--add-redirect-uri", "--remove-redirect-uri"):
        check_one_line_error(server.run("client", "update", "seam", option, CALLBACK), domain, "with --redirect-uri")
    assert server.command("client", "show", "seam")["redirect_hosts"] == [domain]
    server.command("client", "update", "seam", "--redirect-uri", CALLBACK)
    more = "https://b.integrations.getseam.com/cb"
    pinned = server.command("client", "update", "seam", "--add-redirect-uri", more)
    assert (pinned["redirect_uris"], pinned["redirect_hosts"]) == ([CALLBACK, more], [])
    done = server.run("client", "update", "seam", "--access-token-lifetime", "3600")
    assert done.returncode == 0, done.stderr
    assert (
        "ends unannounced after 3600 seconds: have its profile's token_response name refresh_token and give"
        in done.stderr
    )
    back = ("client", "update", "seam", "--redirect-uri", "profile")
    check_one_line_error(server.run(*back, "--redirect-uri", CALLBACK), "beside another")
    found = server.command(*back, "--access-token-lifetime", "profile")
    assert (found["redirect_uris"], found["redirect_hosts"]) == ([], [domain])
    assert found["access_token_lifetime"] is None
    assert "unannounced" not in server.run("client", "update", "seam", "--name", "Seam").stderr
    check_one_line_error(server.run("client", "update", "seam", "--access-token-lifetime", "long"), "whole number")
    scopes = found["scopes"]
    assert server.command("client", "update", "seam", "--scope", "profile")["scopes"] == ["profile"], "a scope's name"
    own = ("client", "update", "seam", "--profile-scopes")
    check_one_line_error(server.run(*own, "--scope", "locks.read"), "beside --scope")
    assert server.command(*own)["scopes"] == scopes


def test_a_client_whose_profile_tells_no_refresh_token_is_warned_of_and_people_read_when_it_ends(own_server):
    server = own_server
    make_seam(server)
    grants = ("--grant", "authorization_code", "--grant", "refresh_token")
    done = server.run("client", "update", "seam", *grants, "--access-token-lifetime", "7200")
    assert done.returncode == 0, done.stderr
    assert "ends unannounced after 7200 seconds: have its profile's token_response name refresh_token" in done.stderr
    assert "refresh tokens" not in server.run("client", "show", "seam").stdout
    server.start()
    person = Person(server, server.create_account())
    page = person.sign_in(person.visit(link(server)))
    assert "for 2 hours, then it has to ask you again" in page.text
    assert "refresh_token" not in tokens(exchange(server, code_of(person.decide(page, "allow").target))).body


def test_scopes_of_the_operators_own_are_what_a_request_without_scope_gets(own_server):
    server = own_server
    seam, account = make_seam(server), server.create_account()
    server.command("client", "update", "seam", "--scope", "doors.open")
    server.start()
    token = tokens(exchange(server, code_of(walk(Person(server, account), link(server))))).access
    assert seam.introspect(token)["scope"] == "doors.open"


def test_a_token_that_never_expires_is_for_the_companys_api_whatever_that_is_called_by_now(own_server):
    server, named = own_server, "https://api.company.example"
    seam, account = make_seam(server), server.create_account()
    server.start()
    token = tokens(exchange(server, code_of(walk(Person(server, account), link(server))))).access
    server.extra_environment["LATCHKEY_AUDIENCE"] = named
    api = server.create_client("--audience", named, name="Locks API")
    server.restart()
    assert api.introspect(token)["aud"] == named
    assert seam.introspect(token)["aud"] == named
    eventually(lambda: seam.locks(token).status_code == 200)
    assert send("GET", server.base + "/oauth/userinfo", headers={"Authorization": f"Bearer {token}"}).status_code == 200


def test_a_connection_that_never_refreshes_was_last_used_when_its_token_was(own_server):
    server = own_server
    seam, account = make_seam(server), server.create_account()
    server.start()
    person = Person(server, account)
    token = tokens(exchange(server, code_of(walk(person, link(server))))).access
    assert server.command("connection", "list")[0]["last_used_at"] is None
    assert "not yet" in person.visit(server.base + "/account").text
    assert seam.locks(token).status_code == 200
    eventually(lambda: server.command("connection", "list")[0]["last_used_at"], seconds=5 + STALENESS + 5)
    assert "not yet" not in person.visit(server.base + "/account").text


def test_the_profile_fixes_the_clients_id(own_server):
    done = own_server.run("client", "create", "--partner", "seam-legacy", "--id", "other", "--json")
    check_one_line_error(done, "client id", "'seam'")
    make_seam(own_server)
    done = own_server.run("client", "create", "--partner", "seam-legacy")
    check_one_line_error(done, "the client_id 'seam' only", "latchkey client update seam")
    assert "--id" not in done.stderr, "no other id would do"


def test_a_path_that_two_profiles_want_stops_the_start(own_server, tmp_path):
    folder = tmp_path / "partners"
    folder.mkdir()
    for taken, words in (("/authorize", "'seam-legacy'"), ("/oauth/token", "the server's own")):
        text = f"id: twin\nname: Twin\nsources: {{A1: Acme}}\nrules:\n  endpoints:\n    token: [{taken}]\n"
        (folder / "twin.yaml").write_text(text)
        done = own_server.run("serve", "--partners", str(folder), "--listen", f"127.0.0.1:{free_port()}")
        check_one_line_error(done, "twin.yaml", "line 6", taken, words)


def test_requests_oauthlib_connects(server, monkeypatch):
    monkeypatch.setenv("OAUTHLIB_INSECURE_TRANSPORT", "1")
    session = OAuth2Session("seam", redirect_uri=CALLBACK)
    session.trust_env = False
    url, _ = session.authorization_url(server.base + "/authorize")
    target = walk(Person(server, server.create_account()), url)
    token = session.fetch_token(server.base + "/oauth/token", authorization_response=target, client_secret=SECRET)
    assert session.get(server.base + "/v1/locks").status_code == 200
    assert "expires_in" not in token


def test_a_browser_goes_the_whole_way(server, seam, browser: Browser):
    account = server.create_account()
    page = browser.new_context().new_page()
    reached = []

    def arrive(route):
        reached.append(route.request.url)
        route.fulfill(status=200, content_type="text/html", body="<h1>Back at Seam</h1>")

    page.route("https://*.integrations.getseam.com/**", arrive)
    page.goto(link(server))
    page.get_by_label("Email", exact=True).fill(account.email)
    page.get_by_label("Password", exact=True).fill(account.password)
    page.get_by_role("button", name="Sign in", exact=True).click()
    page.get_by_role("button", name="Allow", exact=True).click()
    page.get_by_role("heading", name="Back at Seam").wait_for()
    page.context.close()
    assert reached[0].startswith(CALLBACK + "&code=")
    assert exchange(server, Authorization(reached[0], seam).code).status_code == 200
