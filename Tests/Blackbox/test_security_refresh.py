"""Refreshing under pressure: security.md, rows R01 to R14."""

import json
import os
import signal
import sqlite3
import threading
import time
from urllib.parse import urlencode

import pytest

from toolkit.client import OAuthClient, refusal, tokens
from toolkit.clocks import Clock
from toolkit.databases import Postgres, PostgresServer
from toolkit.person import Person
from toolkit.waiting import eventually
from toolkit.wire import Shot, fire_together, form_shot, send, together

WEB = ("--redirect-uri", "https://partner.example/callback", "--scope", "locks.read", "--scope", "locks.write")


def refresh_shot(client: OAuthClient, refresh_token: str, server=None) -> Shot:
    form = {"grant_type": "refresh_token", "refresh_token": refresh_token} | client.secret_form()
    return form_shot((server or client.server).base, "/oauth/token", form)


def rotating(server, policy: str = "successor") -> OAuthClient:
    return server.create_client(*WEB, "--refresh", policy, name="Careful partner")


def test_R01_another_clients_refresh_token_is_refused_and_stays_good(server, person):
    owner, thief = server.partners.phone, server.partners.successor
    connected = person.connect(owner)
    for _ in range(3):
        refusal(thief.refresh(connected.refresh), 400, "invalid_grant")
    tokens(owner.refresh(connected.refresh))


def test_R02_scope_cannot_widen_and_narrowing_does_not_last(server, person):
    web = server.partners.web
    connected = person.connect(web)
    narrow = tokens(web.refresh(connected.refresh, scope="locks.read"))
    assert web.introspect(narrow.access)["scope"] == "locks.read"
    wide = web.refreshed(narrow.refresh)
    assert set(web.introspect(wide.access)["scope"].split()) == {"locks.read", "locks.write"}
    refusal(web.refresh(connected.refresh, scope="locks.read admin"), 400, "invalid_scope")
    tokens(web.refresh(connected.refresh))


def test_R03_a_hundred_parallel_refreshes_of_a_stable_token_all_work(nodes):
    first = nodes[0]
    seam = first.create_client("--partner", "seam", name="Seam")
    person = Person(first, first.create_account())
    for node in nodes:
        node.start()
    connected = person.connect(seam)
    answers = fire_together([refresh_shot(seam, connected.refresh, nodes[i % len(nodes)]) for i in range(100)])
    assert {answer.status for answer in answers} == {200}
    assert {json.loads(answer.text)["refresh_token"] for answer in answers} == {connected.refresh}
    tokens(seam.refresh(connected.refresh))


def test_R04_fifty_parallel_refreshes_have_one_successor(nodes):
    first = nodes[0]
    client = rotating(first)
    person = Person(first, first.create_account())
    for node in nodes:
        node.start()
    newest = person.connect(client).refresh
    for _ in range(4):
        answers = fire_together([refresh_shot(client, newest, nodes[i % len(nodes)]) for i in range(50)])
        assert {answer.status for answer in answers} == {200}, [a.text for a in answers if a.status != 200][:3]
        successors = {json.loads(answer.text)["refresh_token"] for answer in answers}
        assert len(successors) == 1
        newest = successors.pop()
    tokens(client.refresh(newest))


def test_R05_a_lost_answer_is_repaired_by_trying_again(server, person):
    client = server.partners.successor
    connected = person.connect(client)
    for _ in range(5):
        shot = refresh_shot(client, connected.refresh)
        method, path, body, headers = shot.request
        shot.connection.request(method, path, body=body, headers=headers)
        shot.connection.close()  # the answer is never read
    first = client.refreshed(connected.refresh)
    second = client.refreshed(connected.refresh)
    assert first.refresh == second.refresh
    third = client.refreshed(first.refresh)
    lost = client.refreshed(first.refresh)
    assert lost.refresh == third.refresh


def test_R05_a_retry_works_long_after_the_lost_answer(own_server):
    client = rotating(own_server)
    person = Person(own_server, own_server.create_account())
    own_server.start()
    connected = person.connect(client)
    unseen = client.refreshed(connected.refresh)
    own_server.restart(clock_offset=7 * 86400)
    assert client.refreshed(connected.refresh).refresh == unseen.refresh


