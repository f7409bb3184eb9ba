"""Bad input of every kind: the right OAuth error or a page that says so; never a 500, never a wrong redirect."""

import http.client
import json
import random
from urllib.parse import quote, urlencode, urlsplit

import pytest

from toolkit.client import refusal
from toolkit.person import Person
from toolkit.wire import raw_request, send

FORM = {"Content-Type": "application/x-www-form-urlencoded"}
POSTED = ["/oauth/token", "/oauth/introspect", "/oauth/revoke"]


def check_oauth_error(answer, path: str) -> None:
    """A refusal in JSON with a code of the specification, for a program to read."""
    status = getattr(answer, "status_code", None) or answer.status
    headers = {name.lower(): value for name, value in answer.headers.items()}
    assert 400 <= status < 500, (path, status, answer.text[:300])
    assert headers["content-type"].startswith("application/json"), (path, headers)
    error = json.loads(answer.text)["error"]
    assert error in {
        "invalid_request",
        "invalid_client",
        "invalid_grant",
        "invalid_scope",
        "invalid_target",
        "unauthorized_client",
        "unsupported_grant_type",
        "unsupported_token_type",
    }, (path, error)


@pytest.mark.parametrize("path", POSTED)
@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"&",
        b"&&&===&&&",
        b"=",
        b"%",
        b"%zz=%zz",
        b"grant_type=%",
        b"grant_type=%e",
        b"grant_type=%ff%fe",
        b"grant_type=refresh_token&refresh_token=%c3%28",
        b"\xff\xfe\x00",
        b"\x00" * 100,
        b'{"grant_type": "refresh_token"}',
        b"<xml/>",
        "grant_type=naïve".encode("latin-1"),
        b"grant_type[]=refresh_token",
        b"grant_type=refresh_token;client_id=x",
        b"a=" + b"b" * 60_000,
        "&".join(f"p{i}=1" for i in range(1000)).encode(),
    ],
    ids=lambda body: repr(body[:24]),
)
def test_a_malformed_body_is_an_oauth_error(sqlite_server, path, body):
    check_oauth_error(raw_request(sqlite_server.base, "POST", path, body, FORM), path)


@pytest.mark.parametrize("path", POSTED)
def test_an_oversize_body_in_chunks_is_as_large(sqlite_server, path):
    """RFC 9110 §15.5.14: whether its length was told beforehand does not matter."""
    parts = urlsplit(sqlite_server.base)
    connection = http.client.HTTPConnection(parts.hostname, parts.port, timeout=30)
    connection.request("POST", path, body=iter([b"a=" + b"x" * 100_000]), headers=FORM, encode_chunked=True)
    answer = connection.getresponse()
    assert answer.status == 413
    assert json.loads(answer.read())["error"] == "invalid_request"
    connection.close()


@pytest.mark.parametrize("path", POSTED)
@pytest.mark.parametrize("size", [200_000, 5_000_000])
def test_an_oversize_body_is_refused(sqlite_server, path, size):
    try:
        answer = raw_request(sqlite_server.base, "POST", path, b"a=" + b"x" * size, FORM)
    except OSError:
        return  # the server closed the line while we were still sending
    assert answer.status in (400, 413)
    assert json.loads(answer.text)["error"] == "invalid_request"


@pytest.mark.parametrize("path", POSTED)
@pytest.mark.parametrize(
    "content_type",
    [
        "application/json",
        "text/plain",
        "multipart/form-data",
        "application/x-www-form-urlencodedx",
        "application/x-www-form-urlencoded;charset=utf-16",
        ";",
        "*/*",
    ],
)
def test_another_content_type_is_an_oauth_error(sqlite_server, path, content_type):
    web = sqlite_server.partners.web
    body = urlencode({"token": "x", "grant_type": "refresh_token"} | web.secret_form()).encode()
    answer = raw_request(sqlite_server.base, "POST", path, body, {"Content-Type": content_type})
    assert answer.status in (400, 415), answer.text
    assert json.loads(answer.text)["error"] == "invalid_request"


@pytest.mark.parametrize(
    "value",
    [
        "APPLICATION/X-WWW-FORM-URLENCODED",
        "application/x-www-form-urlencoded ; charset=utf-8",
        # Apache HttpClient's own choice, and that of .NET's StringContent in ASCII.
        "application/x-www-form-urlencoded; charset=ISO-8859-1",
        "application/x-www-form-urlencoded; charset=us-ascii",
    ],
)
def test_a_content_type_may_be_spelled_as_http_allows(sqlite_server, person, value):
    web = sqlite_server.partners.web
    assert (
        web.post("/oauth/token", web.exchange_form(person.authorize(web).code), {"Content-Type": value}).status_code
        == 200
    )


