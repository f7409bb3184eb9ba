"""How a customer changes their password: security.md rows L09 and L10, from outside."""

import secrets

import pytest

from toolkit.account_page import change_password, form_to, open_account
from toolkit.expect import check_guesses
from toolkit.person import Person
from toolkit.wire import together


def test_L10_a_password_change_needs_the_current_one(server, person):
    open_account(person)
    new = "the new password " + secrets.token_hex(8)
    refused = change_password(person, "not my password", new)
    assert refused.status == 422
    assert "The current password is not right." in refused.text
    done = change_password(person, person.account.password, new)
    assert "Your password is changed." in done.text
    fresh = Person(server, person.account)
    assert fresh.sign_in(fresh.visit(server.base + "/account")).sign_in_form, "the old password still works"
    person.account.password = new
    assert "Your account" in open_account(Person(server, person.account)).text


def test_L10_the_session_changes_and_the_others_end_if_wanted(server, person):
    for others in (False, True):
        other = Person(server, person.account)
        open_account(other)
        open_account(person)
        before = dict(person.cookies)
        new = person.account.password + "!"
        done = change_password(person, person.account.password, new, others=others)
        assert "Your password is changed." in done.text
        person.account.password = new
        stale = Person(server)
        stale.cookies = before
        assert stale.visit(server.base + "/account").sign_in_form, "the session went on under its old cookie"
        assert bool(other.visit(server.base + "/account").sign_in_form) == others


def test_L10_connections_outlive_a_password_change(server, person):
    connected = person.connect(server.partners.seam)
    assert "stay connected" in person.visit(server.base + "/account/password").text
    change_password(person, person.account.password, "another long password")
    assert server.partners.seam.refresh(connected.refresh).status_code == 200
    assert server.partners.seam.introspect(connected.access)["active"]


def twins_at_the_form(server, person, new, count):
    """As many browsers as wanted with the same session, and the filled-in form that all of them send."""
    open_account(person)
    form = form_to(person.visit(server.base + "/account/password"), "/account/password")
    server.canaries.add("password", new)
    form.fields |= {"current": person.account.password, "new": new, "again": new}
    twins = [Person(server, person.account) for _ in range(count)]
    for twin in twins:
        twin.cookies = dict(person.cookies)
    return form, twins


def test_a_change_whose_session_has_gone_is_not_refused_without_a_word(server, person):
    new = "the new password " + secrets.token_hex(8)
    form, (first, second) = twins_at_the_form(server, person, new, 2)
    assert first.submit(form).status == 303
    german = second.submit(form, headers={"Accept-Language": "de"})
    assert "wurde jetzt nicht ausgeführt" in german.text
    again = second.submit(form)
    assert again.status == 401
    assert "If you sent it twice, the first may have been done" in again.text
    assert "Change your password" in second.sign_in(again, password=new).text
    assert "what you sent" not in Person(server).visit(server.base + "/account/password").text, "nothing was sent"


def test_a_change_that_is_sent_several_times_at_once_calls_no_right_password_wrong(server, person):
    new = "the new password " + secrets.token_hex(8)
    form, twins = twins_at_the_form(server, person, new, 4)
    pages = together([lambda twin=twin: twin.submit(form) for twin in twins])
    statuses = [page.status for page in pages]
    assert statuses.count(303) == 1, statuses
    assert set(statuses) <= {303, 401, 409}, statuses
    assert all("Sign in again." in page.text for page in pages if page.status == 409)
    person.account.password = new
    assert "Your account" in open_account(Person(server, person.account)).text


def test_L10_guesses_at_an_open_browser_have_to_wait(own_server):
    person = Person(own_server, own_server.create_account())
    own_server.start()
    open_account(person)
    statuses = [change_password(person, f"guess {i}", "another long password").status for i in range(12)]
    check_guesses(statuses, 422, free=10)
    # The owner elsewhere is not kept out by that.
    assert "Your account" in open_account(Person(own_server, person.account)).text


GOOD = [
    "exactly8",
    "ünïcödé ☃ pässwörd",
    "  leading and trailing  ",
    "long " * 13,
    "correct horse battery staple " * 8,
    "密码密码密码密码吧",
]


@pytest.mark.parametrize("password", GOOD, ids=lambda text: f"{len(text)} characters")
def test_L09_a_long_enough_password_of_any_characters_is_taken_exactly(sqlite_server, password):
    server = sqlite_server
    person = Person(server, server.create_account())
    open_account(person)
    done = change_password(person, person.account.password, password)
    assert "Your password is changed." in done.text, done
    person.account.password = password
    variants = {password + " ", password.strip(), password.upper(), password[:-1], password.rstrip()} - {password}
    for variant in variants:
        fresh = Person(server, person.account)
        assert fresh.sign_in(fresh.visit(server.base + "/account"), password=variant).sign_in_form, variant
    assert "Your account" in open_account(Person(server, person.account)).text


def test_L09_the_73rd_byte_matters(server, person):
    first = "a" * 20 + "b" * 20 + "c" * 20 + "d" * 12 + "X"
    open_account(person)
    change_password(person, person.account.password, first)
    for wrong in (first[:72], first[:72] + "Y"):
        fresh = Person(server, person.account)
        assert fresh.sign_in(fresh.visit(server.base + "/account"), password=wrong).sign_in_form
    person.account.password = first
    open_account(Person(server, person.account))


BAD = {
    "": "too short",
    "short": "too short",
    "seven77": "too short",
    "password": "one of the first",
    "PassWord": "one of the first",
    "12345678": "one of the first",
    "qwertyuiop": "one of the first",
    "iloveyou": "one of the first",
    "Password123": "one of the first",
    "aaaaaaaa": "one of the first",
    "abcabcabcabc": "one of the first",
    "lkjhgfdsa": "one of the first",
    "P@ssw0rd2026": "one of the first",
    "sunshine!1": "one of the first",
    "Zq7" * 367: "too long",
}


@pytest.mark.parametrize("password", BAD, ids=lambda text: text[:12] or "empty")
def test_L09_what_everybody_tries_first_is_refused(sqlite_server, password):
    server = sqlite_server
    person = Person(server, server.create_account())
    open_account(person)
    refused = change_password(person, person.account.password, password)
    assert refused.status == 422
    assert BAD[password] in refused.text
    assert "Your account" in open_account(Person(server, person.account)).text


def test_L09_the_two_new_ones_must_be_the_same(server, person):
    open_account(person)
    refused = change_password(person, person.account.password, "a new long password", again="a new long passwort")
    assert "not the same" in refused.text
    assert "Your account" in open_account(Person(server, person.account)).text
