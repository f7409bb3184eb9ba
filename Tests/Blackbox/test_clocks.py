"""F8 (security.md §4): nodes whose clocks differ, and clocks that are set while the server works."""

import base64
import json
import threading
import time
from email.utils import parsedate_to_datetime

import pytest
from joserfc import jwt
from joserfc.jwk import KeySet

from toolkit.client import Authorization, refusal, tokens
from toolkit.clocks import Clock, faked
from toolkit.person import Person
from toolkit.process import Latchkey
from toolkit.seeing import events, scrape
from toolkit.waiting import STALENESS, eventually
from toolkit.wire import send

pytestmark = pytest.mark.usefixtures("faketime")

SKEWS = (-60, 0, 60)
WEB = ("--redirect-uri", "https://partner.example/callback", "--scope", "locks.read")


def skewed(node: Latchkey, seconds: int) -> Latchkey:
    """The node with its clock so many seconds away; the commands beside it keep the machine's."""
    node.process_environment = faked(FAKETIME=f"{seconds:+d}s") if seconds else {}
    return node


class Roamer(Person):
    """A person whose every request may be answered by another node."""

    nodes: list[Latchkey]

    def request(self, method: str, url: str, **named):
        for node in self.nodes:
            if url.startswith(node.base):
                url = self.server.base + url[len(node.base) :]
        return super().request(method, url, **named)


def claims(token: str) -> dict:
    part = token.split(".")[1]
    return json.loads(base64.urlsafe_b64decode(part + "=" * (-len(part) % 4)))


@pytest.fixture
def skewed_nodes(cluster, new_server) -> list[Latchkey]:
    first, second = cluster.nodes
    third = new_server(database=first.database, issuer=first.issuer, canaries=first.canaries)
    return [skewed(node, seconds) for node, seconds in zip((first, second, third), SKEWS, strict=True)]


def test_F8_what_a_node_issues_every_other_node_honours_though_their_clocks_differ(skewed_nodes):
    nodes = skewed_nodes
    web = nodes[0].create_client(*WEB, name="Web partner")
    account = nodes[0].create_account()
    for node in nodes:
        node.start()
    assert send("GET", nodes[1].base + "/readyz").json() == {"ok": True}
    for node in (nodes[0], nodes[2]):
        assert "clock" in send("GET", node.base + "/readyz").json()["warnings"][0]
    for issuing in nodes:
        for redeeming in nodes:
            person = Roamer(issuing, account)
            person.nodes = nodes
            page = person.sign_in(person.visit(web.at(issuing).authorize_url()))
            # The session and the authorization go on at a node whose clock says another time.
            person.server = redeeming
            code = Authorization(person.decide(page, "allow").target, web).code
            connected = tokens(web.at(redeeming).exchange(code))
            for node in nodes:
                assert web.at(node).introspect(connected.access)["active"]
            said = claims(connected.access)
            assert said["iat"] <= time.time(), "a verifier without leeway refuses a token from the future"
            assert said["iat"] > time.time() - 60
            assert 0 <= said["exp"] - said["iat"] - connected.body["expires_in"] <= 10
            jwt.decode(connected.access, KeySet.import_key_set(send("GET", redeeming.base + "/oauth/jwks").json()))
            tokens(web.at(issuing).refresh(connected.refresh))


@pytest.mark.parametrize(("skew", "age", "is_good"), [(60, 45, True), (-60, 45, True), (-60, 61, False)])
def test_F8_a_code_dies_by_the_time_that_all_nodes_share(cluster, skew, age, is_good):
    first, second = cluster.nodes
    web = first.create_client(*WEB, name="Web partner")
    person = Person(first, first.create_account())
    first.start()
    skewed(second, skew).start(clock_offset=age)
    answer = web.at(second).exchange(person.authorize(web).code)
    if is_good:
        tokens(answer)
    else:
        refusal(answer, 400, "invalid_grant")


@pytest.mark.parametrize("kind", ["sqlite", "postgres"])
def test_F8_a_node_whose_clock_is_set_goes_on_looking_for_changes(new_server, tmp_path, kind):
    server, clock = new_server(kind), Clock(tmp_path)
    server.process_environment = clock.environment
    server.start()
    for step in (60, 0, -60, 0):
        clock.set(f"{step:+d}s")
        # Nobody asks it anything meanwhile, so that it looks for its own sake only.
        time.sleep(STALENESS + 0.5)
        eventually(lambda: scrape(server)["latchkey_snapshot_age_seconds"].value() < STALENESS, 10, "it looks no more")
        said = parsedate_to_datetime(send("GET", server.base + "/healthz").headers["Date"])
        assert abs(said.timestamp() - time.time() - step) < 5, "its clock was not set"


def test_F8_a_clock_that_was_days_ahead_for_a_while_has_had_nothing_deleted_that_still_counts(new_server, tmp_path):
    server, clock = new_server("sqlite"), Clock(tmp_path)
    web = server.create_client(*WEB, name="Web partner")
    person = Person(server, server.create_account())
    server.process_environment = clock.environment
    server.start()
    connected = person.connect(web)
    assert web.revoke(connected.access).status_code == 200
    assert not web.introspect(connected.access)["active"]

    def sweeps() -> float:
        return scrape(server)["latchkey_sweeps_total"].value(outcome="done")

    eventually(lambda: sweeps() > 0, 30)
    clock.set("+26h")
    # The sweep looks every ten seconds.
    eventually(lambda: events(server)["clock_leap"] == 1, 30)
    before = sweeps()
    clock.set("+0s")
    assert not web.introspect(connected.access)["active"]
    eventually(lambda: sweeps() > before, 30)
    assert not web.introspect(connected.access)["active"], "what was revoked lives again"
    tokens(web.refresh(connected.refresh))


@pytest.mark.parametrize("kind", ["sqlite", "postgres"])
def test_F8_a_clock_that_is_set_by_an_hour_breaks_no_refresh(new_server, tmp_path, kind):
    server = new_server(kind)
    clock = Clock(tmp_path)
    clients = [
        server.create_client("--partner", "seam", name="Seam"),
        server.create_client(*WEB, "--refresh", "successor", name="Careful partner"),
        server.create_client(*WEB, "--refresh", "strict", name="Strict partner"),
    ]
    person = Person(server, server.create_account())
    server.process_environment = clock.environment
    server.start()
    connected = [person.connect(client) for client in clients]
    ended = threading.Event()
    answers: list[int] = []

    def refresh(client, refresh_token: str) -> None:
        while not ended.is_set():
            answer = client.refresh(refresh_token)
            answers.append(answer.status_code)
            if answer.status_code != 200:
                return
            refresh_token = answer.json()["refresh_token"]

    threads = [
        threading.Thread(target=refresh, args=(client, one.refresh))
        for client, one in zip(clients, connected, strict=True)
    ]
    for thread in threads:
        thread.start()
    try:
        for step in ("+1h", "+0s", "-1h", "+0s"):
            clock.set(step)
            wanted = len(answers) + 60
            eventually(
                lambda wanted=wanted: len(answers) >= wanted or not all(thread.is_alive() for thread in threads),
                30,
                f"the refreshes stand still since the clock was set to {step}",
                pause=0.01,
            )
    finally:
        ended.set()
        for thread in threads:
            thread.join()
    assert set(answers) == {200}
    assert len(answers) > 100
