"""Sessions and forms of the customer's own page: security.md rows L05, L07, L08, L13, L15 and L16, from outside."""

import random

import pytest

from toolkit.account_page import change_password, disconnect_links, form_to, open_account, sign_out
from toolkit.person import Person

FIREFOX = {"User-Agent": "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0"}

OUT_OF_DATE = "That page was out of date. Please do it once more."


def every_form(person: Person) -> list:
    """All forms of the signed-in pages, with what a person would fill in."""
    base = person.server.base
    home = open_account(person)
    pages = [home, person.visit(disconnect_links(home)[0]), person.visit(base + "/account/password")]
    pages.append(person.visit(base + "/oauth/logout"))
    forms = [form for page in pages for form in page.forms]
    assert len(forms) >= 4
    return forms


@pytest.mark.parametrize("change", ["missing", "foreign", "cross-site", "foreign origin"])
def test_L07_every_form_of_the_page_needs_its_own_session(server, person, change):
    connected = person.connect(server.partners.seam)
    other = Person(server, person.account)
    other.connect(server.partners.opaque)
    foreign = form_to(open_account(other), "/account/sign-out").fields["transaction"]
    headers = {"cross-site": {"Sec-Fetch-Site": "cross-site"}, "foreign origin": {"Origin": "https://evil.example"}}
    password = {"current": person.account.password, "new": "a new long password", "again": "a new long password"}
    for form in every_form(person):
        if change == "missing":
            form.fields.pop("transaction")
        elif change == "foreign":
            form.fields["transaction"] = foreign
        values = password if form.asks_for_password else {}
        values = values | ({"session": "others"} if "/account/sessions" in form.action else {})
        done = person.submit(form, values, headers=headers.get(change, {}))
        if change == "foreign":
            assert done.status == 303, form
            assert OUT_OF_DATE in person.follow(done).text
        else:
            assert done.status in (400, 403), form
    assert server.partners.seam.refresh(connected.refresh).status_code == 200
    assert open_account(other).status == 200
    assert Person(server, person.account).connect(server.partners.seam).user_id == person.account.user_id


def test_L07_signing_in_by_another_sites_form_is_refused(server, account):
    attacker = Person(server, server.create_account())
    form = attacker.visit(server.base + "/account").sign_in_form
    victim = Person(server, account)
    victim.visit(server.base + "/account")
    values = {"email": attacker.account.email, "password": attacker.account.password}
    assert victim.submit(form, values).status == 403
    assert victim.visit(server.base + "/account").sign_in_form
    own = victim.visit(server.base + "/account").sign_in_form
    assert victim.submit(own, values, headers={"Sec-Fetch-Site": "cross-site"}).status == 403


def test_L07_two_tabs_of_a_new_browser_both_sign_in(sqlite_server, account):
    jar = Person(sqlite_server, account)
    first = jar.visit(sqlite_server.base + "/account/sign-in?next=/account/password")
    jar.cookies.clear()
    jar.visit(sqlite_server.base + "/account")
    values = {"email": account.email, "password": account.password}
    told = jar.submit(first.sign_in_form, values)
    assert told.status == 403
    assert "please sign in again" in told.text
    assert told.sign_in_form.fields["email"] == account.email
    assert "Change your password" in jar.follow(jar.submit(told.sign_in_form, values)).text


def test_L07_a_browser_that_keeps_no_cookies_is_told_so_on_the_account_page(sqlite_server, account):
    jar = Person(sqlite_server, account)
    page = jar.visit(sqlite_server.base + "/account")
    jar.cookies.clear()
    told = jar.submit(page.sign_in_form, {"email": account.email, "password": account.password})
    assert told.status == 403
    assert "Allow cookies" in told.text
    assert sqlite_server.base + "/account" in told.links


def test_L07_no_GET_changes_anything(server, person):
    connected = person.connect(server.partners.seam)
    other = Person(server, person.account)
    open_account(other)
    for form in every_form(person):
        fields = form.fields | {"session": "others", "others": "end", "current": person.account.password}
        person.request("GET", form.action, params=fields | {"new": "another password", "again": "another password"})
    assert server.partners.seam.refresh(connected.refresh).status_code == 200
    assert "Your account" in other.visit(server.base + "/account").text
    assert "Your account" in person.visit(server.base + "/account").text


def test_L05_the_session_is_a_new_one_after_signing_in_on_the_page(server, person):
    person.visit(server.base + "/account")
    before = dict(person.cookies)
    open_account(person)
    session = {name: value for name, value in person.cookies.items() if name.endswith("latchkey-session")}
    assert session
    assert not set(session.values()) & set(before.values())
    old = Person(server, person.account)
    old.cookies = dict(person.cookies)
    # Signing in once more in the same browser ends the session before.
    form = Person(server).visit(server.base + "/account").sign_in_form
    assert form
    person.authorize(server.partners.seam, prompt="login")
    assert old.visit(server.base + "/account").sign_in_form, "the old session still lives"


