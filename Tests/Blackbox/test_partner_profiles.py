"""A partner profile that cannot be meant is refused at the start, with its file, the line and the reason."""

import pytest

from toolkit.client import refusal
from toolkit.expect import check_one_line_error
from toolkit.person import Person
from toolkit.wire import send

GOOD = """\
id: acme
name: Acme
sources:
  GUIDE: "Acme, Connecting, read 2026-11-21"
rules:
  redirect_uris:
    - https://acme.example/callback
  proof_key: optional
  refresh: stable
loosened:
  - rule: proof_key
    why: Acme's guide sends no code_challenge; the client is confidential.
"""
LOOSENED = GOOD[GOOD.index("loosened:") :]

# What is put in place of what, the line that the error names, and words of its reason.
WRONG = {
    "an unknown key": ("name: Acme", "name: Acme\nnotes: none", 3, "unknown key 'notes'"),
    "an unknown rule": ("proof_key: optional", "proof_keys: optional", 8, "unknown key 'proof_keys'"),
    "an unknown key of a reason": ("    why:", "    because:", 12, "unknown key 'because'"),
    "a word that is none of the choices": ("refresh: stable", "refresh: sometimes", 9, "'sometimes'"),
    "a value of another kind": ("refresh: stable", "public: perhaps", 9, "true or false"),
    "a number out of range": ("refresh: stable", "access_token_lifetime: 5", 9, "60 to 86400"),
    "a list that is none": ("refresh: stable", "grants: authorization_code", 9, "list"),
    "a grant that nobody has": ("refresh: stable", "grants: [password]", 9, "'password'"),
    "a looser rule without a reason": (LOOSENED, "loosened: []", 8, "loosens proof_key without a reason"),
    "a reason for a rule that there is not": ("- rule: proof_key", "- rule: proof_keys", 11, "'proof_keys' is no key"),
    "no way to prove who one is": ("refresh: stable", "client_authentication: []", 9, "client_secret_basic"),
    "a looser rule with an empty reason": (
        "Acme's guide sends no code_challenge; the client is confidential.",
        "''",
        12,
        "text",
    ),
    "a name told without a reason": ("refresh: stable", "userinfo: { members: { name: name } }", 9, "loosens userinfo"),
    "a redirect URI on plain http": ("https://acme.example/callback", "http://acme.example/callback", 7, "loopback"),
    "a redirect URI with a fragment": ("acme.example/callback", "acme.example/#x", 7, "fragment"),
    "a redirect URI with a wildcard": ("https://acme.example", "https://*.acme.example", 7, "redirect URI"),
    "a redirect URI with a stray brace": ("acme.example/callback", "acme.example/{app", 7, "{"),
    "a wildcard for every host": ("refresh: stable", "redirect_hosts: ['*']", 9, "not a domain"),
    "an error status that is none": ("refresh: stable", "errors: { status: { invalid_grant: 200 } }", 9, "400 to 499"),
    "an error that is no verdict": ("refresh: stable", "errors: { status: { server_error: 400 } }", 9, "server_error"),
    "a response without its token": ("refresh: stable", "token_response: { type: token_type }", 9, "access_token"),
    "a path with a slash at its end": ("refresh: stable", "endpoints: { token: [/x/] }", 9, "not a path"),
    "a scope without a name": ("refresh: stable", "scopes: [{ en: Everything }]", 9, "name"),
    "a public client whose tokens never change": ("proof_key: optional", "public: true", 6, "rotate"),
    "no sources": ('sources:\n  GUIDE: "Acme, Connecting, read 2026-11-21"\n', "", 1, "lacks the key 'sources'"),
    "sources that name nothing": (
        'sources:\n  GUIDE: "Acme, Connecting, read 2026-11-21"',
        "sources: {}",
        3,
        "at least one",
    ),
    "a default scope that is none": (
        "refresh: stable",
        "scopes: [{ name: locks.read, en: See locks }]\n  default_scopes: [locks.write]",
        10,
        "'locks.write' is none of the scopes",
    ),
    "a tab": ("  refresh: stable", "\trefresh: stable", 9, "never by tabs"),
    "no rules": (GOOD[GOOD.index("rules:") :], "", 1, "lacks the key 'rules'"),
    "a key twice": ("refresh: stable", "refresh: stable\n  refresh: strict", 9, "a key twice: refresh"),
    "no YAML": ("refresh: stable", "refresh: [stable", 10, "YAML"),
}


