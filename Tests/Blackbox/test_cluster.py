"""F4, F5, F9 (security.md §4): nodes on one PostgreSQL that dies, falls silent, fails over and comes back."""

import time
from pathlib import Path

import pytest

from toolkit.account_page import disconnect, disconnect_links, open_account
from toolkit.client import refusal, tokens
from toolkit.console import Operator
from toolkit.databases import Postgres, PostgresServer, Standby
from toolkit.person import Person
from toolkit.process import Latchkey
from toolkit.relay import Relay
from toolkit.seeing import scrape
from toolkit.waiting import CUT_WITHIN, eventually, everywhere
from toolkit.wire import send, together

WEB = ("--redirect-uri", "https://partner.example/callback", "--scope", "locks.read")


@pytest.fixture
def relayed(new_server, database):
    """A server that reaches its PostgreSQL through a relay, with a connected partner."""
    shared = database("postgres")
    relay = Relay(shared.url)
    server = new_server(database=relay.before(shared))
    try:
        yield server, relay
    finally:
        relay.stop()


def threads_of(server) -> int:
    status = Path(f"/proc/{server.process.pid}/status").read_text()
    return int(next(line.split()[1] for line in status.splitlines() if line.startswith("Threads:")))


def check_refused(answer) -> None:
    assert answer.status_code == 503, (answer.status_code, answer.text)
    assert int(answer.headers["Retry-After"]) >= 1
    assert "invalid" not in answer.text


@pytest.mark.parametrize("trouble", ["killed", "silent"])
def test_F5_a_dead_database_is_503_at_once_for_everybody_until_it_is_back(relayed, trouble):
    server, relay = relayed
    seam = server.create_client("--partner", "seam", name="Seam")
    person = Person(server, server.create_account())
    server.start()
    connected, code = person.connect(seam), person.authorize(seam).code
    together([lambda: seam.refresh(connected.refresh)] * 16)
    threads = threads_of(server)
    relay.cut() if trouble == "killed" else relay.fall_silent()

    started = time.monotonic()
    for answer in together([lambda: seam.refresh(connected.refresh)] * 8 + [lambda: seam.exchange(code)] * 8):
        check_refused(answer)
    assert time.monotonic() - started < 6, "3 seconds are promised; this machine may be busy"
    # It is known by now, or a moment later, that nobody answers: then nobody waits any more.
    eventually(lambda: quick(lambda: check_refused(seam.refresh(connected.refresh))), 15)
    started = time.monotonic()
    for _ in range(100):
        check_refused(seam.refresh(connected.refresh))
    check_refused(seam.exchange(code))
    assert time.monotonic() - started < 50, "a wait of a second each would be 100 seconds"
    assert threads_of(server) <= threads + 12, "one for each connection of the pool, and none for who is refused"
    unready = send("GET", server.base + "/readyz")
    assert unready.status_code == 503
    assert unready.json()["missing"] == ["database"]
    assert "127.0.0.1" not in unready.text
    assert send("GET", server.base + "/healthz").status_code == 200

    relay.resume()
    eventually(lambda: seam.refresh(connected.refresh).status_code == 200, 10)
    for answer in together([lambda: seam.refresh(connected.refresh)] * 16):
        tokens(answer)
    tokens(seam.exchange(code))


def quick(work) -> bool:
    """Whether work is done without the second that a wait for the database takes."""
    started = time.monotonic()
    work()
    return time.monotonic() - started < 0.5


def test_F5_half_open_connections_are_replaced_when_the_database_is_back(relayed):
    server, relay = relayed
    seam = server.create_client("--partner", "seam", name="Seam")
    person = Person(server, server.create_account())
    server.start()
    connected = person.connect(seam)
    together([lambda: seam.refresh(connected.refresh)] * 16)
    relay.fall_silent()
    check_refused(seam.refresh(connected.refresh))
    relay.resume()
    # The connections from before answer nothing, ever; whoever meets one would wait for seconds.
    eventually(lambda: seam.refresh(connected.refresh).status_code == 200, 10)
    assert all(answer.status_code == 200 for answer in together([lambda: seam.refresh(connected.refresh)] * 24))


