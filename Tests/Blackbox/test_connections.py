"""What a connection is answered, however its client writes to it and reads from it: RFC 9112 §9."""

import json
import re
import socket
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from http.client import HTTPResponse

import pytest

from toolkit.process import Latchkey
from toolkit.wire import send

PATIENCE = 20.0
"""How many seconds a test waits for what must happen."""
BODY_LIMIT = 64 * 1024
"""What the server reads of a body at most."""


class Wire:
    """A connection of which a test writes every byte."""

    def __init__(self, server: Latchkey):
        self.socket = socket.create_connection(("127.0.0.1", server.port), PATIENCE)
        # One reader for all answers: each would keep what it has read too much.
        self.reader = self.socket.makefile("rb")

    def __enter__(self) -> "Wire":
        return self

    def __exit__(self, *_: object) -> None:
        self.reader.close()
        self.socket.close()

    def send(self, *pieces: bytes) -> None:
        self.socket.sendall(b"".join(pieces))

    def makefile(self, _mode: str) -> "_Unclosed":
        """What an answer reads from."""
        return _Unclosed(self.reader)

    def answer(self) -> tuple[int, dict[str, str], bytes]:
        """The next answer: its status, its fields and its body."""
        response = HTTPResponse(self)
        response.begin()
        return response.status, {name.lower(): value for name, value in response.getheaders()}, response.read()

    def has_ended(self) -> bool:
        return self.reader.read(1) == b""


class _Unclosed:
    """A reader that an answer at its end does not close: there may be another one behind it."""

    def __init__(self, reader: object):
        self.reader = reader

    def __getattr__(self, name: str) -> object:
        return getattr(self.reader, name)

    def close(self) -> None:
        pass


def get(path: str, *fields: str) -> bytes:
    return "\r\n".join([f"GET {path} HTTP/1.1", "Host: a", *fields, "", ""]).encode()


def post(body: bytes, *fields: str) -> bytes:
    lines = ["POST /oauth/token HTTP/1.1", "Host: a", "Content-Type: application/x-www-form-urlencoded", *fields]
    return "\r\n".join([*lines, "", ""]).encode() + body


def test_RFC9112_9_3_2_requests_that_were_sent_ahead_are_answered_in_their_order(sqlite_server):
    # Some take longer than others: a document, a page, a path that nobody serves, a client that has to be looked for.
    wanted = [
        ("/oauth/jwks", 200, b'"keys"'),
        ("/login", 403, b"<html"),
        ("/nowhere", 404, b""),
        ("/.well-known/oauth-authorization-server", 200, b'"issuer"'),
    ]
    refused = b"grant_type=refresh_token&client_id=nobody&client_secret=x&refresh_token=y"
    with Wire(sqlite_server) as wire:
        for _ in range(3):
            ahead = [get(path) for path, _, _ in wanted] + [post(refused, f"Content-Length: {len(refused)}")]
            wire.send(*ahead * 20)
            for _ in range(20):
                for path, status, content in wanted:
                    answered, _, body = wire.answer()
                    assert (answered, content in body) == (status, True), (path, answered, body)
                answered, _, body = wire.answer()
                assert (answered, json.loads(body)["error"]) == (401, "invalid_client")


HEADS = ["/healthz", "/readyz", "/oauth/jwks", "/.well-known/oauth-authorization-server", "/nowhere", "/oauth/token"]


@pytest.mark.parametrize("path", HEADS)
def test_RFC9110_9_3_2_an_answer_to_head_has_no_body(sqlite_server, path):
    head = get(path, "Accept: text/html").replace(b"GET", b"HEAD", 1)
    with Wire(sqlite_server) as wire:
        wire.send(head, head, get("/oauth/jwks", "Connection: close"))
        everything = wire.reader.read()
    first, second, document = everything.split(b"HTTP/1.1 ")[1:]
    for answer in (first, second):
        header, _, rest = answer.partition(b"\r\n\r\n")
        assert rest == b"", (path, rest)
        assert b"content-length:" in header.lower(), header
    assert b'"keys"' in document


@pytest.mark.parametrize("spelling", ["close", "Close", "TE, close", "close,TE", "keep-alive , CLOSE"])
def test_RFC9112_9_6_a_request_that_is_the_last_one_is_the_last_one_in_any_spelling(sqlite_server, spelling):
    with Wire(sqlite_server) as wire:
        wire.send(get("/oauth/jwks", f"Connection: {spelling}"))
        status, fields, _ = wire.answer()
        assert (status, fields["connection"]) == (200, "close")
        assert wire.has_ended()


