"""The command line: names, JSON members and exit statuses that others script against, beside a running server."""

import gzip
import json
import os
import re
import signal
import socket
import sqlite3
import subprocess
import termios
import unicodedata
from contextlib import closing

import pytest

from toolkit.client import OAuthClient, refusal, tokens
from toolkit.expect import check_one_line_error
from toolkit.person import Person
from toolkit.process import BINARY, clean_environment
from toolkit.waiting import eventually
from toolkit.wire import send

WEB = ("--redirect-uri", "https://partner.example/callback", "--scope", "locks.read", "--scope", "locks.write")


# client


def test_client_create_prints_exactly_these_members(server):
    made = server.command("client", "create", "--partner", "seam", "--name", "Seam")
    server.canaries.add("client secret", made["client_secret"])
    members = {"client_id", "client_secret", "redirect_uris", "scopes", "partner", "refresh", "access_token"}
    assert members <= made.keys()
    assert made["client_secret"].startswith("lks_")
    assert len(made["client_secret"]) >= 43
    assert made["redirect_uris"] == [
        "https://connect.getseam.com/oauth/callback",
        "https://staging.connect.getseam.com/oauth/callback",
        "http://localhost:3020/oauth/callback",
    ]
    assert made["scopes"] == ["locks.read", "locks.write"]
    assert made["partner"] == "seam"
    assert made["refresh"] == "stable"
    assert made["access_token"] in ("jwt", "opaque")


def test_client_create_without_json_shows_the_secret_once_for_a_person(server):
    done = server.run("client", "create", "--partner", "seam", "--name", "Seam for people")
    assert done.returncode == 0, done.stderr
    secret = re.search(r"lks_[\w-]+", done.stdout)
    assert secret, done.stdout
    server.canaries.add("client secret", secret.group())
    assert "connect.getseam.com" in done.stdout
    client_id = server.command("client", "list")[-1]["client_id"]
    assert secret.group() not in server.run("client", "show", client_id).stdout
    assert "\x1b[" not in done.stdout, "no colours when nobody looks"


def test_a_name_that_turns_its_neighbours_is_shown_without_that(new_server):
    server, name = new_server(), "Ada \u202ereversed\u2066"
    account = server.create_account(name=name)
    client = server.create_client(*WEB, name=name)
    for shown in (
        server.run("account", "list"),
        server.run("account", "show", account.user_id),
        server.run("client", "list"),
        server.run("client", "show", client.client_id),
    ):
        assert "Ada ?reversed?" in shown.stdout, shown
    assert server.command("account", "show", account.user_id)["name"] == name


def test_every_time_in_a_table_stands_below_a_heading_that_names_its_zone(server, person):
    person.connect(server.partners.seam)
    refusal(server.partners.seam.exchange("no-code"), 400, "invalid_grant")
    eventually(lambda: server.command("refusal", "list"), 20)
    server.command("api-key", "create", "--name", "Timed")
    for name in ("account", "api-key", "client", "connection", "key", "audit", "refusal"):
        lines = server.run(name, "list").stdout.splitlines()
        heading, row = (re.split(r"  +", line) for line in lines[:2])
        times = [title for title, cell in zip(heading, row, strict=True) if re.fullmatch(r"[-\d]{10} [\d:]{5}", cell)]
        assert times, (name, row)
        assert all(title.endswith(" (UTC)") for title in times), (name, heading)


@pytest.mark.parametrize(
    "words",
    [
        ("client", "show", "\x1b[31mx"),
        ("connection", "revoke", "\x1b[31mx"),
        ("account", "import", "\x1b[31mx"),
        ("client", "list", "--\x1b[31mx"),
    ],
    ids=" ".join,
)
def test_a_complaint_leaves_the_terminal_alone_whatever_it_repeats(sqlite_server, words):
    done = sqlite_server.run(*words)
    check_one_line_error(done, "?[31mx")
    assert "\x1b" not in done.stderr


def test_a_profile_of_somebody_elses_leaves_the_terminal_alone(sqlite_server, tmp_path):
    (tmp_path / "other.yaml").write_text('id: other\nname: Other\n"\\e[31mx": 1\n')
    done = sqlite_server.run("partner", "list", "--partners", str(tmp_path))
    check_one_line_error(done, "?[31mx")
    assert "\x1b" not in done.stderr


def test_client_create_prints_where_the_partner_sends_its_requests(new_server):
    server = new_server(environment={"LATCHKEY_ISSUER": "https://id.company.example/auth"})
    made = server.command("client", "create", "--partner", "seam", "--name", "Seam")
    assert made["authorization_endpoint"] == "https://id.company.example/auth/oauth/authorize"
    assert made["token_endpoint"] == "https://id.company.example/auth/oauth/token"
    own = server.command("client", "create", "--partner", "seamless", "--redirect-uri", "https://seamless.example/cb")
    assert own["token_endpoint"] == "https://id.company.example/auth/api/client/v1/oauth/accessToken"
    shown = server.run("client", "show", made["client_id"]).stdout
    assert re.search(r"authorization URL +https://id.company.example/auth/oauth/authorize", shown)
    assert re.search(r"token URL +https://id.company.example/auth/oauth/token", shown)
    # Where nobody says who issues, none is guessed.
    server.extra_environment.pop("LATCHKEY_ISSUER")
    assert server.command("client", "show", made["client_id"])["token_endpoint"] is None


def test_a_client_that_may_ask_for_nothing_is_made_with_a_word_of_warning(sqlite_server):
    create = ("client", "create", "--name", "Quiet", "--redirect-uri", "https://quiet.example/cb", "--json")
    done = sqlite_server.run(*create)
    made = json.loads(done.stdout)
    assert (done.returncode, made["scopes"]) == (0, [])
    assert f"latchkey client update {made['client_id']} --scope" in done.stderr
    assert "--scope" not in sqlite_server.run("client", "update", made["client_id"], "--scope", "locks").stderr
    assert sqlite_server.run(*create, "--scope", "locks").stderr == ""
    api = ("client", "create", "--name", "API", "--audience", "https://quiet.example/api")
    assert "--scope" not in sqlite_server.run(*api).stderr, "a resource server asks for nothing"


def test_a_client_that_lacks_a_grant_is_told_the_command_that_gives_it_one_more(own_server):
    server = own_server
    client = server.create_client(*WEB, "--grant", "authorization_code").client_id
    words = ("client", "update", client)
    wanted = f"'latchkey client update {client} --grant authorization_code --grant refresh_token'"
    assert wanted in server.run(*words, "--name", "Ends").stderr
    # As one would take it: this leaves the grant alone that it names.
    done = server.run(*words, "--grant", "refresh_token")
    assert done.returncode == 0, done.stderr
    assert "nobody can connect" in done.stderr
    assert wanted in done.stderr
    assert "--grant" not in server.run(*wanted.strip("'").split()[1:]).stderr
    # A service with tokens of its own has more than something to refresh, and need not want people.
    grants = ("--grant", "client_credentials", "--grant", "refresh_token")
    done = server.run("client", "create", "--name", "Machine", *WEB, *grants)
    assert "may refresh connections and begin none" in done.stderr
    assert "if people are to connect" in done.stderr


