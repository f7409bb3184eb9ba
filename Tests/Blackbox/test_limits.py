"""Limits that never hurt a working partner: what is slowed down, by which key, and what always passes."""

import secrets
import threading

import pytest

from toolkit.account_page import open_account
from toolkit.client import refusal
from toolkit.expect import guess_until_locked
from toolkit.person import Person
from toolkit.seeing import events
from toolkit.waiting import STALENESS, eventually
from toolkit.wire import together

WEB = ("--redirect-uri", "https://partner.example/callback", "--scope", "locks.read")


def slowed_down(answer) -> None:
    """Checks that an answer is OAuth's 429, and says when to come again."""
    body = refusal(answer, 429, "slow_down")
    assert body["error_description"]
    assert 1 <= int(answer.headers["Retry-After"]) <= 60
    assert answer.headers["Cache-Control"] == "no-store"
    assert answer.headers["Content-Type"].startswith("application/json")


def test_T06_wrong_secrets_are_slowed_down_and_the_right_one_always_passes(own_server):
    own_server.extra_environment |= {"LATCHKEY_CLIENT_FAILURES": "5"}
    victim, other = own_server.create_client(*WEB), own_server.create_client(*WEB, name="Other")
    account = own_server.create_account()
    own_server.start()
    connected = Person(own_server, account).connect(victim)
    wrong = victim.using(client_secret="lks_" + secrets.token_urlsafe(32))
    answers = [wrong.refresh(connected.refresh) for _ in range(5)]
    assert [answer.status_code for answer in answers] == [401] * 5
    for endpoint in ("/oauth/token", "/oauth/introspect", "/oauth/revoke"):
        slowed_down(wrong.post(endpoint, {"grant_type": "refresh_token", "token": "x", "refresh_token": "x"}))
    flood = [lambda: wrong.refresh(connected.refresh).status_code] * 20
    right = [lambda: victim.refresh(connected.refresh).status_code] * 20
    statuses = together(flood + right)
    assert statuses == [429] * 20 + [200] * 20
    assert victim.introspect(connected.access)["active"]
    # The key is the client, not the address: another client's first mistake is not slowed down.
    assert other.using(client_secret="wrong").refresh("lkr_x").status_code == 401


def test_T06_a_new_secret_is_good_at_once_and_sets_off_no_alarm(own_server):
    own_server.extra_environment |= {"LATCHKEY_CLIENT_FAILURES": "5"}
    client = own_server.create_client(*WEB)
    account = own_server.create_account()
    own_server.start()
    connected = Person(own_server, account).connect(client)
    for _ in range(5):
        made = own_server.command("client", "rotate-secret", client.client_id)
        own_server.canaries.add("client secret", made["client_secret"])
        newer = client.using(client_secret=made["client_secret"])
        answers = together([lambda newer=newer: newer.refresh(connected.refresh).status_code] * 10)
        assert answers == [200] * 10
    assert events(own_server)["client_lockout"] == 0


def test_R11_a_disabled_client_that_goes_on_sets_off_no_alarm(own_server):
    own_server.extra_environment |= {"LATCHKEY_CLIENT_FAILURES": "5"}
    client = own_server.create_client(*WEB)
    account = own_server.create_account()
    own_server.start()
    connected = Person(own_server, account).connect(client)
    own_server.command("client", "disable", client.client_id)
    eventually(lambda: client.refresh(connected.refresh).status_code == 401, STALENESS, "the client is still served")
    for _ in range(10):
        refusal(client.refresh(connected.refresh), 401, "invalid_client")
    assert events(own_server)["client_lockout"] == 0


