"""A company's login endpoint: the example in `Examples/CompanyLogin`, and one that misbehaves as a test says."""

import hashlib
import hmac
import json
import os
import secrets
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

from .databases import ROOT
from .person import Person
from .ports import free_port
from .process import Account

EXAMPLE = ROOT / "Examples" / "CompanyLogin" / "company_login.py"
PASSWORD = "analytical engine of 1843"
ADA = Account("", "ada@company.example", PASSWORD, "Ada Lovelace")


def settings(url: str, secret: str, accounts: str = "login-endpoint", **more: str) -> dict[str, str]:
    """The environment of a server that asks an endpoint."""
    names = {
        "LATCHKEY_ACCOUNTS": accounts,
        "LATCHKEY_LOGIN_ENDPOINT_URL": url,
        "LATCHKEY_LOGIN_ENDPOINT_SECRET": secret,
    }
    return names | {f"LATCHKEY_{name.upper()}": value for name, value in more.items()}


class CompanyLogin:
    """The example, as a company would run it."""

    def __init__(self, folder: Path, customers: list[dict]):
        self.secret = secrets.token_hex(32)
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}/internal/login"
        self.log_path = folder / "company-login.log"
        file = folder / "customers.json"
        file.write_text(json.dumps(customers))
        with self.log_path.open("wb") as log:
            self.process = subprocess.Popen(
                [sys.executable, EXAMPLE, "--port", str(self.port), "--customers", str(file)],
                env={**os.environ, "LOGIN_SECRET": self.secret},
                stdout=subprocess.PIPE,
                stderr=log,
            )
        assert b"company login on" in self.process.stdout.readline(), self.log_path.read_text()

    def stop(self) -> None:
        self.process.terminate()
        self.process.wait(timeout=10)
        self.process.stdout.close()


def customer(identity: str, email: str, password: str, name: str = "Ada Lovelace", **more) -> dict:
    return {"id": identity, "email": email, "password": password, "name": name} | more


def account_of(person: dict) -> Account:
    """The same customer as the toolkit's account; its user_id is not known before the first sign-in."""
    return Account("", person["email"], person["password"], person["name"])


class Endpoint:
    """An endpoint that answers as it is told, and remembers what it was asked."""

    def __init__(self, answer: Callable[["Asked"], tuple[int, dict[str, str], bytes] | None], port: int = 0):
        self.secret = secrets.token_hex(32)
        self.asked: list[Asked] = []
        self.answer = answer
        endpoint = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self):
                body = self.rfile.read(int(self.headers["Content-Length"]))
                asked = Asked(self, dict(self.headers.items()), body)
                endpoint.asked.append(asked)
                given = endpoint.answer(asked)
                if given is None:
                    self.close_connection = True
                    return
                status, headers, content = given
                self.send_response(status)
                for name, value in ({"Content-Length": str(len(content))} | headers).items():
                    self.send_header(name, value)
                self.end_headers()
                self.wfile.write(content)

            do_GET = do_POST

            def log_message(self, *_):
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", port), Handler)
        self.server.daemon_threads = True
        self.port = self.server.server_port
        self.url = f"http://127.0.0.1:{self.port}/login"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def stop(self) -> None:
        self.server.shutdown()
        self.server.server_close()


class Asked:
    """One request that the endpoint got."""

    def __init__(self, handler: BaseHTTPRequestHandler, headers: dict[str, str], body: bytes):
        self.handler = handler
        self.headers = {name.lower(): value for name, value in headers.items()}
        self.body = body

    @property
    def json(self) -> dict:
        return json.loads(self.body)

    def is_signed(self, secret: str) -> bool:
        stamp = self.headers["latchkey-timestamp"]
        code = hmac.new(secret.encode(), stamp.encode() + b"." + self.body, hashlib.sha256).hexdigest()
        return self.headers["latchkey-signature"] == "sha256=" + code and abs(int(stamp) - time.time()) < 30


def found(identity, email: str, name: str | None = "Ada Lovelace") -> tuple[int, dict[str, str], bytes]:
    """The answer that lets somebody in."""
    value = {"id": identity, "email": email} | ({"name": name} if name else {})
    return 200, {"Content-Type": "application/json"}, json.dumps(value).encode()


def status(code: int, **headers: str) -> tuple[int, dict[str, str], bytes]:
    return code, {name.replace("_", "-"): value for name, value in headers.items()}, b"{}"


def serving(server, where, accounts: str = "login-endpoint", **more: str):
    """Starts a server that asks an endpoint, with Seam as its client."""
    server.extra_environment |= settings(where.url, where.secret, accounts, **more)
    server.extra_environment["LATCHKEY_LOG_LEVEL"] = "trace"
    server.canaries.add("login endpoint secret", where.secret)
    server.canaries.add("password", PASSWORD)
    seam = server.create_client("--partner", "seam", name="Seam")
    server.start()
    return seam


def try_sign_in(server, account: Account, password: str | None = None):
    """One try on the customer's page, from a fresh browser."""
    person = Person(server, account)
    page = person.visit(server.base + "/account")
    values = {"email": account.email, "password": password or account.password}
    return person.submit(page.sign_in_form, values)


def accounts(server) -> list[dict]:
    """What the server knows of its customers, wherever they signed in."""
    return server.command("account", "list")