def test_R06_only_the_generation_before_is_excused(server, person):
    client = server.partners.successor
    one = person.connect(client)
    two = client.refreshed(one.refresh)
    three = client.refreshed(two.refresh)
    refusal(client.refresh(one.refresh), 400, "invalid_grant")
    for dead in (two, three):
        refusal(client.refresh(dead.refresh), 400, "invalid_grant")
        assert client.introspect(dead.access) == {"active": False}


def test_R06_reuse_ends_one_connection_and_no_other(server, person):
    client = server.partners.successor
    kept, one = person.connect(client), person.connect(client)
    two = client.refreshed(one.refresh)
    client.refreshed(two.refresh)
    refusal(client.refresh(one.refresh), 400, "invalid_grant")
    tokens(client.refresh(kept.refresh))


def test_R06_a_strict_token_is_good_for_one_use(server, person):
    client = server.partners.strict
    one = person.connect(client)
    two = client.refreshed(one.refresh)
    refusal(client.refresh(one.refresh), 400, "invalid_grant")
    refusal(client.refresh(two.refresh), 400, "invalid_grant")


def test_R06_parallel_uses_of_a_strict_token_give_at_most_one_successor(server, person):
    client = server.partners.strict
    one = person.connect(client)
    answers = fire_together([refresh_shot(client, one.refresh) for _ in range(20)])
    assert sum(answer.status == 200 for answer in answers) <= 1
    assert {answer.status for answer in answers} <= {200, 400}


def test_R07_reuse_is_seen_after_a_restart(own_server):
    client = rotating(own_server)
    person = Person(own_server, own_server.create_account())
    own_server.start()
    one = person.connect(client)
    two = client.refreshed(one.refresh)
    three = client.refreshed(two.refresh)
    own_server.kill()
    own_server.start()
    refusal(client.refresh(one.refresh), 400, "invalid_grant")
    refusal(client.refresh(three.refresh), 400, "invalid_grant")


def test_R07_reuse_is_seen_on_the_other_node(cluster):
    first, second = cluster.nodes
    client = rotating(first)
    person = Person(first, first.create_account())
    cluster.start()
    one = person.connect(client)
    three = client.refreshed(client.refreshed(one.refresh).refresh)
    refusal(client.at(second).refresh(one.refresh), 400, "invalid_grant")
    refusal(client.refresh(three.refresh), 400, "invalid_grant")


def race_refresh_and_revoke(client, server, other, person) -> None:
    connected = person.connect(client)
    form = {"token": connected.refresh} | client.secret_form()
    revoke = form_shot(other.base, "/oauth/revoke", form)
    refreshes = [refresh_shot(client, connected.refresh, one) for one in (server, other, server)]
    revoked, *answers = fire_together([revoke, *refreshes])
    assert revoked.status == 200
    assert {answer.status for answer in answers} <= {200, 400}
    delivered = [json.loads(answer.text) for answer in answers if answer.status == 200]
    for body in [connected.body, *delivered]:
        assert client.introspect(body["access_token"]) == {"active": False}, "a token outlived its revocation"
        refusal(client.refresh(body["refresh_token"]), 400, "invalid_grant")


def test_R08_a_connection_has_no_end_that_rotation_could_move(own_server):
    seam = own_server.create_client("--partner", "seam", name="Seam")
    careful = rotating(own_server)
    person = Person(own_server, own_server.create_account())
    own_server.start()
    stable, moving = person.connect(seam), person.connect(careful)
    for years in (1, 3, 9):
        own_server.restart(clock_offset=years * 366 * 86400)
        assert seam.refreshed(stable.refresh).refresh == stable.refresh, "idle for years, and still connected"
        moving = careful.refreshed(moving.refresh)


@pytest.mark.parametrize("name", ["opaque", "successor", "strict"])
def test_R09_nothing_survives_a_revocation_that_raced_a_refresh(server, person, name):
    for _ in range(20):
        race_refresh_and_revoke(getattr(server.partners, name), server, server, person)


def test_R09_nothing_survives_a_revocation_on_the_other_node(cluster):
    first, second = cluster.nodes
    client = rotating(first)
    person = Person(first, first.create_account())
    cluster.start()
    for _ in range(20):
        race_refresh_and_revoke(client, first, second, person)


