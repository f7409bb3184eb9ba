"""Seam's current guide, "Implementing Authentication": each row of it, S1-01 to S1-20, on both databases."""

import json
import re
import secrets
from concurrent.futures import ThreadPoolExecutor
from urllib.parse import parse_qs, urlencode, urlsplit

import pytest

from toolkit.client import refusal, tokens
from toolkit.person import Person
from toolkit.wire import fire_together, form_shot, raw_request, send

URIS = [
    "https://connect.getseam.com/oauth/callback",
    "https://staging.connect.getseam.com/oauth/callback",
    "http://localhost:3020/oauth/callback",
]


@pytest.fixture
def seam(server):
    return server.partners.seam


def test_S1_01_the_link_of_the_guide_shows_a_sign_in_page(server, seam):
    page = Person(server).visit(seam.authorize_url(prompt="login"))
    assert page.status == 200
    assert "text/html" in page.headers["Content-Type"]
    assert page.sign_in_form, page
    assert {"email", "password"} <= page.sign_in_form.fields.keys()
    assert page.sign_in_form.method == "post"
    assert page.url.startswith(server.base)


def test_S1_02_prompt_login_asks_again_in_spite_of_a_session(server, seam, person):
    person.connect(seam)
    assert not person.visit(seam.authorize_url()).sign_in_form, "the session was not kept at all"
    page = person.visit(seam.authorize_url(prompt="login"))
    assert page.sign_in_form, page
    assert not page.leaves


def test_S1_02_after_the_fresh_sign_in_exactly_one_code_comes_back(server, seam, person):
    person.connect(seam)
    back = person.authorize(seam, prompt="login")
    tokens(seam.exchange(back.code))
    sign_ins = [answer for answer in person.answers if answer.request.method == "POST"]
    assert len(sign_ins) == 4, "two sign-ins and two decisions, nothing asked twice"


def test_S1_02_max_age_does_not_weaken_prompt_login(server, seam, person):
    person.connect(seam)
    assert person.visit(seam.authorize_url(prompt="login", max_age="3600")).sign_in_form


def test_S1_02_prompt_login_cannot_be_skipped_by_reloading_the_page(server, seam, person):
    person.connect(seam)
    page = person.visit(seam.authorize_url(prompt="login"))
    again = person.visit(page.url)
    assert not again.leaves
    assert not again.consent_form, "the page that asks for a password was skipped"


def test_S1_03_consent_says_who_asks_and_what_for_in_words(server, seam, person):
    page = person.reach_consent(seam)
    assert "Seam" in page.text
    assert person.account.email in page.text
    assert "connect.getseam.com" in page.text, "where it leads back to"
    words = page.text.replace("locks.read", "").replace("locks.write", "").lower()
    assert words.count("lock") >= 2
    assert re.search(r"\b(see|read|view)\b", words), "what reading means"
    assert re.search(r"\b(unlock|control|open|change|manage)\b", words), "what writing means"
    labels = {text for _, _, text in page.consent_form.buttons}
    assert {"Allow", "Deny"} <= labels


def test_S1_03_no_code_before_the_person_allowed_it(server, seam, person):
    person.reach_consent(seam)
    assert not [answer for answer in person.answers if "code=" in answer.headers.get("Location", "")]


def test_S1_04_deny_comes_back_as_access_denied_with_the_state(server, seam, person):
    back = person.authorize(seam, decision="deny", state="my state/1")
    assert back.location.startswith(seam.redirect_uri + "?")
    assert back.parameters["error"] == "access_denied"
    assert back.parameters["state"] == "my state/1"
    assert "code" not in back.parameters


@pytest.mark.parametrize(
    "uri",
    [
        "https://connect.getseam.com/oauth/callback/",
        "https://connect.getseam.com/oauth/Callback",
        "https://connect.getseam.com/oauth/callback?x=1",
        "https://connect.getseam.com/oauth/%2e/callback",
        "https://connect.getseam.com/oauth/../oauth/callback",
        "https://user@connect.getseam.com/oauth/callback",
        "https://connect.getseam.com:8443/oauth/callback",
        "https://connect.getseam.com:443/oauth/callback",
        "http://connect.getseam.com/oauth/callback",
        "https://evil.connect.getseam.com/oauth/callback",
        "https://connect.getseam.com/oauth/callback#part",
        "https://connect.getseam.com.evil.example/oauth/callback",
        "https://Connect.getseam.com/oauth/callback",
        "http://localhost:3021/oauth/callback",
        "http://127.0.0.1:3020/oauth/callback",
        "https://localhost:3020/oauth/callback",
    ],
)
def test_S1_05_another_redirect_uri_is_refused_on_our_own_page(server, seam, uri):
    page = Person(server).request("GET", seam.authorize_url(redirect_uri=uri, prompt="login"))
    assert page.status == 400
    assert page.location is None
    assert page.html, "a person sees a page that says what is wrong"
    assert not page.forms


