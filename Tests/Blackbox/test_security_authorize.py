"""The authorization endpoint against somebody who means harm: security.md, rows A01 to A24."""

import time
from concurrent.futures import ThreadPoolExecutor
from urllib.parse import quote, urlencode, urlsplit

import pytest

from toolkit.client import refusal
from toolkit.person import Person
from toolkit.wire import raw_request, send

GOOD = "https://partner.example/callback"


def mutations() -> list[str]:
    """Sixty redirect URIs that look like the registered one to a careless comparison."""
    host, path = "partner.example", "/callback"
    return [
        "https://partner.example/Callback",
        "https://partner.example/CALLBACK",
        "HTTPS://partner.example/callback",
        "https://PARTNER.example/callback",
        "https://partner.example/callback/",
        "https://partner.example//callback",
        "https://partner.example/callback//",
        "https://partner.example/callback?",
        "https://partner.example/callback?x=1",
        "https://partner.example/callback&x=1",
        "https://partner.example/callback#",
        "https://partner.example/callback#part",
        "https://partner.example/callback/extra",
        "https://partner.example/callbackextra",
        "https://partner.example/callback.html",
        "https://partner.example/callback/..",
        "https://partner.example/callback/../callback",
        "https://partner.example/./callback",
        "https://partner.example/x/../callback",
        "https://partner.example/x%2F..%2Fcallback",
        "https://partner.example/x/%2e%2e/callback",
        "https://partner.example/%63allback",
        "https://partner.example/callback%2f",
        "https://partner.example/callback%252f",
        "https://partner.example/callback%00",
        "https://partner.example/callback%0A",
        "https://partner.example/callback%0D%0A/../",
        "https://partner.example/callback;/../",
        "https://partner.example/x/..;/callback",
        "https://partner.example/callback;x",
        "https://partner.example/callback ",
        " https://partner.example/callback",
        "https://partner.example/callback\t",
        "https://partner.example/call\nback",
        "https://partner.example:443/callback",
        "https://partner.example:8443/callback",
        "https://partner.example:/callback",
        "https://partner.example./callback",
        "http://partner.example/callback",
        "ftp://partner.example/callback",
        "//partner.example/callback",
        "/callback",
        "partner.example/callback",
        "https:partner.example/callback",
        "https:/partner.example/callback",
        "https:///partner.example/callback",
        "https:\\\\partner.example\\callback",
        "https://evil.example\\@partner.example/callback",
        "https://partner.example\\.evil.example/callback",
        f"https://{host}@evil.example{path}",
        f"https://evil.example@{host}{path}",
        f"https://user:word@{host}{path}",
        f"https://evil.example@@{host}{path}",
        f"https://evil.example#@{host}{path}",
        f"https://evil.example?@{host}{path}",
        f"https://{host}.evil.example{path}",
        f"https://evil{host}{path}",
        f"https://sub.{host}{path}",
        f"https://partner。example{path}",
        f"https://pаrtner.example{path}",
        "https://xn--prtner-fyb.example/callback",
        "javascript:alert(1)//https://partner.example/callback",
        "data:text/html,https://partner.example/callback",
    ]


def check_refused_here(page) -> None:
    """A page of our own, that sends nobody anywhere."""
    assert page.status == 400, page
    assert page.location is None, page
    assert page.html, page
    assert not [form for form in page.forms if urlsplit(form.action).netloc != urlsplit(page.url).netloc]
    assert 'http-equiv="refresh"' not in page.html.lower()


def test_A01_sixty_look_alikes_of_the_redirect_uri_are_refused(sqlite_server):
    web = sqlite_server.partners.web
    assert len(mutations()) >= 60
    for uri in mutations():
        page = Person(sqlite_server).request("GET", web.authorize_url(redirect_uri=uri))
        check_refused_here(page)


def test_A01_the_registered_uri_itself_is_accepted(sqlite_server):
    assert Person(sqlite_server).visit(sqlite_server.partners.web.authorize_url(redirect_uri=GOOD)).sign_in_form


@pytest.mark.parametrize(
    "uri", ["http://127.0.0.1/callback", "http://127.0.0.1:1/callback", "http://127.0.0.1:65535/callback"]
)
def test_A02_on_loopback_any_port_is_accepted(sqlite_server, uri):
    assert Person(sqlite_server).visit(sqlite_server.partners.phone.authorize_url(redirect_uri=uri)).sign_in_form


