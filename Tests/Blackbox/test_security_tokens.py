"""Codes and tokens: used once, revoked when replayed, nothing when changed; security.md, rows T10 to T23."""

import base64
import json
import time
from concurrent.futures import ThreadPoolExecutor

import pytest

from toolkit.client import refusal, tokens
from toolkit.person import Person
from toolkit.wire import fire_together, form_shot, raw, send


@pytest.fixture
def web(server):
    return server.partners.web


def decode_part(part: str) -> dict:
    return json.loads(base64.urlsafe_b64decode(part + "=" * (-len(part) % 4)))


def check_redeemed_once(client, authorization, servers) -> None:
    form = client.exchange_form(authorization.code) | client.secret_form()
    client.server.canaries.add("code", authorization.code)
    shots = [form_shot(servers[i % len(servers)].base, "/oauth/token", form) for i in range(50)]
    answers = fire_together(shots)
    assert sorted(answer.status for answer in answers) == [200] + [400] * 49
    for answer in answers:
        if answer.status == 400:
            assert json.loads(answer.text)["error"] == "invalid_grant"


@pytest.mark.parametrize("name", ["seam", "web", "phone"])
def test_T10_fifty_parallel_exchanges_of_one_code_give_one_answer(server, person, name):
    client = getattr(server.partners, name)
    for _ in range(3):
        check_redeemed_once(client, person.authorize(client), [server])


def test_T10_fifty_parallel_exchanges_over_two_nodes_give_one_answer(cluster):
    first = cluster.nodes[0]
    seam = first.create_client("--partner", "seam", name="Seam")
    person = Person(first, first.create_account())
    cluster.start()
    for _ in range(5):
        check_redeemed_once(seam, person.authorize(seam), cluster.nodes)


def test_T11_a_second_redemption_revokes_what_the_first_one_issued(server, web, person):
    back = person.authorize(web)
    first = tokens(web.exchange(back.code))
    refusal(web.exchange(back.code), 400, "invalid_grant")
    refusal(web.refresh(first.refresh), 400, "invalid_grant")
    assert web.introspect(first.access) == {"active": False}


def test_T11_an_invalid_replay_revokes_nothing(server, web, person):
    back = person.authorize(web)
    first = tokens(web.exchange(back.code))
    refusal(web.exchange(back.code, code_verifier="w" * 43), 400, "invalid_grant")
    refusal(web.using(client_secret="lks_" + "w" * 43).exchange(back.code), 401, "invalid_client")
    refusal(server.partners.opaque.exchange(back.code, code_verifier=web.verifier), 400, "invalid_grant")
    refusal(web.exchange(back.code, redirect_uri="https://partner.example/other"), 400, "invalid_grant")
    tokens(web.refresh(first.refresh))
    assert web.introspect(first.access)["active"] is True


def test_T11_a_replay_touches_no_other_connection(server, web, person):
    kept = person.connect(web)
    back = person.authorize(web)
    tokens(web.exchange(back.code))
    refusal(web.exchange(back.code), 400, "invalid_grant")
    tokens(web.refresh(kept.refresh))


def test_T14_the_scope_is_told_and_the_lifetime_is_true(new_server):
    server = new_server()
    options = ("--redirect-uri", "https://partner.example/callback", "--scope", "locks.read", "--scope", "locks.write")
    client = server.create_client(*options, "--access-token-lifetime", "600")
    person = Person(server, server.create_account())
    server.start()
    connected = person.connect(client, scope="locks.read")
    assert connected.body["expires_in"] == 600
    assert connected.body.get("scope", "locks.read") == "locks.read"
    seen = client.introspect(connected.access)
    assert abs(seen["exp"] - (time.time() + 600)) < 10
    server.restart(clock_offset=540)
    assert client.introspect(connected.access)["active"] is True
    server.restart(clock_offset=600 + 61)
    assert client.introspect(connected.access) == {"active": False}
    narrowed = tokens(client.refresh(connected.refresh))
    refusal(client.refresh(connected.refresh, scope="locks.read locks.write"), 400, "invalid_scope")
    assert client.introspect(narrowed.access)["scope"] == "locks.read"


def test_T18_a_token_of_one_kind_is_nothing_at_another_ones_place(server, person):
    web, opaque = server.partners.web, server.partners.opaque
    spare = person.authorize(web).code
    jwt, sealed = person.connect(web), person.connect(opaque)
    kinds = {
        "code": spare,
        "jwt access token": jwt.access,
        "opaque access token": sealed.access,
        "refresh token": jwt.refresh,
        "session cookie": max(person.cookies.values(), key=len),
        "client secret": web.client_secret,
    }
    for kind, value in kinds.items():
        if kind != "refresh token":
            for client in (web, opaque):
                refusal(client.refresh(value), 400, "invalid_grant")
        if kind != "code":
            refusal(web.exchange(value), 400, "invalid_grant")
        if "access token" not in kind:
            assert web.locks(value).status_code == 401, kind
        if "token" not in kind:
            assert web.introspect(value) == {"active": False}, kind
            assert web.revoke(value).status_code == 200, kind
    tokens(web.exchange(spare))
    tokens(web.refresh(jwt.refresh))
    assert web.locks(jwt.access).status_code == 200


