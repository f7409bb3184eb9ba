"""F11: nodes are stopped and started behind HAProxy under load, as a deployment does, and no request fails."""

from __future__ import annotations

import time

import pytest

from judge.front import Front
from judge.rounds import rounds
from judge.scene import Scene
from toolkit.fixtures import Cluster


@pytest.mark.smoke
def test_F11_restarts_behind_haproxy_fail_no_request(cluster: Cluster, tmp_path, figures):
    front = Front(tmp_path)
    for node in cluster.nodes:
        node.issuer, node.canaries = front.base, front.canaries
        # As docs/operating.md says for HAProxy.
        node.extra_environment |= {"LATCHKEY_TRUSTED_PROXIES": "127.0.0.1", "LATCHKEY_SHUTDOWN_DRAIN": "2s"}
    scene = Scene.prepare(cluster.nodes, people=6, places=[front]).start()
    front.start(scene.nodes)
    restarts = rounds("RESTARTS", 50, smoke=4)
    slowest_stop = slowest_start = 0.0
    try:
        with scene.traffic(pause=0.005) as traffic:
            for number in range(restarts):
                node = scene.nodes[number % 2]
                began = time.monotonic()
                assert node.stop() == 0
                stopped = time.monotonic()
                node.start()
                slowest_stop = max(slowest_stop, stopped - began)
                slowest_start = max(slowest_start, time.monotonic() - stopped)
                # HAProxy must have seen it before the other one may go.
                traffic.wait_for(lambda: front.is_up(1) and front.is_up(2), 20, "both nodes behind HAProxy")
                assert not traffic.faults
    finally:
        requests = len(scene.ledger.entries)
        front_is_up = front.process.poll() is None
        scene.places[:] = scene.examination.nodes[:] = scene.nodes
        front.stop()
    assert front_is_up
    failed = [entry for entry in scene.ledger.entries[:requests] if entry.leaves_doubt]
    assert not failed, f"{len(failed)} of {requests} requests failed: {failed[0]}"
    scene.must_hold_to_the_end()
    figures.note(
        "F11",
        "nodes stopped and started in turn behind HAProxy under load",
        restarts=restarts,
        requests=requests,
        failed=0,
        slowest_stop_in_s=slowest_stop,
        slowest_start_in_s=slowest_start,
    )
