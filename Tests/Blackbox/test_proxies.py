"""The proxies of `deploy/` in front of the real program: what stands in those files is what runs here."""

import contextlib
import http.client
import json
import re
import ssl
import threading
import time
from collections.abc import Callable, Iterator
from urllib.parse import urljoin

import pytest

from toolkit.client import OAuthClient, refusal, tokens
from toolkit.databases import Postgres, PostgresServer
from toolkit.person import Person
from toolkit.ports import free_port
from toolkit.process import Account, Latchkey
from toolkit.proxies import PROXIES, HAProxy, Proxy
from toolkit.seeing import scrape
from toolkit.site import Site
from toolkit.waiting import eventually
from toolkit.wire import send

TRUSTED = {"LATCHKEY_TRUSTED_PROXIES": "127.0.0.1"}
WORKERS = 8


class Company:
    """A proxy with two nodes on one PostgreSQL behind it, a partner and a customer."""

    def __init__(self, kind: type[Proxy], database: Postgres, folder, environment: dict[str, str] | None = None):
        first, second = free_port(), free_port()
        self.front = kind(folder, (first, second))
        named = {"issuer": self.front.base, "environment": TRUSTED | (environment or {})}
        self.nodes = [Latchkey(database, folder, port=port, **named) for port in (first, second)]
        for node in self.nodes:
            node.canaries = self.nodes[0].canaries
        self.front.canaries = self.nodes[0].canaries
        self.client = self.nodes[0].create_client("--partner", "seam", name="Seam").at(self.front)
        self.account = self.nodes[0].create_account()
        try:
            for node in self.nodes:
                node.start()
            self.front.start()
        except AssertionError:
            self.stop()
            raise

    def person(self, account: Account | None = None, source: str | None = None) -> Person:
        return Person(self.front, account or self.account, source=source)

    def stop(self) -> None:
        self.front.stop()
        for node in self.nodes:
            node.kill()


@pytest.fixture(scope="module", params=PROXIES)
def company(request, tmp_path_factory, postgres_url) -> Iterator[Company]:
    """Each proxy in turn."""
    database = Postgres(postgres_url)
    made = Company(PROXIES[request.param], database, tmp_path_factory.mktemp(request.param))
    yield made
    made.stop()
    database.remove()


def test_a_customer_connects_and_the_partner_refreshes_through_it(company):
    connected = company.person().connect(company.client)
    assert connected.user_id == company.account.user_id
    for _ in range(4):
        # One after the other they reach both nodes.
        again = company.client.refreshed(connected.refresh)
        assert company.client.locks(again.access).status_code == 200
    assert company.client.revoke(connected.refresh).status_code == 200
    refusal(company.client.refresh(connected.refresh), 400, "invalid_grant")
    known = send("GET", company.front.base + "/.well-known/oauth-authorization-server").json()
    assert known["issuer"] == company.front.base


