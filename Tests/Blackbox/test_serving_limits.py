"""Slow and silent clients keep nobody out: CWE-400, security.md row H07 beside the limits of bodies."""

import json
import re
import socket
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from urllib.parse import urlencode, urlsplit

import pytest

from toolkit.login_endpoint import PASSWORD, found, serving
from toolkit.pages import Page
from toolkit.person import Person
from toolkit.ports import free_port
from toolkit.process import Latchkey
from toolkit.seeing import scrape
from toolkit.waiting import eventually
from toolkit.wire import raw, send

PATIENCE = 20.0
"""How many seconds a test waits for what must happen."""


@contextmanager
def connected(server: Latchkey) -> Iterator[socket.socket]:
    with socket.create_connection(("127.0.0.1", server.port), PATIENCE) as connection:
        yield connection


def cut(server: Latchkey) -> dict[str, int]:
    """How many requests were ended before they were routed."""
    family = scrape(server)["latchkey_http_cut_total"]
    return {reason: int(family.value(reason=reason)) for reason in ("late", "malformed", "shed")}


def rest_of(connection: socket.socket) -> bytes:
    """Everything until the server ends the connection."""
    received = b""
    while piece := connection.recv(65536):
        received += piece
    return received


def request_with(form: dict[str, str], *headers: str, path: str = "/oauth/token") -> bytes:
    """The bytes of a request with a form, by default one to the token endpoint."""
    body = urlencode(form)
    lines = [f"POST {path} HTTP/1.1", "Host: a", "Content-Type: application/x-www-form-urlencoded", *headers]
    return "\r\n".join([*lines, f"Content-Length: {len(body)}", "", body]).encode()


class Customers:
    """People who sign in, each at work in the server until the company's login endpoint is let go."""

    def __init__(self, server: Latchkey, login_endpoint: Callable, count: int):
        self.may_go_on = threading.Event()
        self.where = login_endpoint(self.answer)
        serving(server, self.where, login_endpoint_deadline="30s", login_endpoint_concurrency=str(count))
        self.people = [Person(server) for _ in range(count)]
        self.forms = [person.visit(server.base + "/account").sign_in_form for person in self.people]
        for number, form in enumerate(self.forms):
            form.fields |= {"email": f"c{number}@company.example", "password": PASSWORD}

    def answer(self, asked):
        self.may_go_on.wait(2 * PATIENCE)
        return found(asked.json["email"], asked.json["email"])

    @property
    def at_work(self) -> int:
        return len(self.where.asked)

    def sign_in(self, number: int) -> Page:
        """Signs one of them in, who comes again while the server is busy."""
        person, form = self.people[number], self.forms[number]
        return eventually(lambda: person.submit(form), 2 * PATIENCE, enough=lambda page: page.status != 503)

    def request(self, number: int) -> bytes:
        """The bytes of the sign-in of one of them."""
        form, cookie = self.forms[number], f"Cookie: {self.people[number].cookie_header}"
        return request_with(form.fields, cookie, path=urlsplit(form.action).path)


@pytest.fixture
def hasty(new_server) -> Latchkey:
    """A server that gives a request one second to arrive."""
    return new_server(environment={"LATCHKEY_ARRIVAL_LIMIT": "1s"}).start()


@pytest.mark.parametrize(
    "beginning",
    [
        b"GET /healthz HTTP/1.1\r\nHost: a\r\nX-Slow: ",
        b"POST /oauth/token HTTP/1.1\r\nHost: a\r\nContent-Length: 100\r\n"
        b"Content-Type: application/x-www-form-urlencoded\r\n\r\ngrant_type=",
    ],
    ids=["header", "body"],
)
def test_a_request_that_does_not_arrive_in_full_is_ended_with_408(hasty, beginning):
    with connected(hasty) as connection:
        connection.sendall(beginning)
        answer = rest_of(connection)
    assert answer.startswith(b"HTTP/1.1 408 "), answer
    assert b"did not arrive in full within 1 seconds" in answer
    assert cut(hasty) == {"late": 1, "malformed": 0, "shed": 0}


