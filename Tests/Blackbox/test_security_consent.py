"""The consent page: security.md, rows C01 to C08. C05 and C09 are in test_pages.py: they need a browser."""

import pytest

from toolkit.client import Authorization, tokens
from toolkit.person import Person
from toolkit.waiting import STALENESS, eventually

WEB = "https://partner.example/callback"


def test_C01_the_page_says_who_asks_for_what_for_whom_for_how_long_and_where_it_leads(sqlite_server, person):
    page = person.reach_consent(sqlite_server.partners.seam)
    for words in (
        sqlite_server.partners.seam.registration["name"],
        "knows this partner",
        "See your locks and whether they are locked",
        "Lock and unlock your locks",
        person.account.name,
        person.account.email,
        "connect.getseam.com",
        "until you disconnect it, which you can do in your account",
    ):
        assert words in page.text, f"{words!r} is missing in\n{page.text}"
    assert "Not you?" in {text for form in page.forms for _, _, text in form.buttons}


def test_C03_a_remembered_consent_covers_what_was_allowed_and_no_more(sqlite_server, person):
    scopes = ("--scope", "locks.read", "--scope", "locks.write")
    client = sqlite_server.create_client("--redirect-uri", WEB, *scopes, "--consent", "remembered", name="Remembered")

    def asks(who: Person, **changes) -> bool:
        page = who.visit(client.authorize_url(**changes))
        assert page.consent_form or "code=" in page.target, page
        return bool(page.consent_form)

    assert client.redeem(person.authorize(client, scope="locks.read")).access
    assert not asks(person, scope="locks.read")
    assert asks(person, scope="locks.read locks.write"), "a new scope"
    assert asks(person, scope="locks.write"), "another scope"
    assert asks(person, scope="locks.read", prompt="consent"), "the partner wants it"
    audience = sqlite_server.partners.resource.registration["audiences"][0]
    assert asks(person, scope="locks.read", resource=audience), "another API"
    stranger = Person(sqlite_server, sqlite_server.create_account())
    stranger.sign_in(stranger.visit(sqlite_server.base + "/account"))
    assert asks(stranger, scope="locks.read"), "another person"
    for connection in sqlite_server.command("connection", "list", "--client", client.client_id):
        sqlite_server.command("connection", "revoke", connection["connection_id"])
    assert asks(person, scope="locks.read"), "what was cut is not remembered"


def test_C02_a_public_client_is_asked_every_time(sqlite_server, person):
    phone = sqlite_server.partners.phone
    person.connect(phone)
    assert person.visit(phone.authorize_url()).consent_form
    silent = person.visit(phone.authorize_url(prompt="none"))
    assert "error=" in silent.target
    assert "code=" not in silent.target


def test_a_client_that_an_operator_registered_is_one_that_the_brand_knows(sqlite_server, person):
    for client in (sqlite_server.partners.web, sqlite_server.partners.phone, sqlite_server.partners.seam):
        page = person.reach_consent(client)
        assert "knows this partner" in page.text
        assert "has not checked" not in page.text


def test_C04_a_decision_counts_once(sqlite_server, person):
    page = person.reach_consent(sqlite_server.partners.web)
    first = person.decide(page, "allow")
    assert "code=" in first.target
    again = person.submit(page.consent_form, button="allow")
    assert not again.leaves, again
    assert again.status in (400, 403, 409, 410)


def test_C04_a_second_press_offers_the_first_code_while_it_waits(sqlite_server, person):
    web = sqlite_server.partners.web
    page = person.reach_consent(web)
    code = Authorization(person.decide(page, "allow").target, web).code
    again = person.submit(page.consent_form, button="allow")
    assert again.status == 409
    assert code in again.html, "the person can go on with the first code"
    connected = web.redeem(Authorization(f"{web.redirect_uri}?code={code}", web))
    late = person.submit(page.consent_form, button="allow")
    assert late.status == 409
    assert "lkc_" not in late.html, "a code that was redeemed is not handed out again"
    assert "This was already answered" in late.text
    assert 'href="https://partner.example/"' in late.html, "no dead end: the application knows what came of it"
    tokens(web.refresh(connected.refresh))


