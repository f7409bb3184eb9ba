"""What single partners' documents say beyond the common suite: each test is a sentence of one of them."""

import base64
import json
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import pytest

from partner_table import GOOGLE_REFUSAL, PROFILES
from toolkit.client import refusal, tokens
from toolkit.databases import Postgres, PostgresServer
from toolkit.expect import check_one_line_error
from toolkit.person import Person
from toolkit.replay import INVALID_GRANT, Player
from toolkit.stage import AUDIENCE, Stage
from toolkit.waiting import eventually
from toolkit.wire import send


def player(name: str):
    """A fixture with one partner on both databases."""

    @pytest.fixture(name=name.replace("-", "_"))
    def fixture(stage) -> Player:
        return stage.player(name)

    return fixture


google_home = player("google-home")
alexa = player("alexa")
smartthings = player("smartthings")
ifttt = player("ifttt")
zapier = player("zapier")
n8n = player("n8n")
home_assistant = player("home-assistant")
slack = player("slack")
aws_iot = player("aws-iot")
gpt_actions = player("gpt-actions")
chatgpt = player("chatgpt")
claude = player("claude")


def claims(token: str) -> dict:
    """What a JWT says, read as anybody can who has it."""
    body = token.split(".")[1]
    return json.loads(base64.urlsafe_b64decode(body + "=" * (-len(body) % 4)))


def call(partner: Player, path: str, token: str | None):
    headers = {"Authorization": f"Bearer {token}"} if token is not None else {}
    return send("GET", partner.server.base + path, headers=headers)


# Google: the six checks of its validation tool


def test_google_1_the_access_token_is_not_a_jwt(google_home):
    assert "." not in google_home.connect().access


def test_google_2_an_access_token_that_ends_comes_with_a_refresh_token(google_home):
    connected = google_home.connect()
    assert connected.body["expires_in"] == 3600
    assert connected.refresh


@pytest.mark.parametrize("token", ["", "x", "1//0gInvalidRefreshToken", "lkr_" + "A" * 66])
def test_google_3_an_invalid_refresh_token_is_400_and_exactly_invalid_grant(google_home, token):
    answer = google_home.refresh(token)
    if token:
        assert (answer.status_code, answer.json()) == (400, {"error": "invalid_grant"})
    else:
        assert answer.status_code == 400, "without a value it is a malformed request (RFC 6749 section 3.1)"


def test_google_4_and_5_a_refresh_gives_another_access_token_and_leaves_the_first_one_alive(google_home):
    first = google_home.connect()
    second = tokens(google_home.refresh(first.refresh))
    assert second.access != first.access
    for token in (first.access, second.access):
        assert google_home.call(token).status_code == 200
        assert google_home.introspect(token)["active"] is True


@pytest.mark.parametrize("policy", ["stable", "successor"])
def test_google_6_an_old_refresh_token_dies_only_after_the_new_one_was_used(stage, policy):
    google = stage.variant(replace(PROFILES["google-home"], options=("--refresh", policy)))
    first = google.connect().refresh
    second = tokens(google.refresh(first)).refresh
    assert (second != first) is (policy == "successor")
    tokens(google.refresh(first))
    tokens(google.refresh(first))
    tokens(google.refresh(second))


def test_google_a_wrong_client_is_400_and_invalid_grant_too(google_home):
    code = google_home.authorize().code
    GOOGLE_REFUSAL.check(google_home.exchange(code, client_secret="lks_" + "x" * 43))
    tokens(google_home.exchange(code))


def test_google_a_cluster_refreshes_at_once_and_retries_with_the_token_it_has(google_home):
    first = google_home.connect().refresh
    with ThreadPoolExecutor(10) as pool:
        answers = list(pool.map(lambda _: google_home.refresh(first), range(30)))
    assert {answer.status_code for answer in answers} == {200}
    tokens(google_home.refresh(first))


def test_google_the_page_says_that_the_account_is_linked_to_google_and_can_be_left(google_home):
    page = google_home.consent_page()
    assert "Google" in page.text
    assert "Deny" in {text for _, _, text in page.consent_form.buttons}


# Amazon Alexa


def test_alexa_access_tokens_live_at_least_360_seconds(alexa):
    assert alexa.connect().body["expires_in"] >= 360


def test_alexa_a_refresh_answers_with_a_pair(alexa):
    first = alexa.connect()
    for way in alexa.habits.ways:
        pair = tokens(alexa.refresh(first.refresh, way))
        assert pair.access
        assert pair.refresh


