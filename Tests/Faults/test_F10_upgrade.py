"""F10: two releases on one database. Nodes are replaced one by one under load, to the new release and back again.

The older program is the one of `scripts/previous-release`. A migration that is killed at any step is in
`test_upgrade.py` of the black-box tests.
"""

from __future__ import annotations

import subprocess
import time
from dataclasses import dataclass
from pathlib import Path

from judge.front import Front
from judge.invariants import judge
from judge.ledger import EXCHANGE, REFRESH, REVOKE
from judge.rounds import rounds
from judge.scene import Scene
from judge.traffic import Examination, Traffic
from toolkit.databases import Postgres, postgres_program
from toolkit.fixtures import Cluster
from toolkit.person import Person
from toolkit.process import Latchkey


def newest_step(database: Postgres) -> int:
    return int(database.query("select max(number) from migrations"))


def test_F10_two_releases_understand_each_others_tokens(previous_release, cluster):
    older, newer = cluster.nodes
    older.release = previous_release
    client = older.create_client("--partner", "seam", name="Seam")
    careful = older.create_client(
        "--redirect-uri", "https://partner.example/cb", "--scope", "a", "--refresh", "successor", name="Careful"
    )
    account = older.create_account()
    older.start()
    people = {older: Person(older, account)}
    before = people[older].connect(client)
    newer.start()  # migrates while the older one serves
    people[newer] = Person(newer, account)
    for one, other in ((older, newer), (newer, older)):
        made = people[one].connect(client.at(one))
        assert client.at(other).refreshed(made.refresh).user_id == account.user_id
        assert client.at(other).introspect(made.access)["active"] is True
        rotating = people[one].connect(careful.at(one)).refresh
        for place in (other, one, other):
            rotating = careful.at(place).refreshed(rotating).refresh
        assert client.at(other).revoke(made.refresh).status_code == 200
        assert client.at(one).introspect(made.access) == {"active": False}
    assert older.stop() == 0
    older.start()  # on the newer schema
    assert client.at(older).refreshed(before.refresh).user_id == account.user_id


@dataclass
class Rollout:
    """Two nodes behind HAProxy, of which one after the other is replaced under load."""

    front: Front
    scene: Scene
    slowest: float = 0.0
    """The longest time that a node was away, in seconds."""

    def replace(self, place: int, release: Path | None) -> None:
        """Stops a node, and starts it with another release's program."""
        node, began = self.scene.nodes[place - 1], time.monotonic()
        if node.release:
            # The older release knows no drain: its operator takes it out of the balancer first.
            self.front.take_out(place)
        assert node.stop() == 0
        node.release = release
        node.start()
        self.front.let_in(place)
        self.slowest = max(self.slowest, time.monotonic() - began)

    def serve(self, traffic: Traffic, more: int) -> list[int]:
        """Waits until each node has been given so many requests more; how many each was given meanwhile."""
        before = [self.front.served(place) for place in (1, 2)]
        counts = [0, 0]

        def both_have() -> bool:
            counts[:] = [self.front.served(place) - known for place, known in zip((1, 2), before, strict=True)]
            return min(counts) >= more

        traffic.wait_for(both_have, 120, "requests for both nodes")
        return counts

    def must_have_failed_nothing(self) -> int:
        """How many requests there were, all of which were answered."""
        entries = self.scene.ledger.entries
        failed = [entry for entry in entries if entry.leaves_doubt]
        assert not failed, f"{len(failed)} of {len(entries)} requests failed: {failed[0]}"
        return len(entries)


