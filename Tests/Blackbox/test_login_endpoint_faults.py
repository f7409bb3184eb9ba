"""A login endpoint that is wrong, slow or gone: who is told what, and who does not notice."""

import sqlite3
import ssl
import subprocess
import threading
import time

import pytest

from toolkit.databases import SQLite
from toolkit.expect import check_guesses
from toolkit.login_endpoint import ADA, PASSWORD, Endpoint, found, serving, status, try_sign_in
from toolkit.person import Person
from toolkit.ports import free_port
from toolkit.process import Account, Latchkey
from toolkit.waiting import eventually


def garbage(asked):
    return 200, {"Content-Type": "application/json"}, b'{"id": '


FAULTS = {
    "status 500": lambda asked: status(500),
    "status 503": lambda asked: status(503, Retry_After="5"),
    "status 400": lambda asked: status(400),
    "status 204": lambda asked: (204, {}, b""),
    "no JSON": garbage,
    "HTML": lambda asked: (200, {}, b"<html>"),
    "a list": lambda asked: (200, {}, b"[]"),
    "no id": lambda asked: (200, {}, b'{"email": "a@b.example"}'),
    "an empty id": lambda asked: found("", ADA.email),
    "an id that is no text": lambda asked: found(["x"], ADA.email),
    "a true id": lambda asked: found(True, ADA.email),
    "no address": lambda asked: (200, {}, b'{"id": "c-1"}'),
    "an id with a line break": lambda asked: found("c-1\nx", ADA.email),
    "a huge answer": lambda asked: (200, {}, b'{"id": "' + b"x" * 200_000 + b'"}'),
    "deep nesting": lambda asked: (200, {}, b"[" * 30_000 + b"]" * 30_000),
    "the connection ends": lambda asked: None,
}


@pytest.mark.parametrize("fault", FAULTS)
def test_a_fault_of_the_endpoint_is_told_as_one(sqlite_endpoint_server, fault):
    server, where, seam = sqlite_endpoint_server
    where.answer, before = FAULTS[fault], len(where.asked)
    person = Person(server, ADA)
    page = person.visit(seam.authorize_url())
    refused = person.submit(page.sign_in_form, {"email": ADA.email, "password": PASSWORD})
    assert refused.status == 503, refused
    assert "Sign-in is not available right now." in refused.text
    assert refused.headers["Retry-After"]
    assert refused.sign_in_form.fields["email"] == ADA.email
    assert refused.sign_in_form.fields.get("password", "") == ""
    assert len(where.asked) == before + 1, "a request that has arrived is not sent again"
    # Nothing is lost: the same form goes on once the endpoint is back.
    where.answer = lambda asked: found("c-1", ADA.email)
    assert person.follow(person.submit(refused.sign_in_form, {"password": PASSWORD})).consent_form
    assert "login_endpoint" in server.log


@pytest.fixture(scope="module")
def sqlite_endpoint_server(tmp_path_factory):
    """One server for all the faults, with limits so low that counted faults would be noticed."""
    folder = tmp_path_factory.mktemp("endpoint")
    where = Endpoint(lambda asked: status(500))
    server = Latchkey(SQLite(folder), folder)
    server.extra_environment |= {"LATCHKEY_ACCOUNT_FAILURES": "3"}
    seam = serving(server, where, login_endpoint_deadline="3s")
    yield server, where, seam
    server.stop()
    where.stop()
    found_secrets = server.canaries.found_in(server.database.content() + server.log_path.read_bytes())
    assert not found_secrets, found_secrets


def test_faults_are_never_counted_as_wrong_passwords(sqlite_endpoint_server):
    server, where, _ = sqlite_endpoint_server
    account = Account("", "counted@company.example", PASSWORD, "")
    where.answer = FAULTS["status 500"]
    assert [try_sign_in(server, account).status for _ in range(8)] == [503] * 8
    where.answer = lambda asked: status(401)
    statuses = [try_sign_in(server, account).status for _ in range(5)]
    # None of the faults was counted.
    check_guesses(statuses, 422, free=3)


@pytest.mark.parametrize("how", ["silent", "slow body"])
def test_the_deadline_holds_for_the_whole_answer(sqlite_endpoint_server, how):
    server, where, _ = sqlite_endpoint_server
    over = threading.Event()

    def answer(asked):
        if how == "slow body":
            asked.handler.send_response(200)
            asked.handler.send_header("Content-Length", "1000")
            asked.handler.end_headers()
            for _ in range(100):
                if over.wait(0.1):
                    break
                try:
                    asked.handler.wfile.write(b" ")
                    asked.handler.wfile.flush()
                except OSError:
                    break
            return
        over.wait(10)
        return

    where.answer = answer
    started = time.monotonic()
    page = try_sign_in(server, ADA)
    waited = time.monotonic() - started
    over.set()
    assert page.status == 503, page
    assert waited < 8
    assert "did not answer within 3000 ms" in server.log


def test_nobody_listening_is_told_after_a_few_tries(new_server):
    class Nobody:
        url, secret = f"http://127.0.0.1:{free_port()}/login", "s" * 40

    server = new_server()
    serving(server, Nobody)
    page = try_sign_in(server, ADA)
    assert page.status == 503
    assert "no connection could be made" in server.log


