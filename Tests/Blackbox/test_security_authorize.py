"""The authorization endpoint against somebody who means harm: security.md, rows A05 to A15 and A18 to A24."""

from concurrent.futures import ThreadPoolExecutor
from urllib.parse import quote, urlencode, urlsplit

import pytest

from toolkit.client import refusal, tokens
from toolkit.expect import check_refused_here
from toolkit.person import Person
from toolkit.waiting import eventually
from toolkit.wire import raw_request, send


@pytest.mark.parametrize("kind", [None, "token", "id_token", "code id_token", "none", "CODE"])
def test_A05_only_the_response_type_code_is_served(sqlite_server, kind):
    web = sqlite_server.partners.web
    page = Person(sqlite_server).request("GET", web.authorize_url(response_type=kind, state="s"))
    assert page.leaves, page
    assert page.target.startswith("https://partner.example/callback?"), (
        "errors go into the query, never into the fragment"
    )
    assert "error=unsupported_response_type" in page.target or "error=invalid_request" in page.target
    assert "state=s" in page.target


@pytest.mark.parametrize("mode", ["fragment", "form_post", "web_message", "jwt", "nonsense"])
def test_A05_another_response_mode_is_refused(sqlite_server, mode):
    page = Person(sqlite_server).request("GET", sqlite_server.partners.web.authorize_url(response_mode=mode))
    assert page.status in (302, 303, 400)
    assert not page.sign_in_form
    if page.leaves:
        assert "error=" in urlsplit(page.target).query


@pytest.mark.parametrize(
    "name",
    [
        "response_type",
        "client_id",
        "redirect_uri",
        "scope",
        "state",
        "code_challenge",
        "code_challenge_method",
        "prompt",
        "max_age",
        "login_hint",
        "ui_locales",
        "nonce",
    ],
)
def test_A06_a_parameter_sent_twice_is_an_invalid_request(sqlite_server, name):
    web = sqlite_server.partners.web
    values = {"prompt": "login", "max_age": "60", "login_hint": "a@example.com", "ui_locales": "en", "nonce": "n"}
    request = web.parameters() | {name: web.parameters().get(name) or values.get(name)}
    pairs = list(request.items()) + [(name, request[name])]
    page = Person(sqlite_server).request("GET", f"{sqlite_server.base}/oauth/authorize?{urlencode(pairs)}")
    if name in ("client_id", "redirect_uri"):
        check_refused_here(page)
    else:
        assert not page.sign_in_form
        assert page.status == 400 or "error=invalid_request" in page.target


def test_A06_a_parameter_in_query_and_body_is_sent_twice(sqlite_server):
    web = sqlite_server.partners.web
    target = f"/oauth/authorize?{urlencode({'client_id': web.client_id})}"
    body = urlencode(web.parameters()).encode()
    answer = raw_request(
        sqlite_server.base, "POST", target, body, {"Content-Type": "application/x-www-form-urlencoded"}
    )
    assert answer.status in (400, 405)
    assert "location" not in answer.headers


def test_A07_unknown_parameters_are_ignored_and_empty_ones_left_out(sqlite_server, person):
    web = sqlite_server.partners.web
    back = person.authorize(web, extra="foobar", scope="", prompt="unheard-of", claims="")
    assert set(web.redeem(back).body["scope"].split()) == {"locks.read", "locks.write"}


@pytest.mark.parametrize("client", ["phone", "web"])
@pytest.mark.parametrize(
    "proof",
    [
        {"code_challenge": None, "code_challenge_method": None},
        {"code_challenge": None},
        {"code_challenge_method": "plain"},
        {"code_challenge_method": None},
        {"code_challenge_method": "S512"},
        {"code_challenge_method": "s256"},
        {"code_challenge": "x" * 42},
        {"code_challenge": "x" * 129},
        {"code_challenge": "+/=" * 15},
    ],
    ids=str,
)
def test_A08_pkce_cannot_be_left_out_or_weakened(sqlite_server, client, proof):
    page = Person(sqlite_server).request("GET", getattr(sqlite_server.partners, client).authorize_url(**proof))
    assert page.leaves, page
    assert "error=invalid_request" in page.target


def test_A08_plain_is_refused_even_where_pkce_is_optional(sqlite_server):
    seam = sqlite_server.partners.seam
    verifier = seam.verifier
    page = Person(sqlite_server).request(
        "GET", seam.authorize_url(code_challenge=verifier, code_challenge_method="plain")
    )
    assert "error=invalid_request" in page.target


