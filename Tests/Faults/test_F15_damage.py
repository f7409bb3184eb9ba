"""F15: rows and files are damaged. A bad row breaks its own connection; a file that is no database stops the start."""

from __future__ import annotations

import sqlite3
from contextlib import closing

import pytest

from judge.scene import Scene
from toolkit.client import refusal, tokens
from toolkit.person import Person
from toolkit.wire import send

DAMAGES = {
    "a nonce that is too short": "update connections set nonce = x'00' where rowid = ?",
    "a scope that is none": "update connections set scope = char(1) where rowid = ?",
    "a generation that is a text": "update connections set generation = 'many' where rowid = ?",
}


@pytest.mark.parametrize("damage", DAMAGES)
def test_F15_a_damaged_row_breaks_its_own_connection_only(new_server, damage):
    scene = Scene.prepare([new_server("sqlite")], people=1).start()
    worker, place = scene.workers[0], scene.place
    numbers = [worker.connect(place, scene.clients["successor"]) for _ in range(3)]
    with closing(sqlite3.connect(scene.nodes[0].database.path, timeout=10)) as other:
        rows = other.execute("select rowid from connections order by created_at").fetchall()
        assert len(rows) == len(numbers)
        other.execute(DAMAGES[damage], rows[0])
        other.commit()
    broken = scene.ledger.connection(numbers[0])
    # A fault of the server's is no verdict on the token: a client that is told "invalid_grant" would give it up.
    refusal(broken.client.refresh(scene.ledger.purse[broken.newest]), 500, "server_error")
    for number in numbers[1:]:
        for _ in range(3):
            assert worker.refresh(number, place).is_good
            assert worker.introspect(number, place).is_active
    assert worker.connect(place)
    assert scene.nodes[0].is_running


def what_it_is(answer, token: str) -> str:
    """What a damaged server's answer to the refresh of a good, stable token comes to."""
    if answer.status_code == 200 and answer.json()["refresh_token"] == token:
        return "answered well"
    return "answered with an error" if answer.status_code in (500, 503) else "called the token bad"


def test_F15_flipped_bits_are_never_a_wrong_answer(new_server, figures):
    scene = Scene.prepare([new_server("sqlite")], people=1).start()
    worker, server = scene.workers[0], scene.nodes[0]
    number = worker.connect(scene.place, scene.clients["stable"])
    token = scene.ledger.newest(number)
    assert server.stop() == 0
    whole = server.database.path.read_bytes()
    seen = {"refused the start": 0, "answered well": 0, "answered with an error": 0, "called the token bad": 0}
    pages = len(whole) // 4096
    for page in range(0, pages, max(1, pages // 12)):
        content = bytearray(whole)
        for place in range(page * 4096 + 8, page * 4096 + 4096, 97):
            content[place] ^= 0x40
        server.database.path.write_bytes(content)
        server.start(wait=False)
        try:
            server.wait_until_ready(10)
            answer = scene.clients["stable"].refresh(token)
            seen[what_it_is(answer, token)] += 1
        except AssertionError:
            assert not server.is_running, "the server runs, and is not ready"
            seen["refused the start"] += 1
        if server.is_running:
            server.kill()
    assert seen["called the token bad"] == 0, "a good token was refused as invalid, or answered with another one"
    figures.note("F15", "bits flipped in every twelfth part of the SQLite file", **seen)


def spoil(server, sql: str, *values) -> None:
    """Changes the database behind the server's back."""
    if server.database.kind == "sqlite":
        with sqlite3.connect(server.database.path) as file:
            file.execute(sql, values)
        file.close()
    else:
        server.database.query(sql.replace("?", "'{}'").format(*values))


@pytest.mark.smoke
@pytest.mark.parametrize("kind", ["sqlite", "postgres"])
def test_F15_a_poisoned_row_breaks_its_own_connection_and_no_other(new_server, kind):
    server = new_server(kind)
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
    refusal(seam.refresh(poisoned.refresh), 500, "server_error")
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


@pytest.mark.smoke
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