def test_F5_a_database_without_room_says_so_and_is_served_from_as_soon_as_it_has_some(new_server, database):
    shared = database("postgres")
    server = new_server(database=shared)
    seam = server.create_client("--partner", "seam", name="Seam")
    person = Person(server, server.create_account())
    server.start()
    connected = person.connect(seam)
    others = f"select pg_terminate_backend(pid, 30000) from pg_stat_activity where datname = '{shared.name}'"
    shared.query(f"alter database {shared.name} connection limit 0", shared.server_url)
    shared.query(others, shared.server_url)
    unready = send("GET", server.base + "/readyz")
    assert unready.status_code == 503
    assert unready.json()["missing"][0].startswith("database: the database takes no more connections")
    for _ in range(5):
        check_refused(seam.refresh(connected.refresh))
    shared.query(f"alter database {shared.name} connection limit -1", shared.server_url)
    eventually(lambda: seam.refresh(connected.refresh).status_code == 200, 10)


def test_F5_a_silent_first_host_costs_no_request_its_deadline(new_server, database):
    shared = database("postgres")
    silent, good = Relay(shared.url), Relay(shared.url)
    silent.fall_silent()
    here = good.before(shared)
    here.url = here.url.replace("@127.0.0.1:", f"@127.0.0.1:{silent.port},127.0.0.1:")
    server = new_server(database=here)
    try:
        seam = server.create_client("--partner", "seam", name="Seam")
        person = Person(server, server.create_account())
        server.start()
        connected = person.connect(seam)
        for answer in together([lambda: seam.refresh(connected.refresh)] * 32):
            tokens(answer)
        # Several hosts, and no commit waits until the second has it too: that is told, without names.
        ready = send("GET", server.base + "/readyz")
        assert ready.status_code == 200
        assert any("synchronous_standby_names" in warning for warning in ready.json()["warnings"])
        assert "127.0.0.1" not in ready.text
        assert "synchronous_standby_names" in server.log
    finally:
        silent.stop()
        good.stop()


def test_F4_token_state_is_read_from_the_primary_only_and_the_standby_takes_over(new_server):
    primary = PostgresServer()
    standby = None
    try:
        database = Postgres(primary.url)
        standby = Standby(primary)
        database.url = database.url.replace("@", f"@127.0.0.1:{standby.port},", 1)
        server = new_server(database=database)
        seam = server.create_client("--partner", "seam", name="Seam")
        person = Person(server, server.create_account())
        server.start()
        standby.pause_replay()
        kept, cut = person.connect(seam), person.connect(seam)
        # The standby knows of none of this.
        for _ in range(5):
            tokens(seam.refresh(kept.refresh))
        assert seam.revoke(cut.refresh).status_code == 200
        refusal(seam.refresh(cut.refresh), 400, "invalid_grant")
        assert seam.introspect(cut.access) == {"active": False}
        standby.resume_replay()
        standby.catch_up()

        primary.halt()
        check_refused(seam.refresh(kept.refresh))
        standby.promote()
        eventually(lambda: seam.refresh(kept.refresh).status_code == 200, 15)
        refusal(seam.refresh(cut.refresh), 400, "invalid_grant")
        assert person.connect(seam).user_id == kept.user_id
    finally:
        if standby is not None:
            standby.stop()
        primary.stop()


def test_F4_a_backup_that_is_taken_is_no_standby_and_a_standby_is_one(new_server):
    primary = PostgresServer()
    backup, standby = None, None
    try:
        database = Postgres(primary.url)
        database.query("grant pg_monitor to latchkey", primary.superuser_url)
        backup = primary.stream_backup()
        senders = "select count(*) from pg_stat_replication where state = 'streaming'"
        eventually(lambda: database.query(senders, primary.superuser_url).strip() == "1", 30)
        server = new_server(database=database).start()
        ready = send("GET", server.base + "/readyz").json()
        assert "warnings" not in ready, ready
        assert scrape(server)["latchkey_database_hazards"].value() == 0
        server.stop()
        standby = Standby(primary)
        standby.catch_up()
        server.start()
        assert "asynchronous" in send("GET", server.base + "/readyz").json()["warnings"][0]
        assert scrape(server)["latchkey_database_hazards"].value() == 1
    finally:
        if standby is not None:
            standby.stop()
        if backup is not None:
            backup.terminate()
            backup.wait(30)
        primary.stop()


def test_a_change_of_a_client_or_a_key_reaches_every_node_within_two_seconds(cluster):
    first, second = cluster.nodes
    machine = first.create_client("--grant", "client_credentials", "--scope", "locks.read", name="Machine")
    cluster.start()
    for node in cluster.nodes:
        tokens(machine.at(node).client_credentials())
    first.command("client", "disable", machine.client_id)
    everywhere(cluster.nodes, lambda node: machine.at(node).client_credentials().status_code == 401)
    before = len(send("GET", second.base + "/oauth/jwks").json()["keys"])
    first.command("key", "rotate")
    everywhere(cluster.nodes, lambda node: len(send("GET", node.base + "/oauth/jwks").json()["keys"]) > before)


