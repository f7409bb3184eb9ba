"""When a person is asked again, and who is asked: security.md, rows A16 and A17."""

import time

import pytest

from toolkit.person import Person


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