def test_alexa_the_deadline_of_the_token_endpoint_stands_in_the_profile(alexa):
    rules = alexa.server.command("partner", "show", "alexa")["rules"]
    assert rules["deadlines"] == {"token": 4.5}
    fastest = min(alexa.exchange(alexa.authorize().code).elapsed for _ in range(3))
    assert fastest.total_seconds() < 1, "the aim; every answer of the suite is held to the deadline"


def test_alexa_a_skill_has_at_most_15_scopes(alexa):
    words = [word for number in range(16) for word in ("--scope", f"scope.{number}")]
    done = alexa.server.run(*alexa.habits.creation, *words)
    check_one_line_error(done, "15", "scope")
    assert alexa.server.run(*alexa.habits.creation, *words[2:]).returncode == 0


def test_alexa_nobody_can_make_its_tokens_too_short(alexa):
    done = alexa.server.run(*alexa.habits.creation, "--access-token-lifetime", "359")
    check_one_line_error(done, "at least 360 seconds")
    assert alexa.server.run(*alexa.habits.creation, "--access-token-lifetime", "360").returncode == 0


def test_alexa_pages_have_no_pop_ups_and_need_no_script(alexa):
    page = alexa.consent_page()
    assert "<script" not in page.html
    assert 'target="_blank"' not in page.html


def test_alexa_pkce_is_checked_when_the_skill_sends_it(stage):
    proving = stage.variant(replace(PROFILES["alexa"], proves=True))
    code = proving.authorize().code
    INVALID_GRANT.check(replace_verifier(proving).exchange(code))
    tokens(proving.exchange(proving.authorize().code))


def replace_verifier(partner: Player) -> Player:
    """The same partner with another verifier, as a thief of the code has."""
    return replace(partner, verifier="v" * 43)


# Samsung SmartThings


def test_smartthings_allow_must_be_tapped_even_with_a_live_session_and_connection(smartthings):
    smartthings.connect()
    seen = len(smartthings.person.answers)
    page = smartthings.person.visit(smartthings.link())
    assert page.consent_form, "no sign-in, because the session lives, and no code without the tap"
    assert "SmartThings" in page.text
    assert "Allow" in {text for _, _, text in page.consent_form.buttons}
    assert not [one for one in smartthings.person.answers[seen:] if "code=" in one.headers.get("Location", "")]


# IFTTT


def test_ifttt_a_bad_code_is_400_and_its_description_holds_no_token(ifttt):
    answer = ifttt.exchange("a-bad-code-of-ours")
    body = refusal(answer, 400, "invalid_grant")
    assert "a-bad-code-of-ours" not in body["error_description"]


def test_ifttt_answers_are_json_and_say_that_they_are_utf_8(ifttt):
    good, bad = ifttt.exchange(ifttt.authorize().code), ifttt.exchange("a-bad-code")
    info = call(ifttt, "/ifttt/v1/user/info", tokens(good).access)
    for answer in (good, bad, info, call(ifttt, "/ifttt/v1/user/info", None)):
        assert answer.headers["Content-Type"] == "application/json; charset=utf-8"


def test_ifttt_is_told_a_name_of_somebody_who_has_none(ifttt):
    account = ifttt.server.create_account(name=None)
    nameless = replace(ifttt, person=Person(ifttt.server, account))
    told = call(ifttt, "/ifttt/v1/user/info", nameless.connect().access).json()
    assert told == {"data": {"name": account.user_id, "id": account.user_id}}


def test_ifttt_an_earlier_refresh_token_does_not_die_at_once(ifttt):
    first = ifttt.connect().refresh
    second = tokens(ifttt.refresh(first)).refresh
    tokens(ifttt.refresh(first))
    tokens(ifttt.refresh(second))


def test_ifttt_refresh_tokens_do_not_end_by_time(own_server):
    habits = PROFILES["ifttt"]
    stage = Stage.__new__(Stage)
    stage.server, stage.resource = own_server, own_server.create_client("--audience", AUDIENCE, name="API")
    ifttt = stage.create(habits)
    ifttt.person = Person(own_server, own_server.create_account())
    own_server.start()
    first = ifttt.connect()
    own_server.restart(clock_offset=2 * 365 * 86400)
    assert ifttt.introspect(first.access) == {"active": False}
    later = tokens(ifttt.refresh(first.refresh))
    assert ifttt.introspect(later.access)["active"] is True


