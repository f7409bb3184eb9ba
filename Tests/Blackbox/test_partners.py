"""Every partner's habits, played against every embedded profile: what it sends, how it refreshes, what it expects."""

import json
from concurrent.futures import ThreadPoolExecutor
from urllib.parse import urlsplit

import pytest

from partner_table import PROFILES, TABLE
from toolkit.client import tokens
from toolkit.replay import Refusal

TABLE_TEST = "test_the_table_has_a_row_for_each_embedded_profile"


def test_the_table_has_a_row_for_each_embedded_profile(sqlite_stage):
    embedded = {profile["id"] for profile in sqlite_stage.server.command("partner", "list")}
    assert embedded == set(PROFILES), "a profile without a row, or a row without a profile"
    assert len(PROFILES) == len(TABLE), "two rows for one profile"


@pytest.fixture(params=list(PROFILES))
def partner(request, stage):
    """One partner on one database."""
    return stage.player(request.param)


REFRESHING = pytest.mark.parametrize("partner", [name for name in PROFILES if PROFILES[name].refreshes], indirect=True)
CONFIDENTIAL = pytest.mark.parametrize(
    "partner", [name for name in PROFILES if PROFILES[name].has_secret], indirect=True
)


def check_tokens(partner, answer) -> dict:
    """What must hold of every good answer of the token endpoint."""
    habits = partner.habits
    body = tokens(answer).body
    assert set(body) - {"scope"} >= habits.members, body
    assert body["token_type"] == "Bearer", "spelled so, because partners compare it"
    assert answer.headers["Content-Type"].startswith("application/json")
    assert "no-store" in answer.headers["Cache-Control"]
    for name in ("expires_in", "expires_at"):
        assert type(body.get(name, 0)) is int
    if "user_id" in body:
        assert body["user_id"] == partner.person.account.user_id
    return body


def check_works(partner, access_token: str) -> None:
    """The token says whose it is, and does what the partner wants it for."""
    seen = partner.introspect(access_token)
    assert seen["active"] is True
    assert seen["sub"] == partner.person.account.user_id
    assert seen["client_id"] == partner.client.client_id
    if partner.habits.api != "introspection":
        assert partner.call(access_token).status_code == 200, partner.call(access_token).text


def test_its_redirect_uris_are_registered(partner):
    registered = set(partner.registration["redirect_uris"])
    if partner.habits.profile != "seam-legacy":
        assert registered == set(partner.habits.redirect_uris)
    for uri in partner.habits.redirect_uris:
        page = partner.person.visit(partner.link(redirect_uri=uri))
        assert page.sign_in_form or page.consent_form, f"{uri}: {page!r}"


def test_a_redirect_uri_that_only_looks_like_its_own_is_refused(partner):
    place = urlsplit(partner.redirect_uri)
    look_alikes = [
        place._replace(netloc="evil.example").geturl(),
        place._replace(netloc=place.netloc + ".evil.example").geturl(),
        place._replace(netloc="evil-" + place.netloc.split(".", 1)[-1].replace(".", "-") + ".example").geturl(),
        place._replace(netloc=place.netloc + "@evil.example").geturl(),
        place._replace(netloc=place.netloc + ":8443").geturl(),
        place._replace(scheme="http").geturl(),
        partner.redirect_uri + "#fragment",
    ]
    if partner.habits.profile != "seam-legacy":
        look_alikes += [place._replace(path=place.path + "/x").geturl(), place._replace(query="evil=1").geturl()]
    for uri in look_alikes:
        page = partner.person.request("GET", partner.link(redirect_uri=uri))
        assert page.status == 400, uri
        assert page.location is None, uri


def test_the_person_is_asked_each_time_by_name_and_told_where_it_leads(partner):
    for _ in range(2):
        page = partner.consent_page()
        assert partner.registration["name"] in page.text
        assert urlsplit(partner.redirect_uri).hostname in page.text
        assert {"Allow", "Deny"} <= {text for _, _, text in page.consent_form.buttons}


def test_it_comes_back_with_a_code_and_its_state(partner):
    habits = partner.habits
    back = partner.authorize()
    assert back.location.startswith(partner.redirect_uri + ("&" if "?" in partner.redirect_uri else "?"))
    returned = partner.returned(back)
    assert returned.pop("code")
    assert returned.pop("state", None) == habits.state
    assert returned == ({"iss": partner.server.issuer} if habits.sends_issuer else {})


def test_it_is_denied(partner):
    returned = partner.returned(partner.authorize("deny"))
    returned.pop("error_description", None)
    assert returned.pop("error") == "access_denied"
    assert returned.pop("state", None) == partner.habits.state
    assert returned == ({"iss": partner.server.issuer} if partner.habits.sends_issuer else {})


