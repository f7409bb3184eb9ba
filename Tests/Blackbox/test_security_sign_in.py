"""Sign-in, sessions and accounts: security.md, rows L01 to L07 and L13."""

import json
import re
import secrets
import time
import unicodedata
from collections.abc import Callable
from urllib.parse import urljoin, urlsplit

import pytest

from toolkit.account_page import sign_out
from toolkit.client import refusal, tokens
from toolkit.expect import check_guesses, guess_until_locked, guessed_at_most
from toolkit.person import Person
from toolkit.process import Latchkey
from toolkit.waiting import CUT_WITHIN, eventually, everywhere
from toolkit.wire import fire_together, form_shot, send

LIMIT = 10
"""Failed sign-ins of one account within fifteen minutes, before waiting begins."""


def seam_on(server: Latchkey):
    return server.create_client("--partner", "seam", name="Seam")


def try_password(server, seam, email: str, password: str, source: str):
    """One sign-in attempt from a browser that was never here, and the seconds that its answer took."""
    person = Person(server, source=source)
    page = person.visit(seam.authorize_url())
    started = time.perf_counter()
    done = person.submit(page.sign_in_form, {"email": email, "password": password})
    return done, time.perf_counter() - started


def guesses(server, seam, email: str, source: str) -> Callable[[], int]:
    """Tries a wrong password each time; the seconds that are to be waited then, or 0."""

    def guess() -> int:
        done, _ = try_password(server, seam, email, "wrong", source)
        return int(done.headers.get("Retry-After", 0))

    return guess


def plain(page, email: str) -> str:
    """A page without what differs between any two visits: its transaction and the address that was typed in."""
    return re.sub(r'value="[^"]*"', "", page.html).replace(email, "EMAIL")


def test_L01_an_unknown_address_and_a_wrong_password_look_and_take_the_same(new_server):
    server = new_server()
    seam = seam_on(server)
    server.start()
    times: dict[str, list[float]] = {"known": [], "unknown": []}

    def compare(one: str, other: str, source: str) -> None:
        first, first_time = try_password(server, seam, one, "wrong horse", source)
        second, second_time = try_password(server, seam, other, "wrong horse", source)
        assert first.status == second.status
        assert plain(first, one) == plain(second, other)
        same = {"Date", "Set-Cookie", "X-Request-Id", "Content-Length"}
        assert set(first.headers) - same == set(second.headers) - same
        times["known"].append(first_time)
        times["unknown"].append(second_time)

    def difference() -> tuple[float, float]:
        """The quickest of many tells what the work itself takes; whatever else the machine does only adds to it."""
        one, other = min(times["known"]), min(times["unknown"])
        return abs(one - other), max(0.005, 0.2 * one)

    # A difference that is the work's own does not go away when more are asked; one that is the machine's does.
    for series in range(1, 5):
        for known in [server.create_account().email for _ in range(5)]:
            for attempt in range(8):
                compare(known, known.replace("ada", "eve"), f"127.0.{series}.{attempt + 1}")
        found, allowed = difference()
        if found < allowed:
            break
    assert found < allowed, f"known {min(times['known']):.4f} s, unknown {min(times['unknown']):.4f} s"


def test_L01_the_limit_does_not_tell_who_exists(new_server):
    server = new_server()
    seam = seam_on(server)
    known = server.create_account().email
    server.start()
    for email in (known, "nobody@example.com"):
        statuses = [try_password(server, seam, email, "wrong", "127.0.2.1")[0].status for _ in range(LIMIT + 3)]
        check_guesses(statuses, 422, free=LIMIT)


def test_L02_two_hundred_parallel_wrong_passwords_are_not_all_tried(nodes):
    first = nodes[0]
    seam = seam_on(first)
    account = first.create_account()
    for node in nodes:
        node.start()
    people = [Person(node, source=f"127.0.3.{i + 1}") for i, node in enumerate(nodes * 4)]
    shots = []
    for i in range(200):
        person = people[i % len(people)]
        person.cookies.clear()
        page = person.visit(seam.at(person.server).authorize_url())
        form = page.sign_in_form
        values = form.fields | {"email": account.email, "password": f"wrong horse {i}"}
        cookies = person.cookie_header
        place = urlsplit(form.action)
        path = place.path + (f"?{place.query}" if place.query else "")
        shots.append(form_shot(person.server.base, path, values, {"Cookie": cookies}))
    started = time.monotonic()
    answers = fire_together(shots)
    seconds = time.monotonic() - started
    assert {answer.status for answer in answers} <= {200, 400, 401, 403, 422, 429, 503}
    refused_untried = sum(answer.status in (429, 503) for answer in answers)
    tried = 200 - refused_untried
    assert tried <= guessed_at_most(LIMIT, seconds), f"{tried} passwords were tried in {seconds:.1f} s"
    right = Person(nodes[-1], account, source="127.0.3.99")
    page = right.visit(seam.at(nodes[-1]).authorize_url())
    guess = {"email": account.email, "password": "one more wrong horse"}

    def a_wait_is_running() -> bool:
        """Whether what follows comes within a wait, however slow the machine is."""
        tried = right.submit(page.sign_in_form, guess)
        return tried.status == 429 and int(tried.headers["Retry-After"]) >= 4

    eventually(a_wait_is_running, seconds=30)
    done = right.submit(page.sign_in_form, {"email": account.email, "password": account.password})
    assert done.status == 429, "the limit holds for the right password too, from a browser nobody knows"
    assert int(done.headers["Retry-After"]) >= 1