def test_ifttt_user_info_names_the_account_by_its_permanent_id(ifttt):
    account = ifttt.person.account
    for token in (ifttt.connect().access, ifttt.connect().access):
        answer = call(ifttt, "/ifttt/v1/user/info", token)
        assert answer.status_code == 200, answer.text
        assert answer.headers["Content-Type"].startswith("application/json"), "which is UTF-8 (RFC 8259 section 8.1)"
        assert answer.json() == {"data": {"id": account.user_id, "name": account.name}}
        assert len(account.user_id) <= 200
        assert token not in answer.text


@pytest.mark.parametrize("token", [None, "", "nonsense", "lka_" + "A" * 80])
def test_ifttt_user_info_without_a_good_token_is_401_in_its_words(ifttt, token):
    answer = call(ifttt, "/ifttt/v1/user/info", token)
    assert answer.status_code == 401
    messages = answer.json()["errors"]
    assert messages
    assert all(set(message) == {"message"} and message["message"] for message in messages)


def test_ifttt_user_info_of_a_cut_connection_is_401(ifttt):
    connected = ifttt.connect()
    assert call(ifttt, "/ifttt/v1/user/info", connected.access).status_code == 200
    assert ifttt.client.revoke(connected.refresh).status_code == 200
    assert call(ifttt, "/ifttt/v1/user/info", connected.access).status_code == 401


def test_ifttt_user_info_is_for_ifttts_own_tokens(ifttt, slack):
    assert call(ifttt, "/ifttt/v1/user/info", slack.connect().access).status_code == 401


# Zapier and Home Assistant: a 4xx is final, so only what is final is one


@pytest.mark.parametrize("profile", ["zapier", "home-assistant"])
def test_zapier_and_home_assistant_get_no_4xx_from_races_or_retries(stage, profile):
    partner = stage.player(profile)
    first = partner.connect().refresh
    with ThreadPoolExecutor(16) as pool:
        answers = list(pool.map(lambda _: partner.refresh(first), range(48)))
    assert {answer.status_code for answer in answers} == {200}


def test_zapier_and_home_assistant_get_503_and_no_4xx_while_the_database_is_away(tmp_path):
    postgres = PostgresServer()
    names = ["zapier", "home-assistant"]
    stage = Stage(Postgres(postgres.url), tmp_path, {name: PROFILES[name] for name in names})
    try:
        tokens_of = {name: stage.player(name).connect().refresh for name in names}
        postgres.halt()
        for name, token in tokens_of.items():
            answer = send("POST", stage.server.base + "/oauth/token", data=refresh_form(stage.player(name), token))
            assert answer.status_code == 503, answer.text
            assert int(answer.headers["Retry-After"]) > 0
        postgres.resume()
        for name, token in tokens_of.items():
            eventually(lambda name=name, token=token: stage.player(name).refresh(token).status_code == 200, 20)
    finally:
        stage.server.kill()
        postgres.stop()


def refresh_form(partner: Player, token: str) -> dict[str, str]:
    return {"grant_type": "refresh_token", "refresh_token": token} | partner.client.secret_form()


def test_home_assistant_expires_in_stands_in_both_answers(home_assistant):
    first = home_assistant.connect()
    assert type(first.body["expires_in"]) is int
    assert type(tokens(home_assistant.refresh(first.refresh)).body["expires_in"]) is int


# n8n


def test_n8n_the_token_type_is_bearer_in_both_answers(n8n):
    for way in n8n.habits.ways:
        first = n8n.connect(way)
        assert first.body["token_type"] == "Bearer", "any other type and the token goes into the query"
        assert tokens(n8n.refresh(first.refresh, way)).body["token_type"] == "Bearer"


# Slack


def test_slack_the_identity_url_answers_with_the_id_of_the_account(slack):
    answer = call(slack, "/oauth/userinfo", slack.connect().access)
    assert answer.status_code == 200, answer.text
    assert answer.json() == {"sub": slack.person.account.user_id, "user_id": slack.person.account.user_id}


def test_slack_the_identity_url_tells_the_address_to_who_asked_for_it(stage):
    scopes = ("--scope", "locks.read", "--scope", "email")
    slack = stage.variant(replace(PROFILES["slack"], options=scopes, scope="locks.read email"))
    assert call(slack, "/oauth/userinfo", slack.connect().access).json()["email"] == slack.person.account.email


# AWS


