"""The sample API as Seam's current guide has it: locks, actions, access codes, webhooks (partners.md, section 1.3)."""

import json
import queue
import secrets
from contextlib import ExitStack

import pytest

from toolkit.site import Answer, Asked, Site
from toolkit.wire import send

DEVICE = {
    "device_id": str,
    "device_type": str,
    "device_model": str,
    "online": bool,
    "battery_level": int,
    "signal_quality": int,
    "location": dict,
    "timezone": str,
    "lock_state": str,
    "door_state": str,
    "device_time": str,
    "updated_at": str,
}


class Home:
    """A person's devices, through a partner's access token."""

    def __init__(self, server, access: str):
        self.server = server
        self.headers = {"Authorization": f"Bearer {access}"}

    def call(self, method: str, path: str, **named):
        return send(method, self.server.base + path, headers=self.headers, **named)

    @property
    def locks(self) -> list[dict]:
        answer = self.call("GET", "/locks")
        assert answer.status_code == 200, answer.text
        return answer.json()["locks"]

    @property
    def offline(self) -> str:
        return next(lock["lock_id"] for lock in self.locks if not lock["online"])

    @property
    def jammed(self) -> str:
        return next(lock["lock_id"] for lock in self.locks if "jammed" in lock["name"])


@pytest.fixture
def home(server, person) -> Home:
    return Home(server, person.connect(server.partners.seam).access)


class Receiver(Site):
    """A partner's webhook on loopback; it answers with the given statuses first, then with 200."""

    path = "/events"

    def __init__(self, *statuses: int):
        self.bodies: queue.Queue[bytes] = queue.Queue()
        self.statuses = list(statuses)
        super().__init__(self._take)

    def _take(self, asked: Asked) -> Answer:
        self.bodies.put(asked.body)
        return self.statuses.pop(0) if self.statuses else 200

    def next(self) -> dict:
        return json.loads(self.bodies.get(timeout=20))


@pytest.fixture
def receiver():
    with ExitStack() as made:
        yield lambda *statuses: made.enter_context(Receiver(*statuses))


def test_seam_a_lock_is_a_full_device_object(home):
    locks = home.locks
    assert len({lock["lock_id"] for lock in locks}) == len(locks) > 1
    for listed in locks:
        assert {"lock_id", "name", "model", "address"} <= set(listed)
        lock = home.call("GET", f"/locks/{listed['lock_id']}").json()
        for name, kind in DEVICE.items():
            assert isinstance(lock[name], kind), name
        assert lock["device_type"] in ("smart_lock", "hub", "bridge")
        assert lock["lock_state"] in ("locked", "unlocked", "unknown")
        assert 0 <= lock["battery_level"] <= 100
        assert "/" in lock["timezone"]
        assert set(lock["location"]) == {"latitude", "longitude"}


def test_seam_an_action_is_pending_and_its_result_comes_by_webhook(server, person, receiver):
    scopes = ("--scope", "locks.read", "--scope", "locks.write")
    grants = ("--grant", "authorization_code", "--grant", "refresh_token", "--grant", "client_credentials")
    partner = server.create_client("--redirect-uri", "https://partner.example/callback", *scopes, *grants)
    other = server.create_client("--scope", "locks.read", "--grant", "client_credentials")
    # The second one answers badly at first: the same body comes again, and the order stays.
    mine, theirs = receiver(503, 500), receiver()
    for client, hook in ((partner, mine), (other, theirs)):
        own = {"Authorization": f"Bearer {client.client_credentials().json()['access_token']}"}
        wish = {"url": hook.url, "events": ["lock.action_completed", "access_code.created"]}
        made = send("POST", server.base + "/webhooks", headers=own, json=wish)
        assert made.status_code == 200, made.text
        assert made.json()["status"] == "active"
        assert made.json()["webhook_id"].startswith("wh_")
        again = send("POST", server.base + "/webhooks", headers=own, json=wish)
        assert again.json()["webhook_id"] == made.json()["webhook_id"], "one webhook for each environment"
    home = Home(server, person.connect(partner).access)
    lock = home.locks[0]["lock_id"]
    command = {"action": "unlock", "custom_id": "req_98aa221"}
    accepted = home.call("POST", f"/locks/{lock}/actions", json=command).json()
    assert {name: accepted[name] for name in ("custom_id", "status", "lock_id", "action")} == {
        "custom_id": "req_98aa221",
        "status": "pending",
        "lock_id": lock,
        "action": "unlock",
    }
    stuck = home.call("POST", f"/locks/{home.jammed}/actions", json={"action": "unlock"}).json()
    assert stuck["status"] == "pending", "that a bolt is stuck is found out later"
    tries = [mine.next() for _ in range(3)]
    assert tries[0] == tries[1] == tries[2], "unchanged, until it is taken"
    assert tries[0]["event_type"] == "lock.action_completed"
    assert tries[0]["device_id"] == lock
    assert tries[0]["action_id"] == accepted["action_id"]
    assert tries[0]["custom_id"] == "req_98aa221"
    assert tries[0]["status"] == "success"
    assert tries[0]["performed_via"] == "remote_api"
    failed = mine.next()
    assert (failed["action_id"], failed["status"], failed["error_code"]) == (
        stuck["action_id"],
        "failed",
        "LOCK_JAMMED",
    )
    assert home.call("GET", f"/locks/{lock}").json()["lock_state"] == "unlocked"
    assert theirs.bodies.empty(), "a partner learns nothing of who has not connected to it"