def reader_of(database: Postgres) -> subprocess.Popen:
    """A report, or a dump, that has read the connections and is not done yet."""
    reader = subprocess.Popen(
        [postgres_program("psql"), "--no-psqlrc", "-qAt", "-v", "ON_ERROR_STOP=1", database.url],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    reader.stdin.write("begin;\nselect 'read', count(*) from connections;\n")
    reader.stdin.flush()
    assert reader.stdout.readline().startswith("read|")
    return reader


def test_F10_nodes_are_replaced_one_by_one_under_load_and_back_again(
    previous_release, cluster: Cluster, new_server, tmp_path, figures
):
    front = Front(tmp_path)
    for node in cluster.nodes:
        node.release = previous_release
        node.issuer, node.canaries = front.base, front.canaries
        node.extra_environment |= {"LATCHKEY_TRUSTED_PROXIES": "127.0.0.1", "LATCHKEY_SHUTDOWN_DRAIN": "2s"}
    scene = Scene.prepare(cluster.nodes, people=6, places=[front]).start()
    # Afterwards each node itself is asked about what any node has handed out.
    scene.examination.nodes = list(scene.nodes)
    front.start(scene.nodes)
    for place in (1, 2):
        front.let_in(place)
    rollout, more = Rollout(front, scene), rounds("UPGRADE_REQUESTS", 300, smoke=100)
    database, side_by_side = cluster.nodes[0].database, [0, 0]
    try:
        old_schema = newest_step(database)
        with scene.traffic(pause=0.005) as traffic:
            rollout.serve(traffic, more)
            migrate(new_server(database=database), database)
            assert newest_step(database) > old_schema
            rollout.serve(traffic, more)
        scene.must_hold()
        for release in (None, previous_release):
            for place in (1, 2):
                with scene.traffic(pause=0.005) as traffic:
                    rollout.replace(place, release)
                    counts = rollout.serve(traffic, more)
                if place == 1:
                    # One node is of the new release, and the other one of the older.
                    newer = 0 if release is None else 1
                    side_by_side[0] += counts[newer]
                    side_by_side[1] += counts[1 - newer]
                scene.must_hold()
        requests = rollout.must_have_failed_nothing()
    finally:
        front.stop()
    scene.places[:] = scene.nodes
    scene.must_hold_to_the_end()
    figures.note(
        "F10",
        "two nodes behind HAProxy replaced one by one under load, to the new release and back",
        schema=f"v{old_schema} to v{newest_step(database)}",
        replacements=4,
        requests=requests,
        failed=0,
        side_by_side_with_the_older_release=side_by_side[0],
        by_the_older_one_meanwhile=side_by_side[1],
        tokens_delivered=len(scene.ledger.acknowledged(EXCHANGE)) + len(scene.ledger.acknowledged(REFRESH)),
        lost=0,
        longest_replacement_in_s=rollout.slowest,
    )


def migrate(newer: Latchkey, database: Postgres) -> None:
    """Migrates while the older release serves; not as long as somebody reads a table, but as soon as that is over."""
    before, reader = newest_step(database), reader_of(database)
    done = newer.run("migrate")
    assert done.returncode == 1, "it waits for nobody for long, as partners would have to wait behind it"
    assert newest_step(database) >= before
    reader.communicate("commit;\n")
    done = newer.run("migrate")
    assert done.returncode == 0, done.stderr


def test_F10_sqlite_goes_on_where_the_other_release_was_killed(previous_release, new_server, tmp_path, figures):
    scene = Scene.prepare([new_server("sqlite")], people=4)
    server, backup = scene.nodes[0], tmp_path / "latchkey.backup"
    server.release = previous_release
    scene.start()

    def work_and_die(then: Path | None) -> None:
        """Partners work until the server is killed; another program goes on."""
        began = time.time()
        with scene.traffic(pause=0.005) as traffic:
            for kind, count in ((EXCHANGE, 15), (REFRESH, 50), (REVOKE, 3)):
                enough = lambda k=kind, n=count: len(scene.ledger.acknowledged(k, since=began)) >= n  # noqa: E731
                traffic.wait_for(enough, 60, f"{count} of {kind}")
            server.kill()
        server.release = then
        server.start()
        scene.must_hold()

    work_and_die(then=None)
    doomed = [worker.mine.pop() for worker in scene.workers if worker.mine]
    assert doomed
    done = server.run("backup", str(backup))
    assert done.returncode == 0, done.stderr
    at_the_backup = time.time()
    work_and_die(then=previous_release)
    for number in doomed:
        assert scene.ledger.revoke(number, scene.ledger.newest(number), server).is_good
    work_and_die(then=None)
    scene.must_hold_to_the_end()
    requests = len(scene.ledger.entries)
    # The older release knows no revocation log, but what it revoked is in there too: a restore brings nothing back.
    server.kill()
    done = server.run("restore", str(backup), "--replace")
    assert done.returncode == 0, done.stderr
    server.start()
    ledger = scene.ledger.of_those_before(at_the_backup)
    Examination(ledger, scene.nodes).of_everything()
    judge(ledger, server.database).must_hold()
    figures.note(
        "F10",
        "SQLite: killed under load, the other release goes on; there, back and there again, then a restore",
        requests=requests,
        tokens_delivered=len(scene.ledger.acknowledged(EXCHANGE)) + len(scene.ledger.acknowledged(REFRESH)),
        lost=0,
        revoked_by_the_older_release_after_the_backup=len(doomed),
        brought_back=0,
    )