def test_A10_the_issuer_is_in_every_authorization_response(sqlite_server, person):
    web = sqlite_server.partners.web
    metadata = send("GET", sqlite_server.base + "/.well-known/oauth-authorization-server").json()
    assert metadata["authorization_response_iss_parameter_supported"] is True
    assert metadata["issuer"] == sqlite_server.issuer
    silent = Person(sqlite_server).request("GET", web.authorize_url(prompt="none"))
    answers = [
        person.authorize(web).location,
        person.authorize(web, decision="deny").location,
        silent.target,
        Person(sqlite_server).request("GET", web.authorize_url(response_type="token")).target,
        Person(sqlite_server).request("GET", web.authorize_url(scope="no.such")).target,
    ]
    for answer in answers:
        assert "iss=" + quote(sqlite_server.issuer, safe="") in answer or "iss=" + sqlite_server.issuer in answer, (
            answer
        )


def test_A10_seams_document_shows_no_issuer_and_gets_none(sqlite_server, person):
    assert "iss" not in person.authorize(sqlite_server.partners.seam).parameters


@pytest.mark.parametrize("state", ["x" * 1500, "+ % & = ü", "%0d%0aSet-Cookie: x=y", "a\r\nb", " "])
def test_A11_state_is_echoed_byte_for_byte_on_errors_too(sqlite_server, person, state):
    web = sqlite_server.partners.web
    assert person.authorize(web, decision="deny", state=state).parameters["state"] == state
    assert person.authorize(web, state=state).parameters["state"] == state


def test_A12_every_redirect_after_a_post_is_a_303(sqlite_server, person):
    person.authorize(sqlite_server.partners.web)
    person.authorize(sqlite_server.partners.web, decision="deny", prompt="login")
    redirects = [answer for answer in person.answers if answer.is_redirect]
    assert redirects
    for answer in redirects:
        allowed = {303} if answer.request.method == "POST" else {302, 303}
        assert answer.status_code in allowed, (answer.request.method, answer.url, answer.status_code)


@pytest.mark.parametrize("method", ["GET", "POST", "OPTIONS"])
def test_A13_no_other_site_may_read_the_authorization_endpoint(sqlite_server, method):
    headers = {"Origin": "https://evil.example", "Access-Control-Request-Method": "GET"}
    answer = send(method, sqlite_server.partners.web.authorize_url(), headers=headers)
    assert not [name for name in answer.headers if name.lower().startswith("access-control-")]


def test_A15_a_posted_request_is_answered_as_one_in_the_address_is(server, person):
    web = server.partners.web

    def both(who: Person, **changes):
        asked = who.visit(web.authorize_url(**changes))
        posted = who.follow(who.request("POST", server.base + "/oauth/authorize", data=web.parameters(**changes)))
        return asked, posted

    asked, posted = both(Person(server), state="s")
    assert asked.sign_in_form
    assert posted.sign_in_form
    person.connect(web)
    for page in both(person, state="s 1"):
        back = person.decide(page, "allow")
        assert "code=" in back.target
        assert "state=s%201" in back.target or "state=s+1" in back.target
    for changes in ({"scope": "foreign"}, {"prompt": "none"}, {"response_type": "token"}):
        asked, posted = both(person, state="s", **changes)
        assert asked.target == posted.target
        assert "error=" in posted.target
    for changes in ({"redirect_uri": "https://evil.example/"}, {"client_id": "nobody"}):
        for page in both(person, **changes):
            check_refused_here(page)


def test_A18_a_scope_that_the_client_may_not_have_is_invalid_scope(sqlite_server):
    page = Person(sqlite_server).request("GET", sqlite_server.partners.web.authorize_url(scope="locks.read admin"))
    assert "error=invalid_scope" in page.target


def test_A19_an_unknown_resource_is_an_invalid_target(sqlite_server, person):
    web = sqlite_server.partners.web
    page = person.visit(web.authorize_url(resource="https://unknown.example/"))
    assert "error=invalid_target" in page.target
    back = person.authorize(web)
    refusal(web.exchange(back.code, resource="https://unknown.example/"), 400, "invalid_target")


def test_A19_a_token_is_good_only_for_the_resource_that_was_asked_for(sqlite_server, person):
    partners = sqlite_server.partners
    audience = partners.resource.registration.get("audiences", ["https://api.partner.example/locks"])[0]
    for client in (partners.web, partners.opaque):
        elsewhere = client.redeem(person.authorize(client, resource=audience))
        seen = partners.resource.introspect(elsewhere.access)
        assert seen["active"] is True
        assert seen["aud"] in (audience, [audience])
        assert client.locks(elsewhere.access).status_code == 401, "the sample API is another audience"
        here = person.connect(client)
        assert partners.resource.introspect(here.access) == {"active": False}


