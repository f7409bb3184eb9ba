"""The console's audit trail, partner debugger, dashboard and webhooks (issue 3, item 4; U02, U03, U05, U06)."""

import json
import re

import pytest

from toolkit.console import Operator
from toolkit.person import Person
from toolkit.receiver import Receiver
from toolkit.waiting import eventually

WEB = ("--redirect-uri", "https://partner.example/callback", "--scope", "locks.read")
HOSTILE = "<script>alert(1)</script>\"'&{{x}}"
PATIENCE = 20


@pytest.fixture
def operator(server) -> Operator:
    return Operator(server).join()


def test_u06_the_audit_trail_is_searched_read_and_exported(server, operator):
    client = server.create_client(*WEB, name="Trailed partner")
    server.command("client", "update", client.client_id, "--name", HOSTILE)
    page = operator.open(f"/audit?q={client.client_id}")
    assert page.status == 200
    assert "client.created" in page.text
    assert "client.updated" in page.text
    assert "at the command line" in page.text
    entry = next(link for link in page.links if re.search(r"/audit/\d+$", link))
    detail = operator.visit(entry)
    assert HOSTILE.split('"')[0] in detail.text, "what was written is shown as text"
    assert "<script>" not in detail.html.replace("&lt;script&gt;", "")
    export = operator.open(f"/audit-export?subject=client%3A{client.client_id}")
    lines = [json.loads(line) for line in export.response.text.splitlines()]
    assert [one["action"] for one in lines] == ["client.created", "client.updated"]
    assert export.headers["Content-Disposition"].startswith("attachment")
    printed = server.run("audit", "export", "-", "--subject", f"client:{client.client_id}").stdout
    assert export.response.text == printed, "one trail has one form"
    assert client.client_secret not in page.html + detail.html + export.response.text


def test_u06_an_entry_is_shown_whole(server, operator):
    client = server.create_client(*WEB, name="Wordy partner")
    last = "https://partner.example/last"
    for uri in [f"https://partner.example/{number}/{'x' * 90}" for number in range(9)] + [last]:
        server.command("client", "update", client.client_id, "--add-redirect-uri", uri)
    entry = next(
        link for link in operator.open(f"/audit?q={client.client_id}").links if re.search(r"/audit/\d+$", link)
    )
    assert last in operator.visit(entry).text, "what was changed is what an entry is read for"


def test_the_audit_trail_of_one_subject_says_so_and_is_searched(server, operator):
    client = server.create_client(*WEB, name="Narrow partner")
    path = f"/audit?subject=client%3A{client.client_id}"
    page = operator.open(path)
    assert f"Only what was done to client:{client.client_id}." in page.text
    assert "Show all" in page.text
    assert operator.home + "/audit" in page.links
    searched = operator.open(path + "&q=nothing-has-this")
    assert f"done to client:{client.client_id}." in searched.text
    assert operator.home + path in searched.links, "Clear takes away what was searched for, and nothing else"


def test_only_a_page_below_another_says_where_it_is(operator):
    assert "Breadcrumbs" not in operator.open("/audit").html
    assert "Breadcrumbs" in operator.open("/api-keys/new").html


def test_the_partner_debugger_says_why_it_has_nothing_under_an_id(operator):
    text = operator.open("/debugger?q=0123456789abcdef").text
    assert "Nothing is kept under this id" in text
    assert "No request was refused" not in text


def test_the_partner_debugger_shows_what_was_expected_and_what_came(server, operator, person):
    client = server.create_client(*WEB, name="Debugged in the console")
    tokens = person.connect(client)
    answer = client.exchange(person.authorize(client).code, redirect_uri="https://partner.example/wrong")
    assert answer.status_code == 400
    client.exchange(tokens.refresh)
    request_id = answer.headers["X-Request-Id"]

    def shown() -> bool:
        return request_id in operator.open(f"/debugger?client={client.client_id}").text

    eventually(shown, PATIENCE)
    page = operator.open(f"/debugger?q={request_id}")
    for words in ("https://partner.example/callback", "https://partner.example/wrong", "redirect_uri", "invalid_grant"):
        assert words in page.text
    pasted = operator.request("GET", operator.home + "/debugger", params={"q": f" {request_id.upper()}\t"})
    assert "https://partner.example/wrong" in pasted.text
    other = server.create_client(*WEB, name="Other partner")
    path = f"/debugger?client={other.client_id}&q={request_id}"
    # The server knows the name of what was made beside it a moment later.
    eventually(lambda: "Nothing of Other partner is kept under this id" in operator.open(path).text)
    page = operator.open(path)
    assert operator.home + f"/debugger?q={request_id}" in page.links
    everything = operator.open(f"/debugger?client={client.client_id}")
    assert tokens.refresh not in everything.html


def test_the_dashboard_draws_what_happens_and_tells_it_in_a_table(server, operator, person):
    client = server.create_client(*WEB, name="Drawn partner")
    tokens = person.connect(client)
    client.refresh(tokens.refresh)
    client.refresh("lkr_wrong")

    def drawn() -> bool:
        html = operator.open("").html
        return all(word in html for word in ("<rect", "invalid_grant", "mark-1"))

    eventually(drawn, PATIENCE)
    for path in ("", "?span=month"):
        page = operator.open(path)
        assert page.html.count("<svg") == 4
        assert page.html.count('role="img"') == 4
        assert page.html.count("<desc") == 4
        assert "<script" not in page.html
        assert "Refusals by reason" in page.text


def test_webhooks_are_listed_and_sent_again(own_server):
    with Receiver(lambda _: 410) as receiver:
        own_server.extra_environment |= {
            "LATCHKEY_WEBHOOK_URL": receiver.url,
            "LATCHKEY_WEBHOOK_SECRET": own_server.run("webhook", "secret").stdout.strip(),
        }
        client = own_server.create_client(*WEB, name="Told partner")
        person = Person(own_server, own_server.create_account())
        own_server.start()
        person.connect(client)
        operator, guest = Operator(own_server).join(), Operator(own_server, read_only=True).join()
        eventually(lambda: "given up" in operator.open("/webhooks").text, PATIENCE)
        receiver.answer = lambda _: 204
        link = next(link for link in operator.open("/webhooks").links if "/webhooks/evt_" in link)
        page = operator.visit(link)
        assert "connection.created" in page.text
        assert not [form for form in guest.visit(link).forms if form.action.endswith("/retry")]
        form = next(form for form in page.forms if form.action.endswith("/retry"))
        refused = guest.submit(form)
        assert refused.status in (401, 403)
        page = operator.follow(operator.submit(form))
        assert "sent within a few seconds" in page.text
        eventually(lambda: own_server.command("webhook", "list")[0]["state"] == "delivered", PATIENCE)
        assert "trying again" not in operator.open("/webhooks").text
        assert len(receiver.asked) == 2
        (retried,) = own_server.command("audit", "list", "--action", "webhook.retried")
        assert retried["actor"]["kind"] == "operator"


@pytest.mark.parametrize("path", ["/audit", "/audit/1", "/audit-export", "/debugger", "/webhooks", "/webhooks/evt_x"])
def test_u02_nobody_sees_any_of_it_without_signing_in(sqlite_server, path):
    stranger = Person(sqlite_server)
    page = stranger.request("GET", f"{sqlite_server.base}/console{path}")
    assert page.status in (303, 401)
    assert "client.created" not in page.html
