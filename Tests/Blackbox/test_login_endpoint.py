"""The company's own accounts: sign-in by its login endpoint, from outside."""

import json
import time

import pytest

from toolkit.account_page import open_account
from toolkit.client import refusal
from toolkit.console import Operator, value_of
from toolkit.expect import check_guesses, guessed_at_most
from toolkit.login_endpoint import (
    ADA,
    PASSWORD,
    CompanyLogin,
    account_of,
    accounts,
    customer,
    found,
    serving,
    settings,
    status,
    try_sign_in,
)
from toolkit.person import Person
from toolkit.ports import free_port
from toolkit.process import Account
from toolkit.wire import together


@pytest.fixture
def company(tmp_path):
    """Starts the example with these customers."""
    started = []

    def start(*customers: dict) -> CompanyLogin:
        started.append(CompanyLogin(tmp_path, list(customers)))
        return started[-1]

    yield start
    for one in started:
        one.stop()


def test_the_example_lets_its_customers_connect(own_server, company):
    ada = customer("c-1001", ADA.email, PASSWORD)
    seam = serving(own_server, company(ada))
    connected = Person(own_server, account_of(ada)).connect(seam)
    assert connected.user_id.startswith("usr_")
    assert seam.introspect(connected.access)["sub"] == connected.user_id
    again = Person(own_server, account_of(ada)).connect(seam)
    assert again.user_id == connected.user_id
    (made,) = accounts(own_server)
    assert (made["user_id"], made["email"], made["name"]) == (connected.user_id, ADA.email, "Ada Lovelace")
    assert not own_server.canaries.found_in(own_server.database.content() + own_server.log_path.read_bytes())


def test_the_example_refuses_alike_who_is_wrong_and_who_is_unknown(own_server, company):
    serving(own_server, company(customer("c-1001", ADA.email, PASSWORD)))
    wrong = try_sign_in(own_server, ADA, "not the password")
    unknown = try_sign_in(own_server, Account("", "eve@company.example", "x" * 20, ""))
    assert wrong.status == unknown.status == 422
    assert "The email or the password is not right." in wrong.text
    assert wrong.text == unknown.text
    assert accounts(own_server) == []


def test_the_example_tells_a_closed_account(own_server, company):
    serving(own_server, company(customer("c-1001", ADA.email, PASSWORD, closed=True)))
    page = try_sign_in(own_server, ADA)
    assert page.status == 403
    assert "cannot sign in at the moment" in page.text


def test_a_wrong_secret_is_a_fault_and_no_wrong_password(own_server, company):
    here = company(customer("c-1001", ADA.email, PASSWORD))
    here.secret = "another-secret-of-forty-characters-or-so"
    serving(own_server, here)
    page = try_sign_in(own_server, ADA)
    assert page.status == 503
    assert "not available right now" in page.text
    assert "status 400" in own_server.log


def test_requests_are_signed_and_members_are_named_by_settings(own_server, login_endpoint):
    def answer(asked):
        value = {"data": {"user": {"number": 4711, "mail": ADA.email, "full": "Ada"}}}
        return 200, {"Content-Type": "application/json"}, json.dumps(value).encode()

    where = login_endpoint(answer)
    named = {
        "login_endpoint_email_member": "user",
        "login_endpoint_password_member": "secret",
        "login_endpoint_id": "data.user.number",
        "login_endpoint_email": "data.user.mail",
        "login_endpoint_name": "data.user.full",
    }
    serving(own_server, where, **named)
    person = Person(own_server, ADA)
    assert "Ada" in open_account(person).text
    (asked,) = where.asked
    assert asked.json == {"user": ADA.email, "secret": PASSWORD}
    assert asked.is_signed(where.secret)
    assert not asked.is_signed("another")
    assert asked.headers["content-type"] == "application/json"
    assert accounts(own_server)[0]["name"] == "Ada"


@pytest.mark.parametrize("password", ['quote " and \\ back', "zero\x01one", "ünï 密码 ☃", "  spaces  "], ids=repr)
def test_a_password_arrives_as_it_was_typed(new_server, login_endpoint, password):
    where = login_endpoint(lambda asked: found("c-1", ADA.email))
    server = new_server()
    serving(server, where)
    assert try_sign_in(server, ADA, password).status == 303
    assert where.asked[0].json["password"] == password


def test_parallel_first_sign_ins_make_one_account(nodes, login_endpoint):
    where = login_endpoint(lambda asked: found("c-1001", ADA.email))
    for node in nodes:
        node.extra_environment |= settings(where.url, where.secret)
        node.start()
    people = [Person(nodes[i % len(nodes)], ADA) for i in range(16)]
    forms = [person.visit(person.server.base + "/account").sign_in_form for person in people]
    values = {"email": ADA.email, "password": PASSWORD}
    calls = [lambda p=p, f=f: p.submit(f, values) for p, f in zip(people, forms, strict=True)]
    assert [page.status for page in together(calls)] == [303] * 16
    assert len(accounts(nodes[0])) == 1


