"""Webhooks to the company: signed as Standard Webhooks has it, durable, at least once (issue 3, item 8)."""

import base64
import secrets
import socket
import threading

import pytest

from toolkit.console import Operator
from toolkit.expect import check_one_line_error
from toolkit.person import Person
from toolkit.ports import free_port
from toolkit.receiver import Receiver, verify
from toolkit.site import Answer
from toolkit.waiting import eventually
from toolkit.wire import send

WEB = ("--redirect-uri", "https://partner.example/callback", "--scope", "locks.read")
PATIENCE = 20


def new_secret() -> str:
    return "whsec_" + base64.b64encode(secrets.token_bytes(32)).decode()


@pytest.fixture
def receiver():
    with Receiver() as one:
        yield one


class Company:
    """A server that tells a receiver, with a client and somebody who connects."""

    def __init__(self, server, url: str, secret: str | None = None, *options: str):
        self.server = server
        self.secret = secret or new_secret()
        server.canaries.add("webhook secret", self.secret)
        server.extra_environment |= {"LATCHKEY_WEBHOOK_URL": url, "LATCHKEY_WEBHOOK_SECRET": self.secret}
        server.extra_environment["LATCHKEY_LOG_LEVEL"] = "trace"
        self.client = server.create_client(*WEB, *options, name="Told partner")
        self.person = Person(server, server.create_account())

    def start(self) -> "Company":
        self.server.start()
        return self

    def connect(self):
        return self.person.connect(self.client)

    def connections(self) -> list[dict]:
        return self.server.command("connection", "list", "--client", self.client.client_id)

    def events(self) -> list[dict]:
        return self.server.command("webhook", "list")


def test_webhooks_a_connection_is_announced_when_it_is_made_and_when_it_is_cut(own_server, receiver):
    company = Company(own_server, receiver.url).start()
    tokens = company.connect()
    eventually(lambda: receiver.asked, PATIENCE)
    (made,) = receiver.asked
    assert verify(company.secret, made.headers, made.body)
    assert made.headers["content-type"] == "application/json"
    assert made.path == "/hook"
    (connection,) = company.connections()
    assert made.json["type"] == "connection.created"
    assert made.json["data"] == {
        "connection_id": connection["connection_id"],
        "client_id": company.client.client_id,
        "user_id": company.person.account.user_id,
        "scopes": ["locks.read"],
        "created_at": connection["created_at"],
    }
    own_server.command("connection", "revoke", connection["connection_id"])
    eventually(lambda: len(receiver.asked) == 2, PATIENCE)
    cut = receiver.asked[1]
    assert verify(company.secret, cut.headers, cut.body)
    assert cut.json["type"] == "connection.revoked"
    assert cut.json["data"]["why"] == "operator"
    assert cut.id != made.id
    eventually(lambda: {one["state"] for one in company.events()} == {"delivered"}, PATIENCE)
    for secret in (tokens.access, tokens.refresh, company.secret):
        assert secret.encode() not in made.body + cut.body


def test_webhooks_every_way_in_which_a_connection_ends_is_told_with_why(own_server, receiver):
    company = Company(own_server, receiver.url, None, "--refresh", "strict").start()
    client = company.client
    assert client.revoke(company.connect().refresh).status_code == 200
    reused = company.connect()
    client.refresh(reused.refresh)
    client.refresh(reused.refresh)
    code = company.person.authorize(client).code
    client.exchange(code)
    client.exchange(code)
    company.connect()
    own_server.command("client", "delete", client.client_id)
    eventually(lambda: len(receiver.of("connection.revoked")) == 4, PATIENCE)
    whys = [one.json["data"]["why"] for one in receiver.of("connection.revoked")]
    assert sorted(whys) == ["client", "client_deleted", "code_replayed", "token_reused"]
    (failing,) = receiver.of("connection.failing")
    assert failing.json["data"]["why"] == "token_reused"


def test_webhooks_a_failing_connection_is_told_once_a_day(own_server, receiver):
    company = Company(own_server, receiver.url).start()
    tokens = company.connect()
    wrong = company.client.using(client_secret="not-the-right-one-at-all")
    for _ in range(4):
        assert wrong.refresh(tokens.refresh).status_code == 401
    eventually(lambda: company.connections()[0]["last_error"], PATIENCE)
    assert receiver.of("connection.failing") == []
    for _ in range(12):
        wrong.refresh(tokens.refresh)
    eventually(lambda: receiver.of("connection.failing"), PATIENCE)
    (failing,) = receiver.of("connection.failing")
    assert failing.json["data"]["connection_id"] == company.connections()[0]["connection_id"]
    assert failing.json["data"]["why"] == "invalid_client"
    assert company.client.refresh(tokens.refresh).status_code == 200, "failing is a notice, not a verdict"
    kinds = [one["type"] for one in company.events()]
    assert kinds.count("connection.failing") == 1


def test_webhooks_nothing_is_written_while_no_receiver_is_set(own_server):
    client = own_server.create_client(*WEB, name="Quiet partner")
    person = Person(own_server, own_server.create_account())
    own_server.start()
    person.connect(client)
    assert own_server.command("webhook", "list") == []


