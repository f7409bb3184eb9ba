"""Headers, methods and what errors give away: security.md, rows H01 to H08."""

import pytest

from toolkit.person import Person
from toolkit.wire import raw, raw_request, send


def directives(policy: str) -> dict[str, str]:
    return {part.split()[0]: " ".join(part.split()[1:]) for part in policy.split(";") if part.strip()}


@pytest.fixture
def pages(sqlite_server, person):
    """One page of each kind: sign-in, consent, refusal, not found."""
    web = sqlite_server.partners.web
    return [
        Person(sqlite_server).visit(web.authorize_url()),
        person.reach_consent(web),
        person.request("GET", web.authorize_url(redirect_uri="https://evil.example/")),
        person.request("GET", sqlite_server.base + "/no/such/page"),
    ]


def test_H01_every_page_has_the_protective_headers(pages):
    for page in pages:
        assert page.headers["X-Content-Type-Options"] == "nosniff", page.url
        assert page.headers["Referrer-Policy"] == "no-referrer", page.url
        policy = directives(page.headers["Content-Security-Policy"])
        assert policy["default-src"] == "'none'", page.url
        assert policy["base-uri"] == "'none'", page.url
        assert policy["frame-ancestors"] == "'none'", page.url
        assert "unsafe-inline" not in page.headers["Content-Security-Policy"]
        assert "unsafe-eval" not in page.headers["Content-Security-Policy"]
        assert policy.get("script-src", "'none'") in ("'none'", "'self'")


def test_C09_only_pages_that_lead_to_a_partner_leave_open_where_forms_end(sqlite_server, pages):
    pages = [*pages, *(Person(sqlite_server).visit(sqlite_server.base + path) for path in ("/account", "/console"))]
    found = [directives(page.headers["Content-Security-Policy"]).get("form-action") for page in pages]
    assert found == [None, None, "'self'", "'self'", "'self'", "'self'"]


def test_H01_a_page_keeps_its_window_to_itself_unless_a_partner_may_have_opened_it(sqlite_server, pages):
    console = Person(sqlite_server).request("GET", sqlite_server.base + "/console")
    person = Person(sqlite_server, sqlite_server.create_account())
    person.sign_in(person.visit(sqlite_server.base + "/account"))
    for page in (console, person.visit(sqlite_server.base + "/account")):
        assert page.headers["Cross-Origin-Opener-Policy"] == "same-origin", page.url
    for page in pages:
        assert "Cross-Origin-Opener-Policy" not in page.headers, page.url


def test_H01_pages_that_know_a_person_are_not_stored(pages):
    for page in pages[:2]:
        assert "no-store" in page.headers["Cache-Control"], page.url


def test_H01_an_https_issuer_demands_https_for_a_year(new_server):
    server = new_server(issuer="https://login.company.example")
    server.start()
    value = send("GET", server.base + "/oauth/authorize?client_id=nobody").headers["Strict-Transport-Security"]
    seconds = int(value.split("max-age=")[1].split(";")[0])
    assert seconds >= 31536000
    assert "includeSubDomains" in value


def test_H01_plain_http_promises_no_https(sqlite_server):
    assert "Strict-Transport-Security" not in send("GET", sqlite_server.base + "/healthz").headers


def test_H02_pages_link_to_no_other_place(pages, sqlite_server):
    for page in pages:
        assert not [link for link in page.links if not link.startswith((sqlite_server.base, "mailto:"))], page.links
        for address in ('src="http', 'src="//', 'href="//', "url(http"):
            assert address not in page.html, page.url


def test_H03_a_visitor_cannot_choose_its_own_address(new_server):
    server = new_server()
    seam = server.create_client("--partner", "seam", name="Seam")
    account = server.create_account()
    server.start()
    statuses = []
    for i in range(14):
        person = Person(server, source="127.0.8.1")
        page = person.visit(seam.authorize_url())
        headers = {
            "X-Forwarded-For": f"203.0.113.{i}",
            "Forwarded": f"for=203.0.113.{i}",
            "X-Real-IP": f"203.0.113.{i}",
        }
        values = {"email": account.email, "password": "wrong"}
        statuses.append(person.submit(page.sign_in_form, values, headers=headers).status)
    assert 429 in statuses
    assert "203.0.113" not in server.log


def test_H03_a_visitor_cannot_pretend_to_be_on_https(sqlite_server):
    headers = {"X-Forwarded-Proto": "https", "Forwarded": "proto=https"}
    answer = send("GET", sqlite_server.partners.web.authorize_url(), headers=headers)
    assert "Strict-Transport-Security" not in answer.headers
    assert "https://127.0.0.1" not in answer.headers.get("Location", "") + answer.text