def test_S1_05_two_redirect_uris_are_refused(server, seam):
    query = list(seam.parameters().items()) + [("redirect_uri", "https://evil.example/")]
    page = Person(server).request("GET", f"{server.base}/oauth/authorize?{urlencode(query)}")
    assert page.status == 400
    assert page.location is None


@pytest.mark.parametrize("uri", URIS)
def test_S1_06_all_three_of_the_guides_redirect_uris_work(server, seam, person, uri):
    assert set(URIS) <= set(seam.registration["redirect_uris"])
    client = seam.using(redirect_uri=uri)
    back = person.authorize(client)
    assert back.location.startswith(uri + "?")
    tokens(client.exchange(back.code))


def test_S1_06_a_fourth_uri_does_not_replace_the_three(own_server):
    seam = own_server.create_client("--partner", "seam", name="Seam")
    fourth = "https://connect.acme.example/internal/acme/complete_oauth"
    own_server.command("client", "update", seam.client_id, "--add-redirect-uri", fourth)
    shown = own_server.command("client", "show", seam.client_id)
    assert shown["redirect_uris"] == [*URIS, fourth]
    own_server.start()
    for uri in [*URIS, fourth]:
        page = Person(own_server).visit(seam.authorize_url(redirect_uri=uri))
        assert page.sign_in_form, uri


def test_S1_06_plain_http_is_refused_elsewhere_than_on_localhost(server):
    done = server.run("client", "create", "--name", "Plain", "--redirect-uri", "http://partner.example/callback")
    assert done.returncode == 1
    assert len(done.stderr.strip().splitlines()) == 1
    assert "https" in done.stderr


@pytest.mark.parametrize(
    "state",
    [
        "a+b/c=d%e&f#g h",
        "grüße 🔑 日本語",
        "x" * 4096,
        '<script>alert("1")</script>',
        "a=b&code=evil&state=other",
        "%2B%20+",
    ],
)
def test_S1_07_state_comes_back_unchanged(server, seam, person, state):
    back = person.authorize(seam, state=state)
    assert back.parameters["state"] == state
    assert set(back.parameters) == {"code", "state"}


def test_S1_07_without_a_state_none_comes_back(server, seam, person):
    back = person.authorize(seam, state=None)
    assert set(back.parameters) == {"code"}


def test_S1_08_the_token_request_of_the_guide_works_as_it_is_written(server, seam, person):
    back = person.authorize(seam)
    form = {
        "grant_type": "authorization_code",
        "code": back.code,
        "redirect_uri": seam.redirect_uri,
        "client_id": seam.client_id,
        "client_secret": seam.client_secret,
    }
    answer = send("POST", server.base + "/oauth/token", data=form)
    assert answer.status_code == 200, answer.text


def test_S1_08_a_charset_after_the_content_type_is_accepted(server, seam, person):
    back = person.authorize(seam)
    headers = {"Content-Type": "application/x-www-form-urlencoded;charset=UTF-8"}
    answer = seam.post("/oauth/token", seam.exchange_form(back.code), headers)
    assert answer.status_code == 200, answer.text


def test_S1_08_a_wrong_secret_is_401_and_does_not_burn_the_code(server, seam, person):
    back = person.authorize(seam)
    wrong = seam.using(client_secret="lks_" + "x" * 43)
    refusal(wrong.exchange(back.code), 401, "invalid_client")
    tokens(seam.exchange(back.code))


def test_S1_09_the_token_response_has_the_guides_members(server, seam, person):
    answer = seam.exchange(person.authorize(seam).code)
    body = tokens(answer).body
    assert body["token_type"] == "Bearer"
    assert body["expires_in"] == 3600
    assert type(body["expires_in"]) is int
    for name in ("access_token", "refresh_token", "user_id"):
        assert isinstance(body[name], str), name
        assert body[name], name
    assert "no-store" in answer.headers["Cache-Control"]
    assert answer.headers["Content-Type"].startswith("application/json")


