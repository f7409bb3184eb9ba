"""The sample API behind OAuthGuard: a good token, the right scope, and the errors of RFC 6750."""

import pytest

from toolkit.wire import send


@pytest.mark.parametrize("path", ["/locks", "/v1/locks"])
def test_the_sample_api_demands_a_token(server, person, path):
    refused = send("GET", server.base + path)
    assert refused.status_code == 401
    assert refused.headers["WWW-Authenticate"].startswith("Bearer")
    assert "error=" not in refused.headers["WWW-Authenticate"], "no token is no error (RFC 6750 section 3.1)"
    access = person.connect(server.partners.seam).access
    assert send("GET", server.base + path, headers={"Authorization": f"Bearer {access}"}).status_code == 200
    in_query = send("GET", server.base + path, params={"access_token": access})
    assert in_query.status_code in (400, 401), "a token in the address is not read"
    lower = send("GET", server.base + path, headers={"Authorization": f"bearer {access}"})
    assert lower.status_code == 200


def test_the_sample_api_demands_the_scope(server, person):
    web = server.partners.web
    reader = person.connect(web, scope="locks.read")
    heads = {"Authorization": f"Bearer {reader.access}"}
    lock = web.locks(reader.access).json()["locks"][0]["lock_id"]
    refused = send("POST", f"{server.base}/locks/{lock}/unlock", headers=heads, json={"unlock_time": 5000})
    assert refused.status_code == 403
    assert 'error="insufficient_scope"' in refused.headers["WWW-Authenticate"]
    assert "locks.write" in refused.headers["WWW-Authenticate"]
    both = {"Authorization": f"Bearer {person.connect(web).access}"}
    done = send("POST", f"{server.base}/locks/{lock}/unlock", headers=both, json={"unlock_time": 5000})
    assert done.status_code == 200
    assert done.json()["ok"] is True


def test_the_sample_apis_health_needs_no_token(sqlite_server):
    answer = send("GET", sqlite_server.base + "/health")
    assert answer.status_code == 200
    assert answer.json() == {"ok": True}