def test_a_resource_that_no_api_is_registered_with_is_warned_of(own_server):
    server, audience, usual = own_server, "https://billing.example/", "https://api.company.example/"
    server.extra_environment["LATCHKEY_AUDIENCE"] = usual
    advice = f"latchkey client create --name NAME --audience {audience}"
    done = server.run("client", "create", "--name", "Biller", *WEB, "--resource", audience, "--json")
    assert done.returncode == 0, done.stderr
    client_id = json.loads(done.stdout)["client_id"]
    assert advice in done.stderr
    assert f"resource={audience} are refused" in done.stderr
    assert advice in server.run("client", "update", client_id, "--name", "Billing").stderr
    server.create_client("--audience", audience, name="Billing API")
    update = ("client", "update", client_id, "--resource", audience)
    assert "no API" not in server.run(*update).stderr
    assert "no API" not in server.run(*update, "--resource", usual).stderr, "the server's own needs none"


@pytest.mark.parametrize("words", [("partner", "show", "seem"), ("client", "create", "--partner", "seem")])
def test_a_mistyped_partner_gets_a_suggestion(new_server, words):
    check_one_line_error(new_server().run(*words), "no partner profile 'seem'", "did you mean 'seam'?")
    check_one_line_error(new_server().run("partner", "show", "xyzxyzxyz"), "seam-legacy, seamless")


def test_a_client_made_beside_a_running_server_works_at_once(server, person):
    client = server.create_client(*WEB, name="Late partner")
    eventually(lambda: bool(Person(server).visit(client.authorize_url()).sign_in_form))
    assert client.locks(person.connect(client).access).status_code == 200


def test_client_create_takes_the_id_and_every_option(server):
    options = [*WEB, "--id", "chosen-id", "--refresh", "strict", "--access-token", "opaque"]
    made = server.command(
        "client",
        "create",
        "--name",
        "Chosen",
        *options,
        "--access-token-lifetime",
        "900",
        "--grant",
        "authorization_code",
    )
    server.canaries.add("client secret", made["client_secret"])
    assert made["client_id"] == "chosen-id"
    shown = server.command("client", "show", "chosen-id")
    assert shown["name"] == "Chosen"
    assert shown["refresh"] == "strict"
    assert shown["access_token"] == "opaque"
    assert shown["access_token_lifetime"] == 900
    assert shown["grants"] == ["authorization_code"]
    assert shown["partner"] is None
    check_one_line_error(server.run("client", "create", "--name", "Twice", *options), "chosen-id")


def test_a_public_client_is_told_that_no_consent_of_its_people_is_remembered(own_server):
    server, remembered = own_server, ("--consent", "remembered")
    create = ("client", "create", "--name", "Phone", "--public", *WEB)
    check_one_line_error(server.run(*create, *remembered), "asked every time", "leave out --public")
    phone = server.create_client("--public", *WEB, name="Phone").client_id
    check_one_line_error(server.run("client", "update", phone, *remembered), "say --consent always")
    assert server.command("client", "update", phone, "--consent", "always")["consent"] == "always"
    web = server.create_client(*WEB, *remembered, name="Web").client_id
    check_one_line_error(server.run("client", "update", web, "--public", "--refresh", "strict"), "leave out --public")
    changed = server.command("client", "update", web, "--public", "--refresh", "strict", "--consent", "profile")
    assert (changed["public"], changed["consent"]) == (True, "always")
    check_one_line_error(server.run("client", "update", phone, "--secret", "x" * 22), "a public client has no secret")


def test_a_profile_value_that_is_said_twice_is_refused(server):
    words = ("--partner", "alexa", "--profile-value", "vendor_id=M1", "--profile-value", "vendor_id=M2")
    check_one_line_error(server.run("client", "create", *words), "'vendor_id' more than once")


@pytest.mark.parametrize("words", [("client", "create", "--name", b"T\xfcr"), ("backup", b"T\xfcr"), ("help", b"\xff")])
def test_an_argument_that_is_not_utf_8_is_refused(tmp_path, words):
    """With another character in its place it would be a file's name that nobody chose, and stand on people's pages."""
    place = next(number for number, word in enumerate(words, 1) if isinstance(word, bytes))
    check_one_line_error(run_in(tmp_path, *words), f"argument {place} is not UTF-8")


@pytest.mark.parametrize(
    "words",
    [
        ("backup", ""),
        ("restore", ""),
        ("account", "import", ""),
        ("audit", "export", ""),
        ("audit", "list", "--actor", ""),
        ("audit", "list", "--actor="),
        ("refusal", "list", "--request-id", ""),
    ],
    ids=" ".join,
)
def test_an_empty_argument_is_refused(own_server, words):
    """It names no file; and a filter that a script leaves empty would list everything."""
    option = next((f"behind {word.removesuffix('=')}," for word in words if word.startswith("--")), "")
    check_one_line_error(own_server.run(*words), f"argument {len(words)}", option, "is empty")


@pytest.mark.parametrize("scopes", ["locks.read locks.write", "locks.read,locks.write"])
def test_two_scopes_in_one_are_refused_with_the_way_to_say_them(server, scopes):
    client = server.partners.seam.client_id
    for words in (
        ("client", "create", "--partner", "seam"),
        ("client", "update", client),
        ("api-key", "create", "--name", "Two"),
    ):
        check_one_line_error(server.run(*words, "--scope", scopes), "--scope NAME, once for each")


def test_client_list_and_show_hold_no_secret(server):
    for value in (server.command("client", "list"), server.command("client", "show", server.partners.seam.client_id)):
        text = json.dumps(value)
        assert "lks_" not in text
        assert "digest" not in text
        assert "hash" not in text
    listed = {one["client_id"]: one for one in server.command("client", "list")}
    assert listed[server.partners.seam.client_id]["name"] == "Seam"