def test_a_request_that_was_told_408_is_not_answered_for_what_came_of_it(hasty):
    # What came is a whole form by itself: a code would be used up, for a client that comes again.
    machine = hasty.create_client("--grant", "client_credentials", "--scope", "locks.read", name="Machine")
    form = {"grant_type": "client_credentials", "client_id": machine.client_id, "client_secret": machine.client_secret}
    eventually(lambda: machine.client_credentials().status_code == 200)
    before = scrape(hasty)["latchkey_token_grants_total"].sum(outcome="ok")
    with connected(hasty) as connection:
        connection.sendall(request_with(form).replace(b"Content-Length: ", b"Content-Length: 1"))
        assert rest_of(connection).startswith(b"HTTP/1.1 408 ")
    # Whatever becomes of it has become of it when another one is answered.
    assert machine.client_credentials().status_code == 200
    assert scrape(hasty)["latchkey_token_grants_total"].sum(outcome="ok") == before + 1


def test_a_request_that_trickles_steadily_is_ended_too(hasty):
    with connected(hasty) as connection:
        connection.sendall(b"GET /healthz HTTP/1.1\r\nHost: a\r\nX-Slow: ")
        connection.settimeout(0.1)
        answer = b""
        for _ in range(int(PATIENCE / 0.1)):
            try:
                answer += connection.recv(65536)
                break
            except TimeoutError:
                connection.sendall(b"a")  # the event that is awaited comes between two bytes
    assert answer.startswith(b"HTTP/1.1 408 "), answer


def test_an_earlier_request_is_answered_whatever_becomes_of_the_next_one(new_server, login_endpoint):
    server = new_server("sqlite", environment={"LATCHKEY_ARRIVAL_LIMIT": "1s"})
    customers = Customers(server, login_endpoint, 1)
    with connected(server) as busy:
        # Each time somebody else, who begins later, has been told that the limit is over.
        for piece in (customers.request(0), b"GET /heal"):
            busy.sendall(piece)
            with connected(server) as later:
                later.sendall(b"GET /heal")
                assert rest_of(later).startswith(b"HTTP/1.1 408 ")
        customers.may_go_on.set()
        answers = rest_of(busy)
    assert answers.startswith(b"HTTP/1.1 303 "), answers
    assert answers.count(b"HTTP/1.1 408 ") == 1, "what was never finished is told so after that"


def test_what_is_no_http_is_ended_with_400_and_counted(hasty):
    client_hello = b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\r\n\r\n"
    for nonsense in (client_hello, b"GET / HTTP/1.1\r\nbad header\r\n\r\n", b"GET / HTTP/2.0\r\nHost: a\r\n\r\n"):
        with connected(hasty) as connection:
            connection.sendall(nonsense)
            assert rest_of(connection).startswith((b"HTTP/1.1 400 ", b"HTTP/1.1 505 "))
    with connected(hasty) as connection:
        connection.sendall(b"GET /healthz HT")  # who leaves in the middle is not counted
    with connected(hasty) as connection:
        connection.sendall(b"GET /healthz HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n")
        assert rest_of(connection).startswith(b"HTTP/1.1 200 ")
    assert cut(hasty) == {"late": 0, "malformed": 3, "shed": 0}
    with connected(hasty) as staying, connected(hasty) as slow:
        staying.sendall(client_hello)
        assert rest_of(staying).startswith(b"HTTP/1.1 400 ")
        # It has its answer, and does not become late; this one, which begins after it, does.
        slow.sendall(b"GET /heal")
        assert rest_of(slow).startswith(b"HTTP/1.1 408 ")
        assert cut(hasty) == {"late": 1, "malformed": 4, "shed": 0}


