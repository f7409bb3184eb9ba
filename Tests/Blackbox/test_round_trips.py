"""How often PostgreSQL is asked: each round trip costs its line and two changes of threads (ADR 0027)."""

import pytest

from toolkit.person import Person
from toolkit.relay import Relay

WEB = ("--redirect-uri", "https://partner.example/callback", "--scope", "locks.read")


@pytest.fixture
def watched(cluster):
    """A node that reaches the database through a relay, and the relay."""
    node, other = cluster.nodes
    relay = Relay(node.database.url)
    node.database = relay.before(node.database)
    # With one connection for everything a statement is prepared once.
    node.process_environment["LATCHKEY_POSTGRES_POOL"] = "1"
    node.process_environment["LATCHKEY_POSTGRES_CONNECT_DEADLINE"] = "5s"
    try:
        yield node, other, relay
    finally:
        relay.stop()


def round_trips(relay: Relay, work, *texts: str) -> list[list[str]]:
    """What was sent together while something was done, if it holds one of the texts; each statement by that text."""
    relay.asked.clear()
    work()
    named = [
        [next((text for text in texts if text in statement), statement) for statement in each] for each in relay.asked
    ]
    return [each for each in named if any(statement in texts for statement in each)]


def test_an_exchange_takes_three_round_trips_and_a_move_of_a_refresh_token_two(watched):
    node, other, relay = watched
    client = other.create_client(*WEB, "--refresh", "successor", name="Partner").at(node)
    person = Person(node, other.create_account())
    node.start()
    client.refreshed(client.refreshed(person.connect(client).refresh).refresh)
    answers = []
    code = person.authorize(client).code
    # By its whole beginning: the sweep, which comes now and then, reads codes too.
    read, redeem, connect = "from codes c where c.digest", "set redeemed_at", "insert into connections"
    commit = ["begin isolation level read committed", "commit"]
    found = round_trips(relay, lambda: answers.append(client.exchange(code)), read, redeem, connect)
    assert [len(each) for each in found] == [1, 2, 3], found
    assert [found[0][0], found[1], found[2][0], found[2][-1]] == [read, [commit[0], redeem], connect, commit[1]]
    assert answers[0].status_code == 200

    # The first refresh makes a successor, the second one with it moves the row.
    first = client.refreshed(answers[0].json()["refresh_token"])
    read, move = "from connections", "set generation = $3"
    found = round_trips(relay, lambda: answers.append(client.refreshed(first.refresh)), read, move)
    assert found == [[read], [move]]


def test_consent_takes_one_round_trip_to_write_and_the_cut_of_a_connection_two(watched):
    node, other, relay = watched
    client = other.create_client(*WEB, name="Partner").at(node)
    person = Person(node, other.create_account())
    node.start()
    assert client.revoke(person.connect(client).refresh).status_code == 200
    connected = person.connect(client)
    store = "insert into codes"
    assert round_trips(relay, lambda: person.authorize(client), store) == [[store]]
    cut, audit = "set revoked_at", "insert into audit"
    found = round_trips(relay, lambda: client.revoke(connected.refresh), cut, audit)
    assert [cut in each for each in found] == [True, False], found
    assert [audit in each and each[-1] == "commit" for each in found] == [False, True], found
