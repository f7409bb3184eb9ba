"""Metadata, keys and their rotation: security.md, rows M01 to M07."""

import base64
import json
import threading
import time
from contextlib import suppress
from datetime import datetime

import pytest
from joserfc import jwt
from joserfc.jwk import KeySet

from toolkit.client import refusal, tokens
from toolkit.person import Person
from toolkit.waiting import eventually
from toolkit.wire import raw, send

SOURCES = ["/.well-known/oauth-authorization-server", "/.well-known/openid-configuration"]
LONGEST_LIFE = 86400
"""How many seconds an access token may live at most."""


def metadata(server) -> dict:
    return send("GET", server.base + SOURCES[0]).json()


def jwks(server) -> dict:
    return send("GET", server.base + "/oauth/jwks").json()


def kid(access_token: str) -> str:
    part = access_token.split(".")[0]
    return json.loads(base64.urlsafe_b64decode(part + "=" * (-len(part) % 4)))["kid"]


def moment(written: str) -> float:
    return datetime.fromisoformat(written.replace("Z", "+00:00")).timestamp()


def kids(keys: dict) -> set[str]:
    return {key["kid"] for key in keys["keys"]}


@pytest.mark.parametrize("path", SOURCES)
def test_M01_metadata_is_at_both_well_known_places(sqlite_server, path):
    answer = send("GET", sqlite_server.base + path)
    assert answer.status_code == 200
    assert answer.headers["Content-Type"].startswith("application/json")
    assert answer.json()["issuer"] == sqlite_server.issuer


def test_M01_an_issuer_with_a_path_mounts_everything_under_it(new_server):
    server = new_server()
    server.issuer = server.base + "/company/oauth-door"
    seam = server.create_client("--partner", "seam", name="Seam")
    account = server.create_account()
    server.start()
    place = send("GET", server.base + "/.well-known/oauth-authorization-server/company/oauth-door")
    assert place.status_code == 200
    known = place.json()
    assert known["issuer"] == server.issuer
    assert send("GET", server.issuer + "/.well-known/openid-configuration").json()["issuer"] == server.issuer
    for name in ("authorization_endpoint", "token_endpoint", "jwks_uri", "introspection_endpoint"):
        assert known[name].startswith(server.issuer + "/"), name
    for path in ("/healthz", "/readyz"):
        assert send("GET", server.base + path).status_code == 200
        assert send("GET", server.issuer + path).status_code == 200
    server.base = server.issuer
    person = Person(server, account)
    connected = person.connect(seam)
    assert seam.locks(connected.access).status_code == 200
    here = [answer.url for answer in person.answers]
    assert all(url.startswith(server.issuer + "/") for url in here), "a page led out of the issuer's path"


def test_M02_every_endpoint_that_is_advertised_answers(sqlite_server):
    known = metadata(sqlite_server)
    for name, url in known.items():
        if name.endswith(("_endpoint", "_uri")) and isinstance(url, str):
            assert url.startswith(sqlite_server.issuer + "/"), name
            assert send("GET", url).status_code not in (404, 500, 501), name


def test_M02_every_grant_that_is_advertised_works_and_no_other(sqlite_server, person):
    advertised = set(metadata(sqlite_server)["grant_types_supported"])
    partners = sqlite_server.partners
    working = {"authorization_code", "refresh_token"}
    tokens(partners.web.refresh(person.connect(partners.web).refresh))
    if partners.machine.client_credentials().status_code == 200:
        working.add("client_credentials")
    others = {"password", "implicit", "urn:ietf:params:oauth:grant-type:jwt-bearer"}
    others |= {"urn:ietf:params:oauth:grant-type:device_code", "urn:ietf:params:oauth:grant-type:token-exchange"}
    for grant in others - advertised:
        refusal(partners.web.post("/oauth/token", {"grant_type": grant}), 400, "unsupported_grant_type")
    assert working <= advertised
    assert not others & advertised


def test_M02_ways_to_authenticate_and_to_respond_are_told_truly(sqlite_server):
    known = metadata(sqlite_server)
    assert {"client_secret_basic", "client_secret_post", "none"} <= set(known["token_endpoint_auth_methods_supported"])
    assert known["response_types_supported"] == ["code"]
    assert known["code_challenge_methods_supported"] == ["S256"]
    assert known.get("response_modes_supported", ["query"]) == ["query"]
    for name in ("introspection_endpoint_auth_methods_supported", "revocation_endpoint_auth_methods_supported"):
        assert "client_secret_basic" in known[name]
        assert "client_secret_post" in known[name]
    assert not known.get("request_parameter_supported", False)
    assert not known.get("request_uri_parameter_supported", False)
    assert {"locks.read", "locks.write"} <= set(known.get("scopes_supported", ["locks.read", "locks.write"]))