def test_L02_failures_from_one_address_are_limited_over_all_accounts(new_server):
    server = new_server()
    seam = seam_on(server)
    server.start()
    person = Person(server, source="127.0.4.1")
    page = person.visit(seam.authorize_url())
    statuses = []
    for i in range(205):
        values = {"email": f"nobody{i}@example.com", "password": "wrong"}
        done = person.submit(page.sign_in_form, values)
        statuses.append(done.status)
        page = done if done.sign_in_form else page
    assert 429 not in statuses[:195]
    assert 429 in statuses[199:]
    elsewhere, _ = try_password(server, seam, "nobody@example.com", "wrong", "127.0.4.2")
    assert elsewhere.status != 429, "another address is not to blame"


def fail_behind_a_proxy(server, seam, forwarded: str, source: str) -> dict:
    """A failed sign-in with `X-Forwarded-For`, and the line that the log has of it."""
    person = Person(server, source=source)
    form = person.visit(seam.authorize_url()).sign_in_form
    values = form.fields | {"email": "Nobody@example.com", "password": "wrong"}
    cookies = person.cookie_header
    headers = {"Cookie": cookies, "X-Forwarded-For": forwarded}
    url = urljoin(server.base, form.action)
    assert send("POST", url, source=source, data=values, headers=headers).status_code == 422
    return json.loads([line for line in server.log.splitlines() if '"sign-in failed"' in line][-1])


def test_L02_a_proxy_is_believed_if_its_network_is_trusted_and_otherwise_a_warning_says_so_once(new_server):
    server = new_server(environment={"LATCHKEY_TRUSTED_PROXIES": "127.0.7.0/24, 10.0.0.0/8"})
    seam = seam_on(server)
    server.start()
    said = fail_behind_a_proxy(server, seam, "192.0.2.66, 203.0.113.9:4711, 10.1.2.3", "127.0.7.1")
    assert said["address"] == "203.0.113.9"
    assert said["client"] == seam.client_id
    assert re.fullmatch("[0-9a-f]{8}", said["subject"])
    assert "trusted-proxies" not in server.log
    for _ in range(2):
        said = fail_behind_a_proxy(server, seam, "203.0.113.9", "127.0.8.1")
        assert said["address"] == "127.0.8.1"
    assert server.log.count("trusted-proxies") == 1
    assert "nobody@example.com" not in server.log.lower()


def test_L03_a_stranger_cannot_lock_a_customer_out(own_server):
    server = own_server
    seam = seam_on(server)
    account = server.create_account()
    server.start()
    person = Person(server, account, source="127.0.5.1")
    connected = person.connect(seam)
    guess_until_locked(guesses(server, seam, account.email, "127.0.5.2"))
    tokens(seam.refresh(connected.refresh))
    assert seam.locks(connected.access).status_code == 200
    assert "code=" in person.authorize(seam, prompt="login").location, "a browser that signed in before feels no wait"


def test_L03_a_browser_stays_known_when_its_customer_signs_out(new_server):
    server = new_server()
    seam = seam_on(server)
    account = server.create_account()
    server.start()
    person = Person(server, account, source="127.0.5.3")
    person.connect(seam)
    before = person.cookies["latchkey-device"]
    sign_out(person)
    assert person.cookies["latchkey-device"] != before, "this change empties the cache of a browser's Back button"
    guess_until_locked(guesses(server, seam, account.email, "127.0.5.4"))
    assert "code=" in person.authorize(seam).location


def test_L03_the_wait_ends_by_itself(new_server):
    server = new_server()
    seam = seam_on(server)
    account = server.create_account()
    server.start()
    wait = eventually(guesses(server, seam, account.email, "127.0.6.1"), 120, "nobody has to wait")
    time.sleep(wait + 0.5)
    done, _ = try_password(server, seam, account.email, account.password, "127.0.6.1")
    assert done.status == 303