def test_client_update_changes_and_keeps(server):
    client = server.create_client(*WEB, name="Before")
    extra = "https://partner.example/second"
    server.command("client", "update", client.client_id, "--name", "After", "--add-redirect-uri", extra)
    shown = server.command("client", "show", client.client_id)
    assert shown["name"] == "After"
    assert shown["redirect_uris"] == ["https://partner.example/callback", extra]
    second = client.using(redirect_uri=extra)
    eventually(lambda: bool(Person(server).visit(second.authorize_url()).sign_in_form))
    removal = ("client", "update", client.client_id, "--remove-redirect-uri", "https://partner.example/callback")
    server.command(*removal)
    check_one_line_error(server.run(*removal), "'https://partner.example/callback'", f"client show {client.client_id}'")
    assert server.command("client", "show", client.client_id)["redirect_uris"] == [extra]
    eventually(lambda: Person(server).visit(client.authorize_url()).status == 400)


def test_client_rotate_secret_keeps_the_old_one_alive(server, person):
    client = server.create_client(*WEB, name="Rotating partner")
    connected = person.connect(client)
    made = server.command("client", "rotate-secret", client.client_id)
    server.canaries.add("client secret", made["client_secret"])
    newer = client.using(client_secret=made["client_secret"])
    eventually(lambda: newer.refresh(connected.refresh).status_code == 200)
    tokens(client.refresh(connected.refresh))
    third = server.command("client", "rotate-secret", client.client_id)["client_secret"]
    server.canaries.add("client secret", third)
    eventually(lambda: client.using(client_secret=third).refresh(connected.refresh).status_code == 200)
    eventually(lambda: client.refresh(connected.refresh).status_code == 401)


def test_a_chosen_secret_that_is_rotated_to_again_keeps_the_one_before_alive(server):
    client = server.create_client(*WEB, name="Partner with a script")
    chosen = "rotated-" + "x" * 22
    server.canaries.add("client secret", chosen)
    rotate = ("client", "rotate-secret", client.client_id, "--secret", chosen)
    for _ in range(2):
        assert "The one before it works" in server.run(*rotate).stdout
        assert re.search(r"^ *secrets +2$", server.run("client", "show", client.client_id).stdout, re.M)


def test_a_secret_that_client_update_chooses_keeps_the_one_before_alive(server, person):
    client = server.create_client(*WEB, name="Partner with chosen secrets")
    connected = person.connect(client)
    update = ("client", "update", client.client_id, "--secret")
    chosen = "chosen-" + "x" * 22
    server.canaries.add("client secret", chosen)
    assert "The one before it works until the next rotation" in server.run(*update, chosen).stdout
    # Given again it takes the place of no other.
    assert "until the next rotation" not in server.run(*update, chosen).stdout
    assert re.search(r"^ *secrets +2$", server.run("client", "show", client.client_id).stdout, re.M)
    newer = client.using(client_secret=chosen)
    eventually(lambda: newer.refresh(connected.refresh).status_code == 200)
    tokens(client.refresh(connected.refresh))
    done = server.run(*update, "short")
    assert "in test mode only" in done.stderr
    eventually(lambda: client.refresh(connected.refresh).status_code == 401)
    tokens(newer.refresh(connected.refresh))
    assert "instead of a random one" not in server.run("client", "update", "--help").stdout


def test_client_disable_enable_and_delete(server, person):
    client = server.create_client(*WEB, name="Short-lived partner")
    connected = person.connect(client)
    server.command("client", "disable", client.client_id)
    eventually(lambda: client.refresh(connected.refresh).status_code == 401)
    assert Person(server).visit(client.authorize_url()).status == 400
    server.command("client", "enable", client.client_id)
    eventually(lambda: client.refresh(connected.refresh).status_code == 200)
    server.command("client", "delete", client.client_id)
    eventually(lambda: client.refresh(connected.refresh).status_code == 401)
    check_one_line_error(server.run("client", "show", client.client_id), client.client_id)


def test_a_deletion_that_breaks_off_says_how_far_it_came_and_goes_on(new_server):
    server = new_server("sqlite")
    client = server.create_client(*WEB, name="Busy").client_id
    account = server.create_account().user_id
    with closing(sqlite3.connect(server.database.path)) as ledger, ledger:
        ledger.execute(
            f"""insert into connections
            (connection_id, client_id, account_id, scope, resources, nonce, generation, created_at)
            with recursive n(i) as (select 1 union all select i + 1 from n where i < 2500)
            select randomblob(16), '{client}', (select account_id from accounts), '', '', randomblob(16), 0, i from n"""
        )
        ledger.execute(
            """create trigger stop before update of revoked_at on connections when old.created_at > 1500
            begin select raise(abort, 'no further'); end"""
        )
    check_one_line_error(server.run("client", "delete", client), "no further", "1000 connections", "goes on")
    assert server.command("account", "show", account)["connections"] == 1500
    with closing(sqlite3.connect(server.database.path)) as ledger, ledger:
        ledger.execute("drop trigger stop")
    assert server.command("client", "delete", client)["connections"] == 1500


def test_a_short_secret_works_in_test_mode_only(new_server):
    server = new_server()
    done = server.run("client", "create", "--partner", "seam", "--name", "Seam", "--secret", "seamsecret", "--json")
    assert done.returncode == 0, done.stderr
    assert "test" in done.stderr, "a warning says that it is for tests only"
    client_id = json.loads(done.stdout)["client_id"]
    seam = OAuthClient(
        server, client_id, "seamsecret", "https://connect.getseam.com/oauth/callback", None, authentication="post"
    )
    account = server.create_account()
    server.start()
    refusal(seam.refresh("x"), 401, "invalid_client")
    assert client_id in server.log, "the log says why"
    server.restart(clock_offset=0)
    person = Person(server, account)
    assert "test mode" in person.visit(seam.authorize_url()).text.lower(), "a banner on every page"
    assert person.connect(seam).user_id == account.user_id


# account


def test_account_create_prints_exactly_these_members(server):
    stdin = "correct horse battery\n"
    words = ("account", "create", "--email", "members@example.com", "--name", "Ada", "--password-stdin")
    made = server.command(*words, stdin=stdin)
    assert made.keys() >= {"user_id", "email", "name"}
    assert made["user_id"].startswith("usr_")
    assert made["email"] == "members@example.com"
    assert made["name"] == "Ada"
    check_one_line_error(server.run(*words, stdin=stdin), "members@example.com")


def test_no_password_is_asked_for_that_nobody_could_take(own_server, tmp_path_factory):
    """The first one read would be too short."""
    taken = own_server.create_account().email
    create = ("account", "create", "--password-stdin", "--email")
    check_one_line_error(own_server.run(*create, taken, stdin="\n"), "exists already")
    nobody = ("account", "set-password", "--password-stdin", "nobody@example.com")
    check_one_line_error(own_server.run(*nobody, stdin="\n"), "there is no account")
    elsewhere = tmp_path_factory.mktemp("elsewhere")
    check_one_line_error(run_in(elsewhere, *create, "ada@example.com"), "there is no database")


