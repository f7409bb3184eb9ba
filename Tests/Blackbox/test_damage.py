"""F3 and F15 (security.md §4): an SQLite file that others lock or read for long, and data that is damaged."""

import json
import sqlite3
import time

import pytest

from toolkit.client import refusal, tokens
from toolkit.person import Person
from toolkit.wire import send, together

WEB = ("--redirect-uri", "https://partner.example/callback", "--scope", "locks.read")


def test_F3_a_lock_from_outside_is_waited_for_five_seconds_and_then_503(new_server):
    server = new_server("sqlite")
    seam = server.create_client("--partner", "seam", name="Seam")
    person = Person(server, server.create_account())
    server.start()
    connected, code = person.connect(seam), person.authorize(seam).code
    lock = sqlite3.connect(server.database.path, isolation_level=None)
    lock.execute("begin exclusive")
    try:
        started = time.monotonic()
        answer = seam.exchange(code)
        waited = time.monotonic() - started
        assert answer.status_code == 503
        assert int(answer.headers["Retry-After"]) >= 1
        assert 4 < waited < 9
        tokens(seam.refresh(connected.refresh))
        assert seam.introspect(connected.access)["active"]
    finally:
        lock.execute("rollback")
        lock.close()
    tokens(seam.exchange(code))


def test_F3_a_reader_that_stays_for_long_disturbs_no_refresh(new_server):
    server = new_server("sqlite")
    careful = server.create_client(*WEB, "--refresh", "successor", name="Careful partner")
    person = Person(server, server.create_account())
    server.start()
    connected = [person.connect(careful).refresh for _ in range(4)]
    reader = sqlite3.connect(server.database.path, isolation_level=None)
    reader.execute("begin")
    reader.execute("select count(*) from connections").fetchall()

    def refresh_often(token: str) -> list[int]:
        statuses = []
        for _ in range(60):
            answer = careful.refresh(token)
            statuses.append(answer.status_code)
            token = answer.json()["refresh_token"]
        return statuses

    statuses = together([lambda token=token: refresh_often(token) for token in connected])
    assert {status for many in statuses for status in many} == {200}
    reader.execute("rollback")
    reader.close()
    log = server.database.path.with_name(server.database.path.name + "-wal")
    assert log.stat().st_size < 64 * 1024 * 1024
    assert server.stop() == 0
    assert not log.exists(), "what the reader held back is folded into the file"


def spoil(server, sql: str, *values) -> None:
    """Changes the database behind the server's back."""
    if server.database.kind == "sqlite":
        with sqlite3.connect(server.database.path) as file:
            file.execute(sql, values)
        file.close()
    else:
        server.database.query(sql.replace("?", "'{}'").format(*values))


def test_F15_a_poisoned_row_breaks_its_own_connection_and_no_other(own_server):
    server = own_server
    seam = server.create_client("--partner", "seam", name="Seam")
    account, other = server.create_account(), server.create_account()
    server.start()
    poisoned, sound = Person(server, account).connect(seam), Person(server, other).connect(seam)
    before = server.command("connection", "list", "--account", account.user_id)
    assert len(before) == 1
    spoil(
        server,
        "update connections set scope = ? where account_id in (select account_id from accounts where email = ?)",
        'not " a scope',
        account.email,
    )
    answer = seam.refresh(poisoned.refresh)
    # A fault of the server's is no verdict on the token: a client that is told "invalid_grant" would give it up.
    assert answer.status_code == 500
    assert json.loads(answer.text)["error"] == "server_error"
    tokens(seam.refresh(sound.refresh))
    assert seam.introspect(sound.access)["active"]
    assert Person(server, other).connect(seam).user_id == other.user_id
    assert send("GET", server.base + "/readyz").status_code == 200
    spoil(
        server,
        "update connections set scope = ? where account_id in (select account_id from accounts where email = ?)",
        "",
        account.email,
    )
    answer = seam.refresh(poisoned.refresh)
    assert answer.status_code != 500


@pytest.mark.parametrize("damage", ["noise in the middle", "noise at the start", "cut off"])
def test_F15_a_damaged_file_is_refused_at_the_start_with_advice(new_server, damage):
    server = new_server("sqlite")
    for number in range(8):
        server.create_client("--redirect-uri", f"https://partner.example/{number}", name=f"Partner {number}")
    file = server.database.path
    content = bytearray(file.read_bytes())
    match damage:
        case "noise in the middle":
            content[8192:-4096] = b"\xa5" * (len(content) - 8192 - 4096)
        case "noise at the start":
            content[:100] = b"\xa5" * 100
        case "cut off":
            del content[len(content) // 2 :]
    file.write_bytes(content)
    done = server.run("serve", "--listen", f"127.0.0.1:{server.port}")
    assert done.returncode == 1
    assert "backup" in done.stderr, done.stderr
    assert str(file) in done.stderr
    assert len(done.stderr.strip().splitlines()) == 1
    assert file.read_bytes() == bytes(content), "what can still be rescued is left as it is"


def test_F13_a_plain_restart_keeps_what_was_remembered(own_server):
    server = own_server
    seam = server.create_client("--partner", "seam", name="Seam")
    strict = server.create_client(*WEB, "--refresh", "strict", name="Strict partner")
    person = Person(server, server.create_account())
    server.start()
    code = person.authorize(seam).code
    connected, used = tokens(seam.exchange(code)), person.connect(strict)
    newest = strict.refreshed(used.refresh)
    server.restart()
    # The session lives, the redeemed code and the used refresh token are known for what they are.
    assert person.visit(seam.authorize_url()).consent_form
    tokens(seam.refresh(connected.refresh))
    refusal(seam.exchange(code), 400, "invalid_grant")
    refusal(seam.refresh(connected.refresh), 400, "invalid_grant")
    refusal(strict.refresh(used.refresh), 400, "invalid_grant")
    refusal(strict.refresh(newest.refresh), 400, "invalid_grant")
