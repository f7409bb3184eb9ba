"""Security events: each has a name, a line of the log and a counter, and each is provoked here once."""

import ast
import secrets
import sqlite3
from pathlib import Path
from urllib.parse import urlsplit

from toolkit.account_page import change_password, form_to, open_account
from toolkit.console import Operator
from toolkit.databases import Postgres, PostgresServer
from toolkit.expect import check_guesses
from toolkit.login_endpoint import settings as login_settings
from toolkit.person import Person
from toolkit.ports import free_port
from toolkit.receiver import Receiver
from toolkit.seeing import events, lines, table
from toolkit.waiting import eventually
from toolkit.wire import send, together

UNIT = {"in_doubt", "fault", "clock_leap"}
"""Those that no request can provoke; Swift tests do (`Metrics and events`), and test_clocks.py the last one."""


def web(server, *options: str):
    return server.create_client("--redirect-uri", "https://partner.example/callback", "--scope", "locks.read", *options)


def told(server, event: str, count: int = 1, *, or_more: bool = False, **members: str) -> None:
    """Checks that an event was told so often, in the log and in its counter, and that it carries these members."""

    def seen() -> tuple[int, list[dict[str, str]]]:
        counted = events(server)[event]
        return counted, [line for line in lines(server) if line.get("event") == event]

    # One more may be told of between the two.
    counted, found = eventually(seen, 20, enough=lambda seen: seen[0] == len(seen[1]) >= count)
    assert counted == count or or_more, f"{event}: counted {counted}, expected {count}"
    for name, value in members.items():
        assert found[-1][name] == value, found[-1]
    assert not server.canaries.found_in(server.log_path.read_bytes())


def test_code_replay_and_token_reuse(own_server):
    client, strict = web(own_server), web(own_server, "--refresh", "strict")
    account = own_server.create_account()
    own_server.start()
    person = Person(own_server, account)
    authorization = person.authorize(client)
    assert client.exchange(authorization.code).status_code == 200
    again = client.exchange(authorization.code)
    assert again.status_code == 400
    told(own_server, "code_replay", client=client.client_id, request_id=again.headers["X-Request-Id"])
    first = person.connect(strict)
    assert strict.refresh(first.refresh).status_code == 200
    again = strict.refresh(first.refresh)
    assert again.status_code == 400
    told(own_server, "token_reuse", client=strict.client_id, request_id=again.headers["X-Request-Id"])


def test_client_lockout_and_token_guessing(own_server):
    own_server.extra_environment |= {"LATCHKEY_CLIENT_FAILURES": "3", "LATCHKEY_UNKNOWN_TOKENS": "3"}
    client = web(own_server)
    own_server.start()
    wrong = client.using(client_secret="lks_" + secrets.token_urlsafe(32))
    assert [wrong.refresh("x").status_code for _ in range(8)] == [401] * 3 + [429] * 5
    told(own_server, "client_lockout", client=client.client_id)
    for _ in range(8):
        client.post("/oauth/introspect", {"token": secrets.token_urlsafe(40)})
    told(own_server, "token_guessing", client=client.client_id)


def test_sign_ins_that_fail_wait_or_find_no_place(own_server):
    own_server.extra_environment |= {
        "LATCHKEY_ACCOUNT_FAILURES": "2",
        "LATCHKEY_PASSWORD_QUEUE": "1",
        "LATCHKEY_PASSWORD_THREADS": "1",
    }
    account = own_server.create_account()
    own_server.start()
    person = Person(own_server)
    form = person.visit(own_server.base + "/account").sign_in_form
    statuses = [person.submit(form, {"email": account.email, "password": f"wrong {i}"}).status for i in range(6)]
    check_guesses(statuses, 422, free=2)
    told(own_server, "sign_in_failed", statuses.count(422), address="127.0.0.1", client="none")
    told(own_server, "lockout", statuses.count(429), address="127.0.0.1")
    people = [Person(own_server) for _ in range(24)]
    forms = [one.visit(own_server.base + "/account").sign_in_form for one in people]
    calls = [
        lambda p=p, f=f, i=i: p.submit(f, {"email": f"nobody{i}@example.com", "password": "wrong"}).status
        for i, (p, f) in enumerate(zip(people, forms, strict=True))
    ]
    statuses = together(calls)
    assert 503 in statuses
    told(own_server, "sign_in_busy", statuses.count(503))


def test_a_password_is_changed_or_not(own_server):
    account = own_server.create_account()
    own_server.start()
    person = Person(own_server, account)
    open_account(person)
    change_password(person, "not the password", "a new long password")
    told(own_server, "sign_in_failed", client="none")
    change_password(person, account.password, "a new long password")
    told(own_server, "password_changed", account=account.user_id)


def test_the_login_endpoint_cannot_be_used(own_server):
    own_server.extra_environment |= login_settings(f"http://127.0.0.1:{free_port()}/login", secrets.token_hex(32))
    own_server.start()
    person = Person(own_server)
    page = person.visit(own_server.base + "/account")
    assert person.submit(page.sign_in_form, {"email": "ada@company.example", "password": "x"}).status == 503
    told(own_server, "login_endpoint")