def test_RFC9112_9_6_the_last_answer_of_a_connection_says_that_it_is_the_last(sqlite_server):
    request = b"GET /healthz HTTP/1.1\r\nHost: a\r\n\r\n"
    last = request.replace(b"\r\n\r\n", b"\r\nConnection: close\r\n\r\n")
    with connected(sqlite_server) as connection:
        connection.sendall(request + request + last)
        answers = rest_of(connection).split(b"HTTP/1.1 200 ")[1:]
    assert [b"connection: close" in answer.lower() for answer in answers] == [False, False, True]


def test_a_connection_that_is_kept_between_requests_is_not_ended(hasty):
    request = b"GET /healthz HTTP/1.1\r\nHost: a\r\n\r\n"
    with connected(hasty) as kept, connected(hasty) as slow:
        kept.sendall(request)
        assert kept.recv(65536).startswith(b"HTTP/1.1 200 ")
        slow.sendall(request[:-2])
        assert rest_of(slow).startswith(b"HTTP/1.1 408 ")  # so the limit has passed for the kept one too
        kept.sendall(request)
        assert kept.recv(65536).startswith(b"HTTP/1.1 200 ")


def test_silent_connections_keep_nobody_out(new_server):
    server = new_server(environment={"LATCHKEY_CONNECTION_LIMIT": "16"}).start()
    with ExitStack() as stack:
        silent = [stack.enter_context(connected(server)) for _ in range(60)]
        # Each that came after the limit made the most silent one leave.
        for connection in silent[:30]:
            assert connection.recv(1) == b""
        assert send("GET", server.base + "/healthz", headers={"Connection": "close"}).status_code == 200


def test_the_listener_of_metrics_lets_requests_in_as_the_others_do(new_server):
    beside = free_port()
    server = new_server(environment={"LATCHKEY_METRICS_LISTEN": f"127.0.0.1:{beside}"}).start()
    base = f"http://127.0.0.1:{beside}"
    with ExitStack() as stack:
        for _ in range(40):
            slow = stack.enter_context(socket.create_connection(("127.0.0.1", beside), PATIENCE))
            slow.sendall(b"GET /metrics HTTP/1.1\r\nX-Slow: ")
        assert scrape(server, base)["latchkey_http_connections"].value() >= 1
    assert raw(base, b"GET /metrics HTTP/1.1\r\n\r\n").startswith(b"HTTP/1.1 400 ")


def test_when_all_connections_were_at_work_at_once_the_next_one_is_let_in(new_server, login_endpoint):
    server = new_server("sqlite", environment={"LATCHKEY_CONNECTION_LIMIT": "8"})
    customers = Customers(server, login_endpoint, 8)
    with ExitStack() as stack:
        kept = []
        for number in range(8):
            kept.append(stack.enter_context(connected(server)))
            kept[-1].sendall(customers.request(number))
            eventually(lambda number=number: customers.at_work > number, PATIENCE)
        customers.may_go_on.set()
        answers = [connection.recv(65536).lower() for connection in kept]
        assert all(answer.startswith(b"http/1.1 303 ") for answer in answers)
        (last,) = (at for at, answer in zip(kept, answers, strict=True) if b"connection: close" in answer)
        last.close()
        assert send("GET", server.base + "/healthz").status_code == 200


