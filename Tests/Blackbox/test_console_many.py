"""The console with 100 000 rows: every page comes at once, none is left out, and one row among them is found."""

import os
import re
import sqlite3
import time
from pathlib import Path

import pytest

from toolkit.console import Operator
from toolkit.databases import Postgres, SQLite
from toolkit.process import Latchkey

MANY = 100_000
SOON = 2.0
"""Seconds that a page may take, in a debug build on a busy machine; a page that sorted or counted would take longer."""
BEGAN = int(time.time() - 86_400) * 1000
"""When all of it was made, in milliseconds: yesterday, for what is years old is swept away."""

# `{id}`, `{digest}` and `{word}` are bytes made of the number `i`; ten rows are made in each millisecond.
ROWS = [
    """insert into accounts (account_id, source, email, email_key, name, created_at)
    select {id}, 'own', 'person' || i || '@many.example', 'person' || i || '@many.example', 'Person ' || i,
    {began} + i / 10 from {numbers}""",
    """insert into account_words (word, account_id) select {word}, {id} from {numbers}""",
    """insert into connections (connection_id, client_id, account_id, scope, resources, nonce, generation, created_at)
    select {id}, '{client}', {id}, 'locks.read', '', {id}, 0, {began} + i / 10 from {numbers}""",
    """insert into audit (at, actor_kind, actor, action, subject)
    select {began} + i, 'server', 'server', 'account.created', 'account:' || i from {numbers}""",
    """insert into api_keys (api_key_id, digest, name, name_key, scope, audiences, created_at)
    select {id}, {digest}, 'Key ' || i, 'key ' || i, '', '', {began} + i / 10 from {numbers}""",
]


def fill(database: SQLite | Postgres, client: str) -> None:
    """Puts the rows into the ledger, beside the server."""
    named = {"client": client, "began": BEGAN}
    if isinstance(database, SQLite):
        ledger = sqlite3.connect(database.path)
        ledger.create_function("id_of", 1, lambda i: i.to_bytes(16, "big"), deterministic=True)
        ledger.create_function("digest_of", 1, lambda i: i.to_bytes(32, "big"), deterministic=True)
        numbers = f"(with recursive n(i) as (select 1 union all select i + 1 from n where i < {MANY}) select i from n)"
        named |= {"id": "id_of(i)", "digest": "digest_of(i)", "word": "cast('person' || i as blob)", "numbers": numbers}
        with ledger:
            for rows in ROWS:
                ledger.execute(rows.format(**named))
        ledger.close()
        return
    named |= {
        "id": "decode(lpad(to_hex(i), 32, '0'), 'hex')",
        "digest": "decode(lpad(to_hex(i), 64, '0'), 'hex')",
        "word": "convert_to('person' || i, 'UTF8')",
        "numbers": f"generate_series(1, {MANY}) as i",
    }
    for rows in ROWS:
        database.query(rows.format(**named))
    database.query("analyze")


@pytest.fixture(scope="module", params=["sqlite", "postgres"])
def operator(request, module_server) -> Operator:
    """Somebody at the console of a server that has much."""
    server = module_server(request.param)
    client = server.create_client("--redirect-uri", "https://partner.example/callback", name="Busy partner")
    fill(server.database, client.client_id)
    server.start()
    found = Operator(server).join()
    found.client = client
    return found


def clock(server: Latchkey) -> float:
    """What a page takes is read off this: SQLite's work is the process's own, whatever else the machine has to do."""
    if server.database.kind == "postgres":
        return time.monotonic()
    # After the name, which may hold anything: state, and then numbers, of which 11 and 12 are ticks of the processor.
    cells = Path(f"/proc/{server.process.pid}/stat").read_text().rpartition(")")[2].split()
    return (int(cells[11]) + int(cells[12])) / os.sysconf("SC_CLK_TCK")


def opened(operator: Operator, path: str):
    """A page, and no later than it is read; of one that took long, on a busy machine perhaps, another look counts."""
    for _ in range(3):
        began = clock(operator.server)
        page = operator.open(path) if path.startswith("/") or not path else operator.visit(path)
        took = clock(operator.server) - began
        assert page.status == 200, page
        if took < SOON:
            break
    assert took < SOON, f"{path} took {took:.1f} s"
    return page


def following(page) -> str | None:
    """The address of the next page."""
    return next((link for link in page.links if "#" not in link and re.search(r"[?&](after|before)=", link)), None)


def numbers(text: str) -> str:
    """A text whose numbers are written without marks between their thousands."""
    return re.sub(r"(?<=\d)[\s,.'’\u2009\u202f\u00a0](?=\d{3})", "", text)


LISTS = {
    "/accounts": r"/accounts/(usr_[\w-]+)\"",
    "/connections": r"/connections/([\w-]+)\"",
    "/api-keys": r"/api-keys/([\w-]+)/revoke",
    "/audit": r"/audit/(\d+)\"",
    "/audit?action=account.created": r"/audit/(\d+)\"",
}


@pytest.mark.parametrize("path", list(LISTS))
def test_many_rows_come_in_pages_each_at_once_and_each_row_once(operator, path):
    seen: set[str] = set()
    page = opened(operator, path)
    for number in range(40):
        rows = set(re.findall(LISTS[path], page.html))
        assert len(rows) == 50, f"page {number + 1} has {len(rows)} rows"
        assert not rows & seen, "a row came twice"
        seen |= rows
        place = following(page)
        assert place, f"{path} ended after {len(seen)} rows"
        page = opened(operator, place)


def test_the_last_page_of_many_is_reached_as_fast_as_the_first(operator):
    behind_the_first = following(opened(operator, "/accounts"))
    page = opened(operator, re.sub(r"after=\d+", f"after={BEGAN + 1}", behind_the_first))
    assert "person1@many.example" in page.text
    assert "person19@many.example" in page.text
    assert following(page) is None


@pytest.mark.parametrize("typed", ["person77777@many.example", "person77777", "PERSON77777"])
def test_one_account_among_many_is_found(operator, typed):
    page = opened(operator, f"/accounts?q={typed}")
    assert set(re.findall(r"person\d+@", page.text)) == {"person77777@"}


def test_a_search_that_finds_them_all_has_pages_too(operator):
    page = opened(operator, "/accounts?q=person")
    assert f"person{MANY}@many.example" in page.text
    first = set(re.findall(r"person\d+@", page.text))
    second = set(re.findall(r"person\d+@", opened(operator, following(page)).text))
    assert len(first) == len(second) == 50
    assert not first & second


def test_what_is_counted_of_many_is_true_and_comes_at_once(operator):
    assert str(MANY) in numbers(opened(operator, "").text)
    path = f"/clients/{operator.client.client_id}"
    opened(operator, path)
    for page in (path + "/disable", path + "/disconnect", path + "/delete"):
        assert f"{MANY} live connections" in numbers(opened(operator, page).text), page


def test_one_entry_among_many_is_found_in_the_trail(operator):
    assert "account:77777" in opened(operator, "/audit?q=account:77777").text
