"""A node that is told to end loses nobody's request: security.md row F11."""

import os
import signal
import socket
import time
from pathlib import Path

import pytest
import requests

from toolkit.process import Latchkey
from toolkit.waiting import eventually
from toolkit.wire import send

PATIENCE = 20.0


def wait_until_not_ready(server: Latchkey) -> requests.Response:
    return eventually(
        lambda: send("GET", server.base + "/readyz"),
        PATIENCE,
        "the server stays ready",
        enough=lambda answer: answer.status_code != 200,
        pause=0,
    )


def test_F11_a_server_that_is_told_to_end_is_not_ready_at_once_and_serves_on_for_the_drain(new_server):
    server = new_server(environment={"LATCHKEY_SHUTDOWN_DRAIN": "5s"}).start()
    assert "close" not in send("GET", server.base + "/healthz").headers.get("Connection", "")
    server.process.send_signal(signal.SIGTERM)
    answer = wait_until_not_ready(server)
    assert answer.status_code == 503
    assert answer.json()["ok"] is False
    assert "shutting down" in answer.json()["missing"][0]
    serving = send("GET", server.base + "/oauth/jwks")
    assert serving.status_code == 200
    assert serving.headers["Connection"] == "close"
    assert server.process.wait(timeout=PATIENCE) == 0
    server.process = None


def test_F11_sighup_ends_nothing(new_server):
    server = new_server().start()
    server.process.send_signal(signal.SIGHUP)
    eventually(lambda: "SIGHUP changes nothing" in server.log, PATIENCE)
    assert send("GET", server.base + "/readyz").status_code == 200


def test_F11_a_second_signal_ends_the_server_at_once(new_server):
    server = new_server(environment={"LATCHKEY_SHUTDOWN_DRAIN": "5m"}).start()
    server.process.send_signal(signal.SIGTERM)
    wait_until_not_ready(server)
    server.process.send_signal(signal.SIGINT)
    assert server.process.wait(timeout=PATIENCE) == 128 + signal.SIGINT
    server.process = None


def test_F11_a_signal_to_a_process_and_then_to_its_group_is_one(new_server):
    server = new_server()
    server.prefix = ("timeout", "--preserve-status", "60")
    # The system may make one of the two by itself.
    for _ in range(8):
        server.start()
        assert server.stop() == 0
    assert "a second time" not in server.log


REQUEST = (
    b"POST /oauth/token HTTP/1.1\r\nHost: a\r\nContent-Type: application/x-www-form-urlencoded\r\n"
    b"Content-Length: 29\r\n\r\n"
)


def wait_for_socket(line: socket.socket, is_there) -> bool:
    """Waits until the kernel's row of the server's end of a connection (proc(5)) is as it should be, or is gone."""
    ends = [f":{end[1]:04X}" for end in (line.getpeername(), line.getsockname())]

    def row() -> list[str] | None:
        rows = [row.split() for row in Path("/proc/net/tcp").read_text().splitlines()[1:]]
        return next((cells for cells in rows if [cells[1][8:], cells[2][8:]] == ends), None)

    what = "the server's end of the connection is as it was"
    last = eventually(row, PATIENCE, what, enough=lambda row: row is None or is_there(row), pause=0.01)
    return last is not None


def wait_until_read(line: socket.socket) -> None:
    """Waits until the server has taken everything that was sent: the kernel keeps nothing back for it."""
    assert wait_for_socket(line, lambda row: row[4].endswith(":00000000")), "the server closed the connection"


def wait_until_ended(line: socket.socket) -> None:
    """Waits until the server has said that it sends nothing more."""
    established = "01"
    wait_for_socket(line, lambda row: row[3] != established)


def test_F11_a_request_that_is_being_read_is_answered(new_server):
    server = new_server().start()
    with socket.create_connection(("127.0.0.1", server.port), PATIENCE) as line:
        line.sendall(REQUEST)
        wait_until_read(line)
        server.process.send_signal(signal.SIGTERM)
        wait_until_closed(server)
        line.sendall(b"grant_type=authorization_code")
        answer = line.recv(65536)
    assert answer.startswith((b"HTTP/1.1 400 ", b"HTTP/1.1 401 ")), answer
    assert server.process.wait(timeout=PATIENCE) == 0
    server.process = None


def wait_until_closed(server: Latchkey) -> None:
    """Waits until nothing is accepted any more."""

    def is_closed() -> bool:
        try:
            socket.create_connection(("127.0.0.1", server.port), PATIENCE).close()
        except OSError:
            return True
        return False

    eventually(is_closed, PATIENCE, "the server accepts connections")


def test_F11_a_request_that_never_ends_does_not_hold_the_end_up(new_server):
    server = new_server(environment={"LATCHKEY_ARRIVAL_LIMIT": "5m"}).start()
    with socket.create_connection(("127.0.0.1", server.port), PATIENCE) as line:
        line.sendall(REQUEST)
        wait_until_read(line)
        began = time.monotonic()
        server.process.send_signal(signal.SIGTERM)
        assert server.process.wait(timeout=60) == 0
        assert time.monotonic() - began < 30, "the bound is 10 seconds"
        server.process = None