def test_L03_waiting_and_failures_survive_a_restart(own_server):
    server = own_server
    seam = seam_on(server)
    account = server.create_account()
    server.start()
    for wait in (4, 8, 16, 32):
        guess_until_locked(guesses(server, seam, account.email, "127.0.7.1"), wait)
        ends = time.monotonic() + wait - 1
        server.kill()
        server.start()
        done, _ = try_password(server, seam, account.email, account.password, "127.0.7.2")
        # Who comes after it is let in; the next wait is longer than this machine's start of a server.
        if time.monotonic() < ends:
            break
    assert done.status == 429


def test_L04_everything_of_a_disabled_account_stops(nodes):
    first = nodes[0]
    seam = seam_on(first)
    opaque = first.create_client("--partner", "seam", "--access-token", "opaque", name="Seam staging")
    account = first.create_account()
    for node in nodes:
        node.start()
    person = Person(first, account)
    connected, sealed = person.connect(seam), person.connect(opaque)
    code = person.authorize(seam).code
    first.command("account", "disable", account.user_id)
    everywhere(nodes, lambda node: seam.at(node).introspect(connected.access) == {"active": False}, CUT_WITHIN)
    for node in nodes:
        here, there = seam.at(node), opaque.at(node)
        refusal(here.refresh(connected.refresh), 400, "invalid_grant")
        refusal(there.refresh(sealed.refresh), 400, "invalid_grant")
        assert there.introspect(sealed.access) == {"active": False}
        assert there.introspect(sealed.refresh) == {"active": False}
        assert there.locks(sealed.access).status_code == 401
    refusal(seam.exchange(code), 400, "invalid_grant")
    silent = person.visit(seam.authorize_url(prompt="none"))
    assert "error=login_required" in silent.target, "the session is over"
    fresh = Person(first, account)
    done = fresh.submit(
        fresh.visit(seam.authorize_url()).sign_in_form, {"email": account.email, "password": account.password}
    )
    assert done.status != 303
    assert not done.consent_form


def test_L04_an_enabled_account_can_sign_in_again(server):
    account = server.create_account()
    server.command("account", "disable", account.user_id)
    server.command("account", "enable", account.user_id)
    assert Person(server, account).connect(server.partners.seam).user_id == account.user_id


@pytest.mark.parametrize("forms", [("NFC", "NFD"), ("NFD", "NFC")], ids=" typed ".join)
def test_an_account_is_found_by_either_spelling_of_an_accent(server, forms):
    """A letter with its accent is one character where a keyboard made it, and may be two in a file."""
    address = f"josé.{secrets.token_hex(5)}@example.com"
    stored, typed = (unicodedata.normalize(form, address) for form in forms)
    account = server.create_account(email=stored)
    person = Person(server, account)
    page = person.sign_in(person.visit(server.partners.seam.authorize_url()), email=typed)
    assert page.consent_form, page


def test_L04_a_deleted_account_is_gone_everywhere(server, person):
    seam = server.partners.seam
    connected = person.connect(seam)
    server.command("account", "delete", person.account.user_id)
    everywhere([server], lambda _: seam.introspect(connected.access) == {"active": False}, CUT_WITHIN)
    refusal(seam.refresh(connected.refresh), 400, "invalid_grant")
    assert "error=login_required" in person.visit(seam.authorize_url(prompt="none")).target


def test_L05_the_session_changes_at_sign_in_and_a_planted_one_is_useless(server, account):
    seam = server.partners.seam
    attacker = Person(server, server.create_account())
    page = attacker.visit(seam.authorize_url())
    planted = dict(attacker.cookies)
    victim = Person(server, account)
    victim.cookies = dict(planted)
    done = victim.sign_in(victim.visit(page.url))
    assert done.consent_form
    changed = {name for name, value in victim.cookies.items() if planted.get(name) != value}
    assert changed, "signing in gave the browser no new session"
    attacker.cookies = planted
    seen = attacker.visit(seam.authorize_url())
    assert not seen.consent_form, "the planted cookie became the victim's session"
    assert account.email not in seen.text


def test_L05_signing_in_again_ends_the_old_session(server, person):
    seam = server.partners.seam
    person.connect(seam)
    old = Person(server, person.account)
    old.cookies = dict(person.cookies)
    person.authorize(seam, prompt="login")
    assert old.cookies != person.cookies
    assert "error=login_required" in old.visit(seam.authorize_url(prompt="none")).target


