"""A company's webhook receiver on loopback: it verifies signatures by itself, as docs/webhooks.md shows."""

import base64
import hashlib
import hmac
import json
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

TOLERANCE = 5 * 60


def verify(secret: str, headers: dict[str, str], body: bytes) -> bool:
    """Whether a message is genuine and new, by the Standard Webhooks specification; written for the tests alone."""
    key = base64.b64decode(secret.removeprefix("whsec_"))
    message_id, timestamp = headers["webhook-id"], headers["webhook-timestamp"]
    if abs(time.time() - int(timestamp)) > TOLERANCE:
        return False
    signed = f"{message_id}.{timestamp}.".encode() + body
    wanted = base64.b64encode(hmac.new(key, signed, hashlib.sha256).digest()).decode()
    versions = [one.split(",", 1) for one in headers["webhook-signature"].split(" ")]
    return any(version == "v1" and hmac.compare_digest(given, wanted) for version, given in versions)


@dataclass
class Message:
    """One delivery."""

    path: str
    headers: dict[str, str]
    body: bytes
    began: float
    ended: float = 0

    @property
    def id(self) -> str:
        return self.headers["webhook-id"]

    @property
    def event(self) -> dict:
        return json.loads(self.body)


class Receiver:
    """Listens on a port of loopback; `answer` says the status for each message, or (status, headers)."""

    def __init__(self, answer: Callable[[Message], int | tuple[int, dict]] = lambda _: 204, port: int = 0):
        receiver = self
        self.messages: list[Message] = []
        self.answer = answer

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self):
                body = self.rfile.read(int(self.headers["Content-Length"]))
                headers = {name.lower(): value for name, value in self.headers.items()}
                message = Message(self.path, headers, body, time.monotonic())
                receiver.messages.append(message)
                answer = receiver.answer(message)
                status, more = answer if isinstance(answer, tuple) else (answer, {})
                message.ended = time.monotonic()
                try:
                    self.send_response(status)
                    for name, value in more.items():
                        self.send_header(name, value)
                    self.send_header("Content-Length", "0")
                    self.end_headers()
                except OSError:
                    pass

            do_GET = do_POST

            def log_message(self, *_):
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", port), Handler)
        self.server.daemon_threads = True
        self.port = self.server.server_address[1]
        self.url = f"http://127.0.0.1:{self.port}/hook"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def of(self, kind: str) -> list[Message]:
        return [one for one in self.messages if one.event["type"] == kind]

    def stop(self) -> None:
        self.server.shutdown()
        self.server.server_close()