@pytest.mark.parametrize(
    "uri",
    [
        "http://127.0.0.1:8000/other",
        "http://127.0.0.1:8000/callback/",
        "http://127.0.0.1:8000/callback?x=1",
        "http://127.0.0.1:99999/callback",
        "http://127.0.0.1:/callback",
        "http://127.0.0.1:80x/callback",
        "http://127.0.0.1.evil.example/callback",
        "http://127.0.0.1@evil.example/callback",
        "http://127.0.0.1:80@evil.example/callback",
        "http://127.0.0.1:80#@evil.example/callback",
        "http://evil.example@127.0.0.1/callback",
        "https://127.0.0.1/callback",
        "http://0.0.0.0/callback",
        "http://127.1/callback",
        "http://127.0.0.2/callback",
        "http://2130706433/callback",
        "http://0x7f.0.0.1/callback",
        "http://[::1]/callback",
        "http://localhost/callback",
        "http://localhost:8000/callback",
    ],
)
def test_A02_only_the_port_may_differ_on_loopback(sqlite_server, uri):
    check_refused_here(
        Person(sqlite_server).request("GET", sqlite_server.partners.phone.authorize_url(redirect_uri=uri))
    )


@pytest.mark.parametrize(
    "change",
    [
        {"client_id": "nobody"},
        {"client_id": None},
        {"client_id": ""},
        {"redirect_uri": "https://evil.example/"},
        {"client_id": "nobody", "redirect_uri": "https://evil.example/"},
    ],
    ids=str,
)
@pytest.mark.parametrize(
    "circumstance",
    [{}, {"prompt": "none"}, {"response_mode": "form_post"}, {"response_type": "token"}, {"scope": "no.such"}],
    ids=str,
)
def test_A03_an_unknown_client_or_place_is_never_redirected_to(sqlite_server, change, circumstance):
    page = Person(sqlite_server).request("GET", sqlite_server.partners.web.authorize_url(**(circumstance | change)))
    check_refused_here(page)
    assert "evil.example" not in page.html.replace("&#x2F;", "/") or not page.links


def test_A03_a_missing_redirect_uri_is_refused_when_there_are_several(sqlite_server):
    page = Person(sqlite_server).request("GET", sqlite_server.partners.seam.authorize_url(redirect_uri=None))
    check_refused_here(page)


@pytest.mark.parametrize("kind", [None, "token", "id_token", "code id_token", "none", "CODE"])
def test_A05_only_the_response_type_code_is_served(sqlite_server, kind):
    web = sqlite_server.partners.web
    page = Person(sqlite_server).request("GET", web.authorize_url(response_type=kind, state="s"))
    assert page.leaves, page
    assert page.target.startswith(GOOD + "?"), "errors go into the query, never into the fragment"
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


def test_A16_prompt_none_without_a_session_is_login_required(sqlite_server):
    page = Person(sqlite_server).request("GET", sqlite_server.partners.web.authorize_url(prompt="none"))
    assert "error=login_required" in page.target


def test_A16_prompt_none_with_a_session_never_shows_a_page(sqlite_server, person):
    web = sqlite_server.partners.web
    person.connect(web)
    page = person.visit(web.authorize_url(prompt="none"))
    assert page.leaves, page
    assert "error=consent_required" in page.target or "error=interaction_required" in page.target


def test_A16_prompt_none_with_another_prompt_is_refused(sqlite_server, person):
    person.connect(sqlite_server.partners.web)
    page = person.visit(sqlite_server.partners.web.authorize_url(prompt="none login"))
    assert "error=invalid_request" in page.target


@pytest.mark.parametrize("prompt", ["login", "login consent", "consent login"])
def test_A16_prompt_login_asks_for_the_password_again(sqlite_server, person, prompt):
    person.connect(sqlite_server.partners.web)
    assert person.visit(sqlite_server.partners.web.authorize_url(prompt=prompt)).sign_in_form


def test_A16_prompt_consent_asks_for_consent(sqlite_server, person):
    person.connect(sqlite_server.partners.web)
    assert person.visit(sqlite_server.partners.web.authorize_url(prompt="consent")).consent_form


def test_A16_prompt_select_account_lets_the_person_choose(sqlite_server, person):
    person.connect(sqlite_server.partners.web)
    page = person.visit(sqlite_server.partners.web.authorize_url(prompt="select_account"))
    assert page.status == 200
    assert not page.consent_form
    assert person.account.email in page.text


def test_A16_max_age_asks_again_once_the_sign_in_is_too_old(sqlite_server, person):
    web = sqlite_server.partners.web
    person.connect(web)
    assert not person.visit(web.authorize_url(max_age="600")).sign_in_form
    time.sleep(1.2)
    assert person.visit(web.authorize_url(max_age="1")).sign_in_form
    assert person.visit(web.authorize_url(max_age="0")).sign_in_form


def test_A16_max_age_that_is_no_number_is_refused(sqlite_server, person):
    page = person.visit(sqlite_server.partners.web.authorize_url(max_age="soon"))
    assert "error=invalid_request" in page.target


def test_A17_a_login_hint_of_somebody_else_never_yields_this_ones_code(sqlite_server, person):
    web = sqlite_server.partners.web
    person.connect(web)
    other = sqlite_server.create_account()
    page = person.visit(web.authorize_url(login_hint=other.email))
    assert not page.leaves
    assert page.sign_in_form or not page.consent_form
    silent = person.visit(web.authorize_url(login_hint=other.email, prompt="none"))
    assert "error=login_required" in silent.target


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
    assert site.requests == []


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
