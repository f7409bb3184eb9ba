"""Traces: spans of requests and their steps, sent to a collector as OTLP has it, that tell no secret."""

import socket
import sqlite3
import time
from collections.abc import Iterator

import pytest

from toolkit.collector import Collector
from toolkit.person import Person
from toolkit.ports import free_port
from toolkit.seeing import lines, scrape
from toolkit.waiting import eventually
from toolkit.wire import send

TRACE, PARENT = "4bf92f3577b34da6a3ce929d0e0e4736", "00f067aa0ba902b7"
PATIENCE = 20


@pytest.fixture
def collector() -> Iterator[Collector]:
    with Collector() as made:
        yield made


def web(server):
    return server.create_client("--redirect-uri", "https://partner.example/callback", "--scope", "locks.read")


def test_a_request_and_its_steps_are_spans_of_one_trace(own_server, collector):
    own_server.extra_environment |= {"LATCHKEY_TRACES_TO": collector.url, "LATCHKEY_TRACES_SHARE": "1"}
    client, account = web(own_server), own_server.create_account()
    own_server.start()
    connected = Person(own_server, account).connect(client)
    answer = client.refresh(connected.refresh)
    client.introspect(connected.access)
    eventually(lambda: collector.named("POST /oauth/introspect"), PATIENCE)
    (step,) = collector.named("ledger refresh")
    (request,) = [span for span in collector.named("POST /oauth/token") if span.id == step.parent]
    assert (step.trace, request.parent, request.kind, step.kind) == (request.trace, None, 2, 1)
    assert request.start <= step.start
    assert step.end <= request.end
    assert request.attributes == {
        "http.request.method": "POST",
        "http.response.status_code": 200,
        "http.route": "/oauth/token",
        "latchkey.request_id": answer.headers["X-Request-Id"],
    }
    assert len(collector.named("ledger redeem")) == len(collector.named("sign-in")) == 1
    assert len({span.trace for span in collector.named("POST /oauth/token")}) == 2
    connected_line = next(line for line in lines(own_server) if line["message"] == "connected")
    assert connected_line["trace_id"] == collector.named("ledger redeem")[0].trace
    # It is counted when the answer of the collector is there.
    sent = len(collector.spans)
    eventually(lambda: scrape(own_server)["latchkey_spans_total"].value(outcome="sent") >= sent, PATIENCE)
    assert own_server.stop() == 0
    assert not own_server.canaries.found_in(collector.content)
    assert account.email.encode() not in collector.content
    assert client.client_id.encode() not in collector.content


def test_a_trusted_proxys_trace_goes_on_as_it_has_decided(new_server, collector):
    environment = {"LATCHKEY_TRACES_TO": collector.url, "LATCHKEY_TRACES_SHARE": "0"}
    server = new_server(environment=environment | {"LATCHKEY_TRUSTED_PROXIES": "127.0.0.1"}).start()
    other = TRACE[::-1]
    send("GET", server.base + "/healthz", headers={"traceparent": f"00-{other}-{PARENT}-00"})
    send("GET", server.base + "/healthz")
    send("GET", server.base + "/healthz", headers={"traceparent": f"00-{TRACE}-{PARENT}-01"})
    eventually(lambda: collector.spans, PATIENCE)
    assert server.stop() == 0
    (span,) = collector.spans
    assert (span.trace, span.parent, span.name) == (TRACE, PARENT, "GET /healthz")


def test_what_came_last_is_sent_before_the_end(new_server, collector):
    environment = {"LATCHKEY_TRACES_TO": collector.url, "LATCHKEY_TRACES_SHARE": "1"}
    server = new_server(environment=environment).start()
    eventually(lambda: collector.spans, PATIENCE)
    send("GET", server.base + "/oauth/jwks")
    assert server.stop() == 0
    assert collector.named("GET /oauth/jwks")


@pytest.mark.parametrize("answer", [b"", b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n{"], ids=["silent", "half"])
def test_a_collector_that_does_not_answer_does_not_hold_the_end_up(new_server, answer):
    silent = socket.create_server(("127.0.0.1", 0))
    to = f"http://127.0.0.1:{silent.getsockname()[1]}/v1/traces"
    server = new_server(environment={"LATCHKEY_TRACES_TO": to, "LATCHKEY_TRACES_SHARE": "1"}).start()
    send("GET", server.base + "/healthz")
    silent.settimeout(PATIENCE)
    connection, _ = silent.accept()
    connection.sendall(answer)
    # It has five seconds for those; others come meanwhile.
    send("GET", server.base + "/healthz")
    began = time.monotonic()
    assert server.stop() == 0
    assert time.monotonic() - began < 5, "nobody connects while the server ends"
    lost = next(line for line in server.log.splitlines() if "traces could not be sent" in line)
    assert "in time" not in lost, "what was on its way is given up at once"
    connection.close()
    silent.close()


def test_a_strangers_trace_does_not(new_server, collector):
    environment = {"LATCHKEY_TRACES_TO": collector.url, "LATCHKEY_TRACES_SHARE": "1"}
    server = new_server(environment=environment).start()
    send("GET", server.base + "/healthz", headers={"traceparent": f"00-{TRACE}-{PARENT}-01"})
    eventually(lambda: collector.named("GET /healthz"), PATIENCE)
    assert TRACE not in {span.trace for span in collector.spans}
    assert {span.parent for span in collector.spans} == {None}


def test_a_fault_is_a_span_that_failed(new_server, collector):
    environment = {"LATCHKEY_TRACES_TO": collector.url, "LATCHKEY_TRACES_SHARE": "1"}
    server = new_server(environment=environment)
    client = web(server)
    server.start()
    with sqlite3.connect(server.database.path) as connection:
        connection.execute("alter table codes rename column failures to failures_elsewhere")
    assert client.exchange("nonsense").status_code == 500
    eventually(lambda: collector.named("POST /oauth/token"), PATIENCE)
    assert collector.named("POST /oauth/token")[0].failed
    assert collector.named("ledger redeem")[0].failed


@pytest.mark.parametrize("how", ["away", "refusing"])
def test_a_collector_that_takes_nothing_harms_no_request(new_server, how):
    collector = Collector(status=500)
    url = collector.url if how == "refusing" else f"http://127.0.0.1:{free_port()}/v1/traces"
    server = new_server(environment={"LATCHKEY_TRACES_TO": url, "LATCHKEY_TRACES_SHARE": "1"}).start()
    for _ in range(50):
        assert send("GET", server.base + "/healthz").status_code == 200
    eventually(lambda: scrape(server)["latchkey_spans_total"].value(outcome="lost") >= 50, PATIENCE)
    assert server.stop() == 0
    collector.stop()