def test_it_connects_calls_and_refreshes_in_each_of_its_ways(partner):
    for way in partner.habits.ways:
        first = check_tokens(partner, partner.exchange(partner.authorize().code, way))
        check_works(partner, first["access_token"])
        if not partner.habits.refreshes:
            assert "refresh_token" not in first
            continue
        second = check_tokens(partner, partner.refresh(first["refresh_token"], way))
        assert second["access_token"] != first["access_token"]
        check_works(partner, second["access_token"])
        check_works(partner, first["access_token"])


@REFRESHING
def test_it_refreshes_again_with_the_token_that_it_had_before(partner):
    """A lost answer, a second worker, a restored backup of the partner: the earlier token still leads on."""
    first = partner.connect().refresh
    answers = [check_tokens(partner, partner.refresh(first)) for _ in range(3)]
    assert len({body["access_token"] for body in answers}) == 3
    successors = {body["refresh_token"] for body in answers}
    assert len(successors) == 1, "the same next token for each of them"
    assert (successors == {first}) is not partner.habits.rotates
    newest = check_tokens(partner, partner.refresh(successors.pop()))
    check_works(partner, newest["access_token"])


@REFRESHING
def test_it_refreshes_many_times_at_once(partner):
    first = partner.connect()
    with ThreadPoolExecutor(12) as pool:
        answers = list(pool.map(lambda _: partner.refresh(first.refresh), range(12)))
    bodies = [check_tokens(partner, answer) for answer in answers]
    assert len({body["access_token"] for body in bodies}) == 12
    assert len({body["refresh_token"] for body in bodies}) == 1
    for body in bodies[:2]:
        check_works(partner, body["access_token"])
    check_tokens(partner, partner.refresh(bodies[0]["refresh_token"]))


def test_a_wrong_code_is_refused_as_it_expects(partner):
    for way in partner.habits.ways:
        partner.habits.wrong_code.check(partner.exchange("lkc_" + "A" * 43, way))


def test_a_code_is_good_once(partner):
    code = partner.authorize().code
    access = tokens(partner.exchange(code)).access
    partner.habits.wrong_code.check(partner.exchange(code))
    assert partner.introspect(access) == {"active": False}, "a code that is used twice may have been stolen"


@REFRESHING
def test_a_wrong_refresh_token_is_refused_as_it_expects(partner):
    good = partner.connect().refresh
    for wrong in ("nonsense", "lkr_" + "A" * 66, good[:-2] + ("AA" if good[-2:] != "AA" else "BB")):
        for way in partner.habits.ways:
            partner.habits.wrong_refresh.check(partner.refresh(wrong, way))
    check_tokens(partner, partner.refresh(good))


@CONFIDENTIAL
def test_a_wrong_secret_is_refused_as_it_expects_and_costs_nothing(partner):
    code = partner.authorize().code
    for way in partner.habits.ways:
        partner.habits.wrong_secret.check(partner.exchange(code, way, client_secret="lks_" + "x" * 43))
    first = check_tokens(partner, partner.exchange(code))
    if not partner.habits.refreshes:
        return
    for way in partner.habits.ways:
        answer = partner.refresh(first["refresh_token"], way, client_secret="lks_" + "x" * 43)
        partner.habits.wrong_secret.check(answer)
    check_tokens(partner, partner.refresh(first["refresh_token"]))


def test_a_client_that_was_deleted_is_refused(partner):
    """Nobody's profile can speak for a client that is not there: RFC 6749 section 5.2 does."""
    answer = partner.exchange("x" * 43, client_id="client_that_was_deleted")
    Refusal(401, "invalid_client").check(answer)


def test_it_revokes_and_is_cut_off(partner):
    connected = partner.connect()
    other = partner.connect()
    answer = partner.client.revoke(connected.refresh if partner.habits.refreshes else connected.access)
    assert answer.status_code == 200, answer.text
    assert partner.introspect(connected.access) == {"active": False}
    if partner.habits.refreshes:
        partner.habits.wrong_refresh.check(partner.refresh(connected.refresh))
    assert partner.introspect(other.access)["active"] is True, "another connection of the same account lives on"


def test_what_is_loosened_and_what_is_unmet_is_said_when_the_client_is_made(partner):
    profile = partner.server.command("partner", "show", partner.habits.profile)
    assert partner.registration["partner"] == profile["id"]
    assert partner.registration["loosened"] == profile["loosened"]
    assert partner.registration["unmet"] == profile["unmet"]
    assert all(entry["why"] for entry in profile["loosened"] + profile["unmet"])
    assert "lks_" not in json.dumps(profile)
