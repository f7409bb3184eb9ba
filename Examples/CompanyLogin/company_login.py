"""A company's own login endpoint, as Latchkey asks it: who is this e-mail address with this password?

Python 3.9 or newer, standard library only. Read it top to bottom; the part to copy is `verified` and `answer`.

    LOGIN_SECRET=$(openssl rand -hex 32) python3 company_login.py --port 8090

It answers POST /internal/login on loopback. A proxy or your framework ends TLS in front of it.
"""

import argparse
import hashlib
import hmac
import json
import os
import secrets
import sys
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

TOLERANCE = 300
"""How many seconds a request may be old, or ahead of our clock. An older one may be somebody's recording."""
LARGEST_BODY = 16 * 1024


def hashed(password: str, salt: bytes) -> bytes:
    return hashlib.scrypt(password.encode(), salt=salt, n=2**14, r=8, p=1)


class Customers:
    """The company's customers. Yours are in a database; what matters is that an id is never given to somebody else."""

    def __init__(self):
        self.by_email: dict[str, dict] = {}
        # Checked for those who are not there, so that an answer's time does not tell who is a customer.
        self.nobody = {"salt": secrets.token_bytes(16), "hash": b""}

    def add(self, identity: str, email: str, name: str, password: str, closed: bool = False) -> None:
        salt = secrets.token_bytes(16)
        record = {"id": identity, "email": email, "name": name, "closed": closed}
        self.by_email[email.lower()] = record | {"salt": salt, "hash": hashed(password, salt)}

    def find(self, email: str, password: str):
        """The customer whose password this is, or None."""
        customer = self.by_email.get(email.lower(), self.nobody)
        matches = hmac.compare_digest(hashed(password, customer["salt"]), customer["hash"])
        return customer if matches else None


def verified(headers, body: bytes, secret: bytes, now: float) -> bool:
    """Whether a request comes from Latchkey, unchanged, and just now.

    Latchkey-Timestamp is seconds since 1970; Latchkey-Signature is "sha256=" and, in hexadecimal, the HMAC-SHA-256 of
    the timestamp, a dot, and the body as it came.
    """
    timestamp = headers.get("Latchkey-Timestamp", "")
    if not timestamp.isdecimal() or abs(now - int(timestamp)) > TOLERANCE:
        return False
    code = hmac.new(secret, timestamp.encode() + b"." + body, hashlib.sha256).hexdigest()
    return hmac.compare_digest(headers.get("Latchkey-Signature", "").encode(), b"sha256=" + code.encode())


def answer(customers: Customers, body: bytes):
    """Status and JSON for a verified request."""
    try:
        asked = json.loads(body)
        email, password = asked["email"], asked["password"]
        if not (isinstance(email, str) and isinstance(password, str)):
            raise TypeError
    except (ValueError, KeyError, TypeError):
        return 400, {"error": "expected a JSON object with email and password"}
    customer = customers.find(email, password)
    if customer is None:
        return 401, {"error": "the e-mail address or the password is wrong"}
    if customer["closed"]:
        return 423, {"error": "the account is closed"}
    return 200, {"id": customer["id"], "name": customer["name"], "email": customer["email"]}


def handler(customers: Customers, secret: bytes):
    class Login(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self):
            length = self.headers.get("Content-Length", "")
            if not length.isdecimal() or int(length) > LARGEST_BODY:
                self.close_connection = True
                return self.reply(413, {"error": "the body has no length, or is too large"})
            body = self.rfile.read(int(length))
            if self.path != "/internal/login":
                return self.reply(404, {"error": "there is nothing here"})
            if not verified(self.headers, body, secret, time.time()):
                # Not 401: that would mean a wrong password. Latchkey takes 400 as a fault, and says so in its log.
                return self.reply(400, {"error": "the signature or the timestamp is wrong"})
            return self.reply(*answer(customers, body))

        def reply(self, status: int, value: dict) -> None:
            content = json.dumps(value).encode()
            self.send_response(status)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        def log_message(self, pattern, *values):
            # Method, path and status; never a body.
            sys.stderr.write(f"company login: {pattern % values}\n")

    return Login


def main() -> None:
    options = argparse.ArgumentParser(description="A company's own login endpoint, as Latchkey asks it.")
    options.add_argument("--port", type=int, default=8090)
    options.add_argument("--customers", help="a JSON file: a list of {id, email, name, password, closed}")
    chosen = options.parse_args()
    secret = os.environ.get("LOGIN_SECRET", "").encode()
    if len(secret) < 32:
        sys.exit("set LOGIN_SECRET to the secret that Latchkey has as login-endpoint-secret, 32 characters or more")
    customers = Customers()
    if chosen.customers:
        with open(chosen.customers, encoding="utf-8") as file:
            records = json.load(file)
    else:
        records = [
            {"id": "c-1001", "email": "ada@example.com", "name": "Ada Lovelace", "password": "analytical engine"}
        ]
    for record in records:
        record = dict(record)
        customers.add(record.pop("id"), **record)
    server = ThreadingHTTPServer(("127.0.0.1", chosen.port), handler(customers, secret))
    print(f"company login on http://127.0.0.1:{server.server_port}/internal/login", flush=True)
    server.serve_forever()


if __name__ == "__main__":
    main()