def test_account_show_list_and_set_email(server, person):
    account = person.account
    shown = server.command("account", "show", account.user_id)
    assert shown["user_id"] == account.user_id
    assert shown["email"] == account.email
    assert "argon2" not in json.dumps(shown)
    assert account.user_id in {one["user_id"] for one in server.command("account", "list")}
    account.email = "moved." + account.email
    server.command("account", "set-email", account.user_id, account.email)
    assert server.command("account", "show", account.user_id)["email"] == account.email
    person.connect(server.partners.seam)


def test_account_set_password_replaces_the_old_one(server, person):
    old = person.account.password
    person.account.password = "a brand new password"
    words = ("account", "set-password", person.account.user_id, "--password-stdin")
    server.command(*words, stdin=person.account.password + "\n")
    page = person.visit(server.partners.seam.authorize_url())
    page = person.sign_in(page, password=old)
    assert page.sign_in_form
    assert person.sign_in(page).consent_form


@pytest.mark.parametrize("password", ["", "short", "1234567"])
def test_account_create_refuses_a_password_that_is_too_short(server, password):
    words = ("account", "create", "--email", f"short{len(password)}@example.com", "--password-stdin")
    check_one_line_error(server.run(*words, stdin=password + "\n"))


# connection


def test_connection_list_and_revoke(server, person):
    seam = server.partners.seam
    connected = person.connect(seam)
    (listed,) = server.command("connection", "list", "--account", person.account.user_id)
    assert listed.keys() >= {
        "connection_id",
        "client_id",
        "user_id",
        "scopes",
        "created_at",
        "last_used_at",
        "status",
    }
    assert listed["client_id"] == seam.client_id
    assert listed["user_id"] == person.account.user_id
    assert listed["scopes"] == ["locks.read", "locks.write"]
    assert listed["status"] == "active"
    assert listed["connection_id"] in {
        one["connection_id"] for one in server.command("connection", "list", "--client", seam.client_id)
    }
    server.command("connection", "revoke", listed["connection_id"])
    eventually(lambda: seam.refresh(connected.refresh).status_code == 400)
    assert seam.introspect(connected.access) == {"active": False}
    (listed,) = server.command("connection", "list", "--account", person.account.user_id)
    assert listed["status"] == "revoked"


# key, migrate, settings, sweep


def test_key_list_and_rotate(own_server):
    own_server.start()
    before = own_server.command("key", "list")
    assert len(before) >= 1
    own_server.command("key", "rotate")
    after = own_server.command("key", "list")
    assert len(after) == len(before) + 1
    assert "PRIVATE" not in json.dumps(after)
    signing = [key for key in after if key["purpose"] == "signing"]
    eventually(lambda: len(send("GET", own_server.base + "/oauth/jwks").json()["keys"]) == len(signing))


def test_account_import_reads_csv_with_quotes_commas_and_crlf(own_server, tmp_path):
    """RFC 4180 §2."""
    file = tmp_path / "accounts.csv"
    file.write_bytes(
        b"email,name,password_hash,external_id\r\n"
        b'"a@example.com","Lovelace, Ada ""the first""",,7\r\n'
        b"b@example.com,Bert,,8\r\n"
        b'"broken@example.com,Cut,,9\r\n'
    )
    done = own_server.run("account", "import", str(file), "--json")
    assert done.returncode == 1
    shown = json.loads(done.stdout)
    assert (shown["imported"], shown["refused"]) == (2, 1)
    assert shown["refusals"][0]["line"] == 4
    names = {one["email"]: one["name"] for one in own_server.command("account", "list")}
    assert names == {"a@example.com": 'Lovelace, Ada "the first"', "b@example.com": "Bert"}


def test_what_may_not_be_read_is_told_from_what_is_not_there(new_server):
    server = new_server("sqlite")
    server.run("migrate")
    assert server.run("backup", "backup").returncode == 0
    # Root may read everything, unless that is taken away.
    if os.geteuid() == 0:
        server.prefix = ("setpriv", "--bounding-set=-dac_override,-dac_read_search")
    for name in ("file", "folder/profile.yaml", "backup"):
        path = server.folder / name
        path.parent.mkdir(exist_ok=True)
        path.touch()
        path.chmod(0)
    closed = server.folder / "closed"
    closed.mkdir(mode=0)
    for words, place in (
        (("account", "import", "file"), "file"),
        (("partner", "list", "--partners", "folder"), "folder/profile.yaml"),
        (("partner", "list", "--partners", "closed"), "closed"),
        (("client", "list", "--config", "closed/settings.yaml"), "closed"),
        (("backup", "closed/backup"), "closed"),
        (("restore", "backup", "--replace"), "backup"),
        (("restore", "closed/backup", "--replace"), "closed"),
    ):
        check_one_line_error(
            server.run(*words), "Permission denied", f"{server.folder}/{place} belongs to ", "chmod u+rw"
        )
    usual, server.database.url = server.database.url, "sqlite:closed/database"
    for words in (("backup", "another"), ("restore", "--in-place")):
        check_one_line_error(server.run(*words), "Permission denied", f"{closed} belongs to ")
    server.database.url = usual
    for path in (server.folder / "file", closed):
        path.chmod(0o700)
    listener = socket.socket(socket.AF_UNIX)
    listener.bind(os.path.relpath(server.folder / "socket"))
    listener.close()
    for words, reason in (
        (("account", "import", "nothing"), "name one that exists"),
        (("partner", "list", "--partners", "file"), "Not a directory"),
        (("partner", "list", "--partners", "nothing"), "name one that exists"),
        (("client", "list", "--config", "closed"), "Is a directory"),
        (("client", "list", "--config", "socket"), "No such device or address"),
        (("account", "import", "socket"), "No such device or address"),
        (("client", "list", "--config", "nothing"), "name one that exists with --config (LATCHKEY_CONFIG)"),
    ):
        check_one_line_error(server.run(*words), f"{words[-1]}", "cannot be read", reason)