def test_a_change_is_seen_in_time_while_the_listening_connections_are_lost_and_when_they_are_back(cluster):
    first, second = cluster.nodes
    machine = first.create_client("--grant", "client_credentials", "--scope", "locks.read", name="Machine")
    cluster.start()
    shared = first.database

    # The server is shared with other tests, the database is not.
    listeners = "from pg_stat_activity where datname = current_database() and query like 'listen%'"

    def listening() -> int:
        return int(shared.query(f"select count(*) {listeners}"))

    def answers(status: int):
        return lambda node: machine.at(node).client_credentials().status_code == status

    eventually(lambda: listening() == 2, 5)
    for node in (first, second):
        tokens(machine.at(node).client_credentials())
    shared.query(f"select pg_terminate_backend(pid, 30000) {listeners}")
    # Nobody listens while this is told.
    first.command("client", "disable", machine.client_id)
    everywhere(cluster.nodes, answers(401))
    eventually(lambda: listening() == 2, 10)
    first.command("client", "enable", machine.client_id)
    everywhere(cluster.nodes, answers(200))


def test_C07_a_cut_on_one_node_is_a_cut_on_every_node(cluster):
    first, second = cluster.nodes
    seam = first.create_client("--partner", "seam", name="Seam")
    account = first.create_account()
    cluster.start()
    for one, other in ((first, second), (second, first)):
        connected = Person(first, account).connect(seam)
        for node in (one, other):
            tokens(seam.at(node).refresh(connected.refresh))
        assert seam.at(one).revoke(connected.refresh).status_code == 200
        # Token state is never remembered: not within a second, but at once.
        refusal(seam.at(other).refresh(connected.refresh), 400, "invalid_grant")
        assert seam.at(other).introspect(connected.access) == {"active": False}
        bearer = {"Authorization": f"Bearer {connected.access}"}
        assert send("GET", other.base + "/oauth/userinfo", headers=bearer).status_code == 401


def connections_of(node: Latchkey, person: Person) -> list[str]:
    listed = node.command("connection", "list", "--account", person.account.user_id)
    return [one["connection_id"] for one in listed]


def by_a_command(node: Latchkey, person: Person) -> None:
    (connection,) = connections_of(node, person)
    node.command("connection", "revoke", connection)


def on_the_account_page(_: Latchkey, person: Person) -> None:
    (link,) = disconnect_links(open_account(person))
    assert "The app is disconnected." in disconnect(person, link).text


def at_the_console(node: Latchkey, person: Person) -> None:
    (connection,) = connections_of(node, person)
    Operator(node).join().press(f"/connections/{connection}/cut")


def with_its_account(node: Latchkey, person: Person) -> None:
    node.command("account", "disable", person.account.user_id)


@pytest.mark.parametrize("cut", [by_a_command, on_the_account_page, at_the_console, with_its_account])
def test_C07_however_a_connection_is_cut_it_is_dead_on_every_node_within_a_second(cluster, cut):
    first, second = cluster.nodes
    seam = first.create_client("--partner", "seam", name="Seam")
    person = Person(first, first.create_account())
    cluster.start()
    connected = person.connect(seam)
    for node in cluster.nodes:
        tokens(seam.at(node).refresh(connected.refresh))
        assert seam.at(node).introspect(connected.access)["active"]

    def is_dead(node: Latchkey) -> bool:
        refreshed = seam.at(node).refresh(connected.refresh)
        return refreshed.status_code == 400 and seam.at(node).introspect(connected.access) == {"active": False}

    cut(first, person)
    everywhere([second, first], is_dead, CUT_WITHIN)
    for node in cluster.nodes:
        refusal(seam.at(node).refresh(connected.refresh), 400, "invalid_grant")


def test_F10_only_serve_and_migrate_prepare_a_database(postgres_url, tmp_path):
    database = Postgres(postgres_url)
    database.is_prepared = lambda: True
    node = Latchkey(database, tmp_path)
    for words in (["connection", "list"], ["restore", "--in-place"], ["key", "list"]):
        refused = node.run(*words)
        assert refused.returncode != 0, words
        assert "holds nothing of Latchkey's" in refused.stderr, refused.stderr
        assert "latchkey migrate" in refused.stderr
    assert database.query("select to_regclass('migrations') is null").strip() == "t"
    assert node.run("migrate").returncode == 0
    database.query("delete from migrations where number = (select max(number) from migrations)")
    refused = node.run("connection", "list")
    assert refused.returncode != 0
    assert "of an older release" in refused.stderr
    database.remove()