def head(version: str, *fields: str, target: str = "/healthz") -> bytes:
    """A request whose fields are these alone."""
    return "\r\n".join([f"GET {target} HTTP/{version}", *fields, "", ""]).encode()


HOSTLESS = [
    [],
    ["Host: a", "Host: a"],
    ["host: a", "HOST: b"],
    ["Host: a b"],
    ["Host: a/b"],
    ["Host: user@a"],
    ["Host: a, b"],
    ["Host: a:b"],
    ["Host: a:80:80"],
    ["Host: [::1"],
    ["Host: [::1]a"],
    ["Host: <a>"],
    ["Host: ä"],
]


@pytest.mark.parametrize("fields", HOSTLESS, ids=" ".join)
@pytest.mark.parametrize("target", ["/healthz", "http://a/healthz"])
def test_RFC9112_3_2_a_request_that_does_not_name_one_host_is_refused(sqlite_server, fields, target):
    with Wire(sqlite_server) as wire:
        # What comes behind it is not heard, and takes nothing away from the answer.
        wire.send(head("1.1", *fields, target=target), get("/oauth/jwks"), b"this is not HTTP\r\n\r\n")
        status, answered, body = wire.answer()
        assert (status, answered["connection"], json.loads(body)["error"]) == (400, "close", "invalid_request")
        assert "Host" in json.loads(body)["error_description"]
        assert wire.has_ended()


def test_RFC9112_3_2_a_request_that_names_no_host_is_refused_after_the_answers_to_those_before_it(sqlite_server):
    with Wire(sqlite_server) as wire:
        wire.send(get("/login"), get("/oauth/jwks"), head("1.1"))
        assert [wire.answer()[0] for _ in range(3)] == [403, 200, 400]
        assert wire.has_ended()


def test_a_refusal_to_a_head_request_that_names_no_host_has_no_body(sqlite_server):
    with Wire(sqlite_server) as wire:
        wire.send(head("1.1").replace(b"GET", b"HEAD", 1))
        answered = wire.reader.read()
    assert answered.startswith(b"HTTP/1.1 400 ")
    assert answered.endswith(b"\r\n\r\n")


HOSTS = ["a", "a:80", "a:", "", "  a\t", "127.0.0.1:8080", "[::1]", "[::1]:8080", "my_node-1.example", "a%2Db", "-"]


@pytest.mark.parametrize("host", HOSTS)
@pytest.mark.parametrize("target", ["/healthz", "http://b/healthz"])
def test_RFC9112_3_2_whatever_can_be_a_host_is_one(sqlite_server, host, target):
    with Wire(sqlite_server) as wire:
        wire.send(head("1.1", f"Host: {host}", target=target))
        assert wire.answer()[0] == 200


@pytest.mark.parametrize("coding", ["", " \t", ",", "identity", "chunked, identity"])
@pytest.mark.parametrize("version", ["1.1", "1.0"])
def test_RFC9112_6_3_a_body_that_is_not_said_to_be_chunked_at_last_is_refused(sqlite_server, version, coding):
    request = head(version, "Host: a", f"Transfer-Encoding: {coding}", target="/login").replace(b"GET", b"POST", 1)
    with Wire(sqlite_server) as wire:
        # Nothing behind it is a request: somebody in between may have taken it for the body.
        wire.send(request, get("/oauth/jwks"))
        status, answered, _ = wire.answer()
        assert (status, answered["connection"]) == (400, "close")
        assert wire.has_ended()


@pytest.mark.parametrize(
    "codings", ["gzip, chunked", "GZIP ,Chunked ", "identity,chunked", "gzip\r\nTransfer-Encoding: chunked"]
)
@pytest.mark.parametrize("version", ["1.1", "1.0"])
def test_RFC9112_6_1_a_body_that_is_packed_is_not_taken_for_a_plain_one(sqlite_server, version, codings):
    request = post(b"1\r\nx\r\n0\r\n\r\n", f"Transfer-Encoding: {codings}")
    with Wire(sqlite_server) as wire:
        wire.send(request.replace(b"HTTP/1.1", f"HTTP/{version}".encode(), 1), get("/oauth/jwks"))
        status, answered, body = wire.answer()
        assert (status, answered["connection"], json.loads(body)["error"]) == (501, "close", "invalid_request")
        assert wire.has_ended()


@pytest.mark.parametrize("path", ["/healthz", "/readyz", "/metrics"])
def test_RFC9112_9_3_a_probe_by_HTTP_1_0_needs_no_host_and_is_let_go_after_its_answer(sqlite_server, path):
    with Wire(sqlite_server) as wire:
        wire.send(head("1.0", target=path))
        status, fields, _ = wire.answer()
        assert (status, fields["connection"]) == (200, "close")
        assert wire.has_ended()


