"""The token endpoint: how a request looks, who sends it, what a code is bound to; security.md, rows T01 to T16."""

import json

import pytest

from toolkit.client import basic, refusal, tokens
from toolkit.person import Person
from toolkit.waiting import eventually
from toolkit.wire import send


@pytest.fixture
def web(server):
    return server.partners.web


def check_never_stored(answer) -> None:
    headers = {name.lower(): value for name, value in answer.headers.items()}
    assert "no-store" in headers.get("cache-control", ""), (answer.status_code, headers)


@pytest.mark.parametrize("method", ["GET", "HEAD", "PUT", "DELETE"])
def test_T01_only_post_reaches_the_token_endpoint(sqlite_server, method):
    answer = send(method, sqlite_server.base + "/oauth/token")
    assert answer.status_code in (404, 405)
    if answer.status_code == 405:
        assert "POST" in answer.headers["Allow"]


def test_T01_credentials_in_the_query_are_not_read(sqlite_server, person):
    web = sqlite_server.partners.web
    back = person.authorize(web)
    secret_in_query = {"client_id": web.client_id, "client_secret": web.client_secret}
    answer = send(
        "POST", sqlite_server.base + "/oauth/token", params=secret_in_query, data=web.exchange_form(back.code)
    )
    assert answer.status_code in (400, 401), answer.text
    code_in_query = web.exchange_form(back.code) | web.secret_form()
    answer = send("POST", sqlite_server.base + "/oauth/token", params=code_in_query)
    assert answer.status_code in (400, 401), answer.text
    tokens(web.exchange(back.code))


@pytest.mark.parametrize(
    "content_type", ["application/json", "text/plain", "multipart/form-data; boundary=x", "application/xml", None, ""]
)
def test_T02_another_content_type_is_an_invalid_request(sqlite_server, content_type):
    web = sqlite_server.partners.web
    headers = {} if content_type is None else {"Content-Type": content_type}
    body = json.dumps({"grant_type": "refresh_token", "refresh_token": "x"} | web.secret_form()).encode()
    answer = send("POST", sqlite_server.base + "/oauth/token", data=body, headers=headers)
    assert answer.status_code in (400, 415), answer.text
    assert answer.json()["error"] == "invalid_request"


@pytest.mark.parametrize("name", ["grant_type", "code", "redirect_uri", "client_id", "client_secret", "code_verifier"])
def test_T03_a_parameter_sent_twice_is_an_invalid_request(sqlite_server, person, name):
    web = sqlite_server.partners.web
    back = person.authorize(web)
    form = web.exchange_form(back.code) | web.secret_form()
    answer = web.using(authentication="none").post("/oauth/token", [*form.items(), (name, form[name])])
    refusal(answer, 400, "invalid_request")
    tokens(web.exchange(back.code, unknown="ignored"))


@pytest.mark.parametrize("way", ["post", "basic", "basic, percent-encoded", "basic, lower case"])
def test_T04_a_secret_may_come_by_basic_or_in_the_body(sqlite_server, person, way):
    web = sqlite_server.partners.web
    form = web.exchange_form(person.authorize(web).code)
    headers = {}
    if way == "post":
        form |= web.secret_form()
    else:
        headers = basic(web.client_id, web.client_secret, encoded="percent" in way)
        if "lower" in way:
            headers = {"Authorization": headers["Authorization"].replace("Basic", "basic")}
    assert send("POST", sqlite_server.base + "/oauth/token", data=form, headers=headers).status_code == 200


def test_T04_both_ways_at_once_are_refused(sqlite_server, person):
    web = sqlite_server.partners.web
    back = person.authorize(web)
    headers = basic(web.client_id, web.client_secret)
    form = web.exchange_form(back.code) | web.secret_form()
    answer = send("POST", sqlite_server.base + "/oauth/token", data=form, headers=headers)
    assert answer.status_code in (400, 401)
    assert answer.json()["error"] in ("invalid_request", "invalid_client")
    tokens(web.exchange(back.code))


@pytest.mark.parametrize("header", ["Bearer lka_anything", "Bearer", "", "Digest username=x", "Basically not"])
def test_RFC6749_2_3_1_another_scheme_is_no_client_authentication(sqlite_server, person, header):
    web = sqlite_server.partners.web
    form = web.exchange_form(person.authorize(web).code) | web.secret_form()
    headers = {"Authorization": header}
    tokens(send("POST", sqlite_server.base + "/oauth/token", data=form, headers=headers))
    without = {name: value for name, value in form.items() if not name.startswith("client_")}
    answer = send("POST", sqlite_server.base + "/oauth/token", data=without, headers=headers)
    refusal(answer, 401, "invalid_client")


def test_T04_a_failed_basic_authentication_names_the_scheme(sqlite_server):
    web = sqlite_server.partners.web
    answer = web.using(authentication="basic", client_secret="lks_wrong" * 5).refresh("x")
    refusal(answer, 401, "invalid_client")
    assert answer.headers["WWW-Authenticate"].startswith("Basic")