def test_T20_a_jwt_access_token_says_what_rfc_9068_asks_for(sqlite_server, person):
    connected = person.connect(sqlite_server.partners.web)
    header, claims = (decode_part(part) for part in connected.access.split(".")[:2])
    assert header["typ"].lower() == "at+jwt"
    assert header["alg"] == "ES256"
    assert header["kid"]
    assert claims["iss"] == sqlite_server.issuer
    assert claims["sub"] == connected.user_id
    assert claims["client_id"] == sqlite_server.partners.web.client_id
    assert claims["aud"]
    # `iat` is dated back by 5 seconds, for verifiers that allow their clock no leeway (ADR 0014).
    assert claims["exp"] - claims["iat"] == connected.body["expires_in"] + 5
    assert claims["jti"]
    assert set(claims["scope"].split()) == {"locks.read", "locks.write"}
    assert person.account.email not in json.dumps(claims)


def flipped(value: str, place: int) -> str:
    other = "A" if value[place] != "A" else "B"
    return value[:place] + other + value[place + 1 :]


def tampered(value: str) -> list[str]:
    """The value cut, lengthened and changed at places all over it."""
    places = range(4, len(value) - 1, max(1, len(value) // 24))
    cut = [value[:-1], value[:-4], value[: len(value) // 2], value[:80], value[1:]]
    longer = [value + "A", value + "=", value + ".", value + value[-10:], "x" + value]
    return [one for one in [*cut, *longer, *(flipped(value, place) for place in places)] if one != value]


@pytest.mark.parametrize("name", ["web", "opaque"])
def test_T21_a_tampered_or_cut_token_is_worth_nothing(sqlite_server, person, name):
    client = getattr(sqlite_server.partners, name)
    spare = person.authorize(client).code
    connected = person.connect(client)
    for value in tampered(connected.access):
        assert client.introspect(value) == {"active": False}, value
    for value in tampered(connected.access)[::4]:
        assert client.locks(value).status_code == 401, value
    for value in tampered(connected.refresh):
        refusal(client.refresh(value), 400, "invalid_grant")
    for value in tampered(spare):
        refusal(client.exchange(value), 400, "invalid_grant")
    tokens(client.exchange(spare))
    tokens(client.refresh(connected.refresh))
    assert client.introspect(connected.access)["active"] is True


def test_T21_the_last_character_of_a_token_counts(sqlite_server, person):
    client = sqlite_server.partners.opaque
    connected = person.connect(client)
    alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
    for letter in alphabet.replace(connected.access[-1], ""):
        assert client.introspect(connected.access[:-1] + letter) == {"active": False}
    for letter in alphabet.replace(connected.refresh[-1], "")[::5]:
        refusal(client.refresh(connected.refresh[:-1] + letter), 400, "invalid_grant")


def test_T21_five_hundred_tokens_share_nothing_but_their_prefix(sqlite_server, person):
    client = sqlite_server.partners.opaque
    connected = person.connect(client)
    with ThreadPoolExecutor(4) as pool:
        access = set(pool.map(lambda _: client.refreshed(connected.refresh).access, range(500)))
    assert len(access) == 500
    assert all(token.startswith("lka_") for token in access)
    assert len({token[-22:] for token in access}) == 500, "the last 128 bits never repeat"


def test_T22_no_refresh_token_unless_the_client_may_refresh(new_server):
    server = new_server()
    options = ("--redirect-uri", "https://partner.example/callback", "--scope", "locks.read")
    client = server.create_client(*options, "--grant", "authorization_code")
    person = Person(server, server.create_account())
    server.start()
    body = person.connect(client).body
    assert "refresh_token" not in body
    assert "id_token" not in body


def test_T23_an_oversize_body_is_refused_and_costs_no_memory(sqlite_server):
    url = sqlite_server.base + "/oauth/token"
    headers = {"Content-Type": "application/x-www-form-urlencoded"}
    sizes = [b"a=" + b"x" * 10_000_000, "&".join(f"p{i}=1" for i in range(100_000)).encode()]
    before = sqlite_server.memory()
    for body in sizes * 3:
        try:
            answer = send("POST", url, data=body, headers=headers)
        except OSError:
            continue  # the server may close the line while we still send
        assert answer.status_code in (400, 413), answer.status_code
    assert sqlite_server.memory() - before < 60_000_000
    assert send("GET", sqlite_server.base + "/healthz").status_code == 200


def test_T23_an_oversize_header_is_refused(sqlite_server):
    head = b"GET /healthz HTTP/1.1\r\nHost: x\r\nX-Long: " + b"x" * 1_000_000 + b"\r\n\r\n"
    answer = raw(sqlite_server.base, head)
    assert not answer or answer.split()[1] in (b"400", b"413", b"431"), answer[:100]
    assert send("GET", sqlite_server.base + "/healthz").status_code == 200


def test_T23_a_token_of_megabytes_is_refused_before_it_is_decoded(sqlite_server):
    web = sqlite_server.partners.web
    huge = "lka_" + "A" * 60_000
    answer = web.post("/oauth/introspect", {"token": huge})
    assert answer.status_code in (200, 400, 413)
    if answer.status_code == 200:
        assert answer.json() == {"active": False}
    assert web.locks("e" * 6000 + ".e.e").status_code in (401, 431)