def test_F7_what_is_one_too_many_is_told_to_come_again_and_the_others_are_answered(new_server, login_endpoint):
    server = new_server("sqlite", environment={"LATCHKEY_REQUEST_LIMIT": "8"})
    machine = server.create_client("--grant", "client_credentials", "--scope", "locks.read", name="Machine")
    customers = Customers(server, login_endpoint, 8)
    form = {"grant_type": "client_credentials", "client_id": machine.client_id, "client_secret": machine.client_secret}
    with ThreadPoolExecutor(8) as waiting, connected(server) as kept:
        # Whoever asks whether it is full may be the one too many for one of them, who comes again.
        sign_ins = [waiting.submit(customers.sign_in, number) for number in range(8)]
        eventually(lambda: machine.client_credentials().status_code == 503, PATIENCE)
        for _ in range(3):
            kept.sendall(request_with(form))
            refusal = kept.recv(65536).decode().lower()
            assert refusal.startswith("http/1.1 503 "), refusal
            assert "\r\nretry-after: 1\r\n" in refusal
            assert "connection: close" not in refusal
            assert json.loads(refusal.split("\r\n\r\n")[1])["error"] == "temporarily_unavailable"
        assert send("GET", server.base + "/readyz").status_code == 200
        assert send("POST", server.base + "/oauth/token?a=/readyz", data=form).status_code == 503
        with connected(server) as leaving:
            leaving.sendall(request_with(form, "Connection: close"))
            refusal = rest_of(leaving).decode().lower()
            assert refusal.startswith("http/1.1 503 ")
            assert "\r\nconnection: close\r\n" in refusal
        with connected(server) as asking:
            # It waits for leave to send its body, and need not send it.
            head, _ = request_with(form, "Expect: 100-continue").split(b"\r\n\r\n")
            asking.sendall(head + b"\r\n\r\n")
            refusal = rest_of(asking).decode().lower()
            assert refusal.startswith("http/1.1 503 ")
            assert "\r\nconnection: close\r\n" in refusal
        head_only = send("HEAD", server.base + "/oauth/jwks")
        assert (head_only.status_code, head_only.content) == (503, b"")
        assert cut(server)["shed"] >= 8
        customers.may_go_on.set()
        assert [page.result().status for page in sign_ins] == [303] * 8
        kept.sendall(request_with(form))
        assert kept.recv(65536).startswith(b"HTTP/1.1 200 ")
    assert server.log.count("more requests are at work than request-limit allows") == 1


def test_F14_with_few_file_descriptors_thousands_of_idle_sockets_end_nothing(new_server):
    server = new_server(prefix=("prlimit", "--nofile=256:256"))
    client = server.create_client("--grant", "client_credentials", "--scope", "locks.read", name="Machine")
    server.start()
    with ExitStack() as stack:
        opened = 0
        for _ in range(2000):
            try:
                stack.enter_context(connected(server))
                opened += 1
            except OSError:
                break  # this machine's own limit, or the listener's queue
        assert opened > 300, "there were hardly any sockets"
        for _ in range(5):
            assert client.client_credentials().status_code == 200
        assert server.is_running
    assert client.client_credentials().status_code == 200
    assert send("GET", server.base + "/readyz").status_code == 200


@pytest.mark.parametrize(
    "rest",
    [
        b"Content-Length: 100\r\n\r\nabc",
        b"Transfer-Encoding: chunked\r\n\r\nxyz\r\n",
        b"Transfer-Encoding: identity\r\n\r\n",
    ],
    ids=["a body that never comes", "a bad part", "an unknown coding"],
)
def test_a_request_that_was_answered_before_its_body_came_is_not_answered_again(hasty, rest):
    with connected(hasty) as connection:
        connection.sendall(b"POST /nowhere HTTP/1.1\r\nHost: a\r\n" + rest)
        answers = rest_of(connection)
    assert answers.count(b"HTTP/1.1 ") == 1, answers


def test_clients_that_take_no_answers_keep_nobody_out_for_long(new_server):
    # What they have asked for counts as being at work, but with those whose answers happen to be written to the last.
    environment = {"LATCHKEY_ARRIVAL_LIMIT": "1s", "LATCHKEY_REQUEST_LIMIT": "8"}
    server = new_server(environment=environment).start()
    page = send("GET", server.base + "/account/sign-in").text
    path = re.search(r'href="(/[^"]*/latchkey-[0-9a-f]+\.css)"', page)[1]
    with ExitStack() as stack:
        for _ in range(24):
            idler = stack.enter_context(socket.socket())
            idler.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
            idler.connect(("127.0.0.1", server.port))
            idler.sendall(f"GET {path} HTTP/1.1\r\nHost: a\r\n\r\n".encode() * 600)
        eventually(lambda: send("GET", server.base + "/oauth/jwks").status_code == 503, PATIENCE)
        eventually(lambda: send("GET", server.base + "/oauth/jwks").status_code == 200, PATIENCE)
