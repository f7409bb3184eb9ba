"""A reverse proxy in front of a server that takes the Authorization header away, as some companies' fronts do."""

import http.client
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import urlsplit


class BasicEatingFront:
    """Passes every request on to `base`, without its Authorization header; remembers which of them had one."""

    def __init__(self, base: str):
        place = urlsplit(base)
        front = self
        self.had_authorization: list[bool] = []

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self):
                front.had_authorization.append("Authorization" in self.headers)
                body = self.rfile.read(int(self.headers["Content-Length"]))
                line = http.client.HTTPConnection(place.hostname, place.port, timeout=30)
                line.request("POST", self.path, body, {"Content-Type": self.headers["Content-Type"]})
                answer = line.getresponse()
                content = answer.read()
                self.send_response(answer.status)
                self.send_header("Content-Type", answer.headers["Content-Type"])
                self.send_header("Content-Length", str(len(content)))
                self.end_headers()
                self.wfile.write(content)
                line.close()

            def log_message(self, *_):
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.base = f"http://127.0.0.1:{self.server.server_address[1]}"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def __enter__(self) -> "BasicEatingFront":
        return self

    def __exit__(self, *_) -> None:
        self.server.shutdown()
        self.server.server_close()
