"""The consent page: security.md, rows C02 to C08. C09 is in test_pages.py: it needs a browser."""

from toolkit.client import Authorization


def test_C02_a_public_client_is_asked_every_time(sqlite_server, person):
    phone = sqlite_server.partners.phone
    person.connect(phone)
    assert person.visit(phone.authorize_url()).consent_form
    silent = person.visit(phone.authorize_url(prompt="none"))
    assert "error=" in silent.target
    assert "code=" not in silent.target


def test_C04_a_decision_counts_once(sqlite_server, person):
    page = person.reach_consent(sqlite_server.partners.web)
    first = person.decide(page, "allow")
    assert "code=" in first.target
    again = person.submit(page.consent_form, button="allow")
    assert not again.leaves, again
    assert again.status in (400, 403, 409, 410)


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
