"""The customer's own page: what it shows, and how a connection is cut (security.md C07), from outside."""

import threading

from toolkit.account_page import disconnect, disconnect_links, form_to, open_account
from toolkit.client import refusal
from toolkit.person import Person
from toolkit.waiting import eventually
from toolkit.wire import send

# It gets access tokens and nothing to refresh them with.
ALONE = ("--redirect-uri", "https://partner.example/callback", "--scope", "locks.read", "--grant", "authorization_code")


def test_nothing_is_connected_yet(server, person):
    page = open_account(person)
    assert "No app is connected yet." in page.text
    assert not disconnect_links(page)


def test_the_page_says_what_is_connected_since_when_and_what_it_may_do(server, person):
    person.connect(server.partners.seam)
    page = open_account(person)
    assert "Seam" in page.text
    assert "No app is connected yet." not in page.text
    for words in ("Connected", "Last used", "not yet", "State", "Active", "today"):
        assert words in page.text, words
    consent = Person(server, person.account).reach_consent(server.partners.seam)
    scopes = [line for line in consent.text.split("\n") if "lock" in line.lower() and "Seam" not in line]
    assert scopes
    for scope in scopes:
        assert scope in page.text, f"{scope!r} is not said on {page!r}"


def test_the_page_speaks_german(server, person):
    person.connect(server.partners.seam)
    open_account(person)
    page = person.visit(server.base + "/account", headers={"Accept-Language": "de"})
    for words in ("Ihr Konto", "Verbundene Apps", "Zuletzt benutzt", "Wo Sie angemeldet sind", "Abmelden"):
        assert words in page.text, words
    asked = person.visit(disconnect_links(page)[0], headers={"Accept-Language": "de"})
    assert "Seam trennen?" in asked.text


def test_what_was_taken_from_a_client_is_not_among_what_it_may_do(own_server):
    api = "https://billing.example.com/"
    own_server.create_client("--audience", api, name="Billing")
    client = own_server.create_client(*ALONE, "--grant", "refresh_token", "--scope", "locks.write")
    person = Person(own_server, own_server.create_account())
    own_server.start()
    person.connect(client, scope="locks.read locks.write", resource=api)
    page = open_account(person)
    for allowed in ("locks.read", "locks.write", api):
        assert allowed in page.text
    own_server.command("client", "update", client.client_id, "--scope", "locks.read", "--resource", "none")
    page = eventually(lambda: open_account(person), enough=lambda page: "locks.write" not in page.text)
    assert "locks.read" in page.text
    assert api not in page.text


def test_a_disabled_client_is_shown_as_paused(own_server):
    seam = own_server.create_client("--partner", "seam", name="Seam")
    person = Person(own_server, own_server.create_account())
    own_server.start()
    person.connect(seam)
    own_server.command("client", "disable", seam.client_id)
    eventually(lambda: "Paused by" in open_account(person).text)


def test_an_app_whose_only_access_token_has_ended_is_no_longer_connected(own_server):
    lasting = own_server.create_client("--partner", "seam", name="Seam")
    brief = own_server.create_client(*ALONE, "--consent", "remembered", name="Reports")
    person = Person(own_server, own_server.create_account())
    own_server.start()
    person.connect(lasting)
    asked = person.reach_consent(brief)
    assert "for 1 hour, and longer if it comes back before then, without asking you again" in asked.text
    assert "refresh_token" not in person.connect(brief).body
    assert open_account(person).text.count("Active") == 2
    assert person.visit(brief.authorize_url(prompt="none")).leaves, "its consent is remembered while it lives"
    own_server.restart(clock_offset=7201)
    page = eventually(lambda: open_account(person), 20, enough=lambda page: page.text.count("Active") == 1)
    assert "because its time was over" in page.text
    states = {one["client_id"]: one["status"] for one in own_server.command("connection", "list")}
    assert states == {lasting.client_id: "active", brief.client_id: "revoked"}
    assert "error=consent_required" in person.visit(brief.authorize_url(prompt="none")).target


def test_C07_a_cut_connection_is_dead_at_once_and_the_others_live(server, person):
    seam, opaque = server.partners.seam, server.partners.opaque
    cut, kept = person.connect(seam), person.connect(opaque)
    page = open_account(person)
    links = disconnect_links(page)
    assert len(links) == 2
    asked = [person.visit(link) for link in links]
    link = next(link for link, question in zip(links, asked, strict=True) if "Disconnect Seam?" in question.text)
    done = disconnect(person, link)
    assert "The app is disconnected." in done.text
    assert "by you" in done.text
    refusal(seam.refresh(cut.refresh), 400, "invalid_grant")
    assert seam.introspect(cut.access) == {"active": False}
    assert seam.introspect(cut.refresh) == {"active": False}
    assert opaque.introspect(kept.access)["active"]
    assert opaque.refresh(kept.refresh).status_code == 200
    again = person.follow(person.submit(form_to(asked[links.index(link)], "/account/disconnect"), button="Disconnect"))
    assert "This app was already disconnected." in again.text