def test_a_refused_connection_is_tried_again(new_server):
    port = free_port()

    class Later:
        url, secret = f"http://127.0.0.1:{port}/login", "s" * 40

    server = new_server()
    serving(server, Later)
    person = Person(server, ADA)
    form = person.visit(server.base + "/account").sign_in_form

    def sign_in_before_it_listens() -> tuple[int, int]:
        """How the sign-in ended, and how often the endpoint was asked that began to listen meanwhile."""
        opened = []
        timer = threading.Timer(0.15, lambda: opened.append(Endpoint(lambda asked: found("c-1", ADA.email), port=port)))
        timer.start()
        done = person.submit(form, {"email": ADA.email, "password": PASSWORD})
        timer.join()
        opened[0].stop()
        return done.status, len(opened[0].asked)

    # The server tries for six tenths of a second; on a busy machine the endpoint may come too late for that.
    eventually(sign_in_before_it_listens, 30, enough=lambda seen: seen == (303, 1))


def test_a_redirect_is_not_followed(sqlite_endpoint_server):
    server, where, _ = sqlite_endpoint_server
    elsewhere = Endpoint(lambda asked: found("thief", ADA.email))
    for code in (301, 302, 303, 307, 308):
        where.answer = lambda asked, code=code: status(code, Location=elsewhere.url)
        assert try_sign_in(server, ADA).status == 503
    elsewhere.stop()
    assert not elsewhere.asked, "the password went to another address"


def test_an_untrusted_certificate_gets_no_password(new_server, tmp_path):
    subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-keyout", tmp_path / "key", "-out"]
        + [tmp_path / "cert", "-days", "2", "-subj", "/CN=127.0.0.1", "-addext", "subjectAltName=IP:127.0.0.1"],
        check=True,
        capture_output=True,
    )
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(tmp_path / "cert", tmp_path / "key")
    with Endpoint(lambda asked: None, tls=context) as thief:
        server = new_server()
        serving(server, thief, login_endpoint_deadline="2s")
        page = try_sign_in(server, ADA)
    assert page.status == 503
    assert not thief.asked


def test_a_429_is_honoured(sqlite_endpoint_server):
    server, where, _ = sqlite_endpoint_server
    account = Account("", "busy@company.example", PASSWORD, "")
    where.answer = lambda asked: status(429, Retry_After="120")
    page = try_sign_in(server, account)
    assert page.status == 429
    assert 100 <= int(page.headers["Retry-After"]) <= 120
    before = len(where.asked)
    where.answer = lambda asked: found("c-9", account.email)
    assert try_sign_in(server, account).status == 429
    assert len(where.asked) == before, "it was asked again although it wanted to be left alone"


def test_L02_a_429_counts_once_and_not_while_the_endpoint_is_left_alone(new_server, login_endpoint):
    where = login_endpoint(lambda asked: status(429, Retry_After="120"))
    server = new_server()
    serving(server, where)
    assert [try_sign_in(server, ADA).status for _ in range(5)] == [429] * 5
    assert len(where.asked) == 1
    with sqlite3.connect(server.database.path) as connection:
        assert connection.execute("select failures from sign_in_attempts").fetchall() == [(1,), (1,)]


def test_a_hanging_endpoint_harms_no_refresh(own_server, login_endpoint):
    over = threading.Event()
    where = login_endpoint(lambda asked: found("c-1", ADA.email))
    seam = serving(own_server, where, login_endpoint_deadline="20s", login_endpoint_concurrency="4")
    connected = Person(own_server, ADA).connect(seam)

    def hang(asked):
        over.wait(20)
        return status(500)

    where.answer = hang
    people = [Person(own_server, Account("", f"p{i}@company.example", PASSWORD, "")) for i in range(8)]
    forms = [person.visit(own_server.base + "/account").sign_in_form for person in people]
    pages: list = []
    threads = [
        threading.Thread(
            target=lambda p=p, f=f: pages.append(p.submit(f, {"email": p.account.email, "password": PASSWORD}))
        )
        for p, f in zip(people, forms, strict=True)
    ]
    for thread in threads:
        thread.start()
    statuses = [seam.refresh(connected.refresh).status_code for _ in range(50)]
    over.set()
    for thread in threads:
        thread.join()
    assert statuses == [200] * 50
    assert {page.status for page in pages} == {503}, "who finds no place, and who got no answer, is told to try again"


def test_who_waits_behind_a_hanging_sign_in_takes_up_no_more_than_the_queue(own_server, login_endpoint):
    over = threading.Event()

    def hang(asked):
        over.wait(20)
        return status(401)

    where = login_endpoint(hang)
    own_server.extra_environment["LATCHKEY_PASSWORD_QUEUE"] = "2"
    serving(own_server, where, login_endpoint_deadline="20s")
    people = [Person(own_server, ADA) for _ in range(8)]
    forms = [person.visit(own_server.base + "/account").sign_in_form for person in people]
    pages: list = []
    threads = [
        threading.Thread(target=lambda p=p, f=f: pages.append(p.submit(f, {"email": ADA.email, "password": "wrong"})))
        for p, f in zip(people, forms, strict=True)
    ]
    for thread in threads:
        thread.start()
    eventually(lambda: len(pages) == 5, 15)
    assert [page.status for page in pages] == [503] * 5
    assert all(page.headers["Retry-After"] for page in pages)
    eventually(lambda: where.asked, 15)
    assert len(where.asked) == 1
    over.set()
    for thread in threads:
        thread.join()
    assert [page.status for page in pages[5:]] == [422] * 3, "who waited has their turn"