def test_I05_trying_out_tokens_is_slowed_down_for_that_client_alone(own_server):
    own_server.extra_environment |= {"LATCHKEY_UNKNOWN_TOKENS": "20"}
    scanner, other = own_server.create_client(*WEB), own_server.create_client(*WEB, name="Other")
    account = own_server.create_account()
    own_server.start()
    connected = Person(own_server, account).connect(scanner)
    guesses = [secrets.token_urlsafe(40) for _ in range(7)]
    guesses += ["lka_" + secrets.token_urlsafe(90) for _ in range(6)]
    guesses += [connected.refresh[:-3] + "AAA", connected.access[:-3] + "AAA"]
    guesses += ["lkr_" + secrets.token_urlsafe(50) for _ in range(5)]
    bodies = [scanner.post("/oauth/introspect", {"token": guess}) for guess in guesses]
    assert {answer.text for answer in bodies} == {'{"active":false}'}
    for _ in range(3):
        slowed_down(scanner.post("/oauth/introspect", {"token": secrets.token_urlsafe(40)}))
    # What was issued here always gets its answer, and other callers are not slowed down.
    for _ in range(40):
        assert scanner.introspect(connected.access)["active"]
        assert scanner.introspect(connected.refresh)["active"]
    assert other.introspect(secrets.token_urlsafe(40)) == {"active": False}
    scanner.revoke(connected.refresh)
    assert scanner.introspect(connected.access) == {"active": False}, "a revoked token of ours is not a guess"
    assert scanner.refresh(connected.refresh).status_code == 400


@pytest.mark.parametrize("kind", ["sqlite", "postgres"])
def test_a_flood_of_sign_ins_starves_no_refresh(new_server, kind):
    server = new_server(kind)
    server.extra_environment |= {"LATCHKEY_PASSWORD_QUEUE": "8", "LATCHKEY_ADDRESS_FAILURES": "100000"}
    seam = server.create_client("--partner", "seam", name="Seam")
    account = server.create_account()
    server.start()
    connected = Person(server, account).connect(seam)
    over = threading.Event()
    sign_ins: list[int] = []

    def flood(number: int) -> None:
        person = Person(server, source=f"127.0.7.{number + 1}")
        form = person.visit(server.base + "/account").sign_in_form
        count = 0
        while not over.is_set():
            values = {"email": f"flood.{number}.{count % 500}@example.com", "password": "wrong"}
            sign_ins.append(person.submit(form, values).status)
            count += 1

    threads = [threading.Thread(target=flood, args=(number,)) for number in range(24)]
    for thread in threads:
        thread.start()
    try:
        eventually(lambda: len(sign_ins) >= 24, 120, "nobody's sign-in is answered")
        refreshes = together([lambda: [seam.refresh(connected.refresh).status_code for _ in range(40)]] * 4)
    finally:
        over.set()
        for thread in threads:
            thread.join()
    assert refreshes == [[200] * 40] * 4
    assert set(sign_ins) <= {422, 429, 503}
    assert 422 in sign_ins, "nobody's password was looked at"
    # Those who were refused can sign in once the flood is over.
    assert open_account(Person(server, account)).status == 200


def test_L03_a_locked_account_keeps_its_connections_and_its_owners_browser(own_server):
    seam = own_server.create_client("--partner", "seam", name="Seam")
    account = own_server.create_account()
    own_server.start()
    owner = Person(own_server, account)
    connected = owner.connect(seam)
    stranger = Person(own_server, source="127.0.8.1")
    form = stranger.visit(own_server.base + "/account").sign_in_form
    wrong = {"email": account.email, "password": "a guess"}
    guess_until_locked(lambda: int(stranger.submit(form, wrong).headers.get("Retry-After", 0)))
    blocked = stranger.submit(form, {"email": account.email, "password": account.password})
    assert blocked.status == 429
    assert int(blocked.headers["Retry-After"]) >= 1
    assert [seam.refresh(connected.refresh).status_code for _ in range(20)] == [200] * 20
    # The browser that has signed in before does not wait, whoever floods the account.
    del owner.cookies[next(name for name in owner.cookies if name.endswith("latchkey-session"))]
    assert open_account(owner).status == 200
