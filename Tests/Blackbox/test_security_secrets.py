"""No secret at rest or in the log: security.md, rows Z01 to Z05 and O01.

Every shared server is searched at its end too (see conftest.py); here a run that touches everything is searched in
the open, so that the promise has a test of its own.
"""

import base64
import re
import stat

import pytest

from toolkit.canaries import Canaries
from toolkit.client import tokens
from toolkit.person import Person

WEB = ("--redirect-uri", "https://partner.example/callback", "--scope", "locks.read", "--scope", "locks.write")


def live_a_day(server) -> None:
    """Uses everything that handles a secret, with what goes right and what goes wrong."""
    clients = [
        server.create_client("--partner", "seam", name="Seam"),
        server.create_client(*WEB, "--access-token", "opaque", "--refresh", "successor"),
        server.create_client("--public", "--redirect-uri", "http://127.0.0.1/callback", "--scope", "locks.read"),
    ]
    account = server.create_account()
    server.start()
    person = Person(server, account)
    for client in clients:
        connected = person.connect(client)
        newer = client.refreshed(connected.refresh)
        client.locks(newer.access)
        server.canaries.add("wrong secret", wrong := "lks_wrong_secret_" + "w" * 30)
        client.using(client_secret=wrong, authentication="post").refresh(newer.refresh)
        client.using(authentication="basic", client_secret=wrong).refresh(newer.refresh)
        code = person.authorize(client).code
        tokens(client.exchange(code))
        client.exchange(code)
        if client.authentication != "none":
            client.introspect(newer.access)
        client.post("/oauth/token", [("refresh_token", newer.refresh), ("refresh_token", newer.refresh)])
        client.revoke(newer.refresh)
    server.canaries.add("mistyped password", mistyped := "a mistyped password 12345")
    stranger = Person(server, account)
    stranger.sign_in(stranger.visit(clients[0].authorize_url()), password=mistyped)
    rotated = server.command("client", "rotate-secret", clients[0].client_id)
    server.canaries.add("rotated secret", rotated["client_secret"])
    server.canaries.add("second password", second := "another correct horse 67890")
    server.command("account", "set-password", account.user_id, "--password-stdin", stdin=second + "\n")


def test_Z01_O01_no_secret_lies_in_the_database_or_the_log(own_server):
    own_server.extra_environment["LATCHKEY_LOG_LEVEL"] = "trace"
    live_a_day(own_server)
    assert len(own_server.canaries.secrets) > 25
    assert own_server.canaries.found_in(own_server.database.content()) == []
    assert own_server.canaries.found_in(own_server.log_path.read_bytes()) == []
    own_server.stop()
    assert own_server.canaries.found_in(own_server.database.content()) == []


@pytest.mark.parametrize("spelling", ["plain", "hex", "base64", "shifted base64", "decoded", "decoded hex"])
def test_Z01_the_search_itself_finds_what_it_looks_for(spelling):
    token = "lkr_" + base64.urlsafe_b64encode(bytes(range(7, 71))).rstrip(b"=").decode()
    decoded = bytes(range(7, 71))
    content = {
        "plain": token.encode(),
        "hex": token.encode().hex().encode(),
        "base64": base64.b64encode(token.encode()[-24:]),
        "shifted base64": base64.b64encode(b"x" + token.encode()),
        "decoded": decoded,
        "decoded hex": decoded.hex().encode(),
    }[spelling]
    canaries = Canaries()
    canaries.add("refresh token", token)
    assert canaries.found_in(b"\0" * 40 + b"noise " + content + b" noise" + b"\0" * 40) == ["refresh token lkr_BwgJ…"]
    assert canaries.found_in(b"\0" * 40 + b"noise noise") == []


def test_Z02_passwords_are_argon2id_of_owasps_size(own_server):
    account = own_server.create_account()
    content = own_server.database.content().decode("latin-1")
    found = re.findall(r"\$argon2id\$v=19\$m=(\d+),t=(\d+),p=(\d+)\$", content)
    assert found, "no Argon2id hash in the database"
    memory, passes, _ = map(int, found[0])
    assert memory >= 19 * 1024
    assert passes >= 2
    assert account.password not in content


def test_Z04_no_private_key_lies_in_the_database(own_server):
    own_server.start()
    own_server.command("key", "rotate")
    content = own_server.database.content()
    assert b"PRIVATE KEY" not in content
    assert b'"d":' not in content
    assert b'"d" :' not in content


def test_Z05_the_files_of_sqlite_are_its_owners_alone(new_server):
    server = new_server("sqlite")
    server.create_account()
    server.start()
    for file in server.database.path.parent.iterdir():
        if file.name.startswith(server.database.path.name.split(".")[0]) or "key" in file.name:
            assert stat.S_IMODE(file.stat().st_mode) & 0o077 == 0, f"{file.name} can be read by others"


def test_Z04_without_its_key_the_server_refuses_to_start_rather_than_to_make_another(new_server):
    server = new_server("postgres")
    server.create_client("--partner", "seam", name="Seam")
    server.start()
    server.stop()
    del server.database.environment["LATCHKEY_SECRET_KEY"]
    done = server.run("serve", "--listen", f"127.0.0.1:{server.port}")
    assert done.returncode == 1
    assert "LATCHKEY_SECRET_KEY" in done.stderr or "secret-key" in done.stderr
    assert len(done.stderr.strip().splitlines()) == 1
    server.database.environment["LATCHKEY_SECRET_KEY"] = "A" * 43 + "="
    done = server.run("serve", "--listen", f"127.0.0.1:{server.port}")
    assert done.returncode == 1, "another key must not open this database"