@pytest.mark.parametrize(
    "grant", ["password", "nonsense", "Authorization_Code", "refresh_token ", "urn:x", "a" * 5000, "🔑", "code\x00"]
)
def test_an_unknown_grant_type_is_named_as_such(sqlite_server, grant):
    refusal(
        sqlite_server.partners.web.post("/oauth/token", {"grant_type": grant}),
        400,
        "unsupported_grant_type",
        "invalid_request",
    )


def test_a_missing_grant_type_is_an_invalid_request(sqlite_server):
    refusal(sqlite_server.partners.web.post("/oauth/token", {"code": "x"}), 400, "invalid_request")


@pytest.mark.parametrize("form", [{"grant_type": "authorization_code"}, {"grant_type": "refresh_token"}], ids=str)
def test_a_missing_code_or_token_is_an_invalid_request(sqlite_server, form):
    refusal(sqlite_server.partners.web.post("/oauth/token", form), 400, "invalid_request")


@pytest.mark.parametrize(
    "scope",
    [
        "no.such",
        'quote"',
        "back\\slash",
        "line\nbreak",
        "ü",
        "a" * 300,
        " ".join(f"s{i}" for i in range(200)),
        "\x00",
        " ",
        "   ",
    ],
)
def test_an_absurd_scope_is_an_invalid_scope(sqlite_server, person, scope):
    partners = sqlite_server.partners
    refusal(partners.machine.client_credentials(scope=scope), 400, "invalid_scope", "invalid_request")
    page = person.request("GET", partners.web.authorize_url(scope=scope))
    assert page.leaves
    assert page.target.startswith(partners.web.redirect_uri + "?")
    assert "error=invalid_scope" in page.target or "error=invalid_request" in page.target


@pytest.mark.parametrize(
    "scope", ["locks.read  locks.write", " locks.read", "locks.write locks.read", "locks.read locks.read locks.write"]
)
def test_a_scope_may_be_spelled_in_any_order(sqlite_server, scope):
    assert Person(sqlite_server).visit(sqlite_server.partners.web.authorize_url(scope=scope)).sign_in_form


@pytest.mark.parametrize(
    "header",
    [
        "Basic",
        "Basic ",
        "Basic !!!",
        "Basic " + "A" * 5000,
        "Basic Og==",
        "Basic bm9jb2xvbg==",
        "Basic /////w==",
        "Bearer abc",
        "Digest username=x",
        "nonsense",
        "Basic YTpi, Basic YTpi",
    ],
)
def test_a_malformed_authorization_header_is_invalid_client(sqlite_server, header):
    body = urlencode({"grant_type": "refresh_token", "refresh_token": "x"}).encode()
    answer = raw_request(sqlite_server.base, "POST", "/oauth/token", body, FORM | {"Authorization": header})
    check_oauth_error(answer, header)
    assert answer.status in (400, 401)
    if answer.status == 401:
        assert "www-authenticate" in answer.headers


@pytest.mark.parametrize(
    "query",
    [
        "",
        "%",
        "client_id=%",
        "client_id=%zz",
        "client_id=%ff",
        "client_id[]=x",
        "=&=&=",
        "&&&",
        "client_id=x&client_id=y",
        "client_id=" + "x" * 3000,
        "client_id=%00",
        "client_id=" + quote("' or 1=1 --"),
        "client_id=" + quote("<script>alert(1)</script>"),
        "redirect_uri=https%3A%2F%2Fevil.example",
        "response_type=code",
    ],
)
def test_a_broken_link_ends_on_a_page_that_says_so(sqlite_server, query):
    answer = raw_request(sqlite_server.base, "GET", f"/oauth/authorize?{query}")
    assert answer.status == 400
    assert "location" not in answer.headers
    assert answer.headers["content-type"].startswith("text/html")
    assert "<h1" in answer.text
    assert "<script>alert(1)" not in answer.text


def test_a_broken_parameter_never_costs_the_redirect_check(sqlite_server):
    web = sqlite_server.partners.web
    query = urlencode(web.parameters()) + "&broken=%zz"
    answer = raw_request(sqlite_server.base, "GET", f"/oauth/authorize?{query}")
    assert answer.status in (302, 303, 400)
    if answer.status != 400:
        assert answer.headers["location"].startswith(web.redirect_uri + "?error=invalid_request")


@pytest.mark.parametrize("path", ["/login", "/oauth/authorize", "/oauth/consent"])
@pytest.mark.parametrize(
    "body", [b"", b"%", b"decision=allow", b"email=a&password=b", b"transaction=x&decision=allow", b"\xff"]
)
def test_a_form_from_nowhere_is_refused(sqlite_server, path, body):
    answer = raw_request(sqlite_server.base, "POST", path, body, FORM)
    assert 400 <= answer.status < 500, (answer.status, answer.text[:200])
    assert "location" not in answer.headers


