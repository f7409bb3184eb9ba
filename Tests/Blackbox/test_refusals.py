"""The partner debugger's data: what was refused, why, and under which id (issue 3, item 4)."""

import concurrent.futures
import json

import pytest

from toolkit.client import basic
from toolkit.person import Person
from toolkit.waiting import eventually
from toolkit.wire import send

WEB = ("--redirect-uri", "https://partner.example/callback", "--scope", "locks.read")


def request_id(answer) -> str:
    return answer.headers["X-Request-Id"]


def stored(server, answer) -> dict:
    """The refusal that an answer's id leads to."""
    (one,) = eventually(lambda: server.command("refusal", "list", "--request-id", request_id(answer)), 20)
    return one


@pytest.fixture
def client(server):
    return server.create_client(*WEB, name="Debugged partner")


def test_a_refused_token_request_tells_parameter_expected_and_what_came(server, client, person):
    code = person.authorize(client).code
    answer = client.exchange(code, redirect_uri="https://partner.example/other?x=1")
    assert answer.status_code == 400
    one = stored(server, answer)
    assert one["client_id"] == client.client_id
    assert one["endpoint"] == "token"
    assert (one["error"], one["status"]) == ("invalid_grant", 400)
    assert one["parameter"] == "redirect_uri"
    assert one["expected"] == "https://partner.example/callback"
    assert one["got"] == "https://partner.example/other?x=1"
    assert one["error_description"] == answer.json()["error_description"]


def test_a_request_is_found_by_its_id_in_capitals_and_not_among_another_clients(server, client):
    answer = client.exchange("no-code")
    one = stored(server, answer)
    words = ("refusal", "list", "--request-id", request_id(answer).upper())
    assert server.command(*words) == [one]
    other = server.create_client(*WEB, name="Other partner").client_id
    told = server.run(*words, "--client", other).stdout
    assert f"Nothing of the client {other} is kept under this id" in told
    assert "--client" in told


def test_secrets_codes_and_tokens_are_not_kept(server, client, person):
    tokens = person.connect(client)
    mistakes = [
        client.using(client_secret="hunter2-is-a-chosen-secret").refresh(tokens.refresh),
        client.exchange(tokens.refresh),
        client.refresh(tokens.access),
        client.post("/oauth/token", {"grant_type": tokens.refresh}),
        client.post("/oauth/token", {"grant_type": "authorization_code", tokens.access: "1"}),
        client.refresh(tokens.refresh, scope="locks.read hunter2-is-a-chosen-secret"),
    ]
    server.canaries.add("client secret", "hunter2-is-a-chosen-secret")
    # The secret was in the body, whatever else stood in the header.
    mistakes.append(
        client.post("/oauth/token", {"client_secret": "hunter2-is-a-chosen-secret"}, {"Authorization": "Bearer x"})
    )
    assert stored(server, mistakes[-1])["got"] == "26 characters"
    seen = json.dumps([stored(server, answer) for answer in mistakes])
    for secret in (tokens.refresh, tokens.access, client.client_secret, "hunter2-is-a-chosen-secret"):
        assert secret not in seen
    assert stored(server, mistakes[1])["got"].startswith("a refresh token, ")
    assert "nothing; the request has grant_type" in stored(server, mistakes[4])["got"]
    assert stored(server, mistakes[5])["got"] == "locks.read (26 characters)"


def test_the_error_page_shows_the_id_under_which_the_operator_finds_it(server, client):
    page = Person(server).visit(client.authorize_url(redirect_uri="https://attacker.example/callback"))
    assert page.status == 400
    one = stored(server, page)
    assert one["request_id"] in page.text, "the page shows the id"
    assert one["endpoint"] == "authorize"
    assert one["parameter"] == "redirect_uri"
    assert one["expected"] == "https://partner.example/callback"
    assert one["got"] == "https://attacker.example/callback"


def test_a_refusal_that_was_redirected_is_kept_too(server, client):
    answer = send("GET", client.authorize_url(scope="locks.read locks.all"))
    assert answer.status_code == 303
    one = stored(server, answer)
    assert (one["error"], one["parameter"], one["got"]) == ("invalid_scope", "scope", "locks.read locks.all")


def test_hostile_characters_lose_no_refusal(server, client):
    answers = [
        send("GET", client.authorize_url(scope="locks.read\0\x1b[31m\r\nx")),
        client.post("/oauth/token", [("a\0b", "1"), ("a\0b", "2")]),
        client.exchange("x", redirect_uri="https://partner.example/<script>\0"),
    ]
    for answer in answers:
        one = stored(server, answer)
        assert "\0" not in json.dumps(one)
        assert "\\u0000" not in json.dumps(one)


