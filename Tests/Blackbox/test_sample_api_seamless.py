"""The sample API as Seamless.AI's public API has it (partners.md, rows A-08, A-09 and A-11 to A-14)."""

import json
import time

import pytest

from toolkit.client import OAuthClient
from toolkit.person import Person
from toolkit.receiver import Receiver
from toolkit.waiting import eventually
from toolkit.wire import Shot, fire_together, send

SEARCH = "/api/client/v1/search/contacts"
CALLBACK = "https://partner.example/callback"


@pytest.fixture
def server(stage):
    """The server that has a client of every profile."""
    return stage.server


@pytest.fixture
def client(stage) -> OAuthClient:
    return stage.player("seamless").client


@pytest.fixture
def access(person, client) -> dict[str, str]:
    """The header of a connection."""
    return {"Authorization": f"Bearer {person.connect(client).access}"}


def make_key(server, *options: str) -> dict[str, str]:
    """The header of a new API key."""
    key = server.command("api-key", "create", "--name", "Script", *options)["api_key"]
    server.canaries.add("api key", key)
    return {"Token": key}


def search(server, headers: dict, body: dict | None = None, path: str = SEARCH):
    return send("POST", server.base + path, headers=headers, json={} if body is None else body)


def call(server, method: str, path: str, headers: dict, **named):
    return send(method, server.base + "/api/client/v1" + path, headers=headers, **named)


def check_rate_headers(answer) -> None:
    assert answer.headers["X-RateLimit-Limit"] == "60"
    assert 0 <= int(answer.headers["X-RateLimit-Remaining"]) <= 60
    assert time.time() - 2 <= int(answer.headers["X-RateLimit-Reset"]) <= time.time() + 62
    assert int(answer.headers["X-PublicAPI-Credits"]) >= 0


def test_A_08_a_token_as_bearer_and_a_key_in_its_header(server, person, access):
    assert search(server, access).status_code == 200
    for options in (
        ("--account", person.account.user_id),
        ("--account", person.account.user_id, "--scope", "publicAPI.v1.all"),
        (),
    ):
        assert search(server, make_key(server, *options)).status_code == 200


def test_A_08_the_wrong_header_for_a_credential_is_401(server, access):
    key = make_key(server)
    for headers in (
        {"Authorization": f"Bearer {key['Token']}"},
        {"Token": access["Authorization"].split()[1]},
        {"Token": access["Authorization"]},
        {"Authorization": key["Token"]},
    ):
        refused = search(server, headers)
        assert (refused.status_code, list(refused.json())) == (401, ["message"])
    assert search(server, key).status_code == search(server, access).status_code == 200


def test_A_08_both_headers_on_one_request_are_400(server, access):
    key = make_key(server)
    for headers in (access | key, access | {"Token": "nonsense"}, {"Authorization": "Bearer nonsense"} | key):
        refused = search(server, headers)
        assert refused.status_code == 400
        assert refused.json()["message"].endswith("send Authorization or Token, one of them")


def test_A_09_missing_invalid_expired_and_revoked_credentials_are_401_with_a_message(server, client, person, access):
    for headers in ({}, {"Authorization": "Bearer nonsense"}, {"Token": "lkk_" + "A" * 43}):
        refused = search(server, headers)
        assert (refused.status_code, list(refused.json())) == (401, ["message"])
        assert refused.headers["WWW-Authenticate"].startswith("Bearer")
        check_rate_headers(refused)
    connected = person.connect(client)
    headers = {"Authorization": f"Bearer {connected.access}"}
    assert search(server, headers).status_code == 200
    client.revoke(connected.refresh)
    assert search(server, headers).status_code == 401
    made = server.command("api-key", "create", "--name", "Short")
    server.canaries.add("api key", made["api_key"])
    assert search(server, {"Token": made["api_key"]}).status_code == 200
    server.command("api-key", "revoke", made["api_key_id"])
    assert search(server, {"Token": made["api_key"]}).status_code == 401