@pytest.mark.parametrize("is_redeemed", [False, True], ids=["while the code waits", "once it was redeemed"])
def test_C04_who_has_allowed_cannot_have_denied(sqlite_server, person, is_redeemed):
    web = sqlite_server.partners.web
    page = person.reach_consent(web)
    back = Authorization(person.decide(page, "allow").target, web)
    connected = web.redeem(back) if is_redeemed else None
    denied = person.submit(page.consent_form, button="deny")
    assert denied.status == 409, "the client is not told two things of one request"
    assert "This was already answered" in denied.text
    assert "lkc_" not in denied.html, "who presses Deny is not led on"
    tokens(web.refresh((connected or web.redeem(back)).refresh))


def test_C04_a_second_press_offers_nothing_to_somebody_else(sqlite_server, person):
    web = sqlite_server.partners.web
    page = person.reach_consent(web)
    person.decide(page, "allow")
    person.account = sqlite_server.create_account()
    person.sign_in(person.visit(web.authorize_url(prompt="login")))
    again = person.submit(page.consent_form, button="allow")
    assert not again.leaves
    assert "lkc_" not in again.html


def test_L15_a_consent_page_of_one_account_does_not_allow_for_another(sqlite_server, person):
    web = sqlite_server.partners.web
    page = person.reach_consent(web)
    person.account = sqlite_server.create_account()
    person.sign_in(person.visit(web.authorize_url(prompt="login")))
    asked = person.follow(person.submit(page.consent_form, button="allow"))
    assert not asked.leaves
    assert person.account.email in asked.text, "the one who is signed in now is asked"
    assert web.redeem(Authorization(person.decide(asked, "allow").target, web)).user_id == person.account.user_id


def test_A21_two_tabs_of_a_new_browser_both_finish(sqlite_server, person):
    web = sqlite_server.partners.web
    jar = Person(sqlite_server, person.account)
    first = jar.visit(web.authorize_url(state="first"))
    jar.cookies.clear()
    second = jar.visit(web.authorize_url(state="second"))
    values = {"email": person.account.email, "password": person.account.password}
    ours = {"Sec-Fetch-Site": "same-origin"}
    begun = jar.follow(jar.submit(first.sign_in_form, values, headers=ours))
    assert begun.sign_in_form, "the tab whose cookie was replaced begins again"
    for page, state in ((begun, "first"), (second, "second")):
        page = jar.sign_in(page)
        assert f"state={state}" in jar.decide(page, "allow").target


def test_A21_a_browser_that_keeps_no_cookies_is_told_so(sqlite_server, person):
    web = sqlite_server.partners.web
    jar = Person(sqlite_server, person.account)
    page = jar.visit(web.authorize_url())
    jar.cookies.clear()
    values = {"email": person.account.email, "password": person.account.password}
    told = jar.submit(page.sign_in_form, values, headers={"Sec-Fetch-Site": "same-origin"})
    assert told.status == 403
    assert "Allow cookies" in told.text


def test_a_tab_that_is_restored_where_the_forms_go_is_told_to_start_again(sqlite_server, person):
    sign_in = person.visit(sqlite_server.partners.seam.authorize_url()).sign_in_form
    consent = person.reach_consent(sqlite_server.partners.seam).consent_form
    for form in (sign_in, consent):
        restored = person.request("GET", form.action)
        assert restored.status == 403, restored
        assert "This page has expired" in restored.text
        assert "start again" in restored.text


def test_A21_what_is_not_supported_is_refused_from_another_site_too(sqlite_server):
    web = sqlite_server.partners.web
    url = f"{sqlite_server.base}/oauth/authorize"
    for name in ("request", "request_uri"):
        data = web.parameters() | {name: "eyJhbGciOiJub25lIn0.e30."}
        answer = Person(sqlite_server).request("POST", url, data=data, headers={"Sec-Fetch-Site": "cross-site"})
        assert f"error={name}_not_supported" in answer.target


