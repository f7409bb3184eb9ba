"""HTTP without a library's kindness: no redirect followed, no cookie kept, no settings of the machine."""

import http.client
import http.cookiejar
import socket
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlencode, urlsplit

import requests
from requests.adapters import HTTPAdapter

TIMEOUT = 30
_local = threading.local()
_authorities: dict[str, str] = {}


def trust(base: str, authority: Path) -> None:
    """Checks the certificate of the server at `base` with this authority from now on."""
    _authorities[base] = str(authority)


class _FromAddress(HTTPAdapter):
    """Connects from one of the machine's loopback addresses, so that a test can be several visitors."""

    def __init__(self, address: str):
        self.address = address
        super().__init__()

    def init_poolmanager(self, *arguments, **named):
        super().init_poolmanager(*arguments, source_address=(self.address, 0), **named)


def session(source: str | None = None) -> requests.Session:
    """This thread's session from the given source address; sessions are not shared between threads."""
    kept = _local.__dict__.setdefault("sessions", {})
    if source not in kept:
        fresh = requests.Session()
        fresh.trust_env = False
        fresh.cookies.set_policy(http.cookiejar.DefaultCookiePolicy(allowed_domains=[]))
        fresh.headers.clear()
        if source:
            fresh.mount("http://", _FromAddress(source))
            fresh.mount("https://", _FromAddress(source))
        kept[source] = fresh
    return kept[source]


def send(method: str, url: str, *, source: str | None = None, **named) -> requests.Response:
    """One request and its answer; a redirect is an answer."""
    named.setdefault("timeout", TIMEOUT)
    if url.startswith("https://"):
        place = urlsplit(url)
        named.setdefault("verify", _authorities.get(f"https://{place.netloc}", True))
    return session(source).request(method, url, allow_redirects=False, **named)


def serves(url: str) -> bool:
    """Whether a GET there is answered with 200; nobody listens yet, perhaps."""
    try:
        return send("GET", url, timeout=5).status_code == 200
    except OSError:
        return False


@dataclass
class Answer:
    """The answer to a raw request."""

    status: int
    headers: dict[str, str]
    body: bytes

    @property
    def text(self) -> str:
        return self.body.decode("utf-8", "replace")


class Shot:
    """A request whose connection is already open, so that many of them can be fired at one instant."""

    def __init__(self, base: str, method: str, path: str, body: bytes | None = None, headers: dict | None = None):
        place = urlsplit(base)
        self.connection = http.client.HTTPConnection(place.hostname, place.port, timeout=60)
        self.connection.connect()
        self.connection.sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.request = (method, path, body, headers or {})

    def fire(self) -> Answer:
        try:
            method, path, body, headers = self.request
            self.connection.request(method, path, body=body, headers=headers)
            return self.read()
        finally:
            self.connection.close()

    def read(self) -> Answer:
        response = self.connection.getresponse()
        body = response.read()
        return Answer(response.status, {name.lower(): value for name, value in response.getheaders()}, body)


def form_shot(base: str, path: str, form: dict, headers: dict | None = None) -> Shot:
    """A form POST, ready to fire."""
    heads = {"Content-Type": "application/x-www-form-urlencoded"} | (headers or {})
    return Shot(base, "POST", path, urlencode(form).encode(), heads)


def together(calls: list[Callable]) -> list:
    """Calls all of them at once, each on a thread of its own, released by one barrier; answers in their order."""
    barrier = threading.Barrier(len(calls))

    def wait_and(call):
        barrier.wait()
        return call()

    with ThreadPoolExecutor(max_workers=len(calls)) as pool:
        return [future.result() for future in [pool.submit(wait_and, call) for call in calls]]


def fire_together(shots: list[Shot]) -> list[Answer]:
    """Fires all the shots at once."""
    return together([shot.fire for shot in shots])


def raw(base: str, content: bytes, wait: float = 10) -> bytes:
    """Sends bytes as they are and returns whatever comes back until the server closes or goes quiet."""
    place = urlsplit(base)
    received = b""
    with socket.create_connection((place.hostname, place.port), timeout=wait) as line:
        try:
            line.sendall(content)
            line.settimeout(wait)
            while chunk := line.recv(65536):
                received += chunk
        except (TimeoutError, ConnectionResetError, BrokenPipeError):
            pass
    return received


def raw_request(base: str, method: str, target: str, body: bytes | None = None, headers: dict | None = None) -> Answer:
    """A request whose target and body are sent byte for byte, however malformed."""
    place = urlsplit(base)
    connection = http.client.HTTPConnection(place.hostname, place.port, timeout=TIMEOUT)
    # The standard library refuses some malformed targets; a test of malformed targets needs them.
    connection._validate_path = lambda _target: None
    try:
        connection.request(method, target, body=body, headers=headers or {})
        response = connection.getresponse()
        return Answer(response.status, {k.lower(): v for k, v in response.getheaders()}, response.read())
    finally:
        connection.close()