def test_C07_an_app_that_keeps_another_connection_is_not_said_to_be_gone(server, person):
    seam = server.partners.seam
    tokens = [person.connect(seam) for _ in range(2)]
    links = disconnect_links(open_account(person))
    asked = person.visit(links[0]).text
    assert "can no longer use" not in asked
    assert "Seam keeps another one" in asked
    done = disconnect(person, links[0]).text
    assert "It can no longer use your account." not in done
    assert "The app keeps another one" in done
    assert sorted(seam.refresh(one.refresh).status_code for one in tokens) == [200, 400]
    assert "Seam can no longer use" in person.visit(links[1]).text
    assert "It can no longer use your account." in disconnect(person, links[1]).text
    assert [seam.refresh(one.refresh).status_code for one in tokens] == [400, 400]


def test_C07_cut_on_one_node_dead_on_both_with_what_was_minted_in_the_race(cluster):
    first, second = cluster.nodes
    clients = [
        first.create_client("--partner", "seam", name="Seam"),
        first.create_client(
            "--redirect-uri", "https://partner.example/callback", "--scope", "locks.read", "--access-token", "opaque"
        ),
    ]
    account = first.create_account()
    cluster.start()
    for client in clients:
        person = Person(first, account)
        connected = person.connect(client)
        minted: list[str] = [connected.access]
        over, refused = threading.Event(), threading.Event()

        def refresh(node, client=client, connected=connected, minted=minted, over=over, refused=refused):
            while not over.is_set():
                answer = client.at(node).refresh(connected.refresh)
                if answer.status_code == 200:
                    minted.append(answer.json()["access_token"])
                else:
                    refusal(answer, 400, "invalid_grant")
                    refused.set()

        racers = [threading.Thread(target=refresh, args=(node,)) for node in (first, second) * 2]
        for racer in racers:
            racer.start()
        eventually(lambda minted=minted: len(minted) >= 20, 30, "hardly a refresh is answered", pause=0.001)
        link = disconnect_links(open_account(person))[0]
        assert "The app is disconnected." in disconnect(person, link).text
        # Not within a second, but at once: the very first refresh after the answer is refused, on both nodes.
        for node in (first, second):
            refusal(client.at(node).refresh(connected.refresh), 400, "invalid_grant")
        assert refused.wait(30)
        over.set()
        for racer in racers:
            racer.join()
        for node in (first, second):
            for token in {minted[0], *minted[-40:]}:
                assert client.at(node).introspect(token) == {"active": False}


def test_C07_nobody_cuts_what_is_not_theirs(server, person):
    seam = server.partners.seam
    victim = Person(server, server.create_account())
    connected = victim.connect(seam)
    link = disconnect_links(open_account(victim))[0]
    person.connect(seam)
    own = disconnect_links(open_account(person))[0]
    seen = person.visit(link)
    assert victim.account.email not in seen.text
    assert seen.text == person.visit(link + "x").text, "another's connection looks like none"
    assert "Your account" in seen.text
    form = form_to(person.visit(own), "/account/disconnect")
    form.fields["connection"] = link.rpartition("=")[2]
    person.submit(form, button="Disconnect")
    assert seam.refresh(connected.refresh).status_code == 200


def test_every_page_is_kept_by_no_cache_and_framed_by_nobody(server, person):
    person.connect(server.partners.seam)
    home = open_account(person)
    for url in (
        server.base + "/account",
        disconnect_links(home)[0],
        server.base + "/account/password",
        server.base + "/oauth/logout",
        server.base + "/account/sign-in",
    ):
        page = person.request("GET", url)
        assert page.headers["Cache-Control"] == "no-store", url
        if page.status == 200:
            assert "frame-ancestors 'none'" in page.headers["Content-Security-Policy"]
            assert "<script" not in page.html


def test_a_link_cannot_make_the_page_say_something(server, person):
    open_account(person)
    other = Person(server, server.create_account())
    other.connect(server.partners.seam)
    link = disconnect_links(open_account(other))[0]
    asked = form_to(other.visit(link), "/account/disconnect")
    foreign = other.submit(asked, button="Disconnect").target
    assert "notice=" in foreign
    targets = [foreign, server.base + "/account?notice=passwordChanged", server.base + "/account?notice=x", link]
    targets += [server.base + "/account/disconnect", server.base + "/account/sign-in?next=/account/disconnect"]
    for target in targets:
        page = person.visit(target)
        assert "disconnected." not in page.text, target
        assert "is changed" not in page.text


def test_the_page_works_below_an_issuers_path(new_server):
    server = new_server()
    server.issuer = server.base + "/auth"
    person = Person(server, server.create_account())
    server.start()
    server.issuer = server.base
    page = person.visit(server.base + "/auth/account")
    assert page.sign_in_form
    home = person.sign_in(page)
    assert "No app is connected yet." in home.text
    assert all("/auth/" in form.action for form in home.forms)
    assert send("GET", server.base + "/account").status_code == 404