def test_seam_a_webhook_belongs_to_an_application_not_to_a_person(server, home):
    refused = home.call("POST", "/webhooks", json={"url": "https://partner.example/events", "events": []})
    assert (refused.status_code, refused.json()["error_code"]) == (403, "CLIENT_CREDENTIAL_REQUIRED")
    assert send("POST", server.base + "/webhooks", json={}).status_code == 401
    key = server.command("api-key", "create", "--name", "Own", "--scope", "locks.read")["api_key"]
    server.canaries.add("api key", key)
    wish = {"url": "https://partner.example/" + secrets.token_hex(4), "events": ["device.offline"]}
    made = send("POST", server.base + "/webhooks", headers={"Token": key}, json=wish)
    assert made.status_code == 200


@pytest.mark.parametrize(
    "url", ["http://partner.example/x", "ftp://127.0.0.1/x", "http://127.0.0.1@evil.example/", "file:///etc/passwd", ""]
)
def test_seam_a_webhook_goes_by_https_or_to_this_machine(server, url):
    own = {"Authorization": f"Bearer {server.partners.machine.client_credentials().json()['access_token']}"}
    refused = send("POST", server.base + "/webhooks", headers=own, json={"url": url, "events": []})
    assert (refused.status_code, refused.json()["error_code"]) == (400, "BAD_WEBHOOK")


def test_seam_access_codes_are_made_changed_listed_and_removed(home):
    lock = home.locks[1]["lock_id"]
    window = {"starts_at": "2027-05-22T15:00:00Z", "ends_at": "2027-05-25T11:00:00Z"}
    made = home.call("POST", f"/locks/{lock}/access_codes", json={"name": "Jane Lo", "code": "4830"} | window)
    assert made.status_code == 200, made.text
    assert made.json()["status"] == "pending"
    assert {name: made.json()[name] for name in window} == window
    code = made.json()["access_code_id"]
    listed = home.call("GET", f"/locks/{lock}/access_codes").json()["access_codes"]
    assert [(one["access_code_id"], one["lock_id"], one["status"]) for one in listed] == [(code, lock, "active")]
    later = {"starts_at": "2027-05-23T15:00:00Z", "ends_at": "2027-05-26T11:00:00Z"}
    changed = home.call("PATCH", f"/access_codes/{code}", json=later)
    assert changed.json()["status"] == "pending"
    assert home.call("GET", f"/access_codes/{code}").json() == made.json() | later | {"status": "active"}
    removed = home.call("DELETE", f"/access_codes/{code}").json()
    assert (removed["access_code_id"], removed["status"]) == (code, "pending")
    assert home.call("GET", f"/locks/{lock}/access_codes").json() == {"access_codes": []}
    assert home.call("GET", f"/access_codes/{code}").status_code == 404


def test_seam_errors_have_a_code_and_a_message(home):
    lock = home.locks[0]["lock_id"]
    make = f"/locks/{lock}/access_codes"
    first = home.call("POST", make, json={"name": "a", "code": "7777"})
    assert first.status_code == 200
    cases = [
        ("POST", make, {"name": "b", "code": "7777"}, 409, "PIN_CONFLICT"),
        ("POST", make, {"name": "b", "code": "12x4"}, 422, "INVALID_PIN"),
        ("POST", make, {"name": "b"}, 400, "BAD_ACCESS_CODE"),
        ("POST", f"/locks/{home.offline}/access_codes", {"name": "b", "code": "7777"}, 503, "DEVICE_OFFLINE"),
        ("POST", f"/locks/{home.offline}/actions", {"action": "unlock"}, 503, "DEVICE_OFFLINE"),
        ("POST", f"/locks/{lock}/actions", {"action": "explode"}, 422, "UNKNOWN_ACTION"),
        ("POST", f"/locks/{lock}/actions", [], 400, "BAD_COMMAND"),
        ("POST", "/locks/lock_of_nobody/actions", {"action": "unlock"}, 404, "LOCK_NOT_FOUND"),
        ("GET", "/locks/lock_of_nobody/access_codes", None, 404, "LOCK_NOT_FOUND"),
        ("PATCH", "/access_codes/ac_nobody", {"name": "b"}, 404, "ACCESS_CODE_NOT_FOUND"),
    ]
    for method, path, body, status, code in cases:
        answer = home.call(method, path, json=body)
        assert (answer.status_code, answer.json().get("error_code")) == (status, code), path
        assert answer.json()["message"]


def test_seam_nobody_reaches_another_persons_devices(server, home):
    from toolkit.person import Person

    stranger = Home(server, Person(server, server.create_account()).connect(server.partners.seam).access)
    lock = home.locks[0]["lock_id"]
    code = home.call("GET", f"/locks/{lock}/access_codes").json()["access_codes"][0]["access_code_id"]
    calls = [
        ("GET", f"/locks/{lock}", None),
        ("POST", f"/locks/{lock}/actions", {"action": "unlock"}),
        ("GET", f"/locks/{lock}/access_codes", None),
        ("POST", f"/locks/{lock}/access_codes", {"name": "x", "code": "1111"}),
        ("GET", f"/access_codes/{code}", None),
        ("PATCH", f"/access_codes/{code}", {"code": "1111"}),
        ("DELETE", f"/access_codes/{code}", None),
    ]
    for method, path, body in calls:
        assert stranger.call(method, path, json=body).status_code == 404, path
    assert home.call("GET", f"/access_codes/{code}").status_code == 200


@pytest.mark.parametrize("path", ["/locks", "/access_codes?lock_id=x", "/intercoms", "/v1/locks"])
def test_seam_a_bad_token_is_401_in_the_guides_words(server, path):
    answer = send("GET", server.base + path, headers={"Authorization": "Bearer nonsense"})
    assert answer.status_code == 401
    assert 'error="invalid_token"' in answer.headers["WWW-Authenticate"]
    assert answer.json()["error_code"] == answer.json()["error_id"] == "INVALID_TOKEN"
    assert answer.json()["message"] == answer.json()["error_message"]
