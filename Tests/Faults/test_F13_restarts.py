"""F13: what a server has promised to remember it remembers after a restart: it is killed between any two steps."""

from __future__ import annotations

import itertools

import pytest

from judge.scene import Scene
from toolkit.client import Authorization, refusal, tokens
from toolkit.person import Person

PLACES = ("before the page", "after sign-in", "after consent", "after the exchange", "after a refresh", "after the end")


@pytest.mark.parametrize("kind", ["sqlite", "postgres"])
def test_F13_a_kill_between_any_two_steps_costs_nothing(new_server, figures, kind):
    scene = Scene.prepare([new_server(kind)], people=1).start()
    server, worker = scene.nodes[0], scene.workers[0]
    flows = [set(chosen) for count in (1, 2) for chosen in itertools.combinations(PLACES, count)]
    for number, killed in enumerate(flows):
        client = scene.clients[("stable", "successor", "strict")[number % 3]]

        def pass_(place: str, killed: set[str] = killed) -> None:
            if place in killed:
                server.kill()
                server.start()

        connection = scene.ledger.open(client)
        pass_("before the page")
        page = worker.person.visit(client.authorize_url())
        page = worker.person.sign_in(page) if page.sign_in_form else page
        pass_("after sign-in")
        code = Authorization(worker.person.decide(page, "allow").target, client).code
        pass_("after consent")
        assert worker.exchange(connection, code, server).is_good
        pass_("after the exchange")
        assert worker.refresh(connection, server).is_good
        pass_("after a refresh")
        assert worker.refresh(connection, server).is_good
        if number % 2:
            assert worker.revoke(connection, scene.ledger.newest(connection), server).is_good
        pass_("after the end")
    scene.must_hold_to_the_end()
    figures.note("F13", f"killed between the steps of a flow, {kind}", flows=len(flows), tokens_lost=0)


@pytest.mark.smoke
@pytest.mark.parametrize("kind", ["sqlite", "postgres"])
def test_F13_a_plain_restart_keeps_what_was_remembered(new_server, kind):
    server = new_server(kind)
    seam = server.create_client("--partner", "seam", name="Seam")
    strict = server.create_client(
        *("--redirect-uri", "https://partner.example/callback", "--scope", "locks.read", "--refresh", "strict"),
        name="Strict partner",
    )
    person = Person(server, server.create_account())
    server.start()
    code = person.authorize(seam).code
    connected, used = tokens(seam.exchange(code)), person.connect(strict)
    newest = strict.refreshed(used.refresh)
    server.restart()
    # The session lives, the redeemed code and the used refresh token are known for what they are.
    assert person.visit(seam.authorize_url()).consent_form
    tokens(seam.refresh(connected.refresh))
    refusal(seam.exchange(code), 400, "invalid_grant")
    refusal(seam.refresh(connected.refresh), 400, "invalid_grant")
    refusal(strict.refresh(used.refresh), 400, "invalid_grant")
    refusal(strict.refresh(newest.refresh), 400, "invalid_grant")
