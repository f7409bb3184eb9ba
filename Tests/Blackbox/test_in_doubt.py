"""In doubt means asked again, never guessed (F5 of security.md §4, ADR 0014): COMMITs whose answers are lost."""

import time

import pytest

from toolkit.client import refusal, tokens
from toolkit.console import Operator
from toolkit.person import Person
from toolkit.relay import Relay
from toolkit.waiting import eventually

WEB = ("--redirect-uri", "https://partner.example/callback", "--scope", "locks.read")
REDEMPTION, MOVE, CUT = "set redeemed_at", "set generation = $3", "set revoked_at"

carried_out = pytest.mark.parametrize("is_carried_out", [True, False], ids=["answer lost", "request lost"])


@pytest.fixture
def doubtful(cluster):
    """A node that reaches the database through a relay, another one that needs none, and the relay."""
    first, second = cluster.nodes
    relay = Relay(first.database.url)
    first.database = relay.before(first.database)
    # Each of the relay's connections has threads of this process, which may have to wait for their turn.
    first.extra_environment["LATCHKEY_POSTGRES_CONNECT_DEADLINE"] = "5s"
    try:
        yield first, second, relay
    finally:
        relay.stop()


def check_unknown(answer) -> None:
    assert answer.status_code == 503, (answer.status_code, answer.text)
    assert int(answer.headers["Retry-After"]) >= 1
    assert "invalid_grant" not in answer.text


def once_it_answers(ask, seconds: float = 10):
    """The first answer that is not 503: the one that a client which waits and retries gets."""

    def is_answer(answer) -> bool:
        assert answer.status_code != 503 or int(answer.headers["Retry-After"]) >= 1
        return answer.status_code != 503

    return eventually(ask, seconds, "it did not recover", enough=is_answer, pause=0.1)


def connections_in(server) -> int:
    return int(server.database.query("select count(*) from connections where revoked_at is null"))


@carried_out
def test_F5_an_exchange_whose_commit_is_not_answered_gives_its_tokens_once(doubtful, is_carried_out):
    first, second, relay = doubtful
    seam = second.create_client("--partner", "seam", name="Seam")
    person = Person(first, second.create_account())
    first.start()
    second.start()
    code = person.authorize(seam.at(first)).code
    relay.lose_commit(REDEMPTION, is_carried_out=is_carried_out)
    connected = tokens(seam.at(first).exchange(code))
    assert relay.lost.is_set()
    assert connections_in(second) == 1
    for node in (first, second):
        tokens(seam.at(node).refresh(connected.refresh))
        assert seam.at(node).introspect(connected.access)["active"]
    eventually(lambda: '"in_doubt"' in first.log, 5)
    refusal(seam.at(second).exchange(code), 400, "invalid_grant")
    refusal(seam.at(first).refresh(connected.refresh), 400, "invalid_grant")


@carried_out
@pytest.mark.parametrize("retried_at", [0, 1], ids=["same node", "other node"])
def test_F5_an_exchange_in_doubt_is_503_and_the_client_that_comes_again_is_connected_once(
    doubtful, is_carried_out, retried_at
):
    first, second, relay = doubtful
    seam = second.create_client("--partner", "seam", name="Seam")
    person = Person(first, second.create_account())
    first.start()
    second.start()
    code = person.authorize(seam.at(first)).code
    relay.lose_commit(REDEMPTION, is_carried_out=is_carried_out, then_gone=True)
    started = time.monotonic()
    check_unknown(seam.at(first).exchange(code))
    assert time.monotonic() - started < 6, "3 seconds are promised; this machine may be busy"
    assert connections_in(second) == int(is_carried_out)
    relay.resume()
    if retried_at == 1:
        # As long as Retry-After says: by then the first node has told what nobody has seen.
        eventually(lambda: "has been read back" in first.log, 10)
    connected = tokens(once_it_answers(lambda: seam.at(doubtful[retried_at]).exchange(code)))
    assert connections_in(second) == 1
    tokens(seam.at(second).refresh(connected.refresh))
    refusal(seam.at(second).exchange(code), 400, "invalid_grant")
    assert connections_in(second) == 0


@carried_out
@pytest.mark.parametrize("policy", ["successor", "strict"])
def test_F5_a_refresh_in_doubt_costs_no_connection(doubtful, is_carried_out, policy):
    first, second, relay = doubtful
    client = second.create_client(*WEB, "--refresh", policy, name="Partner")
    person = Person(first, second.create_account())
    first.start()
    second.start()
    connected = person.connect(client.at(first))
    if policy == "successor":
        connected = client.at(first).refreshed(connected.refresh)
    relay.lose_commit(MOVE, is_carried_out=is_carried_out)
    connected = client.at(first).refreshed(connected.refresh)
    assert relay.lost.is_set()

    relay.lose_commit(MOVE, is_carried_out=is_carried_out, then_gone=True)
    check_unknown(client.at(first).refresh(connected.refresh))
    relay.resume()
    connected = tokens(once_it_answers(lambda: client.at(first).refresh(connected.refresh)))
    for node in (second, first, second):
        connected = client.at(node).refreshed(connected.refresh)
    assert connections_in(second) == 1


@carried_out
def test_F5_sign_in_consent_and_revocation_whose_commits_are_not_answered_happen_once(doubtful, is_carried_out):
    first, second, relay = doubtful
    seam = second.create_client("--partner", "seam", name="Seam").at(first)
    person = Person(first, second.create_account())
    first.start()
    page = person.visit(seam.authorize_url())
    relay.lose_commit("insert into sessions", is_carried_out=is_carried_out)
    page = person.sign_in(page)
    assert relay.lost.is_set()
    relay.lose_commit("insert into codes", is_carried_out=is_carried_out)
    back = person.decide(page, "allow")
    assert relay.lost.is_set()
    assert back.leaves
    connected = person.connect(seam)
    relay.lose_commit(CUT, is_carried_out=is_carried_out)
    assert seam.revoke(connected.refresh).status_code == 200
    assert relay.lost.is_set()
    refusal(seam.refresh(connected.refresh), 400, "invalid_grant")
    assert int(second.database.query("select count(*) from audit where action = 'connection.revoked'")) == 1
    assert int(second.database.query("select count(*) from sessions")) == 1


def test_F5_a_revocation_in_doubt_is_503_and_safe_to_repeat(doubtful):
    first, second, relay = doubtful
    seam = second.create_client("--partner", "seam", name="Seam").at(first)
    person = Person(first, second.create_account())
    first.start()
    connected = person.connect(seam)
    relay.lose_commit(CUT, is_carried_out=True, then_gone=True)
    check_unknown(seam.revoke(connected.refresh))
    relay.resume()
    assert once_it_answers(lambda: seam.revoke(connected.refresh)).status_code == 200
    refusal(seam.refresh(connected.refresh), 400, "invalid_grant")


def test_L05_an_operator_whose_change_is_in_doubt_stays_signed_in(doubtful):
    first, second, relay = doubtful
    client = second.create_client(*WEB, name="Partner")
    first.start()
    ada = Operator(first).join()
    first.restart(clock_offset=301)
    action = f"/clients/{client.client_id}/secret"
    form = ada.form(ada.open(action), action)
    assert form.asks_for_password, "five minutes have passed"
    relay.lose_commit("into client_secrets", is_carried_out=False)
    assert ada.submit(form, {"password": ada.password}).status == 503
    assert relay.lost.is_set()
    assert ada.open("").status == 200
    again = ada.submit(form, {})
    assert again.status == 409
    assert "nothing may have been made" in again.text
    assert "client_secret" in ada.submit(ada.form(ada.open(action), action), {}).text