GREETING = b"GET /healthz HTTP/1.1\r\nHost: a\r\n\r\n"
PICTURE = b"GET /assets/picture.png HTTP/1.1\r\nHost: a\r\n\r\n"
PICTURE_BYTES = 1 << 20


def picture_server(new_server, tmp_path: Path, drain: str, size: int = PICTURE_BYTES) -> Latchkey:
    """A server with an asset, by default one that is far larger than what the kernel keeps for a slow reader."""
    folder = tmp_path / "pages"
    folder.mkdir()
    (folder / "picture.png").write_bytes(os.urandom(size))
    environment = {"LATCHKEY_SHUTDOWN_DRAIN": drain, "LATCHKEY_TEMPLATES": str(folder)}
    return new_server(environment=environment).start()


def slow_line(server: Latchkey) -> socket.socket:
    """A connection whose kernel takes a few KiB at a time, so that the server has to wait for its client."""
    line = socket.socket()
    line.settimeout(PATIENCE)
    line.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    line.setsockopt(socket.IPPROTO_TCP, socket.TCP_MAXSEG, 536)
    line.connect(("127.0.0.1", server.port))
    return line


def rest_of(line: socket.socket) -> bytes:
    """Everything until the server ends the connection."""
    received = b""
    while piece := line.recv(65536):
        received += piece
    return received


@pytest.mark.parametrize("drain", ["0s", "5s"])
def test_F11_a_client_that_reads_slowly_gets_its_whole_answer(new_server, tmp_path, drain):
    server = picture_server(new_server, tmp_path, drain)
    with slow_line(server) as before, slow_line(server) as after:
        # One answer is under way when the server is told to end, the other is asked for while it drains.
        before.sendall(PICTURE)
        answer = before.recv(4096)
        assert answer.startswith(b"HTTP/1.1 200 ")
        server.process.send_signal(signal.SIGTERM)
        if drain != "0s":
            wait_until_not_ready(server)
            after.sendall(PICTURE)
            late = rest_of(after)
            assert late.startswith(b"HTTP/1.1 200 ")
            assert b"connection: close" in late.split(b"\r\n\r\n", 1)[0].lower()
            assert len(late.split(b"\r\n\r\n", 1)[1]) == PICTURE_BYTES
        wait_until_closed(server)
        answer += rest_of(before)
    assert len(answer.split(b"\r\n\r\n", 1)[1]) == PICTURE_BYTES
    assert server.process.wait(timeout=PATIENCE) == 0
    server.process = None


def test_F11_a_client_that_does_not_read_does_not_hold_the_end_up(new_server, tmp_path):
    server = picture_server(new_server, tmp_path, "0s")
    with slow_line(server) as line:
        line.sendall(PICTURE)
        assert line.recv(1)
        server.process.send_signal(signal.SIGTERM)
        assert server.process.wait(timeout=60) == 0, "the bound is 10 seconds"
        server.process = None


def test_F11_after_its_last_answer_a_connection_hears_nothing(new_server, tmp_path):
    server = picture_server(new_server, tmp_path, "5s")
    with slow_line(server) as line:
        server.process.send_signal(signal.SIGTERM)
        wait_until_not_ready(server)
        line.sendall(PICTURE)
        answer = line.recv(4096)
        line.sendall(GREETING)
        answer += rest_of(line)
    assert answer.count(b"HTTP/1.1 200 ") == 1
    assert server.process.wait(timeout=PATIENCE) == 0
    server.process = None


def test_RFC9112_9_6_what_comes_after_the_last_answer_does_not_take_it_away(new_server, tmp_path):
    # The server's kernel takes all of it at once, and the client's only a part.
    size = 16 << 10
    server = picture_server(new_server, tmp_path, "5s", size)
    with slow_line(server) as line:
        server.process.send_signal(signal.SIGTERM)
        wait_until_not_ready(server)
        line.sendall(PICTURE)
        wait_until_ended(line)
        line.sendall(GREETING)
        answer = rest_of(line)
    assert answer.count(b"HTTP/1.1 200 ") == 1
    assert len(answer.split(b"\r\n\r\n", 1)[1]) == size
    assert server.process.wait(timeout=PATIENCE) == 0
    server.process = None


def test_RFC9112_9_6_a_client_that_keeps_an_ended_connection_does_not_hold_the_end_up(new_server):
    server = new_server(environment={"LATCHKEY_SHUTDOWN_DRAIN": "5s"}).start()
    with socket.create_connection(("127.0.0.1", server.port), PATIENCE) as line:
        server.process.send_signal(signal.SIGTERM)
        wait_until_not_ready(server)
        line.sendall(GREETING)
        assert rest_of(line).startswith(b"HTTP/1.1 200 ")
        assert server.process.wait(timeout=PATIENCE) == 0
        server.process = None