def test_A_09_bad_parameters_are_400_and_too_few_credits_422(server, access):
    for body in ([], {"limit": 0}, {"limit": "many"}, {"nextToken": "nonsense"}):
        refused = send("POST", server.base + SEARCH, headers=access, json=body)
        assert refused.status_code == 400, body
        assert refused.json()["message"]
    assert call(server, "GET", "/contacts?startDate=yesterday", access).status_code == 400
    assert call(server, "GET", "/contacts?page=0", access).status_code == 400
    ids = [one["searchResultId"] for one in search(server, access, {"limit": 500}).json()["data"]]
    left = int(search(server, access).headers["X-PublicAPI-Credits"])
    assert 0 < left < len(ids)
    assert call(server, "POST", "/contacts/research", access, json={"searchResultIds": ids[:left]}).status_code == 202
    broke = call(server, "POST", "/contacts/research", access, json={"searchResultIds": ids[:3]})
    assert broke.status_code == 422
    assert broke.json()["code"] == "insufficientCredits"
    assert broke.json()["msg"]
    assert broke.json()["data"] == {"productCategory": "contacts", "additionalCreditsNeeded": 3}
    assert broke.headers["X-PublicAPI-Credits"] == "0"
    assert search(server, access).status_code == 200, "a search costs nothing"


def test_A_11_a_connection_without_the_scope_is_403(server, stage, person):
    access = person.connect(stage.player("make").client).access
    for headers in (
        {"Authorization": f"Bearer {access}"},
        make_key(server, "--account", person.account.user_id, "--scope", "locks.read"),
    ):
        refused = search(server, headers)
        assert refused.status_code == 403
        assert refused.json()["code"] == "insufficientScope"
        assert "publicAPI.v1.all" in refused.json()["message"]
        assert 'scope="publicAPI.v1.all"' in refused.headers["WWW-Authenticate"]
        check_rate_headers(refused)


def test_A_12_every_answer_says_the_rate_and_the_61st_of_a_minute_is_429(server, client, person, access):
    answers = [search(server, access) for _ in range(61)]
    for answer in answers:
        check_rate_headers(answer)
    assert [answer.status_code for answer in answers] == [200] * 60 + [429]
    assert [int(answer.headers["X-RateLimit-Remaining"]) for answer in answers] == [*range(59, -1, -1), 0]
    refused = answers[-1]
    assert refused.json()["code"] == "rateLimitExceeded"
    assert refused.json()["message"]
    assert 1 <= int(refused.headers["Retry-After"]) <= 60
    # By endpoint, and by organisation: another connection and a key of the same account are in the same minute.
    assert search(server, access, path="/api/client/v1/search/companies").status_code == 200
    again = {"Authorization": f"Bearer {person.connect(client).access}"}
    assert search(server, again).status_code == 429
    assert search(server, make_key(server, "--account", person.account.user_id)).status_code == 429
    other = Person(server, server.create_account()).connect(client).access
    assert search(server, {"Authorization": f"Bearer {other}"}).status_code == 200


def test_A_12_parallel_requests_are_counted_each(sqlite_server, person):
    client = sqlite_server.create_client("--redirect-uri", CALLBACK, "--scope", "publicAPI.v1.all")
    headers = {"Authorization": f"Bearer {person.connect(client).access}", "Content-Type": "application/json"}
    shots = [Shot(sqlite_server.base, "POST", SEARCH, b"{}", headers) for _ in range(80)]
    statuses = [answer.status for answer in fire_together(shots)]
    assert (statuses.count(200), statuses.count(429)) == (60, 20)


def test_A_12_who_is_nobody_uses_up_nobodys_minute(server, access):
    for _ in range(70):
        assert search(server, {"Authorization": "Bearer nonsense"}).status_code == 401
    assert search(server, access).headers["X-RateLimit-Remaining"] == "59"