def test_S1_10_access_tokens_live_an_hour_and_refresh_tokens_a_year(own_server):
    server = own_server
    seam = server.create_client("--partner", "seam", name="Seam")
    person = Person(server, server.create_account())
    server.start()
    first = person.connect(seam)
    assert 360 <= first.body["expires_in"] <= 86400
    assert seam.locks(first.access).status_code == 200
    server.restart(clock_offset=61 * 60 + 60)
    assert seam.locks(first.access).status_code == 401
    assert seam.introspect(first.access) == {"active": False}
    for days in (30, 365):
        server.restart(clock_offset=days * 86400)
        later = seam.refreshed(first.refresh)
        assert later.refresh == first.refresh
        assert later.user_id == first.user_id
        assert seam.locks(later.access).status_code == 200


def test_S1_11_user_id_is_in_every_answer_and_always_the_same(server, seam, person):
    first = person.connect(seam)
    assert first.user_id == person.account.user_id
    assert seam.refreshed(first.refresh).user_id == first.user_id
    again = Person(server, person.account).connect(seam, prompt="login")
    assert again.user_id == first.user_id
    assert seam.refreshed(again.refresh).user_id == first.user_id


def test_S1_11_user_id_outlives_a_new_email_a_new_password_and_revocation(server, seam, person):
    account = person.account
    first = person.connect(seam)
    account.email = "new." + account.email
    server.command("account", "set-email", account.user_id, account.email)
    account.password = "another password " + secrets.token_hex(8)
    server.command("account", "set-password", account.user_id, "--password-stdin", stdin=account.password + "\n")
    server.canaries.add("password", account.password)
    assert seam.revoke(first.refresh).status_code == 200
    again = Person(server, account).connect(seam)
    assert again.user_id == first.user_id


def test_S1_11_user_id_differs_between_people_and_is_not_their_email(server, seam, person):
    other = Person(server, server.create_account())
    mine, theirs = person.connect(seam).user_id, other.connect(seam).user_id
    assert mine != theirs
    assert mine.startswith("usr_")
    assert "@" not in mine
    assert person.account.email.split("@")[0] not in mine


def test_S1_11_user_id_is_the_same_for_another_client(server, seam, person):
    assert person.connect(seam).user_id == person.connect(server.partners.web).user_id


def test_S1_12_a_reconnected_account_has_the_same_user_id(server, seam, person):
    first = person.connect(seam)
    for connection in server.command("connection", "list", "--account", person.account.user_id):
        server.command("connection", "revoke", connection["connection_id"])
    again = Person(server, person.account).connect(seam)
    assert again.user_id == first.user_id
    assert again.refresh != first.refresh


def test_S1_13_the_api_takes_the_token_as_bearer(server, seam, person):
    answer = seam.locks(person.connect(seam).access)
    assert answer.status_code == 200
    assert answer.json()["locks"]


@pytest.mark.parametrize("token", ["nonsense", "lka_AAAA", "a.b.c", ""])
def test_S1_13_a_bad_token_is_401_with_the_header_that_says_so(server, seam, token):
    answer = seam.locks(token)
    assert answer.status_code == 401
    assert answer.headers["WWW-Authenticate"].startswith("Bearer")
    if token:
        assert 'error="invalid_token"' in answer.headers["WWW-Authenticate"]


def test_S1_13_a_revoked_token_is_401_at_the_api(server, person):
    opaque = server.partners.opaque
    connected = person.connect(opaque)
    assert opaque.locks(connected.access).status_code == 200
    assert opaque.revoke(connected.refresh).status_code == 200
    answer = opaque.locks(connected.access)
    assert answer.status_code == 401
    assert 'error="invalid_token"' in answer.headers["WWW-Authenticate"]


def test_S1_14_a_refresh_gives_a_new_access_token(server, seam, person):
    first = person.connect(seam)
    form = {"grant_type": "refresh_token", "refresh_token": first.refresh} | seam.secret_form()
    answer = send("POST", server.base + "/oauth/token", data=form)
    second = tokens(answer)
    assert second.access != first.access
    assert second.body["token_type"] == "Bearer"
    assert second.body["expires_in"] == 3600
    assert "no-store" in answer.headers["Cache-Control"]


def test_S1_15_old_access_tokens_live_on_through_a_hundred_refreshes(server, seam, person):
    first = person.connect(seam)
    for count in range(1, 101):
        seam.refreshed(first.refresh)
        if count in (1, 10, 100):
            assert seam.locks(first.access).status_code == 200, f"after {count} refreshes"
            assert seam.introspect(first.access)["active"] is True


def test_S1_16_the_refresh_token_is_repeated_and_stays_good(server, seam, person):
    first = person.connect(seam)
    for _ in range(3):
        assert seam.refreshed(first.refresh).refresh == first.refresh