def test_R10_a_public_client_never_has_a_stable_refresh_token(server, person):
    phone = server.partners.phone
    connected = person.connect(phone)
    assert phone.refreshed(connected.refresh).refresh != connected.refresh
    options = (
        "--public",
        "--redirect-uri",
        "http://127.0.0.1/callback",
        "--refresh",
        "stable",
        "--scope",
        "locks.read",
    )
    done = server.run("client", "create", "--name", "Careless", *options)
    assert done.returncode == 1
    assert len(done.stderr.strip().splitlines()) == 1


def test_R11_a_disabled_client_refreshes_nothing(server):
    client = server.create_client(*WEB, name="Short-lived partner")
    connected = Person(server, server.create_account()).connect(client)
    server.command("client", "disable", client.client_id)
    eventually(lambda: client.refresh(connected.refresh).status_code != 200)
    refusal(client.refresh(connected.refresh), 401, "invalid_client")
    server.command("client", "enable", client.client_id)
    client.wait_until_known()
    tokens(client.refresh(connected.refresh))


def test_R11_a_scope_that_the_operator_took_back_is_not_given_for_a_code_under_way(server, person):
    client = server.create_client(*WEB, name="Narrowed partner")
    first, second = person.authorize(client), person.authorize(client)
    server.command("client", "update", client.client_id, "--scope", "locks.read")
    eventually(lambda: person.authorize(client).error == "invalid_scope")
    connected = client.redeem(first)
    assert connected.body["scope"] == "locks.read"
    assert client.refreshed(connected.refresh).body["scope"] == "locks.read"
    refusal(client.exchange(second.code, scope="locks.write"), 400, "invalid_scope")
    repeated = client.exchange(second.code, scope="locks.read locks.write")
    assert tokens(repeated).body["scope"] == "locks.read"


def test_R12_revoking_one_connection_leaves_the_others(server, person):
    web, opaque = server.partners.web, server.partners.opaque
    mine, other = person.connect(web), person.connect(opaque)
    theirs = Person(server, server.create_account()).connect(web)
    assert web.revoke(mine.refresh).status_code == 200
    tokens(web.refresh(theirs.refresh))
    tokens(opaque.refresh(other.refresh))


def test_R14_a_refused_refresh_changes_nothing(server, person):
    client = server.partners.successor
    one = person.connect(client)
    two = client.refreshed(one.refresh)
    refusal(client.refresh(two.refresh, scope="admin"), 400, "invalid_scope")
    refusal(client.refresh(two.refresh, resource="https://unknown.example/"), 400, "invalid_target")
    assert client.refreshed(one.refresh).refresh == two.refresh, "the refused request moved the generation"


# R13: trouble with the database is 503, never a verdict about a token.


def check_unavailable(answer, *, allowed_ok: bool = False) -> None:
    if allowed_ok and answer.status_code == 200:
        return
    assert answer.status_code == 503, (answer.status_code, answer.text)
    assert int(answer.headers["Retry-After"]) >= 1
    for verdict in ("invalid_grant", "invalid_client", "invalid_token", '"active"'):
        assert verdict not in answer.text


@pytest.fixture
def fragile(new_server):
    """A server on a PostgreSQL that this test may stop."""
    postgres = PostgresServer()
    try:
        yield new_server(database=Postgres(postgres.url)), postgres
    finally:
        postgres.stop()


def ask_everything(seam, connected, code, revocable) -> dict:
    """One request of each kind, answered within the design's deadlines; the answers by kind."""
    calls = {
        "refresh": lambda: seam.refresh(connected.refresh),
        "exchange": lambda: seam.exchange(code),
        "introspect": lambda: seam.post("/oauth/introspect", {"token": connected.access}),
        "revoke": lambda: seam.revoke(revocable.refresh),
        "userinfo": lambda: send(
            "GET", seam.server.base + "/oauth/userinfo", headers={"Authorization": f"Bearer {connected.access}"}
        ),
        "authorize": lambda: send("GET", seam.authorize_url(prompt="login")),
    }
    started = time.monotonic()
    answers = dict(zip(calls, together(list(calls.values())), strict=True))
    assert time.monotonic() - started < 10, "an answer took too long"
    return answers


