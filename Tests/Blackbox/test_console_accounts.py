"""Customers' accounts in the console: their sessions and connections, shown and ended (security.md U07)."""

from toolkit.console import Operator
from toolkit.console_world import plain_client
from toolkit.person import Person


def test_U07_an_accounts_sessions_are_listed_and_everybody_is_signed_out_at_once(own_server):
    account = own_server.create_account()
    client = plain_client(own_server)
    own_server.start()
    people = [Person(own_server, account), Person(own_server, own_server.create_account())]
    tokens = [person.connect(client) for person in people]
    ada = Operator(own_server).join()
    page = ada.open(f"/accounts/{account.user_id}")
    assert "Unknown browser" in page.text
    assert "signed in nowhere" not in page.text
    assert "2 sessions ended" in ada.press("/sessions/end").text
    assert "signed in nowhere" in ada.open(f"/accounts/{account.user_id}").text
    assert all(person.visit(own_server.base + "/account").sign_in_form for person in people)
    assert all(client.refresh(one.refresh).status_code == 200 for one in tokens), "connections stay"
    assert ada.open("").status == 200, "operators stay"


def test_U07_an_accounts_sessions_and_connections_are_shown_and_ended(own_server):
    account = own_server.create_account()
    client = plain_client(own_server, "Shown partner")
    own_server.start()
    browsers = [Person(own_server, account) for _ in range(2)]
    tokens = [browser.connect(client) for browser in browsers]
    ada = Operator(own_server).join()
    path = f"/accounts/{account.user_id}"
    page = ada.open(path)
    assert page.text.count("Unknown browser") == 2, "each session is shown"
    assert page.text.count("Shown partner") == 2
    done = ada.press(path + "/sessions")
    assert "2 sessions ended" in done.text
    for browser in browsers:
        assert browser.visit(own_server.base + "/account").sign_in_form, "the session is dead, whatever the cookie says"
    assert all(client.refresh(each.refresh).status_code == 200 for each in tokens), "connections stay"
    ended = own_server.command("audit", "list", "--action", "account.sessions_ended")
    assert [entry["subject"] for entry in ended] == [f"account:{account.user_id}"]
    cut = next(link for link in ada.open(path).links if link.endswith("/cut"))
    ada.press(cut.split("/console", 1)[1])
    assert sorted(client.refresh(each.refresh).status_code for each in tokens) == [200, 400]


def test_an_account_is_found_disabled_and_signed_out(own_server):
    account = own_server.create_account(name="Zoe Quinn")
    client = plain_client(own_server)
    own_server.start()
    person = Person(own_server, account)
    tokens = person.connect(client)
    ada = Operator(own_server).join()
    for typed in ("zoe", account.email[:8], account.user_id):
        assert account.email in ada.visit(f"{ada.home}/accounts?q={typed}").text
    path = f"/accounts/{account.user_id}"
    assert "1 live connection stops" in ada.open(path + "/disable").text
    done = ada.press(path + "/disable")
    assert client.refresh(tokens.refresh).status_code == 400
    ada.submit(ada.form(done, path + "/enable"))
    assert client.refresh(tokens.refresh).status_code == 200
    page = ada.press(path + "/password", new_password="a new correct horse")
    assert page.status == 200
    own_server.canaries.add("password", "a new correct horse")
    account.password = "a new correct horse"
    Person(own_server, account).connect(client)
    ada.press(path + "/delete")
    assert own_server.command("account", "list") == []