def test_account_import_refuses_a_stray_quote_in_csv_with_its_line_alone(own_server, tmp_path):
    """RFC 4180 §2: only a field that begins with a quote is quoted; any other takes in nothing of what follows."""
    heading = "email,name,password_hash,external_id\n"
    stray = ['a@example.com,Ada 5" tall,,1\n', 'b@example.com, "Bob",,2\n', 'c@example.com,"Cy" "",,3\n']
    good = 'd@example.com,"Dora\'s ""quoted"" name, and ""another""",,4\n"e@example.com","Eve""",,"5"\n'
    file, rejects = tmp_path / "accounts.csv", tmp_path / "rejects.csv"
    file.write_text(heading + "".join(stray) + good + 2000 * "\n" + "f@example.com,Fay,,6\n")
    done = own_server.run("account", "import", str(file), "--json", "--rejects", str(rejects))
    shown = json.loads(done.stdout)
    assert (done.returncode, shown["imported"], shown["refused"]) == (1, 3, 3), done.stderr
    assert [one["line"] for one in shown["refusals"]] == [2, 3, 4]
    assert rejects.read_text() == heading + "".join(stray)
    check_one_line_error(done, f"mend what is wrong in {rejects}, and import that")
    names = {one["email"]: one["name"] for one in own_server.command("account", "list")}
    assert names == {
        "d@example.com": 'Dora\'s "quoted" name, and "another"',
        "e@example.com": 'Eve"',
        "f@example.com": "Fay",
    }


def test_account_import_loses_no_line_without_a_word(own_server, tmp_path):
    file = tmp_path / "accounts.csv"
    file.write_text(
        "email,name,password_hash,external_id\n"
        "ada@example.com,Ada,,1\n"
        "ada@example.com,Another,,2\n"
        "bob@example.com,Bob,$2b$10$trunc,3\n"
        f"eve@example.com,Eve,$2b$31${'a' * 53},4\n"
    )
    done = own_server.run("account", "import", str(file), "--json")
    assert done.returncode == 1
    shown = json.loads(done.stdout)
    assert (shown["imported"], shown["refused"]) == (1, 3)
    assert [one["line"] for one in shown["refusals"]] == [3, 4, 5]
    assert "damaged" in shown["refusals"][1]["reason"]
    assert "costs too much" in shown["refusals"][2]["reason"]
    assert [one["name"] for one in own_server.command("account", "list")] == ["Ada"]


def test_account_import_holds_up_nothing_for_a_line_that_is_too_long(own_server, tmp_path):
    def line(number: int, **others) -> str:
        return json.dumps({"email": f"p{number}@example.com", "external_id": str(number)} | others) + "\n"

    file, rejects = tmp_path / "accounts.jsonl", tmp_path / "rejects.jsonl"
    long = line(600, name="x" * 300_000)
    wrong = line(601, email="nobody")
    before, behind = map(line, range(600)), map(line, range(602, 1202))
    file.write_text("".join([*before, long, wrong, *behind, line(1202, name="x" * 70_000).rstrip()]))
    done = own_server.run("account", "import", str(file), "--json", "--rejects", str(rejects))
    shown = json.loads(done.stdout)
    assert (done.returncode, shown["imported"], shown["refused"]) == (1, 1200, 3), done.stderr
    assert [one["line"] for one in shown["refusals"]] == [601, 602, 1203]
    assert "longer than 64 KiB" in shown["refusals"][0]["reason"]
    # What nobody can mend is not kept: memory must not grow with the file.
    assert rejects.read_text() == wrong


def test_account_import_overwrites_nothing_with_the_refused_lines(own_server, tmp_path):
    file, there = tmp_path / "accounts.jsonl", tmp_path / "there.jsonl"
    wrong = json.dumps({"email": "nobody"}) + "\n"
    file.write_text(json.dumps({"email": "ada@example.com"}) + "\n" + wrong)
    there.write_text("mine")
    refused = own_server.run("account", "import", str(file), "--rejects", str(there))
    check_one_line_error(refused, f"{there} is there already", "overwrites nothing")
    assert there.read_text() == "mine"
    # What is imported is there too, also when it comes over standard input.
    before = file.read_text()
    for words, stdin in (([str(file)], None), (["-"], before)):
        refused = own_server.run("account", "import", *words, "--rejects", str(file), stdin=stdin)
        check_one_line_error(refused, "overwrites nothing")
        assert file.read_text() == before
    assert own_server.command("account", "list") == []
    # Nothing is made where nothing was refused, or could be: without a database, and with every line good.
    fresh = tmp_path / "fresh.jsonl"
    elsewhere = clean_environment() | {"LATCHKEY_DATABASE": f"sqlite:{tmp_path / 'no-database'}"}
    words = [BINARY, "account", "import", str(file), "--rejects", str(fresh)]
    assert subprocess.run(words, cwd=tmp_path, env=elsewhere, capture_output=True, timeout=60).returncode == 1
    assert not fresh.exists()
    missing = own_server.run("account", "import", str(file), "--rejects", str(tmp_path / "no" / "folder"))
    check_one_line_error(missing, "there is no folder")
    assert own_server.run("account", "import", "-", "--rejects", str(fresh), stdin=before).returncode == 1
    assert fresh.read_text() == wrong
    fresh.unlink()
    good = before.splitlines()[0].replace("ada", "bob")
    assert own_server.run("account", "import", "-", "--rejects", str(fresh), stdin=good).returncode == 0
    assert not fresh.exists()
    # A pipe loses nothing.
    (tmp_path / "stdout").symlink_to("/proc/self/fd/1")
    piped = own_server.run("account", "import", "-", "--rejects", str(tmp_path / "stdout"), stdin=wrong)
    assert wrong in piped.stdout, piped.stderr


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"", "is empty"),
        (b' [{"email": "a@example.com"}]\n', "is a JSON array"),
        ("email,name,password_hash\na@example.com,A,\n".encode("utf-16"), "is not UTF-8"),
        (gzip.compress(b"email,name,password_hash\na@example.com,A,\n", mtime=0), "is not UTF-8"),
        (b'<p class="x">no accounts</p>\n', "is neither CSV nor JSON Lines"),
    ],
    ids=["nothing", "an array", "UTF-16", "compressed", "a page"],
)
def test_account_import_says_what_is_wrong_with_a_file_that_it_cannot_take(own_server, tmp_path, content, words):
    file = tmp_path / "accounts"
    file.write_bytes(content)
    check_one_line_error(own_server.run("account", "import", str(file)), f"{file} {words}", "expected CSV")


def test_account_import_ends_with_a_sentence_when_a_file_cannot_be_read_or_written(own_server, tmp_path):
    folder = own_server.run("account", "import", str(tmp_path))
    check_one_line_error(folder, "cannot be read: Is a directory")
    file = tmp_path / "accounts.jsonl"
    addresses = ("ada@example.com", "nobody", "bob@example.com")
    file.write_text("".join(json.dumps({"email": email}) + "\n" for email in addresses))
    # By a name of the test's own: the device might be replaced.
    (tmp_path / "full").symlink_to("/dev/full")
    full = own_server.run("account", "import", str(file), "--json", "--rejects", str(tmp_path / "full"))
    check_one_line_error(full, "No space left on device", "1 new account and 1 refused line")
    assert json.loads(full.stdout)["imported"] == 1
    assert [one["email"] for one in own_server.command("account", "list")] == ["ada@example.com"]