def test_L06_cookies_carry_every_protection_behind_https(new_server):
    server = new_server(issuer="https://login.company.example")
    seam = seam_on(server)
    account = server.create_account()
    server.start()
    person = Person(server, account)
    person.reach_consent(seam)
    lines = [line for answer in person.answers for line in answer.raw.headers.getlist("Set-Cookie")]
    assert lines
    for line in lines:
        name, *attributes = [part.strip() for part in line.split(";")]
        lower = {attribute.lower() for attribute in attributes}
        assert name.startswith("__Host-"), line
        assert {"secure", "httponly", "path=/"} <= lower, line
        assert lower & {"samesite=lax", "samesite=strict"}, line
        assert not any(attribute.startswith("domain") for attribute in lower), line
        assert len(line) < 4096


def test_L06_cookies_on_plain_loopback_are_still_closed_to_scripts(server, person):
    person.connect(server.partners.seam)
    lines = [line for answer in person.answers for line in answer.raw.headers.getlist("Set-Cookie")]
    assert lines
    for line in lines:
        assert "httponly" in line.lower(), line
        assert "samesite=" in line.lower(), line


def test_L07_every_form_needs_its_own_transaction(server, person):
    seam = server.partners.seam
    stranger = Person(server, server.create_account())
    foreign = stranger.visit(seam.authorize_url())
    page = person.visit(seam.authorize_url())
    values = {"email": person.account.email, "password": person.account.password}
    hidden = [name for name, kind in page.sign_in_form.types.items() if kind == "hidden"]
    assert hidden, "the form carries nothing that ties it to this visit"
    for change in ("missing", "foreign", "wrong"):
        form = Person(server).visit(seam.authorize_url()).sign_in_form
        form.action, form.fields = page.sign_in_form.action, dict(page.sign_in_form.fields)
        for name in hidden:
            if change == "missing":
                del form.fields[name]
            else:
                form.fields[name] = foreign.sign_in_form.fields[name] if change == "foreign" else "wrong"
        done = person.submit(form, values)
        assert done.status in (400, 403), (change, done)
    consent = person.sign_in(page)
    hidden = [name for name, kind in consent.consent_form.types.items() if kind == "hidden"]
    for name in hidden:
        done = person.submit(consent.consent_form, {name: "wrong"}, button="allow")
        assert done.status in (400, 403), done
        assert not done.leaves


@pytest.mark.parametrize("header", [{"Sec-Fetch-Site": "cross-site"}, {"Origin": "https://evil.example"}], ids=str)
def test_L07_a_form_sent_from_another_site_is_refused(server, person, header):
    seam = server.partners.seam
    page = person.visit(seam.authorize_url())
    values = {"email": person.account.email, "password": person.account.password}
    told = person.submit(page.sign_in_form, values, headers=header)
    assert told.status == 403
    assert "did not come from a page of ours, so nothing was done" in told.text
    consent = person.sign_in(page)
    refused = person.submit(consent.consent_form, button="allow", headers=header)
    assert refused.status == 403
    assert not refused.leaves
    assert person.decide(consent, "allow").leaves


def test_L07_a_browser_that_names_its_origin_without_the_usual_port_is_at_home(new_server):
    server = new_server(issuer="https://login.company.example:443")
    seam = seam_on(server)
    person = Person(server, server.create_account())
    server.start()
    page = person.visit(seam.authorize_url())
    values = {"email": person.account.email, "password": person.account.password}
    told = person.submit(page.sign_in_form, values, headers={"Origin": "https://login.company.example"})
    assert person.follow(told).consent_form, told


def test_L07_reading_changes_nothing(server, person):
    seam = server.partners.seam
    consent = person.reach_consent(seam)
    fields = consent.consent_form.fields | {"decision": "allow"}
    seen = person.follow(person.request("GET", consent.consent_form.action, params=fields))
    assert not seen.leaves
    assert "code=" not in (seen.target or "")


@pytest.mark.parametrize(
    "place",
    [
        "//evil.example",
        "/\\evil.example",
        "https:evil.example",
        "javascript:alert(1)",
        "/%09/evil.example",
        "/%0a/evil.example",
    ],
)
@pytest.mark.parametrize("name", ["next", "return_to", "continue", "redirect", "redirect_uri", "url"])
def test_L13_the_sign_in_page_sends_nobody_to_another_place(sqlite_server, place, name):
    answer = send("GET", sqlite_server.base + "/login", params={name: place})
    assert "evil.example" not in answer.headers.get("Location", "")
    page = Person(sqlite_server).visit(sqlite_server.base + "/login")
    assert not page.leaves
    assert not [link for link in page.links if "evil" in link]