def test_L08_signing_out_ends_the_session_on_the_server(server, person):
    open_account(person)
    replayed = dict(person.cookies)
    done = sign_out(person)
    assert "You are signed out" in done.text
    assert not [name for name in person.cookies if name.endswith("latchkey-session")]
    thief = Person(server)
    thief.cookies = replayed
    for path in ("/account", "/account/password", "/account/disconnect?connection=con_x"):
        assert thief.visit(server.base + path).sign_in_form, path
    silent = thief.visit(server.partners.seam.authorize_url(prompt="none"))
    assert "error=login_required" in silent.target


def test_L08_the_sign_out_link_asks_first(server, person):
    open_account(person)
    asked = person.visit(server.base + "/oauth/logout")
    assert "Sign out?" in asked.text
    assert "Your account" in person.visit(server.base + "/account").text, "a link signed somebody out"
    done = person.follow(person.submit(form_to(asked, "/account/sign-out")))
    assert "You are signed out" in done.text
    assert "You are signed out" in person.visit(server.base + "/oauth/logout").text


def test_a_tab_that_is_restored_where_only_forms_go_shows_the_account(server, person):
    home = open_account(person)
    addresses = {form.action for form in home.forms} | {server.base + "/account/sessions"}
    assert server.base + "/account/sign-out" in addresses
    for signed_in in (True, False):
        for address in addresses:
            restored = person.request("GET", address)
            assert (restored.status, restored.location) == (303, "/account"), address
        if signed_in:
            sign_out(person)
    assert person.visit(server.base + "/account/sign-out").sign_in_form


def test_L08_a_session_ends_when_it_is_idle_and_at_its_end(own_server):
    own_server.extra_environment |= {"LATCHKEY_SESSION_IDLE": "10m", "LATCHKEY_SESSION_LIFETIME": "30m"}
    account = own_server.create_account()
    own_server.start(clock_offset=0)
    used, idle = Person(own_server, account), Person(own_server, account)
    open_account(used)
    open_account(idle)
    for minutes in (8, 16, 24):
        own_server.restart(clock_offset=minutes * 60)
        page = used.visit(own_server.base + "/account")
        assert not page.sign_in_form, f"a session in use ended after {minutes} minutes"
    assert idle.visit(own_server.base + "/account").sign_in_form, "a session outlived its idle time"
    own_server.restart(clock_offset=31 * 60)
    assert used.visit(own_server.base + "/account").sign_in_form, "a session outlived its end"


def test_a_session_is_shown_with_its_browser_and_can_be_ended(server, person):
    elsewhere = Person(server, person.account)
    page = elsewhere.visit(server.base + "/account")
    values = {"email": person.account.email, "password": person.account.password}
    elsewhere.follow(elsewhere.submit(page.sign_in_form, values, headers=FIREFOX))
    home = open_account(person)
    assert "Firefox on Linux" in home.text
    assert "This browser" in home.text
    button = "Sign out Firefox on Linux"
    done = person.follow(person.submit(form_to(home, "/account/sessions", button), button=button))
    assert "That browser is signed out." in done.text
    assert elsewhere.visit(server.base + "/account").sign_in_form
    assert "Firefox" not in done.text
    assert open_account(person).status == 200


def test_ending_the_other_sessions_leaves_this_one_and_other_peoples(server, person):
    others = [Person(server, person.account) for _ in range(3)]
    stranger = Person(server, server.create_account())
    for one in (*others, stranger):
        open_account(one)
    home = open_account(person)
    done = person.follow(person.submit(form_to(home, "/account/sessions", "others"), button="others"))
    assert "All other browsers are signed out." in done.text
    assert all(one.visit(server.base + "/account").sign_in_form for one in others)
    assert "Your account" in stranger.visit(server.base + "/account").text


def test_nobody_ends_another_persons_session(server, person):
    victim = Person(server, server.create_account())
    open_account(victim)
    twin = Person(server, victim.account)
    foreign = form_to(open_account(twin), "/account/sessions")
    session = next(value for name, value, _ in foreign.buttons if name == "session" and value != "others")
    open_account(Person(server, person.account))
    form = form_to(open_account(person), "/account/sessions")
    form.buttons.clear()
    person.submit(form, {"session": session})
    assert "Your account" in victim.visit(server.base + "/account").text


PLACES = [
    "//evil.example",
    "///evil.example",
    "/\\evil.example",
    "\\\\evil.example",
    "/%09/evil.example",
    "/%0a/evil.example",
    "/%5cevil.example",
    "https:evil.example",
    "https://evil.example",
    "http:/evil.example",
    "javascript:alert(1)",
    "data:text/html,x",
    "/account@evil.example",
    "/account/../..//evil.example",
    "/account%0d%0aLocation:https://evil.example",
    "/account\r\nX: y",
    "/account?next=//evil.example",
    "account",
    ".evil.example",
    "/oauth/authorize?client_id=evil",
    "",
    "/account\u0000",
    "/ACCOUNT",
    "?notice=x",
]