def test_T04_a_public_client_that_sends_a_secret_is_refused(sqlite_server):
    phone = sqlite_server.partners.phone
    refusal(phone.refresh("x", client_secret="anything at all"), 401, "invalid_client")


@pytest.mark.parametrize("path", ["/oauth/token", "/oauth/introspect", "/oauth/revoke"])
@pytest.mark.parametrize("credentials", ["none", "wrong secret", "unknown client", "another client's secret"])
def test_T05_a_confidential_client_authenticates_everywhere(sqlite_server, person, path, credentials):
    web, other = sqlite_server.partners.web, sqlite_server.partners.opaque
    connected = person.connect(web)
    bad = {
        "none": web.using(authentication="none"),
        "wrong secret": web.using(client_secret="lks_" + "w" * 43),
        "unknown client": web.using(client_id="nobody"),
        "another client's secret": web.using(client_secret=other.client_secret),
    }[credentials]
    form = {"token": connected.refresh}
    if path == "/oauth/token":
        form = {"grant_type": "refresh_token", "refresh_token": connected.refresh}
    refusal(bad.post(path, form), 401, "invalid_client")
    tokens(web.refresh(connected.refresh))


def test_T06_wrong_secrets_are_slowed_down_and_the_right_one_is_not(new_server):
    server = new_server()
    client = server.create_client("--partner", "seam", name="Seam")
    person = Person(server, server.create_account())
    server.start()
    connected = person.connect(client)
    wrong = client.using(client_secret="lks_" + "w" * 43)
    statuses = [wrong.refresh(connected.refresh).status_code for _ in range(40)]
    assert statuses[:30] == [401] * 30
    assert statuses[-1] == 429
    assert "Retry-After" in wrong.refresh(connected.refresh).headers
    for _ in range(5):
        tokens(client.refresh(connected.refresh))


def test_T07_a_code_of_another_client_fails_and_stays_good_for_its_owner(server, web, person):
    back = person.authorize(web)
    for thief in (server.partners.opaque, server.partners.successor):
        refusal(thief.exchange(back.code, code_verifier=web.verifier), 400, "invalid_grant")
    refusal(server.partners.seam.exchange(back.code), 400, "invalid_grant")
    tokens(web.exchange(back.code))


def test_T07_a_refresh_token_of_another_client_fails_and_stays_good(server, web, person):
    connected = person.connect(web)
    refusal(server.partners.opaque.refresh(connected.refresh), 400, "invalid_grant")
    refusal(server.partners.phone.refresh(connected.refresh), 400, "invalid_grant")
    tokens(web.refresh(connected.refresh))


@pytest.mark.parametrize("uri", ["https://partner.example/other", "https://partner.example/callback/", None, ""])
def test_T08_the_redirect_uri_must_be_the_one_of_the_authorization(server, web, person, uri):
    back = person.authorize(web)
    refusal(web.exchange(back.code, redirect_uri=uri), 400, "invalid_grant", "invalid_request")
    tokens(web.exchange(back.code))


@pytest.mark.parametrize("verifier", [None, "", "w" * 43, "short", "v" * 129, "ü" * 43])
def test_T09_a_wrong_verifier_is_refused_and_does_not_burn_the_code(server, web, person, verifier):
    back = person.authorize(web)
    refusal(web.exchange(back.code, code_verifier=verifier), 400, "invalid_grant", "invalid_request")
    tokens(web.exchange(back.code))


def test_T09_a_verifier_without_a_challenge_is_refused(server, person):
    seam = server.partners.seam
    back = person.authorize(seam)
    refusal(seam.exchange(back.code, code_verifier=seam.verifier), 400, "invalid_grant")


def test_T09_wrong_verifiers_are_counted_until_the_code_is_dead(server, web, person):
    back = person.authorize(web)
    for attempt in range(10):
        refusal(web.exchange(back.code, code_verifier=f"{attempt}" * 43), 400, "invalid_grant")
    refusal(web.exchange(back.code), 400, "invalid_grant")
    # RFC 9700 §4.8.2: some mistakes do not burn it.
    later = person.authorize(web)
    for attempt in range(4):
        refusal(web.exchange(later.code, code_verifier=f"{attempt}" * 43), 400, "invalid_grant")
    tokens(web.exchange(later.code))


def test_T12_error_descriptions_hold_only_the_permitted_characters(sqlite_server):
    web = sqlite_server.partners.web
    nasty = 'a"b\\c\r\nd\te\x00fü🔑<b>'
    answers = [
        web.refresh(nasty + " token"),
        web.exchange(nasty + " code"),
        web.post("/oauth/token", {"grant_type": nasty}),
        web.client_credentials(scope=nasty),
        web.using(client_id=nasty).refresh("x"),
        web.post("/oauth/token", [(nasty, "1"), (nasty, "2"), ("grant_type", "refresh_token")]),
    ]
    allowed = set(range(0x20, 0x7F)) - {0x22, 0x5C}
    for answer in answers:
        assert answer.status_code in (400, 401), answer.text
        assert answer.headers["Content-Type"].startswith("application/json")
        description = answer.json().get("error_description", "")
        assert set(map(ord, description)) <= allowed, description