def test_webhooks_a_server_that_switches_them_off_says_so_once(own_server, receiver):
    Company(own_server, receiver.url).start()
    for name in ("LATCHKEY_WEBHOOK_URL", "LATCHKEY_WEBHOOK_SECRET"):
        del own_server.extra_environment[name]
    for _ in range(2):
        own_server.restart()
        assert own_server.log.count("webhooks are off from now on") == 1


def test_webhooks_a_receiver_that_was_down_is_told_later_in_order(own_server):
    port = free_port()
    company = Company(own_server, f"http://127.0.0.1:{port}/hook").start()
    company.connect()
    (connection,) = company.connections()
    own_server.command("connection", "revoke", connection["connection_id"])
    eventually(lambda: any(one["last_error"] for one in company.events()), PATIENCE)
    revoked, created = company.events()
    assert (created["state"], revoked["state"]) == ("retrying", "waiting"), "the later event waits for the first"
    assert "no connection" in created["last_error"]
    with Receiver(port=port) as receiver:
        own_server.command("webhook", "retry", created["event_id"])
        eventually(lambda: len(receiver.asked) >= 2, PATIENCE)
        kinds = [one.json["type"] for one in receiver.asked]
        assert kinds == ["connection.created", "connection.revoked"]
        assert receiver.asked[0].id == created["event_id"]


def test_webhooks_a_failed_attempt_is_made_again_by_itself_with_the_same_id(own_server):
    answers, is_seen = iter([500, (503, {"Retry-After": "1"}, b""), 301, 204]), threading.Event()

    def answer(_) -> Answer:
        # The second attempt, which comes by itself, is not over before the first was looked at.
        if len(receiver.asked) == 2:
            is_seen.wait(10)
        return next(answers, 204)

    with Receiver(answer) as receiver:
        company = Company(own_server, receiver.url).start()
        company.connect()
        eventually(lambda: receiver.asked, PATIENCE)
        eventually(lambda: company.events()[0]["last_status"] == 500, PATIENCE)
        is_seen.set()
        eventually(lambda: len(receiver.asked) >= 2, PATIENCE)  # after about 5 seconds
        assert len({one.id for one in receiver.asked}) == 1
        assert all(verify(company.secret, one.headers, one.body) for one in receiver.asked)
        for status in (503, 301):
            eventually(lambda status=status: company.events()[0]["last_status"] == status, PATIENCE)
            own_server.command("webhook", "retry", company.events()[0]["event_id"])
        eventually(lambda: company.events()[0]["state"] == "delivered", PATIENCE)
        assert company.events()[0]["attempts"] == 4


def test_webhooks_a_redirect_is_not_followed(own_server, receiver):
    with Receiver(lambda _: (302, {"Location": receiver.url}, b"")) as elsewhere:
        company = Company(own_server, elsewhere.url).start()
        company.connect()
        eventually(lambda: company.events() and company.events()[0]["last_status"] == 302, PATIENCE)
        assert receiver.asked == []


def test_webhooks_410_ends_it(own_server):
    with Receiver(lambda _: 410) as receiver:
        company = Company(own_server, receiver.url).start()
        company.connect()
        eventually(lambda: company.events() and company.events()[0]["state"] == "given_up", PATIENCE)
        assert company.events()[0]["attempts"] == 1


def test_webhooks_every_live_secret_signs(own_server, receiver):
    old, new = new_secret(), new_secret()
    company = Company(own_server, receiver.url, f"{old} {new}")
    for one in (old, new):
        own_server.canaries.add("webhook secret", one)
    company.start().connect()
    eventually(lambda: receiver.asked, PATIENCE)
    message = receiver.asked[0]
    assert verify(old, message.headers, message.body)
    assert verify(new, message.headers, message.body)
    assert not verify(new_secret(), message.headers, message.body)
    assert not verify(old, message.headers, message.body + b" ")
    assert not verify(old, message.headers | {"webhook-id": "evt_other"}, message.body)
    assert not verify(old, message.headers | {"webhook-timestamp": "1700000000"}, message.body)


def test_webhooks_kill_9_between_answer_and_note_delivers_again_with_the_same_id(own_server):
    reached, held = threading.Event(), threading.Event()

    def answer(_) -> int:
        reached.set()
        held.wait(10)
        return 204

    receiver = Receiver(answer)
    try:
        company = Company(own_server, receiver.url).start()
        company.connect()
        assert reached.wait(PATIENCE)
        own_server.kill()
        held.set()
        # The lease of the killed node is over after a minute.
        own_server.start(clock_offset=70)
        eventually(lambda: len(receiver.asked) >= 2, PATIENCE)
        assert len({one.id for one in receiver.asked}) == 1
        eventually(lambda: company.events()[0]["state"] == "delivered", PATIENCE)
    finally:
        held.set()
        receiver.stop()