def test_an_address_that_moves_to_another_customer_takes_no_connection_along(own_server, login_endpoint):
    now = {"id": "c-1", "email": ADA.email}
    where = login_endpoint(lambda asked: found(now["id"], now["email"]))
    seam = serving(own_server, where)
    first = Person(own_server, ADA).connect(seam)
    # The company gives the address to another customer.
    now["id"] = "c-2"
    second = Person(own_server, ADA).connect(seam)
    assert second.user_id != first.user_id
    assert len(accounts(own_server)) == 2
    # The first customer has another address now, and is still the same account.
    now |= {"id": "c-1", "email": "ada.king@company.example"}
    moved = Account("", "ada.king@company.example", PASSWORD, "Ada")
    assert Person(own_server, moved).connect(seam).user_id == first.user_id
    assert seam.introspect(first.access)["sub"] == first.user_id
    emails = {one["user_id"]: one["email"] for one in accounts(own_server)}
    assert emails == {first.user_id: "ada.king@company.example", second.user_id: ADA.email}


def test_a_disabled_account_stays_out_whatever_the_endpoint_says(own_server, login_endpoint):
    seam = serving(own_server, login_endpoint(lambda asked: found("c-1", ADA.email)))
    connected = Person(own_server, ADA).connect(seam)
    own_server.command("account", "disable", connected.user_id)
    page = try_sign_in(own_server, ADA)
    assert page.status == 403
    refusal(seam.refresh(connected.refresh), 400, "invalid_grant")


def test_both_sources_side_by_side_are_never_mixed_up(own_server, login_endpoint):
    where = login_endpoint(lambda asked: found("c-1", "grace@company.example", "Grace"))
    own = own_server.create_account(email="ada@company.example", password="the own password of ada")
    seam = serving(own_server, where, "both")
    # The endpoint lets everybody in, but an address of our own is decided here.
    assert try_sign_in(own_server, own, "some other password").status == 422
    assert not where.asked, "the password of an own account left the house"
    connected = Person(own_server, own).connect(seam)
    assert connected.user_id == own.user_id
    assert not where.asked
    grace = Account("", "grace@company.example", "whatever it may be", "Grace")
    other = Person(own_server, grace).connect(seam)
    assert other.user_id != own.user_id
    assert len(where.asked) == 1
    # The endpoint's customer takes an own account's address: two accounts, and neither gets the other's.
    where.answer = lambda asked: found("c-1", own.email, "Grace")
    assert Person(own_server, grace).connect(seam).user_id == other.user_id
    assert Person(own_server, own).connect(seam).user_id == own.user_id
    assert len(accounts(own_server)) == 2


def new_key(operator: Operator, account: str):
    """What the console's form answers that makes an API key for an account."""
    form = operator.form(operator.open("/api-keys/new"), "/api-keys/new")
    return operator.submit(form, {"name": "A program", "account": account})


def test_commands_and_the_console_find_an_account_of_the_endpoint_by_its_address(own_server, login_endpoint):
    seam = serving(own_server, login_endpoint(lambda asked: found("c-1", ADA.email)))
    user_id = Person(own_server, ADA).connect(seam).user_id
    for address in (ADA.email, ADA.email.upper()):
        assert own_server.command("account", "show", address)["user_id"] == user_id
    assert [one["user_id"] for one in own_server.command("connection", "list", "--account", ADA.email)] == [user_id]
    key = own_server.command("api-key", "create", "--name", "A program", "--account", ADA.email)
    own_server.canaries.add("API key", key["api_key"])
    assert key["user_id"] == user_id
    made = new_key(Operator(own_server).join(), ADA.email)
    assert made.status == 200
    own_server.canaries.add("API key", value_of(made, "API key"))
    assert {one["user_id"] for one in own_server.command("api-key", "list", "--account", ADA.email)} == {user_id}
    assert own_server.command("account", "disable", ADA.email)["disabled"]


def test_an_address_that_several_accounts_have_names_none_of_them(own_server, login_endpoint):
    own = own_server.create_account(email=ADA.email)
    now = {"id": "c-1", "email": "grace@company.example"}
    serving(own_server, login_endpoint(lambda asked: found(now["id"], now["email"])), "both")
    grace = Account("", "grace@company.example", PASSWORD, "Grace")
    assert try_sign_in(own_server, grace).status == 303
    (other,) = [one["user_id"] for one in accounts(own_server) if one["user_id"] != own.user_id]
    now["email"] = own.email
    assert try_sign_in(own_server, grace).status == 303
    told = (f"{own.user_id} (signs in here)", f"{other} (signs in at the login endpoint)")
    refused = own_server.run("account", "disable", own.email)
    assert refused.returncode == 1
    assert all(one in refused.stderr for one in ("more than one account has the e-mail address", *told)), refused.stderr
    assert not [one for one in accounts(own_server) if one["disabled"]]
    page = new_key(Operator(own_server).join(), own.email)
    assert page.status == 422
    assert all(one in page.text for one in ("More than one account has the e-mail address", *told)), page.text
    assert own_server.command("api-key", "list") == []
    assert own_server.command("account", "disable", other)["disabled"], "by its user_id it is found"


