"""The log: one object on a line, under the id that the caller sees, and never a reason to wait."""

import os
import re
import subprocess
import threading
import time

import pytest

from toolkit.databases import Postgres, PostgresServer
from toolkit.person import Person
from toolkit.process import BINARY
from toolkit.seeing import events, lines, scrape
from toolkit.waiting import eventually
from toolkit.wire import send

TRACE = "4bf92f3577b34da6a3ce929d0e0e4736"


def web(server):
    return server.create_client("--redirect-uri", "https://partner.example/callback", "--scope", "locks.read")


def told_under(server, request_id: str) -> list[dict]:
    return [line for line in lines(server) if line.get("request_id") == request_id]


def test_every_line_is_one_object_of_documented_members(sqlite_server, person):
    connected = person.connect(sqlite_server.partners.web)
    sqlite_server.partners.web.refresh(connected.refresh + "x")
    told = lines(sqlite_server)
    assert len(told) > 10
    assert {"debug", "info", "notice"} <= {line["level"] for line in told}


def test_the_caller_sees_the_id_that_the_log_has(sqlite_server):
    answer = sqlite_server.partners.web.refresh("lkr_nonsense")
    told = told_under(sqlite_server, answer.headers["X-Request-Id"])
    assert ["refused: " in line["message"] for line in told] == [True, False]
    assert told[0]["error"] == "invalid_grant"
    assert told[1] | {"time": "", "microseconds": ""} == {
        "time": "",
        "level": "debug",
        "logger": "latchkey",
        "message": "answered",
        "endpoint": "/oauth/token",
        "method": "POST",
        "microseconds": "",
        "request_id": answer.headers["X-Request-Id"],
        "status": "400",
    }


def test_O01_a_secret_that_lost_its_name_is_not_in_the_log(sqlite_server):
    web = sqlite_server.partners.web
    answer = web.post("/oauth/token", [(web.client_secret, ""), (web.client_secret, "")])
    told = told_under(sqlite_server, answer.headers["X-Request-Id"])
    assert told[0]["message"] == "refused: the parameter '(a client secret)' was sent more than once"
    assert web.client_secret[:20] not in answer.text


def test_every_answer_has_an_id_be_the_path_known_or_not(sqlite_server):
    for path in ("/healthz", "/nosuch", "/oauth/nosuch"):
        assert send("GET", sqlite_server.base + path).headers["X-Request-Id"], path


def test_what_no_route_takes_is_one_line_too(sqlite_server):
    for method, path, status in (("GET", "/nosuch", "404"), ("DELETE", "/oauth/token", "405")):
        answer = send(method, sqlite_server.base + path)
        (line,) = told_under(sqlite_server, answer.headers["X-Request-Id"])
        said = [line[name] for name in ("level", "message", "endpoint", "method", "status")]
        assert said == ["debug", "answered", "other", "other", status]


def test_a_trusted_proxys_id_and_trace_are_taken(new_server):
    server = new_server(environment={"LATCHKEY_TRUSTED_PROXIES": "127.0.0.1"})
    client = web(server)
    server.start()
    headers = {"X-Request-Id": "proxy-0123456789.abc_DEF", "traceparent": f"00-{TRACE}-00f067aa0ba902b7-01"}
    answer = client.post("/oauth/token", {"grant_type": "refresh_token", "refresh_token": "lkr_x"}, headers)
    assert answer.headers["X-Request-Id"] == "proxy-0123456789.abc_DEF"
    (line,) = told_under(server, "proxy-0123456789.abc_DEF")
    assert line["trace_id"] == TRACE
    for malformed in ("short", "x" * 65, "white space", 'quote"12345', "sémi-é-0000", "a,bcdefgh"):
        answer = send("GET", server.base + "/healthz", headers={"X-Request-Id": malformed.encode()})
        assert re.fullmatch("[0-9a-f]{17,32}", answer.headers["X-Request-Id"]), malformed


def test_a_strangers_id_and_trace_are_not_taken(sqlite_server):
    given = "stranger-0123456789"
    headers = {"X-Request-Id": given, "traceparent": f"00-{TRACE}-00f067aa0ba902b7-01"}
    answer = send("GET", sqlite_server.base + "/healthz", headers=headers)
    assert answer.headers["X-Request-Id"] != given
    assert given not in sqlite_server.log
    assert TRACE not in sqlite_server.log


def test_text_is_for_people_wherever_it_goes(new_server):
    server = new_server(environment={"LATCHKEY_LOG_FORMAT": "text"})
    client = web(server)
    server.start()
    answer = client.refresh("lkr_nonsense")
    (line,) = [line for line in server.log.splitlines() if answer.headers["X-Request-Id"] in line]
    assert re.match(
        r"\d{4}-\d\d-\d\dT[\d:.]+Z info    refused: .* client=\S+ error=invalid_grant request_id=\S+$", line
    )