def test_RFC9112_9_3_a_client_of_HTTP_1_0_keeps_its_connection_if_it_asks_to(sqlite_server):
    with Wire(sqlite_server) as wire:
        for _ in range(2):
            wire.send(head("1.0", "Connection: Keep-Alive"))
            status, fields, _ = wire.answer()
            assert (status, fields["connection"]) == (200, "keep-alive")
        wire.send(b"this is not HTTP\r\n\r\n")
        status, fields, _ = wire.answer()
        assert (status, fields["connection"]) == (400, "close")
        assert wire.has_ended()


def test_RFC9110_10_1_1_HTTP_1_0_knows_no_leave_to_send_a_body(sqlite_server):
    body = b"grant_type=refresh_token&client_id=nobody&client_secret=x&refresh_token=y"
    with Wire(sqlite_server) as wire:
        request = post(body, f"Content-Length: {len(body)}", "Expect: 100-continue")
        wire.send(request.replace(b"HTTP/1.1", b"HTTP/1.0", 1))
        assert wire.reader.readline() == b"HTTP/1.1 401 Unauthorized\r\n"


def test_RFC9110_10_1_1_a_client_that_waits_for_leave_to_send_its_body_is_given_it(sqlite_server):
    body = b"grant_type=refresh_token&client_id=nobody&client_secret=x&refresh_token=y"
    with Wire(sqlite_server) as wire:
        for ahead in (0, 0, 3):
            # Those before it are answered first.
            wire.send(*[get("/oauth/jwks")] * ahead, post(b"", f"Content-Length: {len(body)}", "Expect: 100-continue"))
            assert all(wire.answer()[0] == 200 for _ in range(ahead))
            assert wire.reader.readline() == b"HTTP/1.1 100 Continue\r\n"
            while wire.reader.readline() != b"\r\n":
                pass
            wire.send(body)
            status, _, answer = wire.answer()
            assert (status, json.loads(answer)["error"]) == (401, "invalid_client")


def test_a_body_that_is_announced_too_large_is_refused_before_it_is_sent(sqlite_server):
    with Wire(sqlite_server) as wire:
        wire.send(post(b"", f"Content-Length: {BODY_LIMIT + 1}", "Expect: 100-continue"))
        status, _, body = wire.answer()
        assert (status, json.loads(body)["error"]) == (413, "invalid_request")
        # Whoever sends it nonetheless is not taken for another request.
        wire.send(b"GET /nowhere HTTP/1.1\r\n".ljust(BODY_LIMIT + 1, b"x"), get("/oauth/jwks"))
        status, _, body = wire.answer()
        assert (status, b'"keys"' in body) == (200, True)


