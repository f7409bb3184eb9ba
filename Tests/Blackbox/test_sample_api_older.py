"""The sample API as Seam's older guides have it: door locks and intercoms (partners.md, rows L-09 to L-15)."""

from dataclasses import replace

import pytest
from test_sample_api_seam import Home

from toolkit.person import Person
from toolkit.replay import Player
from toolkit.wire import send


@pytest.fixture
def server(stage):
    """The server that has a client of every profile."""
    return stage.server


@pytest.fixture
def seam(stage, person) -> Player:
    """Seam, as its older guides have it, with a person of its own."""
    return replace(stage.player("seam-legacy"), person=person)


@pytest.fixture
def home(server, seam) -> Home:
    return Home(server, seam.connect().access)


def check_error(answer, status: int, code: str) -> None:
    assert (answer.status_code, answer.json().get("error_id")) == (status, code)
    assert answer.json()["error_message"]


@pytest.mark.parametrize("path", ["/locks", "/door_locks", "/intercoms", "/access_codes?lock_id=x"])
def test_L_09_the_devices_and_access_codes_take_a_bearer_token(server, seam, home, path):
    refused = send("GET", server.base + path)
    assert refused.status_code == 401
    assert refused.headers["WWW-Authenticate"] == 'Bearer realm="locks"'
    assert home.call("GET", path).status_code in (200, 404)
    seam.client.revoke(home.headers["Authorization"].split()[1])
    assert home.call("GET", path).status_code == 401


def test_L_10_everything_answers_below_a_base_path_and_health_at_the_root_too(new_server):
    server = new_server()
    issuer = server.base + "/somebasepath"
    server.issuer = issuer
    client = server.create_client("--partner", "seam")
    server.start()
    assert send("GET", server.base + "/health").json() == {"ok": True}
    assert send("GET", issuer + "/health").json() == {"ok": True}
    for path in ("/locks", "/v1/locks", "/door_locks", "/intercoms", "/api/client/v1/contacts"):
        assert send("GET", issuer + path).status_code == 401, path
    account = server.create_account()
    at_root = server.base
    try:
        server.base = issuer
        access = Person(server, account).connect(client).access
        for place in (issuer, at_root):
            answer = send("GET", place + "/locks", headers={"Authorization": f"Bearer {access}"})
            assert answer.status_code == 200, place
            assert len(answer.json()["locks"]) > 1
    finally:
        server.base = at_root


def test_L_12_health_needs_no_token(server):
    answer = send("GET", server.base + "/health")
    assert (answer.status_code, answer.json()) == (200, {"ok": True})


def test_L_13_locks_are_listed_shown_and_unlocked(home):
    locks = home.locks
    for lock in locks:
        assert {"lock_id", "model", "address"} <= set(lock)
    lock = locks[0]["lock_id"]
    assert home.call("GET", f"/locks/{lock}").json()["lock_id"] == lock
    done = home.call("POST", f"/locks/{lock}/unlock", json={"unlock_time": 86_400_000})
    assert (done.status_code, done.json()["ok"]) == (200, True)
    assert home.call("GET", f"/locks/{lock}").json()["lock_state"] == "unlocked"
    for body in ({"unlock_time": 0}, {"unlock_time": -1}, {"unlock_time": "x"}, [], {"unlock_time": 10**12}):
        check_error(home.call("POST", f"/locks/{lock}/unlock", json=body), 400, "BAD_UNLOCK_TIME")


def test_L_13_access_codes_of_a_lock_are_listed_shown_and_removed(home):
    lock = home.locks[0]["lock_id"]
    codes = home.call("GET", f"/access_codes?lock_id={lock}").json()["access_codes"]
    assert codes
    for code in codes:
        assert {"access_code_id", "lock_id", "owner_id", "code", "name"} <= set(code)
        assert code["lock_id"] == lock
        assert home.call("GET", f"/access_codes/{code['access_code_id']}").json() == code
        removed = home.call("DELETE", f"/access_codes/{code['access_code_id']}")
        assert (removed.status_code, removed.json()["ok"]) == (200, True)
    assert home.call("GET", f"/access_codes?lock_id={lock}").json() == {"access_codes": []}
    check_error(home.call("DELETE", f"/access_codes/{codes[0]['access_code_id']}"), 404, "ACCESS_CODE_NOT_FOUND")


@pytest.mark.parametrize("path", ["/door_locks", "/intercoms"])
def test_L_14_intercoms_are_listed_under_both_names(home, path):
    answer = home.call("GET", path)
    assert answer.status_code == 200
    assert list(answer.json()) == ["intercoms"]
    for intercom in answer.json()["intercoms"]:
        assert set(intercom) == {"intercom_id", "name", "model", "address"}
        assert home.call("GET", f"/intercoms/{intercom['intercom_id']}").json() == intercom


def test_L_14_an_intercom_is_unlocked_and_its_codes_are_listed(home):
    intercom = home.call("GET", "/door_locks").json()["intercoms"][0]["intercom_id"]
    done = home.call("POST", f"/intercoms/{intercom}/unlock", json={"unlock_time": 5000})
    assert (done.status_code, done.json()) == (200, {"ok": True})
    codes = home.call("GET", f"/access_codes?intercom_id={intercom}").json()["access_codes"]
    assert [code["intercom_id"] for code in codes] == [intercom]
    assert {"access_code_id", "intercom_id", "owner_id", "code", "name"} <= set(codes[0])


def test_L_15_a_disconnected_device_is_500_with_error_id_and_error_message(home):
    gone = home.call("GET", "/intercoms").json()["intercoms"][1]["intercom_id"]
    answer = home.call("POST", f"/intercoms/{gone}/unlock", json={"unlock_time": 5000})
    assert answer.status_code == 500
    assert answer.json() == {"error_id": "INTERCOM_DISCONNECTED", "error_message": "Intercom is disconnected"}
    check_error(home.call("POST", f"/locks/{home.offline}/unlock", json={"unlock_time": 5000}), 500, "DEVICE_OFFLINE")
    check_error(home.call("POST", f"/locks/{home.jammed}/unlock", json={"unlock_time": 5000}), 500, "LOCK_JAMMED")


def test_L_15_what_is_not_there_is_404_and_never_an_empty_list(home):
    check_error(home.call("GET", "/intercoms/nobody"), 404, "INTERCOM_NOT_FOUND")
    check_error(home.call("POST", "/intercoms/nobody/unlock", json={"unlock_time": 5000}), 404, "INTERCOM_NOT_FOUND")
    check_error(home.call("GET", "/locks/nobody"), 404, "LOCK_NOT_FOUND")
    check_error(home.call("GET", "/access_codes?intercom_id=nobody"), 404, "INTERCOM_NOT_FOUND")
    check_error(home.call("GET", "/access_codes?lock_id=nobody"), 404, "LOCK_NOT_FOUND")
    check_error(home.call("GET", "/access_codes"), 400, "BAD_REQUEST")
    check_error(home.call("GET", "/access_codes?lock_id=a&intercom_id=b"), 400, "BAD_REQUEST")