@pytest.fixture
def start(new_server, tmp_path):
    """Tries to start a server with profiles in a folder; what came of it."""
    folder = tmp_path / "partners"
    folder.mkdir()
    server = new_server("sqlite")

    def run(*words: str, **files: str | bytes):
        for name, text in files.items():
            (folder / f"{name}.yaml").write_bytes(text if isinstance(text, bytes) else text.encode())
        command = words or ("serve", "--listen", f"127.0.0.1:{server.port}", "--issuer", server.base)
        return server.run(*command, "--partners", str(folder))

    return run


@pytest.mark.parametrize("fault", list(WRONG))
def test_a_profile_with(start, tmp_path, fault):
    old, new, line, words = WRONG[fault]
    assert old in GOOD
    text = GOOD.replace(old, new)
    for command in ((), ("client", "create", "--partner", "acme")):
        done = start(*command, acme=text)
        check_one_line_error(done, f"{tmp_path}/partners/acme.yaml line {line}: ", words)


def test_the_profile_that_these_are_made_of_is_good(start):
    done = start("client", "create", "--partner", "acme", "--json", acme=GOOD)
    assert done.returncode == 0, done.stderr


def test_a_file_that_is_empty_or_no_mapping_is_refused(start, tmp_path):
    for text in ("", "# nothing\n", "just words\n", "- a\n- b\n"):
        check_one_line_error(start(acme=text), f"{tmp_path}/partners/acme.yaml")
    check_one_line_error(start(acme=""), f"{tmp_path}/partners/acme.yaml is empty")


def test_a_file_in_another_encoding_is_refused_with_its_line(start, tmp_path):
    text = GOOD.replace("Acme's guide sends", "Schlösser: it sends").encode("latin-1")
    check_one_line_error(start(acme=text), f"{tmp_path}/partners/acme.yaml line 12: ", "UTF-8")


def test_a_file_that_is_far_too_large_is_refused_at_once(start, tmp_path):
    check_one_line_error(start(acme=GOOD + "# more\n" * 50_000), f"{tmp_path}/partners/acme.yaml", "256 KiB")


def test_two_files_with_one_id_are_refused_and_both_named(start, tmp_path):
    done = start(acme=GOOD, butler=GOOD)
    check_one_line_error(done, f"{tmp_path}/partners/butler.yaml", f"{tmp_path}/partners/acme.yaml", "'acme'")


def test_two_profiles_with_one_path_are_refused(start, tmp_path):
    first = GOOD.replace("refresh: stable", "endpoints: { token: [/acme/token] }")
    done = start(acme=first, butler=first.replace("id: acme", "id: butler"))
    check_one_line_error(done, f"{tmp_path}/partners/butler.yaml line 9: ", "/acme/token", "'acme'")


def test_a_path_of_an_embedded_profile_is_refused_in_the_operators_file(start, tmp_path):
    done = start("partner", "list", acme=GOOD.replace("refresh: stable", "endpoints: { authorize: [/authorize] }"))
    check_one_line_error(done, f"{tmp_path}/partners/acme.yaml line 9: ", "/authorize", "'seam-legacy'")


@pytest.mark.parametrize("path", ["/oauth/token", "/login", "/console", "/metrics"])
def test_a_path_that_the_server_serves_itself_is_refused(start, tmp_path, path):
    text = GOOD.replace("refresh: stable", f"endpoints: {{ authorize: [{path}] }}")
    for command in ((), ("settings", "--check"), ("partner", "show", "acme")):
        check_one_line_error(
            start(*command, acme=text), f"{tmp_path}/partners/acme.yaml line 9: ", f"{path} is the server's own"
        )