def test_operators_come_in_or_do_not(own_server):
    own_server.extra_environment |= {"LATCHKEY_ACCOUNT_FAILURES": "2"}
    own_server.start()
    grace = Operator(own_server).join()
    told(own_server, "operator_signed_in")
    stranger = Person(own_server, source="127.0.6.1")
    page = stranger.visit(own_server.base + "/console")
    form = form_to(page, "/console/sign-in")
    statuses = [stranger.submit(form, {"email": grace.email, "password": f"wrong {i}"}).status for i in range(6)]
    check_guesses(statuses, 422, free=2)
    told(own_server, "operator_sign_in_failed", statuses.count(422), address="127.0.6.1")
    told(own_server, "operator_lockout", statuses.count(429), address="127.0.6.1")


def test_keys_change(own_server):
    own_server.start()
    assert own_server.run("key", "rotate").returncode == 0
    newest = own_server.command("key", "list")
    told(own_server, "key_rotated")
    (line,) = [line for line in lines(own_server) if line.get("event") == "key_rotated"]
    assert line["key_id"] in {key["key_id"] for key in newest}


def test_untrusted_proxies_and_readers(own_server):
    own_server.start()
    for _ in range(3):
        assert send("GET", own_server.base + "/metrics", headers={"X-Forwarded-For": "203.0.113.9"}).status_code == 403
    told(own_server, "untrusted_proxy", 1, peer="127.0.0.1")
    told(own_server, "metrics_refused", 3, address="127.0.0.1")


def test_a_database_that_is_away_and_one_that_is_damaged(new_server):
    database = PostgresServer()
    try:
        server = new_server(database=Postgres(database.url)).start()
        database.halt()
        # A question that is under way fails in another way than the next one does.
        told(server, "stale", or_more=True)
        answer = send("GET", server.base + "/readyz")
        assert answer.status_code == 503
        told(server, "unavailable", 1, request_id=answer.headers["X-Request-Id"])
        assert int(answer.headers["Retry-After"]) >= 1
        server.kill()
    finally:
        database.stop()
    damaged = new_server("sqlite", port=free_port())
    client = web(damaged)
    damaged.start()
    with sqlite3.connect(damaged.database.path) as connection:
        connection.execute("alter table codes rename column failures to failures_elsewhere")
    answer = client.exchange("nonsense")
    assert answer.status_code == 500
    told(damaged, "database", 1, request_id=answer.headers["X-Request-Id"])
    with sqlite3.connect(damaged.database.path) as connection:
        connection.execute("alter table codes rename to codes_elsewhere")
    answer = client.exchange("nonsense")
    assert answer.status_code == 503
    assert int(answer.headers["Retry-After"]) >= 1
    told(damaged, "unavailable", 1, request_id=answer.headers["X-Request-Id"])
    assert any("no such table: codes" in line["message"] for line in lines(damaged))


def test_a_database_that_may_lose_what_it_acknowledged(new_server, database):
    shared = database("postgres")
    # Two hosts in the URL: there may be a failover, and no commit waits for the second one.
    place = urlsplit(shared.url)
    shared.url = shared.url.replace(place.netloc, f"{place.netloc},{place.hostname}:{place.port}")
    server = new_server(database=shared).start()
    told(server, "hazard")
    (line,) = [line for line in lines(server) if line.get("event") == "hazard"]
    (warning,) = send("GET", server.base + "/readyz").json()["warnings"]
    assert line["message"] == f"not safe: {warning}"
    assert "set synchronous_standby_names" in warning


def test_an_ending_cannot_be_noted(new_server, tmp_path):
    log = tmp_path / "revocations"
    server = new_server(environment={"LATCHKEY_REVOCATION_LOG": str(log)})
    client, account = web(server), server.create_account()
    server.start()
    connected = Person(server, account).connect(client)
    log.unlink(missing_ok=True)
    log.mkdir()
    answer = client.revoke(connected.refresh)
    assert answer.status_code == 503
    assert int(answer.headers["Retry-After"]) >= 1
    assert "it is done" in answer.json()["error_description"]
    assert "database;" in answer.json()["error_description"], "it is not said to be away"
    told(server, "unnoted", 1, request_id=answer.headers["X-Request-Id"])
    assert not events(server)["unavailable"]
    log.rmdir()
    assert client.revoke(connected.refresh).status_code == 200
    told(server, "unnoted", 1)


def test_a_webhook_is_given_up(own_server):
    receiver = Receiver(lambda _: 410)
    own_server.extra_environment |= {
        "LATCHKEY_WEBHOOK_URL": receiver.url,
        "LATCHKEY_WEBHOOK_SECRET": own_server.run("webhook", "secret").stdout.strip(),
    }
    client, account = web(own_server), own_server.create_account()
    own_server.start()
    Person(own_server, account).connect(client)
    told(own_server, "webhook_given_up", 1, type="connection.created")
    receiver.stop()


def provoked() -> set[str]:
    """The events that a test of this file checks with `told`, in whichever process it runs."""
    calls = [node for node in ast.walk(ast.parse(Path(__file__).read_text())) if isinstance(node, ast.Call)]
    told_ones = [call.args[1] for call in calls if isinstance(call.func, ast.Name) and call.func.id == "told"]
    return {name.value for name in told_ones if isinstance(name, ast.Constant)}


def test_the_page_lists_every_event_and_each_is_provoked_here(sqlite_server):
    counted = set(events(sqlite_server))
    assert set(table("Security events")) == counted
    assert counted - UNIT <= provoked(), f"nothing provokes {counted - UNIT - provoked()}"
