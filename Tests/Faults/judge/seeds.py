"""Connections by the thousand: their codes are written into the database; what follows is the server's own work."""

from __future__ import annotations

import base64
import hashlib
import json
import secrets
import sqlite3
import time
from contextlib import closing

from toolkit.client import OAuthClient, challenge
from toolkit.process import Account, Latchkey

from .herd import exchange, fire

COLUMNS = (
    "digest, transaction_id, client_id, account_id, connection_id, scope, scope_was_asked, resources, redirect_uri, "
    "redirect_was_named, challenge, signed_in_at, issued_at, failures"
)


def account_bytes(account: Account) -> bytes:
    """What the database stores of `usr_…`."""
    text = account.user_id.removeprefix("usr_").upper()
    return base64.b32decode(text + "=" * (-len(text) % 8))


def _rows(client: OAuthClient, account: Account, codes: list[str]) -> list[tuple]:
    now = int(time.time() * 1000)
    proof = challenge(client.verifier) if client.proves else None
    return [
        (
            hashlib.sha256(code.encode()).digest(),
            secrets.token_bytes(16),
            client.client_id,
            account_bytes(account),
            secrets.token_bytes(16),
            client.scope,
            1,
            "",
            client.redirect_uri,
            1,
            proof,
            now,
            now,
            0,
        )
        for code in codes
    ]


def _literal(value) -> str:
    if value is None:
        return "null"
    if isinstance(value, bytes):
        return f"'\\x{value.hex()}'"
    return str(value) if isinstance(value, int) else "'" + value.replace("'", "''") + "'"


def _issue(database, rows: list[tuple]) -> None:
    if database.kind == "sqlite":
        with closing(sqlite3.connect(database.path, timeout=10)) as connection:
            marks = ", ".join("?" * len(rows[0]))
            connection.executemany(f"insert into codes ({COLUMNS}) values ({marks})", rows)
            connection.commit()
        return
    for start in range(0, len(rows), 200):
        values = ", ".join(f"({', '.join(map(_literal, row))})" for row in rows[start : start + 200])
        database.query(f"insert into codes ({COLUMNS}) values {values}")


def connect_many(server: Latchkey, client: OAuthClient, account: Account, count: int) -> list[str]:
    """So many connections of one account to one client; their refresh tokens."""
    found = []
    while len(found) < count:
        # Few enough that each code is exchanged within its minute.
        codes = ["lkc_" + secrets.token_urlsafe(32) for _ in range(min(1000, count - len(found)))]
        _issue(server.database, _rows(client, account, codes))
        shots = fire(server.base, [exchange(client, code) for code in codes], wires=32)
        assert all(shot.status == 200 for shot in shots), [shot.body for shot in shots if shot.status != 200][:2]
        found += [json.loads(shot.body)["refresh_token"] for shot in shots]
    return found