@pytest.mark.parametrize(
    "email", ["", "x", "a@b", "a" * 5000 + "@example.com", "ü@example.com", "a@example.com\x00", "' or 1=1 --"]
)
def test_a_strange_address_is_a_failed_sign_in(sqlite_server, email):
    person = Person(sqlite_server, source="127.0.9.1")
    page = person.visit(sqlite_server.partners.web.authorize_url())
    done = person.submit(page.sign_in_form, {"email": email, "password": "wrong"})
    assert 200 <= done.status < 500
    assert not done.leaves
    assert done.html


@pytest.mark.parametrize("password", ["", " ", "x" * 5000, "ü" * 200, "a\x00b"])
def test_a_strange_password_is_a_failed_sign_in(sqlite_server, account, password):
    person = Person(sqlite_server, source="127.0.9.2")
    page = person.visit(sqlite_server.partners.web.authorize_url())
    done = person.submit(page.sign_in_form, {"email": account.email, "password": password})
    assert 200 <= done.status < 500
    assert not done.consent_form
    assert not done.leaves


@pytest.mark.parametrize("cookie", ["", "x", "a=b; a=c", "=", "session=" + "x" * 6000, "__Host-session=\xff", ";;;"])
def test_strange_cookies_are_no_session(sqlite_server, cookie):
    web = sqlite_server.partners.web
    target = web.authorize_url(prompt="none").removeprefix(sqlite_server.base)
    answer = raw_request(sqlite_server.base, "GET", target, None, {"Cookie": cookie})
    assert answer.status in (303, 302, 400, 431)
    if answer.status in (302, 303):
        assert "error=login_required" in answer.headers["location"]


@pytest.mark.parametrize(
    "bearer", ["", "Bearer", "Bearer ", "Bearer a b", "Basic YTpi", "bearer x", "Bearer " + "x" * 5000, "Bearer \xff"]
)
def test_a_malformed_bearer_header_is_401_at_the_api(sqlite_server, bearer):
    answer = raw_request(sqlite_server.base, "GET", "/v1/locks", None, {"Authorization": bearer})
    assert answer.status in (400, 401, 431)
    if answer.status == 401:
        assert answer.headers["www-authenticate"].startswith("Bearer")


def test_five_hundred_random_requests_never_end_in_a_500(sqlite_server):
    """Seeded noise over every endpoint: valid requests with one thing or several broken."""
    chance = random.Random(20261121)
    web = sqlite_server.partners.web
    pieces = [
        "",
        "x",
        "%",
        "%00",
        "%ff",
        "&",
        "=",
        "ü",
        "'",
        '"',
        "<",
        "\\",
        "a" * 3000,
        "code",
        "login",
        "none",
        "-1",
        "0",
    ]
    paths = [
        "/oauth/authorize",
        "/oauth/token",
        "/oauth/introspect",
        "/oauth/revoke",
        "/login",
        "/oauth/consent",
        "/v1/locks",
        "/",
    ]
    bad = []
    for _ in range(500):
        form = {
            **web.parameters(),
            "grant_type": "refresh_token",
            "refresh_token": "x",
            "token": "x",
            **web.secret_form(),
        }
        for name in chance.sample(sorted(form), chance.randint(1, 4)):
            form[name] = "".join(chance.choices(pieces, k=chance.randint(0, 4)))
        content = "&".join(f"{name}={value}" for name, value in form.items())
        path, method = chance.choice(paths), chance.choice(["GET", "POST"])
        target = f"{path}?{quote(content, safe='&=%')}" if method == "GET" else path
        body = None if method == "GET" else content.encode("utf-8", "replace")
        answer = raw_request(sqlite_server.base, method, target, body, {} if method == "GET" else FORM)
        place = answer.headers.get("location", web.redirect_uri)
        if (
            answer.status >= 500
            or not place.startswith((web.redirect_uri, sqlite_server.base, "/"))
            or place.startswith("//")
        ):
            bad.append((method, target[:300], content[:300], answer.status, place))
    assert not bad, bad[:3]
    assert send("GET", sqlite_server.base + "/readyz").status_code == 200


def test_the_english_detail_of_a_german_page_says_its_language(sqlite_server):
    """WCAG 3.1.2."""
    link = sqlite_server.base + "/oauth/authorize?client_id=nobody"
    page = Person(sqlite_server).visit(link, headers={"Accept-Language": "de"})
    assert '<html lang="de">' in page.html
    assert '</dt><dd lang="en">' in page.html
