"""A partner's web site on loopback: it receives callbacks, and can send the browser on to another place."""

import socket
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


class PartnerSite:
    """Listens on a free port of loopback and remembers every request."""

    def __init__(self, send_on_to: str | None = None, host: str = "127.0.0.1"):
        site = self
        self.requests: list[str] = []
        self.referrers: list[str | None] = []

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self):
                site.requests.append(self.path)
                if self.path != "/favicon.ico":
                    site.referrers.append(self.headers.get("Referer"))
                if send_on_to and self.path.startswith("/callback"):
                    self.send_response(302)
                    self.send_header("Location", send_on_to)
                    self.end_headers()
                    return
                body = b"<!doctype html><html lang=en><title>Partner</title><h1>Back at the partner</h1>"
                self.send_response(200)
                self.send_header("Content-Type", "text/html; charset=utf-8")
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_):
                pass

        class Listener(ThreadingHTTPServer):
            address_family = socket.AF_INET6 if ":" in host else socket.AF_INET

        self.server = Listener((host, 0), Handler)
        self.port = self.server.server_address[1]
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    @property
    def callbacks(self) -> list[str]:
        return [path for path in self.requests if path.startswith("/callback")]

    def stop(self) -> None:
        self.server.shutdown()
        self.server.server_close()