@pytest.mark.parametrize("path", ["/assets/logo.svg", "/console/clients/acme", "/console/new", "/account/oauth/token"])
def test_a_path_below_those_that_the_server_keeps_for_itself_is_refused(start, tmp_path, path):
    text = GOOD.replace("refresh: stable", f"endpoints: {{ token: [{path}] }}")
    for command in ((), ("settings", "--check")):
        check_one_line_error(
            start(*command, acme=text),
            f"{tmp_path}/partners/acme.yaml line 9: ",
            f"{path} is the server's own, as is all below /{path.split('/')[1]}",
        )
    beside = text.replace(path, path.replace("/", "-").replace("-", "/", 1))
    assert start("settings", "--check", acme=beside).returncode == 0, "a name that only begins so is free"


@pytest.mark.parametrize("path", ["/locks", "/v1/locks", "/api/client/v1/contacts", "/health", "/locks/any"])
def test_a_path_that_the_sample_api_serves_is_refused(start, tmp_path, path):
    text = GOOD.replace("refresh: stable", f"endpoints: {{ authorize: [{path}] }}")
    for command in ("serve", "settings --check"):
        done = start(*command.split(), "--sample-api", acme=text)
        check_one_line_error(
            done, f"{tmp_path}/partners/acme.yaml line 9: ", f"{path} is the sample API's", "sample-api"
        )
    assert start("settings", "--check", acme=text).returncode == 0, "without it the path is free"


def test_a_path_that_the_sample_api_serves_below_the_issuers_path_is_refused(new_server, tmp_path):
    (tmp_path / "acme.yaml").write_text(GOOD.replace("refresh: stable", "endpoints: { token: [/client/v1/contacts] }"))
    server = new_server("sqlite")
    for base, status in (("/api", 1), ("/other", 0)):
        options = ("--issuer", server.base + base, "--sample-api", "--partners", str(tmp_path))
        done = server.run("settings", "--check", *options)
        assert done.returncode == status, done.stderr


def test_a_client_whose_profile_is_gone_or_fits_no_more_is_told_to_come_again(new_server, tmp_path):
    profile = tmp_path / "partners" / "acme.yaml"
    profile.parent.mkdir()
    profile.write_text(GOOD)
    folder = ("--partners", str(profile.parent))
    server = new_server("sqlite", options=("--sample-api", *folder))
    client = server.create_client("--partner", "acme", "--scope", "locks.read", *folder, name="Acme")
    others = server.create_client("--partner", "seam", name="Seam")
    server.start()
    person = Person(server, server.create_account())
    connected, seam = person.connect(client), person.connect(others)
    assert client.locks(connected.access).status_code == 200

    for text in (None, GOOD.replace("rules:", "rules:\n  client_id: another")):
        server.stop()
        profile.unlink()
        if text is not None:
            profile.write_text(text)
        server.start()
        profile.write_text(GOOD)
        answers = (
            client.refresh(connected.refresh),
            client.post("/oauth/token", client.exchange_form("x")),
            client.revoke(connected.refresh),
            client.post("/oauth/introspect", {"token": connected.access}),
            send("GET", server.base + "/oauth/userinfo", headers={"Authorization": f"Bearer {connected.access}"}),
        )
        for answer in answers:
            refusal(answer, 503, "temporarily_unavailable")
            assert int(answer.headers["Retry-After"]) > 0
        assert client.locks(connected.access).status_code == 503
        page = person.visit(client.authorize_url())
        assert page.status == 503
        assert not page.leaves
        assert person.visit(server.base + "/account").status == 200
        assert "a client is left out" in server.log
        assert others.refresh(seam.refresh).status_code == 200

    server.restart()
    assert client.refresh(connected.refresh).status_code == 200
    assert client.locks(connected.access).status_code == 200


def test_a_folder_that_is_not_there_is_refused(new_server, tmp_path):
    done = new_server("sqlite").run("partner", "list", "--partners", str(tmp_path / "nowhere"))
    check_one_line_error(done, "nowhere")


def test_a_file_of_the_same_id_takes_the_place_of_the_embedded_one(new_server, tmp_path):
    (tmp_path / "ours.yaml").write_text(GOOD.replace("id: acme", "id: seam").replace("name: Acme", "name: Our Seam"))
    server = new_server("sqlite")
    assert server.command("partner", "show", "seam", "--partners", str(tmp_path))["name"] == "Our Seam"
    assert server.command("partner", "show", "seam")["name"] == "Seam"