def test_T13_no_answer_with_or_about_a_token_may_be_stored(server, web, person):
    back = person.authorize(web)
    good = web.exchange(back.code)
    connected = tokens(good)
    answers = [
        good,
        web.exchange(back.code),
        web.refresh("x"),
        web.post("/oauth/token", {"grant_type": "nonsense"}),
        web.using(client_secret="lks_" + "w" * 43).refresh("x"),
        web.post("/oauth/introspect", {"token": connected.access}),
        web.using(authentication="none").post("/oauth/introspect", {"token": connected.access}),
        web.revoke(connected.refresh),
        send("POST", server.base + "/oauth/token", data=b"\xff", headers={"Content-Type": "text/plain"}),
    ]
    for answer in answers:
        check_never_stored(answer)


def test_T15_password_and_implicit_do_not_exist(sqlite_server, person):
    web = sqlite_server.partners.web
    form = {"grant_type": "password", "username": person.account.email, "password": person.account.password}
    refusal(web.post("/oauth/token", form), 400, "unsupported_grant_type")
    refusal(web.post("/oauth/token", {"grant_type": "implicit"}), 400, "unsupported_grant_type")
    metadata = send("GET", sqlite_server.base + "/.well-known/oauth-authorization-server").json()
    assert not {"password", "implicit"} & set(metadata["grant_types_supported"])


def test_T15_a_grant_that_the_client_does_not_have_is_refused(sqlite_server):
    partners = sqlite_server.partners
    refusal(partners.web.client_credentials(), 400, "unauthorized_client")
    refusal(partners.machine.refresh("x"), 400, "unauthorized_client")
    refusal(partners.machine.exchange("x", redirect_uri="https://x.example"), 400, "unauthorized_client")
    refusal(partners.resource.client_credentials(), 400, "unauthorized_client")


def test_T16_client_credentials_are_for_confidential_clients_and_their_scopes(server):
    machine = server.partners.machine
    body = tokens(machine.client_credentials()).body
    assert "refresh_token" not in body
    assert body["token_type"] == "Bearer"
    refusal(machine.client_credentials(scope="locks.write"), 400, "invalid_scope")
    refusal(machine.using(authentication="none").client_credentials(), 401, "invalid_client")
    refusal(server.partners.phone.client_credentials(), 400, "unauthorized_client")
    seen = machine.introspect(body["access_token"])
    assert seen["active"] is True
    assert not seen.get("sub", "").startswith("usr_")
    assert "user_id" not in body


def test_T16_a_clients_own_token_is_for_no_other_api_unless_the_operator_said_so(own_server):
    audience, foreign = "https://billing.example.com/", "https://vault.example.com/"
    billing = own_server.create_client("--audience", audience, name="Billing")
    own_server.create_client("--audience", foreign, name="Vault")
    options = ("--grant", "client_credentials", "--scope", "locks.read")
    plain = own_server.create_client(*options, name="Plain")
    biller = own_server.create_client(*options, "--resource", audience, name="Biller")
    asking = own_server.create_client(
        "--redirect-uri", "https://partner.example/cb", "--scope", "locks.read", "--resource", "none", name="Asking"
    )
    assert biller.registration["resources"] == [audience]
    assert asking.registration["resources"] == []
    assert plain.registration["resources"] is None
    own_server.start()
    for resource in (audience, foreign):
        refusal(plain.client_credentials(resource=resource), 400, "invalid_target")
    usual = tokens(plain.client_credentials()).access
    assert billing.introspect(usual) == {"active": False}
    allowed = tokens(biller.client_credentials(resource=audience)).access
    assert billing.introspect(allowed)["aud"] == audience
    refusal(biller.client_credentials(resource=foreign), 400, "invalid_target")
    both = [("grant_type", "client_credentials"), ("resource", audience), ("resource", foreign)]
    refusal(biller.post("/oauth/token", both), 400, "invalid_target")
    page = Person(own_server).request("GET", asking.authorize_url(resource=audience))
    assert "error=invalid_target" in page.target
    # A Kelvin sign is a K to people, and to strings that compare as people do.
    own_server.command("client", "create", "--audience", "https://billing.example.com/K", "--name", "Kelvin")
    biller.server.command("client", "update", biller.client_id, "--resource", "https://billing.example.com/K")
    eventually(lambda: biller.client_credentials(resource="https://billing.example.com/K").status_code == 200)
    refusal(biller.client_credentials(resource="https://billing.example.com/\u212a"), 400, "invalid_target")
    own_server.command("client", "update", biller.client_id, "--resource", "none")
    eventually(lambda: biller.client_credentials(resource=audience).status_code == 400)
