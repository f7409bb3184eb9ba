"""A small authorization server with one fault on purpose, for the judge to find.

    server.py PORT DATABASE FAULT

It speaks as much of OAuth as the ledger client needs: codes without asking anybody, exchange, refresh with a successor
that stays the same until it is used, introspection, revocation. With the fault `none` it keeps every promise. A file
beside the database makes something happen: `outage` takes the database away from it, `die` kills it once, between the
two halves of what it writes next, and with `race` an exchange that reads before it marks waits for another one.
"""

import hashlib
import json
import os
import secrets
import signal
import sqlite3
import sys
import threading
import time
from contextlib import closing, suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import parse_qs, urlencode, urlsplit

FAULTS = {
    "none": set(),
    "answers before it writes": {"I1", "I2", "I3", "I5"},
    "reads, then marks": {"I2"},
    "consumes and issues in two transactions": {"I8"},
    "no grace for a lost answer": {"I1", "I3", "I5"},
    "keeps revocations in memory": {"I4"},
    "blames the token for an outage": {"I1", "I3", "I5"},
    "answers 500 in an outage": {"I6"},
    "does not say when to try again": {"I6"},
    "stays slow after an outage": {"I7"},
    "forgets what it refers to": {"I8"},
}
"""Every fault, and the invariants that it breaks: these must be found broken, and no others."""

SCHEMA = """
pragma journal_mode = wal;
create table if not exists clients (client_id text primary key);
create table if not exists codes (digest text primary key, connection_id text not null, redeemed_at real);
create table if not exists connections (connection_id text primary key, secret text not null,
    generation integer not null, client_id text not null references clients (client_id), revoked_at real);
"""


class Refused(Exception):
    """The answer to a request is a refusal with this OAuth error."""


class Server:
    """The ledger of the small server, and what it answers."""

    def __init__(self, database: Path, fault: str):
        self.database, self.fault = database, fault
        self.revoked: set[str] = set()
        self.had_outage = False
        self.both_have_read = threading.Barrier(2, timeout=20)
        with closing(self.connect()) as connection:
            connection.executescript(SCHEMA)

    def connect(self) -> sqlite3.Connection:
        connection = sqlite3.connect(self.database, timeout=10, isolation_level=None)
        connection.execute("pragma synchronous = full")
        return connection

    @property
    def has_outage(self) -> bool:
        is_out = self.database.with_name("outage").exists()
        self.had_outage = self.had_outage or is_out
        return is_out

    def may_die(self) -> None:
        """The moment between two halves at which a test may kill this process."""
        with suppress(FileNotFoundError):
            self.database.with_name("die").unlink()
            os.kill(os.getpid(), signal.SIGKILL)

    # What it does

    def authorize(self, client: str) -> str:
        code = secrets.token_urlsafe(24)
        with closing(self.connect()) as connection:
            connection.execute("begin immediate")
            connection.execute("insert or ignore into clients values (?)", [client])
            connection.execute("insert into codes values (?, ?, null)", [digest(code), secrets.token_hex(8)])
            connection.execute("commit")
        return code

    def exchange(self, code: str, client: str) -> dict:
        with closing(self.connect()) as connection:
            if self.fault == "reads, then marks":
                row = connection.execute("select redeemed_at from codes where digest = ?", [digest(code)]).fetchone()
                if row is None or row[0] is not None:
                    raise Refused("invalid_grant")
                if self.database.with_name("race").exists():
                    self.both_have_read.wait()
            still_good = "true" if self.fault == "reads, then marks" else "redeemed_at is null"
            connection.execute("begin immediate")
            row = connection.execute(
                f"update codes set redeemed_at = ? where digest = ? and {still_good} returning connection_id",
                [time.time(), digest(code)],
            ).fetchone()
            if row is None:
                connection.execute("rollback")
                raise Refused("invalid_grant")
            if self.fault == "consumes and issues in two transactions":
                connection.execute("commit")
                self.may_die()
                connection.execute("begin immediate")
            self.may_die()
            secret = secrets.token_hex(8)
            owner = "nobody" if self.fault == "forgets what it refers to" else client
            connection.execute("insert or ignore into connections values (?, ?, 0, ?, null)", [row[0], secret, owner])
            secret = connection.execute("select secret from connections where connection_id = ?", row).fetchone()[0]
            connection.execute("commit")
        return tokens(row[0], secret, 0)

    def refresh(self, token: str) -> dict:
        identifier, generation, secret = parts(token)
        with closing(self.connect()) as connection:
            connection.execute("begin immediate")
            row = self.living(connection, identifier, secret)
            if row is None or generation < row[0]:
                connection.execute("rollback")
                raise Refused("invalid_grant")
            if self.fault == "no grace for a lost answer":
                connection.execute(
                    "update connections set generation = ? where connection_id = ?", [generation + 1, identifier]
                )
            elif generation > row[0]:
                connection.execute(
                    "update connections set generation = ? where connection_id = ?", [generation, identifier]
                )
            connection.execute("commit")
        return tokens(identifier, secret, generation + 1)

    def introspect(self, token: str) -> dict:
        identifier, _, secret = parts(token)
        with closing(self.connect()) as connection:
            return {"active": self.living(connection, identifier, secret) is not None}

    def revoke(self, token: str) -> dict:
        identifier, _, _ = parts(token)
        if self.fault == "keeps revocations in memory":
            self.revoked.add(identifier)
            return {}
        with closing(self.connect()) as connection:
            connection.execute(
                "update connections set revoked_at = ? where connection_id = ?", [time.time(), identifier]
            )
        return {}

    def living(self, connection: sqlite3.Connection, identifier: str, secret: str) -> tuple | None:
        if identifier in self.revoked:
            return None
        return connection.execute(
            "select generation from connections where connection_id = ? and secret = ? and revoked_at is null",
            [identifier, secret],
        ).fetchone()