@pytest.mark.parametrize(
    "headers",
    [
        "Host: evil.example\r\n",
        "Host: x\r\nX-Forwarded-Host: evil.example\r\nX-Forwarded-Proto: https\r\n",
        "Host: x\r\nForwarded: host=evil.example;proto=https\r\n",
        "Host: x\r\nX-Forwarded-Prefix: /evil.example\r\nX-Original-URL: /evil.example\r\n",
    ],
    ids=["host", "x-forwarded", "forwarded", "prefix"],
)
def test_M03_no_address_is_made_from_what_a_visitor_says(new_server, headers):
    server = new_server()
    seam = server.create_client("--partner", "seam", name="Seam")
    server.start(wait=False)
    request = f"GET {SOURCES[0]} HTTP/1.1\r\n{headers}Connection: close\r\n\r\n".encode()

    def first() -> bytes:
        with suppress(OSError):
            return raw(server.base, request)
        return b""

    assert b"evil.example" not in eventually(first, 20)
    path = seam.authorize_url().removeprefix(server.base)
    for target in (path, "/oauth/authorize?client_id=nobody", SOURCES[1], "/no/such/page"):
        answer = raw(server.base, f"GET {target} HTTP/1.1\r\n{headers}Connection: close\r\n\r\n".encode())
        assert b"evil.example" not in answer, target
    assert metadata(server)["issuer"] == server.issuer


def test_M04_the_key_set_holds_public_parts_only(server):
    answer = send("GET", server.base + "/oauth/jwks")
    assert answer.headers["Content-Type"].split(";")[0] in ("application/json", "application/jwk-set+json")
    keys = answer.json()["keys"]
    assert keys
    assert len(kids(answer.json())) == len(keys)
    for key in keys:
        assert not {"d", "p", "q", "dp", "dq", "qi", "k", "oth"} & key.keys()
        assert key["use"] == "sig"
        assert key["alg"] in {"ES256", "RS256", "EdDSA", "Ed25519", "PS256"}
        assert key["kty"] in {"EC", "RSA", "OKP"}
        if key["kty"] == "RSA":
            assert len(key["n"]) >= 342, "2048 bits"


def test_M04_the_keys_verify_the_tokens(server, person):
    connected = person.connect(server.partners.web)
    token = jwt.decode(connected.access, KeySet.import_key_set(jwks(server)), algorithms=["ES256"])
    assert token.claims["sub"] == connected.user_id


def test_M05_at_no_instant_does_a_node_sign_with_a_key_that_another_does_not_publish(cluster):
    first, second = cluster.nodes
    client = first.create_client("--grant", "client_credentials", "--scope", "locks.read", name="Machine")
    cluster.start()
    seen: list[tuple[float, int, set[str]]] = []
    minted: list[tuple[float, str]] = []
    failures: list[str] = []
    done = threading.Event()

    def watch(index: int) -> None:
        while not done.is_set():
            seen.append((time.monotonic(), index, kids(jwks(cluster.nodes[index]))))
            time.sleep(0.05)

    def mint(index: int) -> None:
        while not done.is_set():
            answer = client.at(cluster.nodes[index]).client_credentials()
            if answer.status_code == 200:
                minted.append((time.monotonic(), kid(answer.json()["access_token"])))
            else:
                failures.append(answer.text)
            time.sleep(0.02)

    threads = [threading.Thread(target=work, args=(i,)) for work in (watch, mint) for i in (0, 1)]
    for thread in threads:
        thread.start()

    def mint_on(seconds: float) -> None:
        """Goes on for so long, and until there are enough tokens to be looked at."""
        began, wanted = time.monotonic(), len(minted) + 40
        eventually(lambda: len(minted) >= wanted and time.monotonic() >= began + seconds, 60)

    try:
        mint_on(2.2)
        before = kids(jwks(first))
        for _ in range(2):
            first.command("key", "rotate")
            mint_on(3)
    finally:
        done.set()
    for thread in threads:
        thread.join()
    assert not failures, failures[:3]
    assert kids(jwks(first)) > before, "the next key is published at once"
    assert kids(jwks(second)) == kids(jwks(first))
    for moment, name in minted:
        for index in (0, 1):
            earlier = [known for at, node, known in seen if node == index and at < moment - 2]
            if earlier:
                assert name in earlier[-1], f"node {index} did not publish {name} two seconds before it was used"