def test_account_import_from_csv_tells_what_came_before_a_record_without_an_end(own_server, tmp_path):
    """A quote that is never closed takes in all that follows: no record after it can be told from it."""
    heading = "email,name,password_hash,external_id\n"
    before = "".join(f"p{number}@example.com,P,,{number}\n" for number in range(600))
    file, rejects = tmp_path / "accounts.csv", tmp_path / "rejects.csv"
    file.write_text(heading + before + 'nobody,N,,n\nq@example.com,"Quentin,,q\n' + 5000 * "z@example.com,Z,,z\n")
    done = own_server.run("account", "import", str(file), "--json", "--rejects", str(rejects))
    check_one_line_error(done, "line 603", "longer than 64 KiB", "The import ended there, after 600 new accounts")
    shown = json.loads(done.stdout)
    assert (shown["imported"], shown["refused"], shown["refusals"][0]["line"]) == (600, 1, 602)
    assert rejects.read_text() == heading + "nobody,N,,n\n"
    assert len(own_server.command("account", "list", "--limit", "1000")) == 600
    first = own_server.run("account", "list", "--limit", "1")
    assert "there are more accounts than 1: --limit shows more" in first.stderr


def test_account_import_tells_what_came_before_the_database_went_away(new_server):
    server = new_server("sqlite")
    server.create_account()
    command = [BINARY, "account", "import", "-", "--json", "--database", server.database.url]
    lines = ["email,name,password_hash,external_id", "nobody,N,,n"]
    lines += [f"p{number}@example.com,{'P' * 60},,{number}" for number in range(1200)]
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True}
    with subprocess.Popen(command, env=server.environment, **pipes) as importing:
        # The rest of the file is read when all of it has come.
        importing.stdin.write("\n".join(lines) + "\n")
        importing.stdin.flush()
        eventually(lambda: len(server.command("account", "list")) == 501, 30)
        with closing(sqlite3.connect(server.database.path, isolation_level=None)) as other:
            other.execute("begin immediate")
            shown, told = importing.communicate(timeout=60)
    done = subprocess.CompletedProcess(command, importing.returncode, shown, told)
    check_one_line_error(done, "locked", "The import ended there, after 500 new accounts and 1 refused line")
    told = json.loads(done.stdout)
    assert (told["imported"], told["refusals"][0]["line"]) == (500, 2)
    # As the line says, the whole file again brings the rest.
    assert "import the whole file again" in done.stderr
    again = server.run("account", "import", "-", "--json", stdin="\n".join(lines) + "\n")
    assert json.loads(again.stdout)["imported"] == 700
    assert len(server.command("account", "list", "--limit", "2000")) == 1201


def test_account_import_refuses_a_member_that_it_does_not_know(own_server, tmp_path):
    """Misspelt, it would make an account without its password, and nobody would be told."""
    rows = [
        {"email": "a@example.com", "passwordHash": "x", "name": "A"},
        {"email": "b@example.com", "zip": None, "age": ""},
        {"email": "c@example.com", "name": None, "external_id": ""},
    ]
    file = tmp_path / "accounts.jsonl"
    file.write_text("".join(json.dumps(row) + "\n" for row in rows))
    done = own_server.run("account", "import", str(file), "--json")
    shown = json.loads(done.stdout)
    assert (done.returncode, shown["imported"]) == (1, 1), done.stderr
    assert [one["line"] for one in shown["refusals"]] == [1, 2]
    for refusal_of_line, name in zip(shown["refusals"], ("passwordHash", "age"), strict=True):
        assert f"'{name}'" in refusal_of_line["reason"]
        assert "password_hash" in refusal_of_line["reason"]
    assert [one["email"] for one in own_server.command("account", "list")] == ["c@example.com"]


def test_account_import_refuses_a_member_that_stands_twice_in_a_line(own_server, tmp_path):
    """Which one counts is for nobody to guess (RFC 8259 §4): another program may have shown the other one."""
    file = tmp_path / "accounts.jsonl"
    file.write_text(
        '{"email": "a@example.com", "password_hash": null, "email": "b@example.com"}\n'
        '{"email": "c@example.com", "em\\u0061il": "d@example.com"}\n'
        '{"email": "e@example.com", "name": null, "name": "E"}\n'
        '{"email": "f@example.com", "name": "\\\\\\": x:y \\\\", "external_id": "1:2"}\n'
    )
    done = own_server.run("account", "import", str(file), "--json")
    shown = json.loads(done.stdout)
    assert (done.returncode, shown["imported"]) == (1, 1), done.stderr
    assert [one["line"] for one in shown["refusals"]] == [1, 2, 3]
    assert all("more than once" in one["reason"] for one in shown["refusals"])
    (made,) = own_server.command("account", "list")
    assert (made["email"], made["name"]) == ("f@example.com", '\\": x:y \\')


def test_account_import_takes_two_spellings_of_an_address_for_one(own_server, tmp_path):
    """A letter with its accent is one character where a keyboard made it, and may be two in a file."""
    composed, decomposed = (unicodedata.normalize(form, "josé@example.com") for form in ("NFC", "NFD"))
    file = tmp_path / "accounts.csv"
    file.write_text(f"email,name,password_hash\n{decomposed},José,\n{composed},Another,\n")
    done = own_server.run("account", "import", str(file), "--json")
    shown = json.loads(done.stdout)
    assert (done.returncode, shown["imported"]) == (1, 1), done.stderr
    assert [one["line"] for one in shown["refusals"]] == [3]
    assert [one["email"] for one in own_server.command("account", "list")] == [composed]
    assert own_server.command("account", "show", decomposed)["email"] == composed


def test_who_was_imported_by_an_older_release_is_not_made_again_in_another_spelling(own_server, tmp_path):
    """It kept the file's spelling, by which they are found now; a second account would hide their connections."""
    composed, decomposed = (unicodedata.normalize(form, "josé@example.com") for form in ("NFC", "NFD"))
    file = tmp_path / "accounts.csv"
    file.write_text(f"email,name,password_hash\n{decomposed},José,\n")
    assert own_server.run("account", "import", str(file)).returncode == 0
    older = f"update accounts set email = '{decomposed}', email_key = '{decomposed}'"
    if own_server.database.kind == "postgres":
        own_server.database.query(older)
    else:
        with closing(sqlite3.connect(own_server.database.path)) as connection, connection:
            connection.execute(older)
    done = own_server.run("account", "import", str(file))
    check_one_line_error(done, "1 of 1 line refused")
    done = own_server.run("account", "create", "--email", composed, "--password-stdin", stdin="a long enough password")
    check_one_line_error(done, "exists already")
    (kept,) = own_server.command("account", "list")
    assert kept["email"] == decomposed