def test_the_longest_state_comes_back(company):
    state = "%&=ü" * (8192 // 5)
    came = company.person().authorize(company.client, state=state)
    assert came.parameters["state"] == state


def test_L02_the_server_sees_the_callers_address_and_not_what_it_says(company):
    person = company.person(source="127.0.4.2")
    form = person.visit(company.client.authorize_url()).sign_in_form
    cookies = person.cookie_header
    forged = {"Cookie": cookies, "X-Forwarded-For": "203.0.113.9", "Forwarded": "for=203.0.113.9"}
    values = form.fields | {"email": "nobody@example.com", "password": "wrong"}
    url = urljoin(company.front.base, form.action)
    assert send("POST", url, source="127.0.4.2", data=values, headers=forged).status_code == 422
    log = "".join(node.log for node in company.nodes)
    said = json.loads([line for line in log.splitlines() if '"sign-in failed"' in line][-1])
    assert said["address"] == "127.0.4.2"
    assert "trusted-proxies" not in log


def over_https(front: Proxy, method: str, target: str, body: bytes | None = None, headers: dict | None = None):
    """A request whose target is sent byte for byte; the answer with its body."""
    context = ssl.create_default_context(cafile=str(front.certificate.authority))
    line = http.client.HTTPSConnection("localhost", front.port, timeout=30, context=context)
    # The standard library refuses some malformed targets.
    line._validate_path = lambda _target: None
    try:
        line.request(method, target, body=body, headers=headers or {})
        answer = line.getresponse()
        return answer, answer.read()
    finally:
        line.close()


@pytest.mark.parametrize(
    "target",
    ["/metrics", "/metrics/", "//metrics", "/%6Detrics", "/METRICS", "/metrics?x=1", "/x/../metrics", "/auth/metrics"],
)
def test_figures_are_for_inside(company, target):
    answer, body = over_https(company.front, "GET", target)
    assert answer.status in (400, 404), (answer.status, body)
    assert b"latchkey_" not in body
    assert answer.getheader("X-Request-Id") is None, "the request reached a node"


def test_a_body_over_the_servers_limit_is_refused(company):
    form = {"Content-Type": "application/x-www-form-urlencoded"}
    answer, _ = over_https(company.front, "POST", "/oauth/token", b"x=" + b"y" * 70_000, form)
    assert answer.status == 413
    assert answer.headers["Retry-After"] is None, "it would be as large the next time"
    answer, _ = over_https(company.front, "POST", "/oauth/token", b"x=" + b"y" * 60_000, form)
    assert answer.status in (400, 401), "a body within it reaches the server"


def test_plain_http_leads_people_to_https_and_takes_no_secret(company):
    plain = f"http://localhost:{company.front.plain_port}"
    answer = send("GET", plain + "/account?x=1")
    assert answer.status_code == 301
    assert re.fullmatch(r"https://localhost(:\d+)?/account\?x=1", answer.headers["Location"])
    assert send("POST", plain + "/oauth/token", data={"client_secret": "x"}).status_code == 403


# What is tried again


class Recorder(Site):
    """Stands in for a node: it is ready, answers every GET, and takes POSTs without ever answering them."""

    def __init__(self):
        super().__init__(lambda asked: None if asked.method == "POST" else (200, {}, b"ok"))

    @property
    def posts(self) -> list[str]:
        return [asked.path for asked in self.asked if asked.method == "POST"]


@pytest.fixture
def start_proxy(tmp_path) -> Iterator[Callable[..., Proxy]]:
    """Starts a proxy in front of two ports."""
    made: list[Proxy] = []

    def start(name: str, *ports: int, console_network: str | None = None) -> Proxy:
        made.append(PROXIES[name](tmp_path, ports))
        made[-1].console_network = console_network
        return made[-1].start()

    yield start
    for proxy in made:
        proxy.stop()


@pytest.mark.parametrize("name", PROXIES)
def test_the_console_is_for_the_operators_network_wherever_the_issuer_has_it(start_proxy, name):
    """By the commented lines of the files, in front of what answers every GET."""
    recorder = Recorder()
    front = start_proxy(name, recorder.port, recorder.port, console_network="127.0.4.0/24")
    inside = ("/console", "/console/", "/CONSOLE/clients", "/auth/console", "/a/b/Console/x", "//console", "/%63onsole")
    for target in inside:
        answer, _ = over_https(front, "GET", target)
        assert answer.status == 403, target
        assert send("GET", front.base + target, source="127.0.4.2").status_code == 200, target
    for target in ("/consoles", "/oauth/authorize?next=/console", "/auth/myconsole"):
        answer, _ = over_https(front, "GET", target)
        assert answer.status == 200, target
    recorder.stop()


@pytest.mark.parametrize("name", PROXIES)
def test_L02_a_caller_chooses_neither_the_requests_id_nor_what_is_traced(start_proxy, name):
    """The server believes what a trusted proxy says of them, so that no proxy may say it for the caller."""
    recorder = Recorder()
    front = start_proxy(name, recorder.port, recorder.port)
    trace = f"00-{'ab' * 16}-{'cd' * 8}-01"
    forged = {"X-Request-ID": "chosen-by-me", "traceparent": trace, "Tracestate": "evil=1", "X-Kept": "yes"}
    answer, _ = over_https(front, "GET", "/asked", headers=forged)
    assert answer.status == 200
    # As it came: of a field that comes twice, or with more than one value, all is looked at.
    asked = next(str(one.handler.headers) for one in recorder.asked if one.path == "/asked")
    assert "yes" in asked
    assert not [text for text in ("chosen-by-me", trace, "evil=1") if text in asked], asked
    recorder.stop()


@pytest.mark.parametrize("name", PROXIES)
def test_F6_a_post_whose_answer_is_lost_is_not_sent_again(start_proxy, name):
    recorders = [Recorder(), Recorder()]
    front = start_proxy(name, *(one.port for one in recorders))
    answers = []
    # One for each node; later ones find that both are out for a while.
    for number in range(2):
        # On a connection that was used before, HAProxy gives no answer either.
        with contextlib.suppress(OSError):
            answers.append(send("POST", f"{front.base}/oauth/token?{number}", data={"code": "x"}))
    assert answers
    for answer in answers:
        refusal(answer, 503 if name == "nginx" else 502, "temporarily_unavailable")
        assert answer.headers["Retry-After"] == "1"
    came = [path for one in recorders for path in one.posts]
    assert sorted(came) == ["/oauth/token?0", "/oauth/token?1"]
    for one in recorders:
        one.stop()


@pytest.mark.parametrize("name", PROXIES)
def test_F11_a_node_that_takes_no_connections_costs_no_request(start_proxy, sqlite_server, name):
    front = start_proxy(name, sqlite_server.port, free_port())
    machine = sqlite_server.partners.machine
    form = {"grant_type": "client_credentials"} | machine.secret_form()
    statuses = {send("POST", front.base + "/oauth/token", data=form).status_code for _ in range(30)}
    assert statuses == {200}


@pytest.mark.parametrize("name", ["haproxy", "nginx"])
def test_F4_while_no_node_takes_a_connection_it_says_when_to_come_again(start_proxy, new_server, name):
    node = new_server().start()
    front = start_proxy(name, node.port, node.port)
    node.kill()
    # The first finds out that nobody is there; the others are told what is known by then.
    for _ in range(4):
        answer = send("POST", front.base + "/oauth/token", data={"grant_type": "refresh_token"})
        refusal(answer, 503, "temporarily_unavailable")
        assert answer.headers["Retry-After"] == "1"


# A node, or the database, is lost


class Load:
    """Workers who refresh one connection as fast as they are answered, and note what came of each request."""

    def __init__(self, client: OAuthClient, refresh_token: str):
        self.client, self.refresh_token = client, refresh_token
        self.good = 0
        self.failures: list[tuple[float, str]] = []
        """When each request began that failed, and how."""
        self._lock = threading.Lock()
        self._over = threading.Event()
        self._workers = [threading.Thread(target=self._work) for _ in range(WORKERS)]
        for worker in self._workers:
            worker.start()

    def _work(self) -> None:
        while not self._over.is_set():
            began = time.monotonic()
            try:
                answer = self.client.refresh(self.refresh_token)
                outcome = "" if answer.status_code == 200 else f"{answer.status_code} {answer.text[:100]}"
            except OSError as error:
                outcome = str(error)
            with self._lock:
                if outcome:
                    self.failures.append((began, outcome))
                else:
                    self.good += 1

    def wait_for(self, more: int) -> None:
        """Waits until so many more refreshes have succeeded."""
        wanted = self.good + more
        what = "the refreshes do not succeed"
        eventually(lambda: self.good >= wanted, 60, lambda: f"{what}: {self.failures[-5:]}", pause=0.01)

    def stop(self) -> None:
        self._over.set()
        for worker in self._workers:
            worker.join()


def test_F4_a_node_that_is_killed_costs_only_what_it_was_answering(tmp_path, database):
    company = Company(HAProxy, database("postgres"), tmp_path)
    try:
        connected = company.person().connect(company.client)
        load = Load(company.client, connected.refresh)
        try:
            load.wait_for(200)
            company.nodes[0].kill()
            killed = time.monotonic()
            load.wait_for(400)
            company.nodes[0].start()
            load.wait_for(400)
        finally:
            load.stop()
        assert all(began < killed + 1 for began, _ in load.failures), load.failures
        # What it was answering, and what went into a connection to it that was just dying.
        assert len(load.failures) <= 2 * WORKERS, load.failures
        assert tokens(company.client.refresh(connected.refresh)).user_id == company.account.user_id
    finally:
        company.stop()


def refreshes_at(node: Latchkey) -> float:
    """How many refreshes a node has answered since its start."""
    return scrape(node)["latchkey_token_grants_total"].value(grant="refresh_token", outcome="ok")


@pytest.mark.parametrize("name", PROXIES)
def test_F11_planned_stops_of_the_nodes_in_turn_fail_no_request(tmp_path, database, name):
    """nginx asks no node whether it is ready: with it a few may have to be sent again, and are told so."""
    company = Company(PROXIES[name], database("postgres"), tmp_path, {"LATCHKEY_SHUTDOWN_DRAIN": "2s"})
    try:
        connected = company.person().connect(company.client)
        load = Load(company.client, connected.refresh)
        try:
            load.wait_for(200)
            for number in range(4):
                node = company.nodes[number % 2]
                assert node.stop() == 0
                node.start()
                load.wait_for(200)
                eventually(lambda node=node: refreshes_at(node) > 0, 60, "the proxy does not send to it again")
        finally:
            load.stop()
        told = [text for _, text in load.failures if text.startswith("503 ") and "temporarily_unavailable" in text]
        assert len(told) == len(load.failures), load.failures[:5]
        assert len(told) <= (4 * WORKERS if name == "nginx" else 0), load.failures[:5]
    finally:
        company.stop()


@pytest.fixture(scope="module")
def mortal_postgres() -> Iterator[PostgresServer]:
    """A PostgreSQL that tests stop and start again."""
    server = PostgresServer()
    yield server
    server.stop()


@pytest.mark.parametrize("name", PROXIES)
def test_F4_without_the_database_the_servers_own_answers_come_through(tmp_path, mortal_postgres, name):
    company = Company(PROXIES[name], Postgres(mortal_postgres.url), tmp_path)
    try:
        connected = company.person().connect(company.client)
        mortal_postgres.halt()
        try:
            # Long enough for every proxy to find that no node is ready.
            over = time.monotonic() + 5
            while time.monotonic() < over:
                refused = company.client.refresh(connected.refresh)
                refusal(refused, 503, "temporarily_unavailable")
                assert int(refused.headers["Retry-After"]) >= 1
                assert send("GET", company.front.base + "/oauth/jwks").json()["keys"]
        finally:
            mortal_postgres.resume()
        eventually(
            lambda: company.client.refresh(connected.refresh),
            60,
            lambda: "no refresh succeeds:\n" + "".join(node.log[-1500:] for node in company.nodes),
            enough=lambda answer: answer.status_code == 200,
        )
    finally:
        company.stop()
