"""F15: rows and files are damaged. A bad row breaks its own connection; a file that is no database stops the start."""

from __future__ import annotations

import sqlite3
from contextlib import closing

import pytest

from judge.scene import Scene
from toolkit.expect import check_one_line_error

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
    answer = broken.client.refresh(scene.ledger.purse[broken.newest])
    assert answer.status_code in (400, 500, 503), answer.text
    for number in numbers[1:]:
        for _ in range(3):
            assert worker.refresh(number, place).is_good
            assert worker.introspect(number, place).is_active
    assert worker.connect(place)
    assert scene.nodes[0].is_running


def test_F15_a_file_that_is_no_database_stops_the_start_with_one_line(new_server):
    server = new_server("sqlite").start()
    server.stop()
    content = bytearray(server.database.path.read_bytes())
    content[:100] = bytes(100)
    server.database.path.write_bytes(content)
    for end in ("-wal", "-shm"):
        server.database.path.with_name(server.database.path.name + end).unlink(missing_ok=True)
    check_one_line_error(server.run("serve", "--listen", f"127.0.0.1:{server.port}"), "database")


def test_F15_flipped_bits_are_never_a_wrong_answer(new_server, figures):
    scene = Scene.prepare([new_server("sqlite")], people=1).start()
    worker, server = scene.workers[0], scene.nodes[0]
    number = worker.connect(scene.place, scene.clients["stable"])
    token = scene.ledger.newest(number)
    assert server.stop() == 0
    whole = server.database.path.read_bytes()
    seen = {"refused the start": 0, "answered well": 0, "refused the token": 0, "answered with an error": 0}
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
            if answer.status_code == 200:
                assert answer.json()["refresh_token"] == token
                seen["answered well"] += 1
            else:
                seen["refused the token" if answer.status_code in (400, 401) else "answered with an error"] += 1
        except AssertionError:
            assert not server.is_running, "the server runs, and is not ready"
            seen["refused the start"] += 1
        if server.is_running:
            server.kill()
    figures.note("F15", "bits flipped in every twelfth part of the SQLite file", wrong_answers=0, **seen)