def digest(code: str) -> str:
    return hashlib.sha256(code.encode()).hexdigest()


def tokens(identifier: str, secret: str, generation: int) -> dict:
    access = f"access.{identifier}.{generation}.{secret}.{secrets.token_hex(4)}"
    return {"access_token": access, "refresh_token": f"refresh.{identifier}.{generation}.{secret}", "expires_in": 3600}


def parts(token: str) -> tuple[str, int, str]:
    pieces = token.split(".")
    return (pieces[1], int(pieces[2]), pieces[3]) if len(pieces) >= 4 else ("", 0, "")


def handler(server: Server) -> type:
    class Handler(BaseHTTPRequestHandler):
        def do_GET(self):
            place = urlsplit(self.path)
            if place.path != "/oauth/authorize":
                return self.answer(200, {})
            asked = {name: values[0] for name, values in parse_qs(place.query).items()}
            if server.has_outage:
                return self.answer(503, {})
            back = urlencode({"code": server.authorize(asked["client_id"]), "state": asked["state"]})
            self.send_response(302)
            self.send_header("Location", f"{asked['redirect_uri']}?{back}")
            self.send_header("Content-Length", "0")
            self.end_headers()
            return None

        def do_POST(self):
            body = self.rfile.read(int(self.headers["Content-Length"])).decode()
            form = {name: values[0] for name, values in parse_qs(body).items()}
            if server.has_outage:
                return self.outage()
            if server.fault == "stays slow after an outage" and server.had_outage:
                time.sleep(0.8)
            if server.fault == "answers before it writes" and form.get("grant_type") == "authorization_code":
                return self.answer_early(form)
            try:
                return self.answer(200, self.result(form))
            except Refused as refusal:
                return self.answer(400, {"error": str(refusal)})

        def result(self, form: dict) -> dict:
            if self.path == "/oauth/introspect":
                return server.introspect(form["token"])
            if self.path == "/oauth/revoke":
                return server.revoke(form["token"])
            if form["grant_type"] == "refresh_token":
                return server.refresh(form["refresh_token"])
            return server.exchange(form["code"], form["client_id"])

        def answer_early(self, form: dict) -> None:
            with closing(server.connect()) as connection:
                row = connection.execute(
                    "select connection_id from codes where digest = ?", [digest(form["code"])]
                ).fetchone()
            secret = secrets.token_hex(8)
            self.answer(200, tokens(row[0], secret, 0))
            self.wfile.flush()
            server.may_die()
            with closing(server.connect()) as connection:
                connection.execute("begin immediate")
                connection.execute("update codes set redeemed_at = ? where connection_id = ?", [time.time(), row[0]])
                connection.execute(
                    "insert into connections values (?, ?, 0, ?, null)", [row[0], secret, form["client_id"]]
                )
                connection.execute("commit")

        def outage(self) -> None:
            if server.fault == "blames the token for an outage":
                return self.answer(400, {"error": "invalid_grant"})
            if server.fault == "answers 500 in an outage":
                return self.answer(500, {})
            return self.answer(503, {})

        def answer(self, status: int, value: dict) -> None:
            content = json.dumps(value).encode()
            self.send_response(status)
            self.send_header("Content-Type", "application/json")
            if status == 503 and server.fault != "does not say when to try again":
                self.send_header("Retry-After", "1")
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        def log_message(self, *_):
            pass

    return Handler


class Listener(ThreadingHTTPServer):
    request_queue_size = 100


if __name__ == "__main__":
    port, database, fault = sys.argv[1:]
    assert fault in FAULTS, f"no such fault: {fault}"
    listener = Listener(("127.0.0.1", int(port)), handler(Server(Path(database), fault)))
    threading.Thread(target=listener.serve_forever).start()