@pytest.mark.parametrize("trouble", ["stopped", "frozen"])
def test_R13_a_postgresql_that_does_not_answer_is_503_and_loses_nothing(fragile, trouble):
    server, postgres = fragile
    seam = server.create_client("--partner", "seam", name="Seam")
    person = Person(server, server.create_account())
    server.start()
    connected, revocable = person.connect(seam), person.connect(seam)
    code = person.authorize(seam).code
    frozen = []
    if trouble == "stopped":
        postgres.halt()
    else:
        frozen = postgres.freeze()
    try:
        answers = ask_everything(seam, connected, code, revocable)
        assert send("GET", server.base + "/healthz").status_code == 200
        assert send("GET", server.base + "/readyz").status_code == 503
        assert send("GET", server.base + "/oauth/jwks").status_code == 200, "keys stay readable"
        api = seam.locks(connected.access)
    finally:
        for process in frozen:
            os.kill(process, signal.SIGCONT)
        if trouble == "stopped":
            postgres.resume()
    for kind, answer in answers.items():
        check_unavailable(answer, allowed_ok=kind == "authorize")
    assert api.status_code in (200, 503), "a good token is not called bad"
    eventually(lambda: send("GET", server.base + "/readyz").status_code == 200, 30)
    assert seam.refreshed(connected.refresh).refresh == connected.refresh
    tokens(seam.exchange(code))
    tokens(seam.refresh(revocable.refresh))


def test_R13_a_locked_sqlite_is_503_and_loses_nothing(new_server):
    server = new_server("sqlite")
    seam = server.create_client("--partner", "seam", name="Seam")
    person = Person(server, server.create_account())
    server.start()
    connected, revocable = person.connect(seam), person.connect(seam)
    code = person.authorize(seam).code
    lock = sqlite3.connect(server.database.path, isolation_level=None)
    lock.execute("begin exclusive")
    try:
        answers = ask_everything(seam, connected, code, revocable)
    finally:
        lock.execute("rollback")
        lock.close()
    check_unavailable(answers["exchange"])
    check_unavailable(answers["revoke"])
    for reading in ("refresh", "introspect", "authorize"):
        check_unavailable(answers[reading], allowed_ok=True)
    tokens(seam.exchange(code))
    tokens(seam.refresh(connected.refresh))
    tokens(seam.refresh(revocable.refresh))


def test_R13_a_short_lock_is_waited_for(new_server):
    server = new_server("sqlite")
    seam = server.create_client("--partner", "seam", name="Seam")
    person = Person(server, server.create_account())
    server.start()
    code = person.authorize(seam).code
    lock = sqlite3.connect(server.database.path, isolation_level=None, check_same_thread=False)
    lock.execute("begin immediate")
    timer = threading.Timer(1.5, lambda: lock.execute("rollback"))
    timer.start()
    tokens(seam.exchange(code))
    timer.join()
    lock.close()


def test_R13_sign_in_says_so_on_a_page_when_the_database_is_away(fragile):
    server, postgres = fragile
    seam = server.create_client("--partner", "seam", name="Seam")
    account = server.create_account()
    server.start()
    person = Person(server, account)
    page = person.visit(seam.authorize_url())
    postgres.halt()
    try:
        done = person.submit(page.sign_in_form, {"email": account.email, "password": account.password})
        assert done.status == 503
        assert done.html
        assert int(done.headers["Retry-After"]) >= 1
    finally:
        postgres.resume()
    eventually(lambda: send("GET", server.base + "/readyz").status_code == 200, 30)
    assert person.connect(seam).user_id == account.user_id


@pytest.mark.usefixtures("faketime")
def test_R15_the_last_second_of_a_code_is_200_or_invalid_grant(new_server, tmp_path):
    server, clock = new_server(), Clock(tmp_path)
    seam = server.create_client("--partner", "seam", name="Seam")
    person = Person(server, server.create_account())
    server.process_environment = clock.environment
    server.start()
    early, late = person.authorize(seam).code, person.authorize(seam).code
    clock.set("+50s")
    tokens(seam.exchange(early))
    clock.set("+61s")
    answer = send(
        "POST",
        server.base + "/oauth/token",
        data=urlencode(seam.exchange_form(late) | seam.secret_form()),
        headers={"Content-Type": "application/x-www-form-urlencoded"},
    )
    refusal(answer, 400, "invalid_grant")