def test_an_identifier_that_looks_like_a_number_is_shown_as_it_is_written(new_server, tmp_path):
    digits = {"client_id": "12345678901234567890123", "test_secrets": ["1234567890123456789", "007", "inf", "nan"]}
    rules = f"rules:\n  client_id: {digits['client_id']}\n  test_secrets: [{', '.join(digits['test_secrets'])}]\n"
    (tmp_path / "acme.yaml").write_text(GOOD.replace("rules:\n", rules + "  access_token_lifetime: 600\n"))
    server = new_server("sqlite")
    shown = server.command("partner", "show", "acme", "--partners", str(tmp_path))["rules"]
    assert shown["access_token_lifetime"] == 600
    assert {name: shown[name] for name in digits} == digits


def test_an_unknown_profile_is_refused_with_the_known_ones(new_server):
    done = new_server("sqlite").run("partner", "show", "acme")
    check_one_line_error(done, "'acme'", "home-assistant", "LATCHKEY_PARTNERS")


def test_partner_show_says_everything_to_people_too(new_server):
    server = new_server("sqlite")
    for entry in server.command("partner", "list"):
        shown = server.run("partner", "show", entry["id"])
        assert shown.returncode == 0, shown.stderr
        profile = server.command("partner", "show", entry["id"])
        for mark, text in profile["sources"].items():
            assert mark in shown.stdout
            assert text in shown.stdout
        for reason in profile["loosened"] + profile["unmet"]:
            assert reason["why"] in shown.stdout
        for rule in profile["rules"]:
            assert rule in shown.stdout
    listed = server.run("partner", "list")
    assert "--profile-value project_id=" in listed.stdout


def test_client_create_tells_people_what_is_unmet_and_what_is_loosened(new_server):
    server = new_server("sqlite")
    profile = server.command("partner", "show", "google-home")
    done = server.run("client", "create", "--partner", "google-home", "--profile-value", "project_id=acme-1")
    assert done.returncode == 0, done.stderr
    assert profile["unmet"]
    for entry in profile["unmet"]:
        assert entry["need"] in done.stdout
        assert entry["why"] in done.stdout
    for entry in profile["loosened"]:
        assert entry["why"] in done.stdout


def test_client_create_says_what_the_operator_has_to_say(new_server):
    server = new_server("sqlite")
    done = server.run("client", "create", "--partner", "google-home")
    check_one_line_error(done, "--profile-value project_id=")
    done = server.run("client", "create", "--partner", "google-home", "--profile-value", "project_id=a/b")
    check_one_line_error(done, "project_id")
    done = server.run("client", "create", "--partner", "aws-iot")
    check_one_line_error(done, "--redirect-uri")


def test_a_profile_value_that_would_change_nothing_is_refused(new_server):
    server = new_server("sqlite")
    create = ("client", "create", "--partner", "google-home", "--profile-value")
    check_one_line_error(server.run(*create, "projekt_id=acme"), "'projekt_id'", "did you mean 'project_id'?")
    check_one_line_error(server.run(*create, "colour=red"), "takes project_id")
    own = ("--redirect-uri", "https://acme.example/callback")
    check_one_line_error(server.run(*create, "project_id=acme", *own), "leave out one of them")
    for one in (("--partner", "seam"), ("--name", "Acme", *own)):
        check_one_line_error(server.run("client", "create", *one, "--profile-value", "foo=bar"), "--profile-value")

    update = ("client", "update", server.command(*create, "project_id=first")["client_id"])
    second = ("--profile-value", "project_id=second")
    check_one_line_error(server.run(*update, "--profile-value", "foo=bar"), "takes project_id")
    pinned = server.command(*update, *second, "--add-redirect-uri", own[1])["redirect_uris"]
    assert [uri.rpartition("/")[2] for uri in pinned] == ["second", "second", "callback"]
    third = ("--profile-value", "project_id=third")
    check_one_line_error(server.run(*update, *third), "--add-redirect-uri", "--redirect-uri profile")
    followed = server.command(*update, *third, "--redirect-uri", "profile")["redirect_uris"]
    assert {uri.rpartition("/")[2] for uri in followed} == {"third"}
