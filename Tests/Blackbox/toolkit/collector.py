"""An OpenTelemetry collector on loopback that remembers the spans it was sent (OTLP over HTTP, JSON)."""

import json
import re
import threading
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


@dataclass
class Span:
    """A span as it was sent."""

    trace: str
    id: str
    parent: str | None
    name: str
    kind: int
    start: int
    end: int
    attributes: dict[str, str]
    failed: bool


def spans_of(body: dict) -> list[Span]:
    """The spans of a request; whatever is not as the protocol has it fails."""
    found = []
    for resource in body["resourceSpans"]:
        service = {one["key"]: one["value"]["stringValue"] for one in resource["resource"]["attributes"]}
        assert service == {"service.name": "latchkey"}
        for scope in resource["scopeSpans"]:
            for span in scope["spans"]:
                assert re.fullmatch("[0-9a-f]{32}", span["traceId"])
                assert re.fullmatch("[0-9a-f]{16}", span["spanId"])
                start, end = int(span["startTimeUnixNano"]), int(span["endTimeUnixNano"])
                assert isinstance(span["startTimeUnixNano"], str)
                assert start <= end
                attributes = {one["key"]: one["value"]["stringValue"] for one in span["attributes"]}
                failed = span.get("status", {}).get("code") == 2
                parent = span.get("parentSpanId")
                found.append(
                    Span(
                        span["traceId"],
                        span["spanId"],
                        parent,
                        span["name"],
                        span["kind"],
                        start,
                        end,
                        attributes,
                        failed,
                    )
                )
    return found


class Collector:
    """Listens on a port of loopback; `content` is everything that it was sent."""

    def __init__(self, status: int = 200):
        collector = self
        self.spans: list[Span] = []
        self.content = b""

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self):
                body = self.rfile.read(int(self.headers["Content-Length"]))
                assert self.headers["Content-Type"] == "application/json"
                collector.content += body
                if status == 200:
                    collector.spans += spans_of(json.loads(body))
                self.send_response(status)
                self.send_header("Content-Length", "2")
                self.end_headers()
                self.wfile.write(b"{}")

            def log_message(self, *_):
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.server.daemon_threads = True
        self.url = f"http://127.0.0.1:{self.server.server_address[1]}/v1/traces"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def named(self, name: str) -> list[Span]:
        return [span for span in self.spans if span.name == name]

    def stop(self) -> None:
        self.server.shutdown()
        self.server.server_close()