def test_webhooks_what_was_committed_before_kill_9_is_told_after_it(own_server):
    port = free_port()
    company = Company(own_server, f"http://127.0.0.1:{port}/hook").start()
    company.connect()
    own_server.kill()
    with Receiver(port=port) as receiver:
        own_server.start(clock_offset=120)
        eventually(lambda: receiver.of("connection.created"), PATIENCE)


def test_webhooks_two_nodes_deliver_each_event_once(cluster, receiver):
    first, second = cluster.nodes
    company = Company(first, receiver.url)
    second.extra_environment |= first.extra_environment
    cluster.start()
    for number in range(15):
        node = cluster.nodes[number % 2]
        Person(node, company.person.account).connect(company.client.at(node))
    eventually(lambda: len(receiver.asked) >= 15, PATIENCE)
    eventually(lambda: {one["state"] for one in company.events()} == {"delivered"}, PATIENCE)
    assert len(receiver.asked) == 15, "nobody died, so nothing was sent twice"
    assert len({one.id for one in receiver.asked}) == 15


def test_webhooks_a_slow_receiver_slows_no_request(own_server):
    held = threading.Event()
    receiver = Receiver(lambda _: held.wait(30) and 204 or 204)
    try:
        company = Company(own_server, receiver.url).start()
        tokens = [company.connect() for _ in range(10)]
        for one in tokens:
            assert company.client.refresh(one.refresh).status_code == 200
        assert send("GET", own_server.base + "/readyz").status_code == 200
    finally:
        held.set()
        receiver.stop()


def test_webhooks_a_receiver_whose_answer_never_ends_holds_up_no_other_event(own_server):
    """It says 200, promises a body, and sends none: the next events are sent all the same."""
    taken: list[bytes] = []
    listener = socket.create_server(("127.0.0.1", 0))
    held: list[socket.socket] = []

    def take() -> None:
        while True:
            try:
                connection, _ = listener.accept()
            except OSError:
                return
            held.append(connection)
            taken.append(connection.recv(65536))
            connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n")

    threading.Thread(target=take, daemon=True).start()
    try:
        company = Company(own_server, f"http://127.0.0.1:{listener.getsockname()[1]}/hook").start()
        company.connect()
        eventually(lambda: company.events() and company.events()[0]["state"] == "delivered", PATIENCE)
        company.connect()
        eventually(lambda: {one["state"] for one in company.events()} == {"delivered"}, PATIENCE)
        assert len(company.events()) == len(taken) == 2
    finally:
        listener.close()
        for connection in held:
            connection.close()


def test_webhooks_all_connections_of_a_client_that_are_cut_in_the_console_are_told_of(own_server, receiver):
    company = Company(own_server, receiver.url).start()
    others = [Person(own_server, own_server.create_account()) for _ in range(2)]
    company.connect()
    for person in others:
        person.connect(company.client)
    Operator(own_server).join().press(f"/clients/{company.client.client_id}/disconnect")
    eventually(lambda: len(receiver.of("connection.revoked")) == 3, PATIENCE)
    told = [one.json["data"] for one in receiver.of("connection.revoked")]
    assert {one["why"] for one in told} == {"operator"}
    assert {one["user_id"] for one in told} == {each.account.user_id for each in [company.person, *others]}


def test_webhooks_test_tells_what_the_receiver_answers(own_server, receiver):
    company = Company(own_server, receiver.url)
    done = own_server.command("webhook", "test")
    assert done["delivered"] is True
    (message,) = receiver.asked
    assert message.json["type"] == "webhook.test"
    assert verify(company.secret, message.headers, message.body)
    receiver.answer = lambda _: 500
    check_one_line_error(own_server.run("webhook", "test"), "500")
    check_one_line_error(own_server.run("webhook", "show", "evt_nobody"))


def test_webhooks_test_tells_a_failed_handshake_from_a_receiver_that_is_not_there(own_server, receiver):
    Company(own_server, receiver.url.replace("http://", "https://"))
    check_one_line_error(own_server.run("webhook", "test"), "the connection failed", "SSL")
    own_server.extra_environment["LATCHKEY_WEBHOOK_URL"] = f"http://127.0.0.1:{free_port()}/"
    check_one_line_error(own_server.run("webhook", "test"), "nobody answers at its address")


@pytest.mark.parametrize(
    ("url", "secret"),
    [
        ("http://hooks.acme.example/in", None),
        ("ftp://hooks.acme.example/in", None),
        ("https://user:pass@hooks.acme.example/in", None),
        ("https://hooks.acme.example/in", "whsec_short"),
        ("https://hooks.acme.example/in", "hunter2hunter2hunter2hunter2hunter2"),
        ("https://hooks.acme.example/in", ""),
    ],
)
def test_webhooks_a_wrong_setting_stops_the_start_with_one_line(new_server, url, secret):
    server = new_server()
    server.extra_environment |= {
        "LATCHKEY_WEBHOOK_URL": url,
        "LATCHKEY_WEBHOOK_SECRET": new_secret() if secret is None else secret,
    }
    done = server.run("settings", "--check")
    check_one_line_error(done, "webhook-")
    if secret:
        assert secret not in done.stderr