def test_aws_the_account_of_each_token_can_be_had_from_it_and_from_the_server(aws_iot):
    user_id = aws_iot.person.account.user_id
    first = aws_iot.connect()
    second = tokens(aws_iot.refresh(first.refresh))
    for connected in (first, second):
        assert claims(connected.access)["sub"] == user_id
        assert connected.user_id == user_id
        assert aws_iot.introspect(connected.access)["sub"] == user_id
        assert call(aws_iot, "/oauth/userinfo", connected.access).json()["user_id"] == user_id


def test_aws_pkce_works_where_it_is_sent(stage):
    proving = stage.variant(replace(PROFILES["aws-iot"], proves=True))
    tokens(proving.exchange(proving.authorize().code))


# OpenAI


def test_gpt_actions_an_empty_scope_means_the_default(gpt_actions):
    assert gpt_actions.link().endswith("&scope=")
    assert set(gpt_actions.introspect(gpt_actions.connect().access)["scope"].split()) == {"locks.read", "locks.write"}


def metadata(partner: Player) -> dict:
    return send("GET", partner.server.base + "/.well-known/oauth-authorization-server").json()


def test_chatgpt_the_metadata_has_what_it_insists_on(chatgpt):
    said = metadata(chatgpt)
    assert said["issuer"] == chatgpt.server.issuer
    assert "S256" in said["code_challenge_methods_supported"]
    assert said["authorization_response_iss_parameter_supported"] is True
    assert "none" in said["token_endpoint_auth_methods_supported"]


def test_chatgpt_every_answer_names_the_issuer(chatgpt):
    for decision in ("allow", "deny"):
        assert chatgpt.authorize(decision).parameters["iss"] == metadata(chatgpt)["issuer"]


def test_chatgpt_the_resource_of_its_requests_is_the_tokens_audience(chatgpt):
    first = chatgpt.connect()
    for connected in (first, tokens(chatgpt.refresh(first.refresh))):
        audience = claims(connected.access)["aud"]
        assert AUDIENCE in (audience if isinstance(audience, list) else [audience])
        assert chatgpt.resource.introspect(connected.access)["active"] is True


def test_chatgpt_a_resource_that_nobody_serves_is_refused(chatgpt):
    page = chatgpt.person.visit(chatgpt.link(resource="https://other.example/mcp"))
    assert page.leaves
    assert "error=invalid_target" in page.target


def test_chatgpt_without_pkce_there_is_no_code(stage):
    plain = stage.variant(replace(PROFILES["chatgpt"], proves=False))
    page = plain.person.visit(plain.link())
    assert page.leaves
    assert "error=invalid_request" in page.target
    assert "code_challenge" in page.target


def test_chatgpt_can_be_given_a_secret(stage):
    habits = replace(PROFILES["chatgpt"], options=("--no-public", "--refresh", "stable"), ways=PROFILES["claude"].ways)
    confidential = stage.variant(replace(habits, rotates=False))
    assert confidential.client.client_secret
    connected = confidential.connect()
    assert tokens(confidential.refresh(connected.refresh)).refresh == connected.refresh


# Claude


def test_claude_401_invalid_client_means_deleted_and_nothing_else_does(claude):
    answer = claude.refresh("x", client_id="client_that_was_deleted")
    refusal(answer, 401, "invalid_client")
    INVALID_GRANT.check(claude.refresh("lkr_" + "A" * 66))
    INVALID_GRANT.check(claude.exchange("x" * 43))


def test_claude_a_deleted_client_is_401_invalid_client(stage):
    claude = stage.variant(PROFILES["claude"])
    connected = claude.connect()
    claude.server.command("client", "delete", claude.client.client_id, "--yes")
    eventually(lambda: claude.refresh(connected.refresh).status_code == 401)
    refusal(claude.refresh(connected.refresh), 401, "invalid_client")


@pytest.mark.parametrize("profile", ["chatgpt", "claude"])
def test_mcp_public_clients_refresh_tokens_rotate(stage, profile):
    habits = replace(PROFILES[profile], options=("--public",), ways=PROFILES["chatgpt"].ways, rotates=True)
    public = stage.variant(habits)
    first = public.connect().refresh
    second = tokens(public.refresh(first)).refresh
    third = tokens(public.refresh(second)).refresh
    assert len({first, second, third}) == 3
    INVALID_GRANT.check(public.refresh(first))
    INVALID_GRANT.check(public.refresh(third))  # a reuse cuts the whole connection (RFC 9700 section 4.14)