def test_a_wrong_format_is_told_with_the_right_ones(new_server):
    done = new_server().run("serve", "--log-format", "xml")
    assert done.returncode == 1
    assert "text, json" in done.stderr


class SlowReader:
    """A server whose standard error is a pipe that nobody reads until the test does."""

    def __init__(self, server):
        self.server = server
        self.reading, writing = os.pipe()
        command = [BINARY, "serve", "--listen", f"127.0.0.1:{server.port}", "--database", server.database.url]
        self.process = server.process = subprocess.Popen(
            command, cwd=server.folder, env=server.environment, stdin=subprocess.DEVNULL, stdout=writing, stderr=writing
        )
        os.close(writing)
        server.wait_until_ready()

    def read_to_the_end(self) -> bytes:
        content = b""
        while piece := os.read(self.reading, 1 << 20):
            content += piece
        return content


@pytest.fixture
def slow(new_server):
    server = new_server(options=(), environment={"LATCHKEY_LOG_LEVEL": "debug"})
    client = web(server)
    return SlowReader(server), client


def flood(client, count: int) -> float:
    began = time.monotonic()
    for _ in range(count):
        assert client.refresh("lkr_nonsense").status_code == 400
    return time.monotonic() - began


def test_a_reader_who_does_not_read_makes_nobody_wait(slow):
    reader, client = slow
    server = reader.server
    flood(client, 400)  # two lines each: more than the 64 KiB of a pipe
    assert scrape(server)["latchkey_log_lines_dropped_total"].value() == 0, "the queue takes them all"
    ended = threading.Thread(target=reader.process.wait)
    content = []
    drain = threading.Thread(target=lambda: content.append(reader.read_to_the_end()))
    drain.start()
    reader.process.terminate()
    ended.start()
    ended.join(30)
    drain.join(30)
    told = content[0].splitlines()
    assert sum(b"refused: " in line for line in told) == 400, "what waited is written at the end"
    assert all(line.startswith(b"{") and line.endswith(b"}") for line in told)
    server.process = None


def test_a_server_ends_although_nobody_reads_its_log(slow):
    reader, client = slow
    flood(client, 400)
    reader.process.terminate()
    assert reader.process.wait(timeout=30) == 0
    reader.server.process = None


def test_a_log_that_nobody_will_ever_read_ends_no_server(slow):
    reader, client = slow
    os.close(reader.reading)
    flood(client, 50)
    eventually(lambda: scrape(reader.server)["latchkey_log_lines_dropped_total"].value() >= 50, 20)
    assert reader.process.poll() is None


def test_a_request_in_flight_of_a_person_leaves_no_secret_in_the_log(own_server):
    own_server.extra_environment |= {"LATCHKEY_LOG_LEVEL": "trace"}
    client, account = web(own_server), own_server.create_account()
    own_server.start()
    person = Person(own_server, account)
    connected = person.connect(client)
    client.refresh(connected.refresh)
    client.introspect(connected.access)
    client.revoke(connected.refresh)
    client.refresh(connected.refresh)
    assert not own_server.canaries.found_in(own_server.log_path.read_bytes())
    assert account.email not in own_server.log


def test_F05_an_outage_is_told_and_does_not_fill_the_log(new_server):
    database = PostgresServer()
    try:
        server = new_server(database=Postgres(database.url))
        client = web(server)
        server.start()
        database.halt()
        answers = [client.refresh("lkr_" + "A" * 60) for _ in range(300)]
        assert {answer.status_code for answer in answers} == {503}

        def unavailable() -> list[dict]:
            return [line for line in lines(server) if line.get("event") == "unavailable"]

        eventually(lambda: sum(int(line.get("times", 1)) for line in unavailable()) == len(answers), 30)
        assert events(server)["unavailable"] == len(answers)
        assert len(unavailable()) < 30
        for answer in answers:
            assert len(told_under(server, answer.headers["X-Request-Id"])) <= 1, "a 503 is one line at most"
        seen = scrape(server)["latchkey_database_refusals_total"]
        assert seen.value(reason="away") > 250
        assert seen.value(reason="busy") == 0
        server.kill()
    finally:
        database.stop()


def test_F05_that_no_webhooks_are_delivered_in_an_outage_is_told_once(new_server):
    receiver = {"LATCHKEY_WEBHOOK_URL": "http://127.0.0.1:9/", "LATCHKEY_WEBHOOK_SECRET": "whsec_" + "A" * 32}
    database = PostgresServer()
    try:
        server = new_server(database=Postgres(database.url), environment=receiver).start()

        def told() -> list[dict]:
            return [line for line in lines(server) if "outbox" in line["message"]]

        def refused() -> float:
            return scrape(server)["latchkey_database_refusals_total"].value(reason="away")

        database.halt()
        eventually(told, 30)
        # The node asks some five times a second by itself, so that these take it seconds.
        before = refused()
        eventually(lambda: refused() > before + 20, 60)
        assert len(told()) == 1
        server.kill()
    finally:
        database.stop()