def test_M05_the_new_key_signs_in_time_and_the_old_one_stays_until_its_tokens_are_dead(own_server):
    server = own_server
    client = server.create_client("--grant", "client_credentials", "--scope", "locks.read", name="Machine")
    server.start()
    old = tokens(client.client_credentials()).access
    server.command("key", "rotate")
    signing = {key["key_id"]: key for key in server.command("key", "list") if key["purpose"] == "signing"}
    old_kid, (new_kid,) = kid(old), signing.keys() - {kid(old)}
    eventually(lambda: kids(jwks(server)) == {old_kid, new_kid})
    # The last token that it may sign is made when its successor begins, and may live for as long as tokens may.
    end = moment(signing[old_kid]["expires_at"])
    assert end >= moment(signing[new_kid]["active_at"]) + LONGEST_LIFE
    server.restart(clock_offset=0)
    assert kid(tokens(client.client_credentials()).access) == old_kid, "a key is published before it is used"
    for hours in (1.5, 2):
        server.restart(clock_offset=int(hours * 3600))
        fresh = tokens(client.client_credentials()).access
        assert kids(jwks(server)) == {old_kid, new_kid}
        if kid(fresh) != old_kid:
            break
    assert kid(fresh) == new_kid, "the new key never came into use"
    jwt.decode(fresh, KeySet.import_key_set(jwks(server)), algorithms=["ES256"])
    for seconds, published in ((-60, {old_kid, new_kid}), (60, {new_kid})):
        server.restart(clock_offset=int(end - time.time()) + seconds)
        assert kids(jwks(server)) == published


def test_M05_a_key_that_a_younger_one_overtook_never_signs_and_so_nothing_of_it_dies_early(own_server):
    server = own_server
    client = server.create_client("--grant", "client_credentials", "--scope", "locks.read", name="Machine")
    server.start()
    first = kid(tokens(client.client_credentials()).access)
    overtaken = server.command("key", "rotate", "--lead", "7200")["key_id"]
    youngest = server.command("key", "rotate", "--lead", "3600")["key_id"]
    states = {"0": first, "1.5": youngest, "2.5": youngest, "23": youngest, "26": youngest}
    for hours, signer in states.items():
        server.restart(clock_offset=int(float(hours) * 3600))
        assert kid(tokens(client.client_credentials()).access) == signer, f"after {hours} hours"
    assert overtaken not in kids(jwks(server)), "it has ended, with nothing that it signed alive"


def test_M05_what_a_replaced_key_has_signed_is_dead_and_was_issued_here_all_the_same(new_server):
    server = new_server(environment={"LATCHKEY_UNKNOWN_TOKENS": "3"})
    client = server.create_client("--grant", "client_credentials", "--scope", "locks.read", name="Machine")
    server.start()
    dead = tokens(client.client_credentials()).access
    assert client.introspect(dead)["active"] is True
    server.command("key", "rotate", "--now")
    eventually(lambda: client.introspect(dead) == {"active": False})
    for _ in range(6):
        assert client.introspect(dead) == {"active": False}


def test_what_a_server_issued_under_another_name_is_dead_and_was_issued_here_all_the_same(new_server):
    server = new_server(environment={"LATCHKEY_UNKNOWN_TOKENS": "3"})
    client = server.create_client("--grant", "client_credentials", "--scope", "locks.read", name="Machine")
    server.start()
    dead = tokens(client.client_credentials()).access
    server.stop()
    server.issuer = server.base.replace("127.0.0.1", "localhost")
    server.start()
    for _ in range(6):
        assert client.introspect(dead) == {"active": False}


def test_M05_a_connection_outlives_rotation(own_server):
    server = own_server
    seam = server.create_client("--partner", "seam", name="Seam")
    person = Person(server, server.create_account())
    server.start()
    connected = person.connect(seam)
    for step in range(4):
        server.command("key", "rotate")
        server.restart(clock_offset=(step + 1) * 2 * 86400)
        later = seam.refreshed(connected.refresh)
        assert seam.locks(later.access).status_code == 200
        assert seam.introspect(later.access)["active"] is True


def test_M06_keys_and_metadata_may_be_cached_and_read_by_anyone(sqlite_server):
    for path in [*SOURCES, "/oauth/jwks"]:
        answer = send("GET", sqlite_server.base + path, headers={"Origin": "https://app.example"})
        assert "max-age=" in answer.headers.get("Cache-Control", ""), path
        assert answer.headers.get("Access-Control-Allow-Origin") == "*", path
        assert "Access-Control-Allow-Credentials" not in answer.headers, path


def test_RFC9110_13_1_2_who_has_the_document_gets_none_however_the_tag_comes(sqlite_server):
    for path in [*SOURCES, "/oauth/jwks"]:
        tag = send("GET", sqlite_server.base + path).headers["ETag"]
        for known in (tag, f"W/{tag}", f'"other", {tag}', "*"):
            answer = send("GET", sqlite_server.base + path, headers={"If-None-Match": known})
            assert (answer.status_code, answer.content) == (304, b""), (path, known)
        assert send("GET", sqlite_server.base + path, headers={"If-None-Match": '"other"'}).status_code == 200


def test_M08_answers_carry_no_versions(sqlite_server):
    for path in ("/", "/healthz", "/oauth/jwks", "/no/such/page"):
        headers = send("GET", sqlite_server.base + path).headers
        assert not any(character.isdigit() for character in headers.get("Server", "")), headers
        assert "X-Powered-By" not in headers
