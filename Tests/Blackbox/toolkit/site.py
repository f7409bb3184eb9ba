"""A small HTTP server on loopback: what the tests' endpoints, receivers, collectors and partners are made of."""

from __future__ import annotations

import json
import socket
import ssl
import threading
from collections.abc import Callable
from contextlib import suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

Answer = int | tuple[int, dict[str, str], bytes] | None
"""A status, perhaps with headers and content; None ends the connection without a word."""


class Asked:
    """One request that a site got; `handler` is for an answer that is written by hand."""

    def __init__(self, handler: BaseHTTPRequestHandler):
        self.handler = handler
        self.method, self.path = handler.command, handler.path
        self.headers = {name.lower(): value for name, value in handler.headers.items()}
        self.body = handler.rfile.read(int(self.headers.get("content-length", 0)))

    @property
    def json(self) -> dict:
        return json.loads(self.body)


class Site:
    """Listens on a port of loopback, answers every GET and POST as it is told, and remembers what it was asked."""

    kind: type[Asked] = Asked
    path = ""
    """Where on the site its `url` leads."""

    def __init__(
        self,
        answer: Callable[[Asked], Answer],
        *,
        host: str = "127.0.0.1",
        port: int = 0,
        tls: ssl.SSLContext | None = None,
    ):
        self.answer = answer
        self.asked: list[Asked] = []
        site = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self):
                site._serve(self)

            do_GET = do_POST

            def log_message(self, *_):
                pass

        class Listener(ThreadingHTTPServer):
            address_family = socket.AF_INET6 if ":" in host else socket.AF_INET

        self.server = Listener((host, port), Handler)
        if tls:
            self.server.socket = tls.wrap_socket(self.server.socket, server_side=True, do_handshake_on_connect=False)
        self.port = self.server.server_port
        self.base = f"{'https' if tls else 'http'}://{f'[{host}]' if ':' in host else host}:{self.port}"
        self.url = self.base + self.path
        # It looks up that often for `stop`.
        threading.Thread(target=self.server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True).start()

    def _serve(self, handler: BaseHTTPRequestHandler) -> None:
        asked = self.kind(handler)
        self.asked.append(asked)
        given = self.answer(asked)
        if given is None:
            handler.close_connection = True
            return
        status, headers, content = (given, {}, b"") if isinstance(given, int) else given
        # Whoever asked may be gone.
        with suppress(OSError):
            handler.send_response(status)
            for name, value in ({"Content-Length": str(len(content))} | headers).items():
                handler.send_header(name, value)
            handler.end_headers()
            handler.wfile.write(content)

    def stop(self) -> None:
        self.server.shutdown()
        self.server.server_close()

    def __enter__(self):
        return self

    def __exit__(self, *_) -> None:
        self.stop()
