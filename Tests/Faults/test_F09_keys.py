"""F9: signing keys rotate under load, are lost, and are first made by several nodes at once."""

from __future__ import annotations

import threading
import time
from dataclasses import dataclass, field

import pytest
from joserfc import jwt
from joserfc.jwk import KeySet

from judge.rounds import rounds
from judge.scene import Scene
from toolkit.client import OAuthClient
from toolkit.expect import check_one_line_error
from toolkit.ports import free_port
from toolkit.process import Latchkey
from toolkit.waiting import eventually
from toolkit.wire import send, together

LEAD = 5
"""How many seconds before it signs a key is published; the shortest that `key rotate` takes."""
OLD = 2.0
"""How old the verifier's copy of the keys is, in seconds."""


def published(node: Latchkey) -> dict:
    answer = send("GET", node.base + "/oauth/jwks")
    assert answer.status_code == 200
    return answer.json()


@dataclass
class Copies:
    """The published keys of every node, looked at twenty times a second."""

    nodes: list[Latchkey]
    seen: list[tuple[float, int, dict]] = field(default_factory=list)
    ended: threading.Event = field(default_factory=threading.Event)

    def look(self) -> None:
        while not self.ended.wait(0.05):
            for place, node in enumerate(self.nodes):
                keys = published(node)
                self.seen.append((time.time(), place, keys))

    def before(self, moment: float, place: int) -> dict:
        """The newest copy from a node that is older than a moment."""
        return next(keys for taken, where, keys in reversed(self.seen) if taken <= moment and where == place)


def mint(client: OAuthClient, nodes: list[Latchkey], ended: threading.Event, minted: list) -> None:
    while not ended.is_set():
        for node in nodes:
            answer = client.at(node).client_credentials()
            assert answer.status_code == 200, answer.text
            minted.append((time.time(), answer.json()["access_token"]))


@pytest.mark.smoke
def test_F09_no_token_meets_keys_that_lack_its_own(cluster, figures):
    scene = Scene.prepare(cluster.nodes, people=1)
    machine = scene.nodes[0].create_client("--grant", "client_credentials", "--scope", "locks.read", name="Machine")
    scene.start()
    copies, ended, minted = Copies(scene.nodes), threading.Event(), []
    looking = threading.Thread(target=copies.look)
    minting = threading.Thread(target=mint, args=(machine, scene.nodes, ended, minted))
    looking.start()
    eventually(lambda: {place for _, place, _ in copies.seen} == {0, 1}, 30, "there are no keys to be copied")
    time.sleep(OLD)
    minting.start()
    seconds, rotations = rounds("ROTATION_SECONDS", 60, smoke=12), 0
    end = time.monotonic() + seconds
    try:
        while time.monotonic() < end:
            scene.nodes[rotations % 2].command("key", "rotate", "--lead", str(LEAD))
            rotations += 1
            time.sleep(2)
    finally:
        ended.set()
        minting.join()
        copies.ended.set()
        looking.join()
    sample = minted[:: max(1, len(minted) // 4000)]
    used = set()
    for moment, token in sample:
        for place in range(2):
            keys = KeySet.import_key_set(copies.before(moment - OLD, place))
            used.add(jwt.decode(token, keys, algorithms=["ES256"]).header["kid"])
    assert len(used) > rotations / 2, f"only {len(used)} keys signed in {rotations} rotations"
    # Keys that sign no more are published for as long as what they signed lives.
    for node in scene.nodes:
        keys = KeySet.import_key_set(published(node))
        for _, token in sample:
            jwt.decode(token, keys, algorithms=["ES256"])
    figures.note(
        "F9",
        "a rotation every 2 s under load, two nodes",
        rotations=rotations,
        tokens=len(minted),
        verified_against_keys_2_s_older=2 * len(sample),
        and_at_the_end=2 * len(sample),
        keys_that_signed=len(used),
        failed=0,
    )


@pytest.mark.smoke
def test_F09_three_nodes_that_start_at_once_on_an_empty_database_agree(new_server, database, figures):
    times = rounds("FIRST_STARTS", 20, smoke=2)
    for _ in range(times):
        shared, port = database("postgres"), free_port()
        nodes = [new_server(database=shared, port=port)]
        nodes += [new_server(database=shared, issuer=nodes[0].issuer) for _ in range(2)]
        together([node.start for node in nodes])
        first, second, third = (published(node)["keys"] for node in nodes)
        assert len(first) == 1
        assert first == second == third
        for node in nodes:
            assert node.stop() == 0
        assert int(shared.query("select count(*) from keys where purpose = 'signing'")) == 1
    figures.note("F9", "three nodes started at once on an empty PostgreSQL", times=times, key_sets_that_won=times)


def test_F09_a_lost_secret_key_stops_the_start_and_makes_no_new_keys(new_server):
    server = new_server("sqlite").start()
    before = published(server)
    server.stop()
    key = server.database.path.with_name("latchkey.sqlite.key")
    kept = key.read_bytes()
    key.unlink()
    check_one_line_error(server.run("serve", "--listen", f"127.0.0.1:{server.port}"), "key")
    key.write_bytes(kept)
    key.chmod(0o600)
    server.start()
    assert published(server) == before