def test_with_the_endpoint_alone_own_passwords_open_nothing(new_server, login_endpoint):
    server = new_server()
    own = server.create_account()
    serving(server, login_endpoint(lambda asked: status(401)))
    assert try_sign_in(server, own).status == 422


def test_an_account_of_the_endpoint_has_no_password_to_change_here(own_server, login_endpoint):
    where = login_endpoint(lambda asked: found("c-1", ADA.email))
    page_there = "https://company.example/settings/password"
    serving(own_server, where, login_endpoint_password_page=page_there)
    person = Person(own_server, ADA)
    home = open_account(person)
    assert page_there in home.links
    assert "Change password" not in home.text
    assert "Change your password" not in person.visit(own_server.base + "/account/password").text
    (user_id,) = [one["user_id"] for one in own_server.command("account", "list") if one["email"] == ADA.email]
    operator = Operator(own_server).join()
    page = operator.open(f"/accounts/{user_id}")
    assert "at the login endpoint, which keeps the password" in page.text
    assert "Set password" not in page.text
    assert operator.open(f"/accounts/{user_id}/password").status == 404
    refused = own_server.run("account", "set-password", user_id, "--password-stdin", stdin="a brand new password\n")
    assert refused.returncode == 1
    assert "signs in at the login endpoint" in refused.stderr


def test_L02_the_limit_holds_before_the_endpoint_is_asked(own_server, login_endpoint):
    where = login_endpoint(lambda asked: status(401))
    serving(own_server, where)
    people = [Person(own_server, ADA, source=f"127.0.5.{i + 1}") for i in range(60)]
    forms = [person.visit(own_server.base + "/account").sign_in_form for person in people]
    calls = [
        lambda p=p, f=f, i=i: p.submit(f, {"email": ADA.email, "password": f"guess number {i}"})
        for i, (p, f) in enumerate(zip(people, forms, strict=True))
    ]
    began = time.monotonic()
    statuses = [page.status for page in together(calls)]
    seconds = time.monotonic() - began
    assert set(statuses) <= {422, 429, 503}
    assert len(where.asked) <= guessed_at_most(10, seconds), f"{len(where.asked)} were asked about in {seconds:.1f} s"
    assert statuses.count(422) == len(where.asked)


def test_L02_a_closed_account_counts_so_that_nobody_finds_one_out_for_free(own_server, login_endpoint):
    where = login_endpoint(lambda asked: status(423))
    own_server.extra_environment["LATCHKEY_ACCOUNT_FAILURES"] = "3"
    serving(own_server, where)
    statuses = [try_sign_in(own_server, ADA, f"guess number {i}").status for i in range(6)]
    check_guesses(statuses, 403, free=3)
    assert len(where.asked) == statuses.count(403)


WRONG = {
    "accounts": ({"LATCHKEY_ACCOUNTS": "ldap"}, "accounts"),
    "no url": ({"LATCHKEY_ACCOUNTS": "login-endpoint"}, "login-endpoint-url"),
    "no secret": (
        {"LATCHKEY_ACCOUNTS": "both", "LATCHKEY_LOGIN_ENDPOINT_URL": "https://a.example/"},
        "login-endpoint-secret",
    ),
    "short secret": (settings("https://a.example/", "short"), "login-endpoint-secret"),
    "http": (settings("http://company.example/login", "s" * 40), "login-endpoint-url"),
    "user information": (settings("https://u:p@company.example/login", "s" * 40), "login-endpoint-url"),
    "scheme": (settings("com.example.app://x", "s" * 40), "login-endpoint-url"),
    "not used": (settings("https://a.example/", "s" * 40, "own"), "login-endpoint-url"),
    "member": (settings("https://a.example/", "s" * 40, login_endpoint_id="a..b"), "login-endpoint-id"),
    "deadline": (settings("https://a.example/", "s" * 40, login_endpoint_deadline="2h"), "login-endpoint-deadline"),
    "same names": (
        settings("https://a.example/", "s" * 40, login_endpoint_password_member="email"),
        "login-endpoint-password-member",
    ),
}


@pytest.mark.parametrize("wrong", WRONG)
def test_a_wrong_setting_stops_the_start_with_one_line(new_server, wrong):
    server = new_server()
    environment, name = WRONG[wrong]
    server.extra_environment |= environment
    done = server.run("serve", "--listen", f"127.0.0.1:{free_port()}")
    assert done.returncode == 1
    assert len(done.stderr.strip().splitlines()) == 1, done.stderr
    assert name in done.stderr
    assert "s" * 40 not in done.stderr