def test_account_import_refuses_what_a_database_cannot_keep_and_that_alone(own_server, tmp_path):
    """PostgreSQL keeps no NUL, and refuses all that comes with one in the same statement."""
    salted = f"$6$sa\0lt${'a' * 86}"
    rows = [
        {"email": "a@example.com", "external_id": "1"},
        {"email": "b@example.com", "external_id": "x\0y"},
        {"email": "c@example.com", "external_id": "x\ny"},
        {"email": "d@example.com", "name": "x\0y"},
        {"email": "e\0@example.com"},
        {"email": "f@example.com", "password_hash": salted},
        {"email": "g@example.com", "external_id": "2"},
    ]
    file, rejects = tmp_path / "accounts.jsonl", tmp_path / "rejects.jsonl"
    file.write_text("".join(json.dumps(row) + "\n" for row in rows))
    done = own_server.run("account", "import", str(file), "--json", "--rejects", str(rejects))
    shown = json.loads(done.stdout)
    assert (done.returncode, shown["imported"]) == (1, 2), done.stderr
    assert [one["line"] for one in shown["refusals"]] == [2, 3, 4, 5, 6]
    assert "control characters" in shown["refusals"][0]["reason"]
    assert rejects.read_text().splitlines() == [json.dumps(row) for row in rows[1:6]]


def test_migrate_is_safe_to_repeat(own_server):
    for _ in range(2):
        assert own_server.run("migrate").returncode == 0
    own_server.start()
    assert own_server.run("migrate").returncode == 0


def test_two_nodes_may_start_at_once_on_an_empty_database(cluster):
    for node in cluster.nodes:
        node.start(wait=False)
    for node in cluster.nodes:
        node.wait_until_ready()
    first, second = (send("GET", node.base + "/oauth/jwks").json() for node in cluster.nodes)
    eventually(
        lambda: (
            send("GET", cluster.nodes[0].base + "/oauth/jwks").json()
            == send("GET", cluster.nodes[1].base + "/oauth/jwks").json()
        )
    )
    assert {key["kid"] for key in first["keys"]} & {key["kid"] for key in second["keys"]}, "they agreed on one key set"


@pytest.mark.parametrize(
    "words",
    [
        ("client", "show", "nobody"),
        ("client", "delete", "nobody"),
        ("client", "create", "--name", "X", "--partner", "no-such-partner"),
        ("client", "create", "--name", "X"),
        ("client", "create", "--name", "X", "--redirect-uri", "javascript:alert(1)"),
        ("client", "create", "--name", "X", "--redirect-uri", "https://x.example/#part"),
        ("client", "create", "--name", "X", "--redirect-uri", "https://x.example/?code=evil"),
        ("client", "create", "--name", "", "--partner", "seam"),
        ("client", "create", "--name", "X", "--partner", "seam", "--access-token-lifetime", "5"),
        ("client", "create", "--name", "X", "--partner", "seam", "--scope", "bad scope"),
        ("account", "show", "usr_nobody"),
        ("account", "create", "--email", "not an address"),
        ("account", "create", "--email", "blank@example.com", "--name", " "),
        ("account", "set-email", "usr_nobody", "a@example.com"),
        ("connection", "revoke", "con_nobody"),
    ],
    ids=" ".join,
)
def test_a_wrong_command_ends_with_status_1_and_one_line(server, words):
    check_one_line_error(server.run(*words))
    assert server.run(*words, "--json").stdout.strip() == ""


def test_sweep_removes_what_has_expired(own_server):
    server = own_server
    seam = server.create_client("--partner", "seam", name="Seam")
    person = Person(server, server.create_account())
    server.start()
    for _ in range(3):
        person.authorize(seam)
    server.stop()
    assert server.run("sweep").returncode == 0
    server.extra_environment |= {"LATCHKEY_CLOCK_OFFSET": str(400 * 86400), "LATCHKEY_TEST_MODE": "true"}
    done = server.run("sweep", "--json")
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["rows"]["codes"] == 3
    assert json.loads(server.run("sweep", "--json").stdout)["total"] == 0


def test_help_and_version_need_no_database():
    shown = (["--help"], ["help"], ["help", "serve"], ["help", "connection", "cut"], ["client", "create", "--help"])
    for words in (*shown, ["--version"]):
        done = subprocess.run([BINARY, *words], capture_output=True, text=True, timeout=30)
        assert done.returncode == 0, done.stderr
        assert done.stdout.strip()
    listed = subprocess.run([BINARY, "--help"], capture_output=True, text=True, timeout=30).stdout
    for name in ("demo", "serve", "client", "account", "connection", "key", "migrate", "settings", "sweep"):
        assert re.search(rf"^\s+{name}\b", listed, re.MULTILINE), name


def commands_below(command: dict) -> list[dict]:
    return [command] + [one for below in command.get("subcommands", []) for one in commands_below(below)]


def test_an_option_that_takes_another_back_says_so_where_the_manual_tells_of_it():
    done = subprocess.run([BINARY, "--experimental-dump-help"], capture_output=True, text=True, timeout=30)
    told = [
        argument["abstract"]
        for command in commands_below(json.loads(done.stdout)["command"])
        for argument in command.get("arguments", [])
        if any(name["name"].startswith("no-") for name in argument.get("names", []))
    ]
    assert len(told) == 2, "client create and client update have --no-public"
    assert all("--no-public for one that can" in text for text in told)


def test_a_client_is_shown_without_what_its_grants_never_do(server):
    robot = server.create_client("--grant", "client_credentials", "--scope", "locks.read", name="Robot")
    shown = server.run("client", "show", robot.client_id).stdout
    assert "client_credentials" in shown
    for absent in ("redirect URIs", "refresh tokens", "consent"):
        assert absent not in shown, shown
    short = server.create_client(*WEB, "--grant", "authorization_code", name="No refresh")
    shown = server.run("client", "show", short.client_id).stdout
    assert "redirect URIs" in shown
    assert "consent" in shown
    assert "refresh tokens" not in shown


def printing_to(server, output, *words: str, **options) -> subprocess.CompletedProcess:
    """Runs a command whose standard output goes somewhere else."""
    command = [BINARY, *words, "--database", server.database.url]
    return subprocess.run(
        command, env=server.environment, stdout=output, stderr=subprocess.PIPE, text=True, timeout=60, **options
    )