def test_S1_16_with_rotation_the_old_one_works_until_the_new_one_was_used(server, person):
    client = server.partners.successor
    first = person.connect(client)
    second = client.refreshed(first.refresh)
    assert second.refresh != first.refresh
    assert client.refreshed(first.refresh).refresh == second.refresh, "the old one still works, and leads to the same"
    third = client.refreshed(second.refresh)
    assert third.refresh not in (first.refresh, second.refresh)


def check_parallel_refreshes(seam, connected, servers):
    form = {"grant_type": "refresh_token", "refresh_token": connected.refresh} | seam.secret_form()
    answers = fire_together([form_shot(servers[i % len(servers)].base, "/oauth/token", form) for i in range(50)])
    assert [answer.status for answer in answers] == [200] * 50, [a.text for a in answers if a.status != 200][:3]
    bodies = [json.loads(answer.text) for answer in answers]
    access = {body["access_token"] for body in bodies}
    assert len(access) == 50, "fifty distinct access tokens"
    assert {body["refresh_token"] for body in bodies} == {connected.refresh}
    with ThreadPoolExecutor(8) as pool:
        assert set(pool.map(lambda token: seam.locks(token).status_code, access)) == {200}
    assert seam.locks(connected.access).status_code == 200
    tokens(seam.refresh(connected.refresh))


def test_S1_17_fifty_parallel_refreshes_all_work(server, seam, person):
    check_parallel_refreshes(seam, person.connect(seam), [server])


def test_S1_17_fifty_parallel_refreshes_over_two_nodes_all_work(cluster):
    first = cluster.nodes[0]
    seam = first.create_client("--partner", "seam", name="Seam")
    person = Person(first, first.create_account())
    cluster.start()
    check_parallel_refreshes(seam, person.connect(seam), cluster.nodes)


def test_S1_18_no_call_fails_after_a_refresh(server, seam, person):
    connected = person.connect(seam)
    kept = [connected.access]
    for _ in range(20):
        kept.append(seam.refreshed(connected.refresh).access)
        assert seam.locks(kept[-1]).status_code == 200
        assert seam.locks(kept[len(kept) // 2]).status_code == 200
    assert {seam.locks(token).status_code for token in kept} == {200}


def test_S1_19_the_registration_has_the_guides_members(server, seam):
    shown = server.command("client", "show", seam.client_id)
    assert shown["client_id"] == seam.client_id
    assert shown["redirect_uris"] == URIS
    assert set(shown["scopes"]) == {"locks.read", "locks.write"}
    assert "client_secret" not in shown, "a secret is shown once, when it is made"


def test_S1_20_two_connections_of_one_account_do_not_disturb_each_other(server, seam, person):
    first, second = person.connect(seam), person.connect(seam)
    assert first.refresh != second.refresh
    assert seam.introspect(first.access)["active"] is True
    seam.refreshed(second.refresh)
    third = seam.refreshed(first.refresh)
    assert seam.revoke(first.refresh).status_code == 200
    refusal(seam.refresh(first.refresh), 400, "invalid_grant")
    assert seam.introspect(third.access) == {"active": False}
    assert seam.introspect(second.access)["active"] is True
    assert seam.locks(seam.refreshed(second.refresh).access).status_code == 200


def test_S1_20_staging_and_production_are_separate_clients(server, person):
    staging = server.create_client("--partner", "seam", name="Seam staging").using(redirect_uri=URIS[1])
    production = server.partners.seam
    one, two = person.connect(production), person.connect(staging)
    assert one.user_id == two.user_id
    staging.revoke(two.refresh)
    tokens(production.refresh(one.refresh))


def test_a_request_without_scope_gets_both_of_the_guides_scopes(server, seam, person):
    connected = person.connect(seam, scope=None)
    assert set(connected.body["scope"].split()) == {"locks.read", "locks.write"}


def test_pkce_is_checked_when_it_is_sent(server, seam, person):
    proving = seam.using(proves=True)
    back = person.authorize(proving)
    refusal(seam.exchange(back.code), 400, "invalid_grant")
    tokens(proving.exchange(back.code))


def test_an_authorization_page_is_reached_by_post_too(server, seam):
    parameters = seam.parameters(prompt="login")
    answer = raw_request(
        server.base,
        "POST",
        "/oauth/authorize",
        urlencode(parameters).encode(),
        {"Content-Type": "application/x-www-form-urlencoded"},
    )
    assert answer.status in (200, 303), answer.text
    if answer.status == 303:
        place = urlsplit(answer.headers["location"])
        assert "code" not in parse_qs(place.query)