def test_a_body_that_grows_too_large_is_refused_while_it_comes(sqlite_server):
    chunk = b"1000\r\n" + b"x" * 0x1000 + b"\r\n"
    with Wire(sqlite_server) as wire:
        wire.send(post(b"", "Transfer-Encoding: chunked"), *[chunk] * (BODY_LIMIT // 0x1000), b"1\r\nx\r\n")
        status, _, body = wire.answer()
        assert (status, json.loads(body)["error"]) == (413, "invalid_request")
        wire.send(*[chunk] * 100, b"0\r\n\r\n", get("/oauth/jwks"))
        status, _, body = wire.answer()
        assert (status, b'"keys"' in body) == (200, True)


def test_a_body_of_the_largest_size_is_read(sqlite_server):
    refused = b"grant_type=refresh_token&client_id=nobody&client_secret=x&refresh_token="
    with Wire(sqlite_server) as wire:
        wire.send(post(refused.ljust(BODY_LIMIT, b"y"), f"Content-Length: {BODY_LIMIT}"))
        status, _, body = wire.answer()
    assert (status, json.loads(body)["error"]) == (401, "invalid_client")


def test_what_is_no_http_behind_good_requests_ends_the_connection_after_their_answers(sqlite_server):
    with Wire(sqlite_server) as wire:
        wire.send(get("/login"), get("/oauth/jwks"), b"this is not HTTP\r\n\r\n")
        assert [wire.answer()[0], wire.answer()[0]] == [403, 200]
        status, fields, _ = wire.answer()
        assert (status, fields["connection"]) == (400, "close")
        assert wire.has_ended()


@pytest.mark.parametrize(("path", "status"), [("/oauth/jwks", 200), ("/login", 403)])
def test_RFC9112_9_6_a_client_that_sends_nothing_more_gets_all_its_answers(sqlite_server, path, status):
    with Wire(sqlite_server) as wire:
        wire.send(get(path) * 5)
        wire.socket.shutdown(socket.SHUT_WR)
        assert [wire.answer()[0] for _ in range(5)] == [status] * 5
        assert wire.has_ended()


def test_RFC9112_9_6_nothing_is_answered_behind_the_last_request(sqlite_server):
    with Wire(sqlite_server) as wire:
        wire.send(get("/oauth/jwks"), get("/login", "Connection: close"), get("/oauth/jwks"))
        assert [wire.answer()[0], wire.answer()[0]] == [200, 403]
        assert wire.has_ended()


def test_a_client_that_takes_no_answers_is_given_no_more(sqlite_server):
    """More than the sockets of both sides hold: then the server reads no more either, and holds no more."""
    # A long request: fewer of them fill the sockets, and fewer answers have to be read in the end.
    request = get("/.well-known/oauth-authorization-server", "X-Padding: " + "x" * 1000)
    with Wire(sqlite_server) as wire:
        wire.send(request)
        status, _, content = wire.answer()
        assert status == 200
        before = sqlite_server.memory()
        wire.socket.settimeout(2)
        sent = sent_until_full(wire, request * 100) * 100
        assert sqlite_server.memory() - before < 64 << 20
        wire.socket.settimeout(PATIENCE)
        for _ in range(sent):
            assert wire.answer()[2] == content


def sent_until_full(wire: Wire, piece: bytes) -> int:
    """How many pieces the other side has taken when it takes no more; the last of them may be half there."""
    for sent in range(10_000):
        try:
            wire.send(piece)
        except TimeoutError:
            return sent
    raise AssertionError("the server reads for ever from a client that takes no answers")


def test_RFC9110_6_6_1_answers_say_when_they_were_made(sqlite_server):
    with Wire(sqlite_server) as wire:
        wire.send(get("/oauth/jwks"))
        _, fields, _ = wire.answer()
    said = parsedate_to_datetime(fields["date"])
    assert abs(datetime.now(UTC) - said) < timedelta(seconds=5)
    assert fields["date"] == said.strftime("%a, %d %b %Y %H:%M:%S GMT")


@pytest.mark.parametrize(
    "request_to_switch",
    [
        get(
            "/healthz",
            "Connection: Upgrade, HTTP2-Settings",
            "Upgrade: h2c",
            "HTTP2-Settings: AAMAAABkAARAAAAAAAIAAAAA",
        ),
        get("/healthz", "Connection: keep-alive, upgrade", "Upgrade: anything"),
        get("/healthz", "Connection: upgrade,\N{COMBINING ACUTE ACCENT}", "Upgrade: anything"),
        b"CONNECT elsewhere.example:443 HTTP/1.1\r\nHost: elsewhere.example:443\r\n\r\n",
    ],
    ids=["HTTP/2", "anything", "an accent on a comma", "tunnel"],
)
def test_RFC9110_7_8_a_request_to_switch_is_answered_and_ends_its_connection(sqlite_server, request_to_switch):
    # A proxy would give the connection to somebody else, whose request the decoder would keep and nobody answer.
    with Wire(sqlite_server) as wire:
        wire.send(request_to_switch, get("/healthz"))
        status, fields, _ = wire.answer()
        assert status == (200 if request_to_switch.startswith(b"GET") else 404), status
        assert fields["connection"] == "close"
        assert wire.has_ended()


def test_RFC9112_6_1_a_body_in_parts_by_HTTP_1_0_is_its_connections_last(sqlite_server):
    with Wire(sqlite_server) as wire:
        head = b"POST /oauth/token HTTP/1.0\r\nConnection: keep-alive\r\nTransfer-Encoding: chunked\r\n\r\n"
        wire.send(head + b"0\r\n\r\n", get("/healthz"))
        assert wire.answer()[0] == 400
        assert wire.has_ended()


def test_RFC9112_9_6_a_client_that_has_said_all_and_reads_slowly_gets_every_answer(sqlite_server):
    # More than the socket takes at once, so that some of it is still to be written when the client's half is closed.
    path = re.search(
        r'href="(/[^"]*/latchkey-[0-9a-f]+\.css)"', send("GET", sqlite_server.base + "/account/sign-in").text
    )[1]
    asked = 300
    with socket.socket() as client:
        client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        client.settimeout(PATIENCE)
        client.connect(("127.0.0.1", sqlite_server.port))
        client.sendall(get(path) * asked)
        client.shutdown(socket.SHUT_WR)
        received = b"".join(iter(lambda: client.recv(4096), b""))
    assert received.count(b"HTTP/1.1 200 OK") == asked
    assert received.endswith(send("GET", sqlite_server.base + path).content)