def test_A21_another_site_cannot_break_a_sign_in_that_is_under_way(sqlite_server):
    web = sqlite_server.partners.web
    url = f"{sqlite_server.base}/oauth/authorize"
    answer = Person(sqlite_server).request("POST", url, data=web.parameters(), headers={"Sec-Fetch-Site": "cross-site"})
    assert answer.status == 303
    assert "Set-Cookie" not in answer.headers


def test_C04_scopes_in_the_decision_cannot_widen_what_was_asked(sqlite_server, person):
    web = sqlite_server.partners.web
    page = person.reach_consent(web, scope="locks.read")
    values = {"scope": "locks.read locks.write", "scopes": "locks.write", "resource": "https://x.example"}
    done = person.follow(person.submit(page.consent_form, values, button="allow"))
    if done.leaves and "code=" in done.target:
        connected = web.redeem(Authorization(done.target, web))
        shown = web.introspect(connected.access)
        assert shown["scope"] == "locks.read"
    else:
        assert done.status in (400, 403)


def test_C04_what_a_client_gets_while_a_page_is_open_is_not_allowed_by_it(sqlite_server, person):
    known = sqlite_server.create_client("--redirect-uri", WEB, "--scope", "locks.read", name="Growing partner")
    url = known.authorize_url(scope=None)
    consent = person.sign_in(person.visit(url))
    assert "locks.write" not in consent.text
    sqlite_server.command("client", "update", known.client_id, "--scope", "locks.read", "--scope", "locks.write")
    eventually(lambda: "locks.write" in person.visit(url).text, 10)
    again = person.decide(consent, "allow")
    assert again.consent_form
    assert "locks.write" in again.text
    assert person.decide(again, "allow").leaves


def test_RFC6749_4_1_2_1_what_may_not_be_asked_for_any_more_is_told_to_the_client(sqlite_server, person):
    scopes = ("--scope", "locks.read", "--scope", "locks.write")
    client = sqlite_server.create_client("--redirect-uri", WEB, *scopes, name="Shrinking")
    allowed, held = person.reach_consent(client), person.reach_consent(client, state="kept")
    person.decide(allowed, "allow")
    sqlite_server.command("client", "update", client.client_id, "--scope", "locks.read")
    other_tab = client.authorize_url()
    eventually(lambda: person.visit(other_tab).leaves, STALENESS, "the server has not learnt that a scope is gone")
    told = Authorization(person.decide(held, "allow").target, client)
    assert (told.error, told.parameters["state"]) == ("invalid_scope", "kept")
    again = person.decide(allowed, "allow")
    assert again.status == 409, "who was answered is not told something else"


def test_C04_a_decision_needs_the_session_of_the_one_who_was_asked(sqlite_server, person):
    page = person.reach_consent(sqlite_server.partners.web)
    person.cookies.clear()
    done = person.submit(page.consent_form, button="allow")
    assert done.status in (400, 403), done
    assert not done.leaves


def test_C04_a_decision_that_is_neither_yes_nor_no_grants_nothing(sqlite_server, person):
    page = person.reach_consent(sqlite_server.partners.web)
    for decision in ("", "ALLOW", "maybe", "true"):
        done = person.submit(page.consent_form, {"decision": decision})
        assert "code=" not in (done.target or "")


def test_C06_deny_returns_error_state_and_issuer(sqlite_server, person):
    back = person.authorize(sqlite_server.partners.web, decision="deny", state="s 1")
    assert back.parameters["error"] == "access_denied"
    assert back.parameters["state"] == "s 1"
    assert back.parameters["iss"] == sqlite_server.issuer
    assert "code" not in back.parameters


def test_C08_no_page_can_be_framed(sqlite_server, person):
    web = sqlite_server.partners.web
    pages = [
        person.visit(web.authorize_url()),
        person.reach_consent(web),
        person.request("GET", web.authorize_url(redirect_uri="https://evil.example/")),
        person.request("GET", sqlite_server.base + "/no/such/page"),
    ]
    for page in pages:
        assert "frame-ancestors 'none'" in page.headers["Content-Security-Policy"], page.url
        assert page.headers["X-Frame-Options"] == "DENY", page.url
