"""A company's login endpoint: the example in `Examples/CompanyLogin`, and one that misbehaves as a test says."""

import hashlib
import hmac
import json
import os
import secrets
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

from .databases import ROOT
from .person import Person
from .ports import free_port
from .process import Account
from .site import Answer, Asked, Site

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


class SignIn(Asked):
    """A customer that the endpoint was asked about."""

    def is_signed(self, secret: str) -> bool:
        stamp = self.headers["latchkey-timestamp"]
        code = hmac.new(secret.encode(), stamp.encode() + b"." + self.body, hashlib.sha256).hexdigest()
        return self.headers["latchkey-signature"] == "sha256=" + code and abs(int(stamp) - time.time()) < 30


class Endpoint(Site):
    """An endpoint that answers as it is told."""

    kind = SignIn
    path = "/login"

    def __init__(self, answer: Callable[[SignIn], Answer], **named):
        self.secret = secrets.token_hex(32)
        super().__init__(answer, **named)


def found(identity, email: str, name: str | None = "Ada Lovelace") -> Answer:
    """The answer that lets somebody in."""
    value = {"id": identity, "email": email} | ({"name": name} if name else {})
    return 200, {"Content-Type": "application/json"}, json.dumps(value).encode()


def status(code: int, **headers: str) -> Answer:
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