def test_what_cannot_be_printed_is_told_with_status_1(new_server):
    server = new_server("sqlite")
    server.command("migrate")
    with open("/dev/full", "wb", buffering=0) as full:
        done = printing_to(server, full, "api-key", "create", "--name", "k", "--json")
        check_one_line_error(done, "standard output cannot be written", "is done", "is lost")
        assert [one["name"] for one in server.command("api-key", "list")] == ["k"]
        # More than a buffer holds fails in the midst of it, less at the end.
        for words in (("settings", "--sample"), ("settings", "--check"), ("api-key", "list")):
            check_one_line_error(printing_to(server, full, *words), "standard output cannot be written")
        for words in (["--help"], ["--version"]):
            done = subprocess.run([BINARY, *words], stdout=full, stderr=subprocess.PIPE, text=True, timeout=30)
            check_one_line_error(done, "standard output cannot be written")


def test_who_closes_the_pipe_ends_a_command_by_its_signal_and_without_a_word(new_server):
    server = new_server("sqlite")
    server.command("migrate")

    def printing_to_nobody(**options) -> subprocess.CompletedProcess:
        reading, writing = os.pipe()
        os.close(reading)
        try:
            return printing_to(server, writing, "settings", "--sample", **options)
        finally:
            os.close(writing)

    done = printing_to_nobody()
    assert (done.returncode, done.stderr) == (-signal.SIGPIPE, "")
    # Where the signal is ignored, as under a service manager, the loss is told as any other: Python ignores it.
    check_one_line_error(printing_to_nobody(restore_signals=False), "standard output cannot be written")


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_question_that_a_signal_ends_leaves_the_terminal_as_it_was(new_server, number):
    server = new_server("sqlite")
    account = server.create_account()
    leader, follower = os.openpty()

    def is_shown() -> bool:
        return bool(termios.tcgetattr(follower)[3] & termios.ECHO)

    command = [BINARY, "account", "set-password", account.user_id, "--database", server.database.url]
    asking = subprocess.Popen(command, env=server.environment, stdin=follower, stdout=follower, stderr=follower)
    try:
        eventually(lambda: not is_shown(), 30)
        os.write(leader, b"half a pass")
        asking.send_signal(number)
        assert asking.wait(timeout=30) == -number
        assert is_shown()
    finally:
        asking.kill()
        asking.wait()
        os.close(leader)
        os.close(follower)


def run_in(folder, *words: str | bytes) -> subprocess.CompletedProcess:
    """Runs a command in a folder, without any setting from outside."""
    return subprocess.run(
        [BINARY, *words], cwd=folder, env=clean_environment(), input="", capture_output=True, text=True, timeout=60
    )


@pytest.mark.parametrize(
    "words",
    [
        ("client", "create", "--partner", "seam"),
        ("client", "list"),
        ("account", "create", "--email", "ada@example.com"),
        ("api-key", "create", "--name", "X"),
        ("operator", "invite"),
        ("key", "rotate"),
        ("connection", "list"),
    ],
    ids=" ".join,
)
def test_a_command_makes_no_database_beside_the_servers(tmp_path, words):
    if words[0] == "account":
        words += ("--password-stdin",)
    done = subprocess.run(
        [BINARY, *words],
        cwd=tmp_path,
        env=clean_environment(),
        input="correct horse battery\n",
        capture_output=True,
        text=True,
        timeout=60,
    )
    check_one_line_error(
        done, "there is no database at sqlite:latchkey.sqlite", "--database", "LATCHKEY_DATABASE", "latchkey migrate"
    )
    assert not list(tmp_path.iterdir())


def test_migrate_makes_a_database_but_no_folder(tmp_path):
    assert run_in(tmp_path, "migrate").returncode == 0
    assert run_in(tmp_path, "client", "list").returncode == 0
    check_one_line_error(
        run_in(tmp_path, "migrate", "--database", "sqlite:missing/x.sqlite"), "there is no folder", "missing"
    )
    assert not (tmp_path / "missing").exists()


def test_a_file_that_is_no_database_is_named_with_the_remedy(tmp_path):
    (tmp_path / "junk.sqlite").write_text("this is no database " * 1000)
    done = run_in(tmp_path, "client", "list", "--database", "sqlite:junk.sqlite")
    check_one_line_error(done, "junk.sqlite", "--database", "latchkey migrate")


def test_a_database_without_a_scheme_is_told_how_to_write_it(tmp_path):
    done = run_in(tmp_path, "client", "list", "--database", "/tmp/x.sqlite")
    check_one_line_error(done, "write sqlite:/tmp/x.sqlite")


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        (("serv",), ("'latchkey serv'", "did you mean 'latchkey serve'?")),
        (("connection", "lst"), ("'latchkey connection lst'", "there are list, revoke", "'latchkey connection list'")),
        (("client", "frobnicate", "x"), ("'latchkey client frobnicate'", "rotate-secret")),
        (("help", "serv"), ("'latchkey serv'", "did you mean 'latchkey serve'?")),
        (("help", "connection", "lst"), ("'latchkey connection lst'", "'latchkey connection list'")),
        (("client", "frobnicate", "--help"), ("'latchkey client frobnicate'", "rotate-secret")),
    ],
)
def test_a_mistyped_command_hears_which_there_are(tmp_path, words, expected):
    check_one_line_error(run_in(tmp_path, *words), "there is no command", *expected)


def test_connection_cut_is_connection_revoke(server):
    check_one_line_error(server.run("connection", "cut", "con_nobody"), "con_nobody", "connection list")


def test_client_update_without_a_change_says_what_could_be_changed(server):
    check_one_line_error(server.run("client", "update", server.partners.seam.client_id), "nothing to change", "--name")


def test_connection_list_of_a_client_or_account_that_is_not_there_says_so(server):
    check_one_line_error(server.run("connection", "list", "--client", "nope"), "there is no client 'nope'")
    check_one_line_error(server.run("connection", "list", "--account", "nobody@example.com"), "nobody@example.com")


def test_an_api_for_another_audience_than_the_tokens_is_warned_of(new_server):
    server = new_server(environment={"LATCHKEY_AUDIENCE": "https://api.example.com"})
    words = ("client", "create", "--name", "Lock API", "--json")
    other = server.run(*words, "--audience", "https://other.example.com")
    assert other.returncode == 0
    assert "warning" in other.stderr
    assert "LATCHKEY_AUDIENCE=https://other.example.com" in other.stderr
    assert "https://api.example.com" in other.stderr
    assert server.run(*words, "--audience", "https://api.example.com").stderr == ""


def test_a_postgres_that_is_not_there_is_told_in_one_plain_line(tmp_path):
    done = run_in(tmp_path, "client", "list", "--database", "postgres://nobody:sesame@127.0.0.1:1/none")
    where = "it was looked for at postgres://nobody:***@127.0.0.1:1/none (from --database)"
    check_one_line_error(done, "the database is not available", where)
    assert "\t" not in done.stderr
    assert "sesame" not in done.stderr