@pytest.mark.parametrize("place", PLACES)
def test_L13_after_signing_in_one_lands_only_on_pages_of_the_account(sqlite_server, place):
    person = Person(sqlite_server, sqlite_server.create_account())
    page = person.request("GET", sqlite_server.base + "/account/sign-in", params={"next": place})
    assert page.status == 200
    assert "evil" not in page.html
    form = page.sign_in_form
    form.action = sqlite_server.base + "/account/sign-in"
    done = person.request(
        "POST",
        form.action,
        params={"next": place},
        data=form.fields | {"email": person.account.email, "password": person.account.password},
    )
    assert done.status == 303
    assert done.location in {"/account", "/account/password"}, done.location
    again = person.request("GET", form.action, params={"next": place})
    assert again.location == "/account"


def test_L13_one_comes_back_to_the_page_that_asked_for_the_sign_in(server, person):
    page = person.visit(server.base + "/account/password")
    assert page.sign_in_form
    assert "Change your password" in person.sign_in(page).text


def test_an_older_tab_is_asked_to_do_it_once_more(server, person):
    connected = person.connect(server.partners.seam)
    home = open_account(person)
    stale = [form_to(home, "/account/sign-out")]
    stale.append(form_to(person.visit(disconnect_links(home)[0]), "/account/disconnect"))
    change_password(person, person.account.password, "another correct horse")
    for form in stale:
        done = person.submit(form)
        assert done.status == 303
        assert OUT_OF_DATE in person.follow(done).text
        german = person.visit(done.target, headers={"Accept-Language": "de"})
        assert "nicht mehr aktuell" in german.text
    assert server.partners.seam.refresh(connected.refresh).status_code == 200, "nothing was done"
    assert "You are signed out" in sign_out(person, person.follow(done)).text, "once more it works"
    assert "You are signed out" in person.follow(person.submit(stale[0])).text, "without a session there is none to end"


def test_L15_in_one_browser_nothing_of_the_first_person_appears_for_the_second(server, person):
    seam = server.partners.seam
    first = person.connect(seam)
    assert "Seam" in open_account(person).text
    second = server.create_account(name="Grace Hopper")
    for clears_cookies in (False, True):
        sign_out(person)
        if clears_cookies:
            person.cookies.clear()
        one, other = person.account, second
        person.account = other
        page = open_account(person)
        assert one.email not in page.text
        tokens = person.connect(seam)
        assert tokens.user_id == other.user_id
        assert seam.introspect(tokens.access)["sub"] == other.user_id
        person.account, second = other, one
    assert seam.introspect(first.access)["sub"] == first.user_id


def test_L15_a_page_of_the_first_person_does_nothing_for_the_second(server, person):
    connected = person.connect(server.partners.seam)
    stale = [form_to(open_account(person), "/account/sign-out")]
    stale.append(form_to(person.visit(disconnect_links(open_account(person))[0]), "/account/disconnect"))
    sign_out(person)
    person.account = server.create_account()
    open_account(person)
    for form in stale:
        assert OUT_OF_DATE in person.follow(person.submit(form)).text
    assert server.partners.seam.refresh(connected.refresh).status_code == 200
    assert "Your account" in person.visit(server.base + "/account").text


@pytest.mark.parametrize("seed", range(6))
def test_L16_no_order_of_requests_reaches_a_later_step_without_the_earlier_ones(server, account, seed):
    """Random walks over every step, with and without values, in a browser that never sends the right password."""
    chance = random.Random(seed)
    seam = server.partners.seam
    owner = Person(server, account)
    connected = owner.connect(seam)
    link = disconnect_links(open_account(owner))[0]
    walker = Person(server, account)
    forms = list(walker.visit(seam.authorize_url()).forms) + list(walker.visit(server.base + "/account").forms)
    forms += every_form(owner)
    paths = ["/account", "/account/password", "/account/disconnect", "/account/sessions", "/account/sign-out"]
    paths += ["/account/sign-in", "/login", "/oauth/consent", "/oauth/authorize", "/oauth/logout"]
    for _ in range(40):
        fields: dict = {}
        if chance.random() < 0.8:
            fields = dict(chance.choice(forms).fields)
        fields |= {
            name: value
            for name, value in {
                "decision": "allow",
                "email": account.email,
                "password": "",
                "connection": link.rpartition("=")[2],
                "session": "others",
                "account": account.user_id,
                "new": "a new long password",
                "again": "a new long password",
            }.items()
            if chance.random() < 0.5
        }
        method = chance.choice(["GET", "POST", "POST"])
        key = "params" if method == "GET" else "data"
        page = walker.request(method, server.base + chance.choice(paths), **{key: fields})
        assert page.status < 500, page
        assert not (page.target and "code=" in page.target), page
        assert account.email not in page.text or page.sign_in_form, page
        if page.sign_in_form and chance.random() < 0.5:
            forms.append(page.sign_in_form)
    assert seam.refresh(connected.refresh).status_code == 200
    assert "Your account" in owner.visit(server.base + "/account").text