@pytest.mark.parametrize(
    "request_head",
    [
        "POST /oauth/token HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n"
        "GET /smuggled HTTP/1.1\r\nHost: x\r\n\r\n",
        "POST /oauth/token HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\nContent-Length: 6\r\n\r\nabcdef",
        "POST /oauth/token HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked, identity\r\n\r\n0\r\n\r\n",
        "GET /healthz HTTP/1.1\r\nHost: x\r\nX-A: b\r\n folded\r\n\r\n",
        "GET /healthz HTTP/1.1\r\nHost: x\r\nX-A: b\x00c\r\n\r\n",
        "GET /health z HTTP/1.1\r\nHost: x\r\n\r\n",
        "nonsense\r\n\r\n",
    ],
    ids=["cl+te", "two lengths", "chunked identity", "folded", "nul", "space in path", "nonsense"],
)
def test_H04_ambiguous_requests_are_refused(sqlite_server, request_head):
    answer = raw(sqlite_server.base, request_head.encode(), wait=1)
    assert answer.count(b"HTTP/1.1") <= 1, "one request was answered twice"
    assert not answer or answer.split()[1][:1] == b"4", answer[:200]
    assert send("GET", sqlite_server.base + "/healthz").status_code == 200


@pytest.mark.parametrize("name", ["state", "redirect_uri", "ui_locales", "scope", "client_id", "login_hint"])
def test_H05_line_breaks_never_reach_a_header(sqlite_server, person, name):
    web = sqlite_server.partners.web
    for injection in (
        "x\r\nSet-Cookie: evil=1",
        "x\nSet-Cookie: evil=1",
        "x\r\n\r\n<script>",
        "x\u2028Set-Cookie: evil=1",
    ):
        page = person.request("GET", web.authorize_url(**{name: injection, "prompt": "none"}))
        assert "evil" not in (page.headers.get("Set-Cookie") or "")
        assert "\r" not in (page.location or "")
        assert "\n" not in (page.location or "")
        assert page.status < 500


@pytest.mark.parametrize("path", ["/oauth/token", "/oauth/authorize", "/healthz", "/oauth/jwks", "/"])
@pytest.mark.parametrize("method", ["TRACE", "TRACK", "CONNECT", "NONSENSE", "PATCH"])
def test_H07_unknown_methods_are_refused(sqlite_server, method, path):
    request = f"{method} {path} HTTP/1.1\r\nHost: x\r\nX-Secret: shibboleth\r\nConnection: close\r\n\r\n"
    answer = raw(sqlite_server.base, request.encode(), wait=2)
    assert not answer or answer.split()[1] in (b"400", b"404", b"405", b"501"), answer[:200]
    assert b"shibboleth" not in answer


@pytest.mark.parametrize(
    "target",
    [
        "/no/such/page",
        "/oauth/authorize?%",
        "/oauth/authorize?client_id=%ff%fe",
        "/oauth/authorize?client_id='%20or%201=1--",
        "/../../etc/passwd",
        "/%2e%2e/%2e%2e/etc/passwd",
        "/oauth/authorize?client_id=" + "x" * 5000,
        "/login?transaction='",
        "/%00",
        "//",
    ],
)
def test_H08_errors_give_nothing_away(sqlite_server, target):
    answer = raw_request(sqlite_server.base, "GET", target)
    assert answer.status in (303, 302, 400, 403, 404, 405, 414, 431), (answer.status, answer.text[:200])
    for leak in (
        ".swift",
        "SQLite",
        "sqlite",
        "PSQL",
        "select ",
        "Fatal",
        "/Sources/",
        "stack",
        "root:",
        "Hummingbird",
    ):
        assert leak not in answer.text, leak


def test_H08_an_error_page_names_the_request_that_the_log_names(sqlite_server, person):
    page = person.request("GET", sqlite_server.partners.web.authorize_url(redirect_uri="https://evil.example/"))
    request_id = page.headers.get("X-Request-Id")
    assert request_id
    assert request_id in sqlite_server.log


def test_O03_a_visitor_cannot_forge_a_line_of_the_log(sqlite_server):
    for value in ("x\nFORGED line", "x\r\nFORGED line", "\x1b[31mFORGED line"):
        Person(sqlite_server).request("GET", sqlite_server.partners.web.authorize_url(client_id=value, state=value))
        sqlite_server.partners.web.using(client_id=value).refresh(value)
        send("GET", sqlite_server.base + "/healthz", headers={"User-Agent": "FORGED \x1b[31m agent"})
    assert not [line for line in sqlite_server.log.splitlines() if line.startswith("FORGED")]
    assert "\x1b[31m" not in sqlite_server.log