def test_introspection_and_revocation_are_watched(server, client, person):
    tokens = person.connect(client)
    other = server.partners.web
    answer = other.revoke(tokens.refresh)
    assert answer.status_code == 400
    assert stored(server, answer)["endpoint"] == "revoke"
    heads = basic(client.client_id, client.client_secret)
    answer = send("POST", server.base + "/oauth/introspect", data={"token": ""}, headers=heads)
    assert answer.status_code == 400
    assert (stored(server, answer)["endpoint"], stored(server, answer)["parameter"]) == ("introspect", "token")


def test_a_connection_tells_when_and_why_it_was_last_refused(server, client, person):
    tokens = person.connect(client)
    (listed,) = server.command("connection", "list", "--client", client.client_id)
    assert listed["last_refused_at"] is None
    assert listed["last_error"] is None
    # A wrong secret, but the refresh token proves which connection it is about.
    answer = client.using(client_secret="wrong").refresh(tokens.refresh)
    assert answer.status_code == 401
    assert stored(server, answer)["connection_id"] == listed["connection_id"]
    (listed,) = server.command("connection", "list", "--client", client.client_id)
    assert listed["last_refused_at"] is not None
    assert listed["last_error"].startswith("invalid_client: ")


def test_a_forged_refresh_token_blames_no_connection(server, client, person):
    tokens = person.connect(client)
    forged = tokens.refresh[:-1] + ("A" if tokens.refresh[-1] != "A" else "Q")
    answer = client.refresh(forged)
    assert answer.status_code == 400
    assert stored(server, answer)["connection_id"] is None
    (listed,) = server.command("connection", "list", "--client", client.client_id)
    assert listed["last_refused_at"] is None


def test_nothing_is_kept_of_clients_that_nobody_knows(server, client):
    answer = client.using(client_id="nobody-knows-me").refresh("x")
    assert answer.status_code == 401
    later = client.refresh("x")
    stored(server, later)
    assert server.command("refusal", "list", "--request-id", request_id(answer)) == []
    told = server.run("refusal", "list", "--request-id", request_id(answer)).stdout
    assert "named no known client" in told
    assert "No request" not in told


def test_a_client_that_is_not_there_is_told_from_one_that_was_never_refused(server):
    done = server.run("refusal", "list", "--client", "nobody-knows-me")
    assert done.returncode == 1
    assert "there is no client 'nobody-knows-me'" in done.stderr
    # Not by `create_client`, which asks the server until it knows the client: what it asks is refused, and kept.
    calm = server.command("client", "create", "--name", "Calm", "--grant", "client_credentials")
    assert server.command("refusal", "list", "--client", calm["client_id"]) == []


def test_a_flood_of_refusals_is_bounded_and_loses_no_service(server, client, person):
    tokens = person.connect(client)
    with concurrent.futures.ThreadPoolExecutor(16) as pool:
        statuses = {one.status_code for one in pool.map(lambda _: client.exchange("wrong"), range(600))}
    assert statuses == {400}
    assert client.refresh(tokens.refresh).status_code == 200
    sent = set()

    def one_got_through() -> bool:
        sent.add(request_id(client.post("/oauth/token", {"grant_type": "password"})))
        listed = server.command("refusal", "list", "--client", client.client_id)
        return bool(sent & {one["request_id"] for one in listed})

    eventually(one_got_through, 10)
    kept = server.command("refusal", "list", "--client", client.client_id, "--limit", "1000")
    assert len(kept) <= 200


def test_every_error_carries_its_id(server, client):
    answers = [
        client.exchange("wrong"),
        send("GET", server.base + "/oauth/token"),
        send("GET", server.base + "/oauth/authorize"),
        send("POST", server.base + "/oauth/introspect"),
    ]
    ids = {request_id(answer) for answer in answers}
    assert len(ids) == len(answers)
    assert all(answer.status_code >= 400 for answer in answers)
    forged = send("GET", server.base + "/oauth/token", headers={"X-Request-Id": "forged"})
    assert request_id(forged) not in ids | {"forged"}, "the id is the server's own"


def test_a_refusal_in_the_log_names_the_client_and_the_id_of_the_answer(server, client):
    answers = [
        client.exchange("wrong"),
        client.post("/oauth/introspect", {}),
        client.post("/oauth/revoke", {}),
        send("GET", client.authorize_url(redirect_uri="https://elsewhere.example/")),
        send("GET", client.authorize_url(response_type="token")),
    ]
    told = {}
    for line in server.log.splitlines():
        event = json.loads(line) if line.startswith("{") else {}
        if event.get("message", "").startswith("refused: "):
            told[event["request_id"]] = event.get("client")
    assert [told.get(request_id(answer)) for answer in answers] == [client.client_id] * len(answers)