def test_A19_a_resource_is_found_however_a_client_spells_it(sqlite_server, person):
    """Clients of MCP write a slash behind the host of an API that is registered without one."""
    registered = "https://mcp.partner.example"
    spellings = [registered + "/", "HTTPS://MCP.Partner.example", registered + ":443", registered]
    api = sqlite_server.create_client("--audience", registered, name="MCP server")
    for client in (sqlite_server.partners.web, sqlite_server.partners.opaque):
        link = client.authorize_url(resource=registered)
        eventually(lambda link=link: "error=invalid_target" not in (person.visit(link).target or ""))
        for one, other in zip(spellings, reversed(spellings), strict=True):
            back = person.authorize(client, resource=one)
            connected = tokens(client.exchange(back.code, resource=other))
            renewed = tokens(client.refresh(connected.refresh, resource=one))
            for access in (connected.access, renewed.access):
                assert api.introspect(access)["aud"] in (registered, [registered])
            elsewhere = client.refresh(connected.refresh, resource=registered + "/mcp")
            refusal(elsewhere, 400, "invalid_target")


def test_A20_consent_cannot_be_finished_in_another_browser(sqlite_server, person):
    web = sqlite_server.partners.web
    page = person.reach_consent(web)
    for stranger in (Person(sqlite_server), Person(sqlite_server, sqlite_server.create_account())):
        if stranger.account:
            stranger.reach_consent(web)
        seen = stranger.visit(page.url)
        assert not seen.leaves, "a code left in a browser that did not start this"
        assert person.account.email not in seen.text
        done = stranger.submit(page.consent_form, button="allow")
        assert not done.leaves, done
        assert done.status in (400, 403), done
    assert person.decide(page, "allow").leaves, "and the right browser can still finish"


def test_A20_sign_in_cannot_be_finished_in_another_browser(sqlite_server, person):
    page = Person(sqlite_server).visit(sqlite_server.partners.web.authorize_url())
    victim = Person(sqlite_server, person.account)
    values = {"email": person.account.email, "password": person.account.password}
    done = victim.submit(page.sign_in_form, values)
    assert done.status in (400, 403), done
    assert not victim.visit(sqlite_server.partners.web.authorize_url()).consent_form, "the victim was signed in"


def test_A21_ten_tabs_each_finish_with_their_own_state(sqlite_server, person):
    clients = [sqlite_server.partners.web, sqlite_server.partners.seam]
    person.connect(clients[0])
    pages = [(clients[i % 2], f"tab-{i}") for i in range(10)]
    opened = [(client, state, person.visit(client.authorize_url(state=state))) for client, state in pages]
    for client, state, page in reversed(opened):
        back = person.decide(page, "allow")
        assert back.target.startswith(client.redirect_uri + "?")
        assert f"state={state}" in back.target


def test_A22_request_objects_are_refused_and_nothing_is_fetched(sqlite_server, partner_site):
    site, web = partner_site(), sqlite_server.partners.web
    by_reference = web.authorize_url(request_uri=f"http://127.0.0.1:{site.port}/request.jwt")
    assert "error=request_uri_not_supported" in Person(sqlite_server).request("GET", by_reference).target
    by_value = web.authorize_url(request="eyJhbGciOiJub25lIn0.e30.")
    assert "error=request_not_supported" in Person(sqlite_server).request("GET", by_value).target
    assert site.asked == []


@pytest.mark.parametrize(
    "absurd",
    [
        {"scope": " ".join(f"s{i}" for i in range(2000))},
        {"state": "s" * 65536},
        {"ui_locales": " ".join(["de"] * 4000)},
        {"prompt": "login " * 3000},
        {"nonce": "n" * 20000},
    ],
    ids=lambda value: next(iter(value)),
)
def test_A24_absurd_sizes_are_refused_and_cost_no_memory(sqlite_server, absurd):
    url = sqlite_server.partners.web.authorize_url(**absurd)

    def ask(_):
        return send("GET", url)

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(ask, range(20)))
        before = sqlite_server.memory()
        answers = list(pool.map(ask, range(200)))
    assert sqlite_server.memory() - before < 40_000_000
    for answer in answers:
        refused = answer.status_code in (400, 413, 414, 431) or "error=" in answer.headers.get("Location", "")
        assert refused, (answer.status_code, answer.text[:200])


def test_A24_an_absurd_verifier_is_refused(sqlite_server, person):
    web = sqlite_server.partners.web
    back = person.authorize(web)
    refusal(web.exchange(back.code, code_verifier="v" * 5000), 400, "invalid_grant", "invalid_request")
    assert web.exchange(back.code).status_code == 200