@pytest.mark.parametrize("kind", ["contacts", "companies"])
def test_A_13_a_search_is_paged_by_cursor(server, access, kind):
    path = f"/api/client/v1/search/{kind}"
    everything = search(server, access, {"limit": 500}, path=path).json()
    assert everything["supplementalData"]["isMore"] is False
    assert everything["supplementalData"]["nextToken"] is None
    ids = [one["searchResultId"] for one in everything["data"]]
    assert len(set(ids)) == len(ids) == everything["supplementalData"]["total"]
    limit, token, found = max(len(ids) // 3, 1), None, []
    while True:
        body = {"limit": limit} | ({"nextToken": token} if token else {})
        page = search(server, access, body, path=path).json()
        found += [one["searchResultId"] for one in page["data"]]
        assert page["supplementalData"]["perPage"] == limit
        token = page["supplementalData"]["nextToken"]
        assert page["supplementalData"]["isMore"] == (token is not None)
        if token is None:
            break
    assert found == ids


def test_A_13_a_search_filters(server, access):
    found = search(server, access, {"companyName": ["Halden"], "jobTitle": "buyer"}).json()
    assert found["data"]
    assert all("Halden" in one["company"] and one["title"] == "Buyer" for one in found["data"])
    assert "email" not in found["data"][0], "an address has to be paid for"


@pytest.mark.parametrize("kind", ["contacts", "companies"])
def test_A_13_research_is_accepted_polled_for_and_listed(server, access, kind):
    ids = [one["searchResultId"] for one in search(server, access, path=f"/api/client/v1/search/{kind}").json()["data"]]
    assert call(server, "GET", f"/{kind}", access).json()["data"] == []
    before = int(call(server, "GET", f"/{kind}", access).headers["X-PublicAPI-Credits"])
    accepted = call(server, "POST", f"/{kind}/research", access, json={"searchResultIds": ids[:2]})
    assert accepted.status_code == 202
    assert int(accepted.headers["X-PublicAPI-Credits"]) == before - 2
    requests = accepted.json()["requestIds"]
    assert len(set(requests)) == 2
    path = f"/{kind}/research/poll?requestIds={','.join(requests)}"

    def states() -> set[str]:
        polled = call(server, "GET", path, access)
        assert polled.status_code == 200
        found = {one["requestId"]: one["status"] for one in polled.json()["data"]}
        assert set(found) == set(requests)
        assert set(found.values()) <= {"researching", "done"}
        return set(found.values())

    eventually(states, 10, "not all is done", enough=lambda found: found == {"done"}, pause=0.3)
    listed = call(server, "GET", f"/{kind}?page=1&limit=10", access).json()
    assert [one["searchResultId"] for one in listed["data"]] == ids[:2]
    assert call(server, "GET", f"/{kind}?endDate=2020-01-01T00:00:00Z", access).json()["data"] == []
    # Somebody else's requests are an error, not a shorter list.
    stranger = make_key(server)
    assert call(server, "GET", path, stranger).status_code == 400
    assert call(server, "GET", f"/{kind}/research/poll?requestIds=req_1", access).status_code == 400
    assert call(server, "POST", f"/{kind}/research", access, json={"searchResultIds": ["nobody"]}).status_code == 400


def test_A_14_a_webhook_carries_the_shared_secret_in_its_header(server, person):
    grants = ("--grant", "authorization_code", "--grant", "refresh_token", "--grant", "client_credentials")
    scopes = ("--scope", "publicAPI.v1.all", "--scope", "locks.read")
    client = server.create_client("--redirect-uri", CALLBACK, *grants, *scopes)
    own = {"Authorization": f"Bearer {client.client_credentials().json()['access_token']}"}
    access = {"Authorization": f"Bearer {person.connect(client).access}"}
    with Receiver() as receiver:
        wish = {
            "url": receiver.url,
            "events": ["contacts.research_completed"],
            "headers": {"X-Seamless-Webhook-Secret": "a-secret-that-both-know"},
        }
        made = send("POST", server.base + "/webhooks", headers=own, json=wish)
        assert made.status_code == 200, made.text
        ids = [one["searchResultId"] for one in search(server, access).json()["data"]][:2]
        accepted = call(server, "POST", "/contacts/research", access, json={"searchResultIds": ids}).json()
        companies = search(server, access, path="/api/client/v1/search/companies").json()["data"]
        other = {"searchResultIds": [companies[0]["searchResultId"]]}
        assert call(server, "POST", "/companies/research", access, json=other).status_code == 202
        eventually(lambda: len(receiver.asked) == 2, 20)
        for message, request in zip(receiver.asked, accepted["requestIds"], strict=True):
            assert message.headers["x-seamless-webhook-secret"] == "a-secret-that-both-know"
            assert json.loads(message.body)["event_type"] == "contacts.research_completed"
            research = json.loads(message.body)["research"]
            assert (research["requestId"], research["status"]) == (request, "done")
            assert research["contact"]["email"]


@pytest.mark.parametrize(
    "headers", [{"Host": "x"}, {"Content-Length": "1"}, {"X-A": "b\r\nC: d"}, {"X-A b": "c"}, {"X-A": ""}, {"X-A": "ü"}]
)
def test_A_14_a_webhook_carries_no_other_headers_than_the_receivers_own(server, headers):
    wish = {"url": "https://partner.example/hook", "headers": headers}
    refused = send("POST", server.base + "/webhooks", headers=make_key(server), json=wish)
    assert refused.status_code == 400, refused.text
