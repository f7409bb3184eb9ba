"""Settings and the start of `latchkey serve`: where values come from, and one line for what is wrong."""

import json
import os
import pwd
import re
import socket
import subprocess
import time
from pathlib import Path

import pytest

from toolkit.expect import check_one_line_error
from toolkit.ports import free_port
from toolkit.process import BINARY, clean_environment
from toolkit.waiting import eventually
from toolkit.wire import send


def test_settings_say_each_knob_its_value_and_where_it_came_from(new_server):
    server = new_server(environment={"LATCHKEY_LISTEN": "127.0.0.1:9999"})
    (server.folder / "latchkey.yaml").write_text("issuer: http://127.0.0.1:9998\n")
    listed = server.command("settings")
    knobs = {one["name"]: one for one in listed}
    assert {"issuer", "listen", "database", "secret-key"} <= knobs.keys()
    assert knobs["listen"]["value"] == "127.0.0.1:9999"
    assert "environment" in json.dumps(knobs["listen"]).lower() or "LATCHKEY_LISTEN" in json.dumps(knobs["listen"])
    assert knobs["issuer"]["value"] == "http://127.0.0.1:9998"
    assert "latchkey.yaml" in json.dumps(knobs["issuer"])


def test_the_sample_names_every_setting_with_an_example_that_works(new_server):
    server = new_server()
    done = server.run("settings", "--sample", "--listen", "127.0.0.1:9999", "--log-level", "warning")
    lines = done.stdout.splitlines()
    said = [line for line in lines if line and not line.startswith("#")]
    assert set(said) == {"listen: 127.0.0.1:9999", "log-level: warning", f"database: {server.database.url}"}
    examples = [line[1:] for line in lines if re.match(r"#[a-z]", line)]
    names = {one["name"] for one in server.command("settings")}
    assert {line.split(":", 1)[0] for line in said + examples} == names
    # Each example is what the program takes; secrets are left to whoever makes them.
    file = server.folder / "latchkey.yaml"
    left_out = {line.split(":", 1)[0]: line for line in examples if re.fullmatch(r"[a-z-]+: +#.*", line)}
    file.write_text("\n".join(line for line in examples if line not in left_out.values()))
    taken = {one["name"] for one in server.command("settings") if one["source"] == "latchkey.yaml"}
    assert taken == names - left_out.keys() - {"listen", "log-level", "database"}
    assert left_out.keys() <= {"secret-key", "login-endpoint-secret"}
    for name, line in left_out.items():
        file.write_text(line)
        check_one_line_error(server.run("settings", "--check"), f"{name} in latchkey.yaml has no value")


def test_the_sample_writes_what_flags_say_as_yaml_reads_it_back(new_server):
    server = new_server()
    said = {
        "listen": "[::1]:8080",
        "metrics-listen": "[::1]:9464",
        "issuer": "https://id.example/it's",
        "partners": "a #b",
    }
    flags = [word for name, value in said.items() for word in (f"--{name}", value)]
    (server.folder / "latchkey.yaml").write_text(server.run("settings", "--sample", *flags).stdout)
    read = {one["name"]: one["value"] for one in server.command("settings")}
    assert {name: read[name] for name in said} == said


@pytest.mark.parametrize("query", ["", "?password=hunter2"])
def test_a_sample_that_hides_a_password_is_not_taken_as_it_is(new_server, query):
    server = new_server()
    server.database.url = f"postgres://latchkey:hunter2@127.0.0.1:1/latchkey{query}"
    file = server.folder / "sample.yaml"
    file.write_text(server.run("settings", "--sample").stdout)
    assert "hunter2" not in file.read_text()
    command = [BINARY, "client", "list", "--config", str(file)]
    done = subprocess.run(command, env=clean_environment(), capture_output=True, text=True, timeout=60)
    check_one_line_error(done, f"from {file}", "write the password itself")


def test_settings_never_show_the_key(new_server, database):
    server = new_server(database=database("postgres"))
    key = server.database.environment["LATCHKEY_SECRET_KEY"]
    for words in (("settings",), ("settings", "--json"), ("settings", "--markdown")):
        done = server.run(*words)
        assert done.returncode == 0, done.stderr
        assert key not in done.stdout


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (("--listen", "nonsense"), ("listen", "nonsense")),
        (("--listen", "127.0.0.1:99999"), ("listen", "99999")),
        (("--issuer", "not a url"), ("issuer", "not a url")),
        (("--issuer", "http://company.example"), ("issuer", "https")),
        (("--issuer", "https://company.example/?x=1"), ("issuer",)),
        (("--issuer", "https://company.example/#x"), ("issuer",)),
        (("--config", "no-such-file.yaml"), ("no-such-file.yaml",)),
    ],
    ids=lambda value: " ".join(value),
)
def test_a_wrong_setting_stops_the_start_with_one_line(new_server, options, words):
    check_one_line_error(new_server().run("serve", *options), *words)


@pytest.mark.parametrize(
    ("url", "words"),
    [("mysql://x/y", ("database", "mysql")), ("sqlite:/dev/null/x.sqlite", ("/dev/null",))],
)
def test_a_wrong_database_stops_the_start_with_one_line(new_server, url, words):
    server = new_server()
    server.database.url = url
    check_one_line_error(server.run("serve"), *words)


@pytest.mark.parametrize(
    "url",
    [
        "host=db user=latchkey password=hunter2 dbname=latchkey",
        "latchkey:hunter2@db/latchkey",
        "mysql://latchkey:hunter2@db/latchkey",
        "postgres:/latchkey:hunter2@db/latchkey",
        "postgres//latchkey:hun@ter2@db/latchkey",
        "host=db user=latchkey password = hunter2",
        "Host=db;Username=latchkey;Pwd=hunter2",
    ],
)
def test_a_database_in_another_notation_is_refused_without_its_password(new_server, url):
    server = new_server()
    server.database.url = url
    done = server.run("settings", "--check")
    check_one_line_error(done, "database", "postgres://")
    assert "hun" not in done.stderr


@pytest.mark.parametrize("key", ["", "short", "!!!", "QUJD"])
def test_a_wrong_secret_key_stops_the_start_with_one_line(new_server, key):
    server = new_server("postgres", environment={"LATCHKEY_SECRET_KEY": key})
    check_one_line_error(server.run("serve", "--listen", f"127.0.0.1:{server.port}"), "secret-key")


def test_a_wrong_line_in_the_settings_file_is_named(new_server):
    server = new_server()
    (server.folder / "latchkey.yaml").write_text("isuer: https://company.example\n")
    check_one_line_error(server.run("serve", "--listen", f"127.0.0.1:{server.port}"), "isuer")


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("listen: localhost:8080\nsecret-key: hunter2\nlisten: localhost:8080\n", ("listen", "more than once")),
        ("listen: localhost:8080\n secret-key: hunter2\n", ("line 2",)),
        ("secret-key: @hunter2\n", ("line 1", "column 13")),
        ("login-endpoint-secret: {hunter2\n", ("line 1", "column 24")),
        ("listen: localhost:8080\nsecret-key: hunter2\x01\n", ("line 2",)),
    ],
    ids=["a setting twice", "an indented line", "a character", "a bracket", "a control character"],
)
def test_a_settings_file_that_is_no_yaml_is_refused_without_what_stands_in_it(new_server, text, words):
    server = new_server()
    (server.folder / "latchkey.yaml").write_text(text)
    done = server.run("settings", "--check")
    check_one_line_error(done, "latchkey.yaml", *words)
    assert "hunter2" not in done.stderr


@pytest.mark.parametrize(
    ("name", "wrong", "good"),
    [
        ("audience", ["not a uri", "api.acme.example", "https:", ":x", "1a:x", "https://ä.example"], "urn:acme:api"),
        ("audience", ["https://api.acme.example/a b"], "https://api.acme.example"),
        ("traces-to", ["http://", "https:///v1/traces", "http://:4318/", "http://#x"], "http://[::1]:4318/v1/traces"),
        ("trusted-proxies", ["10.0.0.1 1", "10. 0.0.1", "10.0.0.1,,10.0.0. 2"], " 10.0.0.2 , 192.168.0.0/16 "),
        ("metrics-from", ["10.0.0.1 1"], "10.0.0.0/8, 127.0.0.1"),
    ],
)
def test_a_value_that_is_nearly_right_is_wrong(new_server, name, wrong, good):
    variable = "LATCHKEY_" + name.upper().replace("-", "_")
    server = new_server(environment={variable: good})
    done = server.run("settings", "--check")
    assert done.returncode == 0, done.stderr
    for value in wrong:
        server.extra_environment = {variable: value}
        check_one_line_error(server.run("settings", "--check"), name, f"'{value}'", variable, "must be")


def test_a_collector_with_a_password_in_its_address_is_refused_without_it(new_server):
    server = new_server(environment={"LATCHKEY_TRACES_TO": "http://latchkey:hidden@127.0.0.1:4318/v1/traces"})
    done = server.run("settings", "--check")
    check_one_line_error(done, "traces-to", "'http://***@127.0.0.1:4318/v1/traces'", "without user information")
    assert "hidden" not in done.stderr


def test_a_settings_file_in_another_encoding_is_refused_with_its_line(new_server):
    server = new_server()
    file = server.folder / "latchkey.yaml"
    lines = "log-level: info\nbrand-name: Schlüssel\n"
    for encoding in ("latin-1", "cp1252"):
        file.write_bytes(lines.encode(encoding))
        check_one_line_error(server.run("settings", "--check"), "latchkey.yaml line 2: is not UTF-8", "save the file")
    file.write_text(lines, encoding="utf-8")
    shown = {one["name"]: one["value"] for one in server.command("settings")}
    assert shown["brand-name"] == "Schlüssel"


@pytest.mark.parametrize("name", ["LATCHKEY_LOGIN_ENDPOINT_SECRET", "LATCHKEY_BRAND_NAME", "LATCHKEY_CONFIG"])
def test_a_variable_in_another_encoding_is_refused(new_server, name):
    """With another character in its place it would be another secret, which nobody chose."""
    server = new_server(environment={name: os.fsdecode(b"Schl\xfcssel")})
    check_one_line_error(server.run("settings", "--check"), f"{name} is not UTF-8")


@pytest.mark.parametrize(
    ("line", "quoted"),
    [
        ("metrics-listen: [::]:9464", 'metrics-listen: "[::]:9464"'),
        ("metrics-from: [127.0.0.1, ::1]", 'metrics-from: [127.0.0.1, "::1"]'),
    ],
)
def test_an_ipv6_address_that_yaml_takes_for_something_else_is_asked_for_in_quotes(new_server, line, quoted):
    server = new_server()
    file = server.folder / "latchkey.yaml"
    file.write_text(line + "\n")
    check_one_line_error(server.run("settings", "--check"), "not correct YAML", 'needs quotes: listen: "[::]:8080"')
    file.write_text(quoted + "\n")
    assert server.run("settings", "--check").returncode == 0


def test_a_port_in_use_stops_the_start_with_one_line(new_server):
    server = new_server()
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", server.port))
        taken.listen()
        done = server.run("serve", "--listen", f"127.0.0.1:{server.port}", "--issuer", server.base)
    assert done.returncode == 1
    assert str(server.port) in done.stderr.strip().splitlines()[-1]


def test_a_port_in_use_is_told_from_one_that_is_free(new_server):
    metrics = free_port()
    server = new_server(environment={"LATCHKEY_METRICS_LISTEN": f"127.0.0.1:{metrics}"})
    serve = ("serve", "--listen", f"127.0.0.1:{server.port}", "--issuer", server.base)
    for taken, free, flag in ((metrics, server.port, "--metrics-listen"), (server.port, metrics, "--listen")):
        with socket.socket() as listener:
            listener.bind(("127.0.0.1", taken))
            listener.listen()
            done = server.run(*serve)
        assert done.returncode == 1
        # The other listener would say that it has to close again.
        assert '"error"' not in done.stderr, done.stderr
        last = done.stderr.strip().splitlines()[-1]
        assert f"cannot listen on 127.0.0.1:{taken}: " in last
        assert str(free) not in last
        assert last.endswith(f"choose another with {flag}")


# An address that is kept for documentation (RFC 5737), and a name that nobody has (RFC 6761).
@pytest.mark.parametrize("host", ["192.0.2.1", "nowhere.invalid"])
def test_an_address_of_another_machine_is_told_from_one_in_use(new_server, host):
    server = new_server()
    done = server.run("serve", "--listen", f"{host}:{server.port}", "--issuer", server.base)
    assert done.returncode == 1
    told = done.stderr.strip().splitlines()[-1]
    assert told.startswith(f"latchkey: cannot listen on {host}:{server.port}: ")
    assert told.endswith("name an address of this machine with --listen")


def test_a_port_that_only_root_may_have_is_told_from_one_in_use(new_server):
    server = new_server()
    if int(Path("/proc/sys/net/ipv4/ip_unprivileged_port_start").read_text()) < 2:
        pytest.skip("here every user may have every port")
    if os.geteuid() == 0:
        server.prefix = ("setpriv", "--bounding-set=-net_bind_service")
    done = server.run("serve", "--listen", "127.0.0.1:1", "--issuer", server.base)
    assert done.returncode == 1
    last = done.stderr.strip().splitlines()[-1]
    assert "cannot listen on 127.0.0.1:1: Permission denied" in last
    assert last.endswith("choose one above 1023 with --listen")


def prepared(new_server):
    """A server's place with a database and its key, and no server."""
    server = new_server()
    server.start()
    server.stop()
    return server


def everything_in(folder) -> dict:
    return {path: path.stat().st_mtime_ns for path in folder.rglob("*")}


def test_a_check_of_good_settings_makes_nothing(new_server):
    server = new_server()
    before = everything_in(server.folder)
    done = server.run("settings", "--check")
    assert (done.returncode, done.stderr) == (0, "")
    assert everything_in(server.folder) == before
    server.start()
    server.stop()
    names = everything_in(server.folder).keys()
    assert server.run("settings", "--check").returncode == 0
    assert everything_in(server.folder).keys() == names


@pytest.mark.parametrize("command", ["settings", "serve"])
def test_a_check_says_no_to_a_damaged_key_as_the_start_does(new_server, command):
    server = prepared(new_server)
    key = server.folder / "latchkey.sqlite.key"
    key.write_text("rubbish")
    words = ("settings", "--check") if command == "settings" else ("serve", "--listen", f"127.0.0.1:{server.port}")
    check_one_line_error(server.run(*words), str(key), "32 bytes in base64")
    key.chmod(0o644)
    check_one_line_error(server.run(*words), str(key), "others can read")


@pytest.mark.parametrize(
    ("url", "words"),
    [
        ("sqlite:/proc/latchkey", ("the database /proc/latchkey", "takes no files", "--database")),
        ("sqlite:/dev/null/x.sqlite", ("/dev/null/x.sqlite", "Not a directory", "--database")),
        ("sqlite:no/such/folder", ("there is no folder", "no/such", "--database")),
        ("sqlite:/tmp", ("/tmp", "is a folder", "--database")),
    ],
)
def test_a_check_says_no_to_a_place_where_no_database_can_be(new_server, url, words):
    server = new_server()
    server.database.url = url
    check_one_line_error(server.run("settings", "--check"), *words)
    check_one_line_error(server.run("serve", "--listen", f"127.0.0.1:{server.port}"), *words)


@pytest.mark.parametrize(
    ("url", "words"),
    [
        ("postgres://latchkey:hidden@127.0.0.1:99999/ledger", ("a port in the database URL", "65535")),
        ("postgres://latchkey:hidden@127.0.0.1/ledger?sslmode=bogus", ("sslmode", "'bogus'", "verify-full")),
        (
            "postgres://latchkey:hidden@127.0.0.1/ledger?target_session_attrs=write",
            ("target_session_attrs", "'write'", "read-write"),
        ),
        ("postgres://latchkey:hidden@127.0.0.1/ledger?nonsense=1", ("the database URL is not of the form",)),
    ],
)
def test_a_check_says_no_to_a_database_url_as_the_start_does(new_server, url, words):
    server = new_server("postgres")
    server.database.url = url
    for command in (("settings", "--check"), ("serve", "--listen", f"127.0.0.1:{server.port}"), ("client", "list")):
        done = server.run(*command)
        check_one_line_error(done, *words, "LATCHKEY_DATABASE")
        assert "hidden" not in done.stderr
        assert "the database is not as expected" not in done.stderr


def test_a_check_says_no_to_two_listeners_at_one_address(new_server):
    server = new_server()
    address = f"127.0.0.1:{server.port}"
    server.extra_environment = {"LATCHKEY_LISTEN": address, "LATCHKEY_METRICS_LISTEN": address}
    for command in ("settings", "--check"), ("serve",):
        check_one_line_error(server.run(*command), "metrics-listen", address, "another port")


def test_a_check_says_no_to_what_is_no_database_and_to_a_lost_one(new_server):
    server = prepared(new_server)
    server.database.path.write_bytes(b"notes of somebody's")
    check_one_line_error(server.run("settings", "--check"), "is not a database", "not a SQLite database")
    server.database.path.write_bytes(b"")
    check_one_line_error(server.run("settings", "--check"), "is gone, or empty")


def test_a_check_says_no_to_a_revocation_log_that_cannot_be_written(new_server, tmp_path):
    for path, words in ((tmp_path / "no" / "log", "no folder"), (tmp_path, "is a folder"), ("/proc/log", "no files")):
        server = new_server(environment={"LATCHKEY_REVOCATION_LOG": str(path)})
        check_one_line_error(
            server.run("settings", "--check"), "the revocation log", str(path), words, "revocation-log"
        )


@pytest.mark.parametrize("networks", ["0.0.0.0/0", "10.0.0.2, ::/0"])
def test_a_proxy_list_of_every_address_is_warned_of(new_server, networks):
    server = new_server(environment={"LATCHKEY_TRUSTED_PROXIES": networks})
    done = server.run("settings", "--check")
    assert done.returncode == 0
    assert "warning: trusted-proxies (from LATCHKEY_TRUSTED_PROXIES) names every address" in done.stderr
    server.start()
    assert "trusted-proxies (from LATCHKEY_TRUSTED_PROXIES) names every address" in server.log
    server.extra_environment = {"LATCHKEY_TRUSTED_PROXIES": "0.0.0.0/1"}
    assert server.run("settings", "--check").stderr == ""


def test_a_check_in_json_is_one_value(new_server):
    server = new_server(environment={"LATCHKEY_ISSUER": "https://id.example"})
    assert server.command("settings", "--check") == {"good": True, "issuer": "https://id.example", "warnings": []}
    server.extra_environment["LATCHKEY_TRUSTED_PROXIES"] = "0.0.0.0/0"
    (warning,) = server.command("settings", "--check")["warnings"]
    assert "trusted-proxies" in warning
    server.extra_environment["LATCHKEY_ISSUER"] = "nonsense"
    refused = server.run("settings", "--check", "--json")
    check_one_line_error(refused, "issuer")
    assert refused.stdout == ""
    for form in ("--sample", "--markdown"):
        done = server.run("settings", form, "--json")
        assert (done.returncode != 0, done.stdout) == (True, ""), form
        assert form in done.stderr
        # Who wants to know whether the server would start is not told by a file.
        done = server.run("settings", "--check", form)
        check_one_line_error(done, "--check", form, "name one")
        assert done.stdout == ""


@pytest.mark.parametrize("line", ["issuer:", "issuer: ''", "issuer: ~", "brand-accent: #5b21b6"])
def test_a_setting_without_a_value_is_refused(new_server, line):
    """Taken for one that nobody set, it would leave the default in force, and nobody would be told."""
    server = new_server()
    (server.folder / "latchkey.yaml").write_text(line + "\n")
    name = line.split(":")[0]
    check_one_line_error(server.run("settings", "--check"), f"{name} in latchkey.yaml has no value", "in quotes")
    # A line that says where others set it is good.
    server.extra_environment["LATCHKEY_" + name.upper().replace("-", "_")] = {"issuer": server.base}.get(
        name, "#5b21b6"
    )
    assert server.run("settings", "--check").returncode == 0


@pytest.mark.parametrize(
    "line", ["trusted-proxies: [10.0.0.1, '']", "trusted-proxies: [~]", "scopes: [{name: a, en: }]"]
)
def test_a_part_of_a_setting_without_a_value_is_refused(new_server, line):
    """People would allow a scope without reading what it is."""
    server = new_server()
    (server.folder / "latchkey.yaml").write_text(line + "\n")
    check_one_line_error(server.run("settings", "--check"), f"{line.split(':')[0]} in latchkey.yaml must be a list")


def test_a_settings_file_of_nothing_but_comments_sets_nothing(new_server):
    server = new_server()
    for content in ("# issuer: https://id.acme.example\n", "", "---\n", "\n\n"):
        (server.folder / "latchkey.yaml").write_text(content)
        done = server.run("settings", "--check")
        assert (done.returncode, done.stderr) == (0, ""), repr(content)


def test_a_key_from_elsewhere_that_does_not_fit_is_named_with_its_source(new_server):
    server = prepared(new_server)
    key = server.folder / "latchkey.sqlite.key"
    server.extra_environment = {"LATCHKEY_SECRET_KEY": "A" * 43 + "="}
    serve = ("serve", "--listen", f"127.0.0.1:{server.port}")
    for words in (serve, ("key", "rotate", "--now")):
        check_one_line_error(
            server.run(*words), "secret-key does not open", f"from LATCHKEY_SECRET_KEY, which takes the place of {key}"
        )
    server.extra_environment = {}
    key.write_text("A" * 43 + "=\n")
    check_one_line_error(server.run(*serve), "secret-key does not open", f"it came from {key})")


def test_a_key_that_is_forgotten_is_asked_for_and_no_new_one(new_server):
    server = new_server("postgres")
    key = server.database.environment.pop("LATCHKEY_SECRET_KEY")
    serve = ("serve", "--listen", f"127.0.0.1:{server.port}")
    check_one_line_error(server.run(*serve), "openssl rand -base64 32", "every node")
    server.extra_environment = {"LATCHKEY_SECRET_KEY": key}
    server.start()
    server.extra_environment = {}
    for words in (serve, ("key", "rotate", "--now")):
        done = server.run(*words)
        check_one_line_error(done, "the one it was made with", "LATCHKEY_SECRET_KEY", "docs/operating.md")
        assert "openssl" not in done.stderr
    check_one_line_error(server.run("settings", "--check"), "that this cluster has", "only for a new database")


def test_what_is_forbidden_is_told_with_its_owner_and_who_asked(new_server):
    server = prepared(new_server)
    # Root may read everything, unless that is taken away.
    if os.geteuid() == 0:
        server.prefix = ("setpriv", "--bounding-set=-dac_override,-dac_read_search")
    serve = ("serve", "--listen", f"127.0.0.1:{server.port}")
    for name in ("latchkey.sqlite", "latchkey.sqlite.key", "latchkey.sqlite.revocations"):
        path = server.folder / name
        path.touch()
        path.chmod(0)
        for words in (("settings", "--check"), serve):
            said = (f"{path} belongs to ", "with mode 00", "and this runs as ", f"run 'chmod u+rw {path}'")
            check_one_line_error(server.run(*words), "Permission denied", *said)
        path.chmod(0o600)
    # SQLite makes two files beside the database, also for whoever only reads.
    server.folder.chmod(0o500)
    for words in (("settings", "--check"), serve, ("account", "list")):
        said = ("latchkey.sqlite-wal cannot be made", f"{server.folder} belongs to ", f"'chmod u+rwx {server.folder}'")
        check_one_line_error(server.run(*words), "Permission denied", *said)
    missing = f"sqlite:{server.folder}/other.sqlite"
    server.database.url = missing
    check_one_line_error(server.run("account", "list"), "there is no database")
    check_one_line_error(server.run(*serve), "Permission denied", f"{server.folder} belongs to ")
    server.folder.chmod(0o700)
    closed = server.folder / "closed"
    closed.mkdir(mode=0)
    server.database.url = f"sqlite:{closed}/latchkey.sqlite"
    check_one_line_error(server.run("account", "list"), "Permission denied", f"{closed} belongs to ")


def test_a_path_that_looks_like_a_hidden_password_is_a_path(new_server):
    server = new_server("sqlite")
    server.database.url = "sqlite:a:***@b"
    assert server.run("migrate").returncode == 0
    assert (server.folder / "a:***@b").exists()


def test_a_database_behind_a_link_is_tried_where_it_is(new_server):
    server = prepared(new_server)
    if os.geteuid() == 0:
        server.prefix = ("setpriv", "--bounding-set=-dac_override,-dac_read_search")
    links = server.folder / "links"
    links.mkdir()
    (links / "latchkey.sqlite").symlink_to(server.folder / "latchkey.sqlite")
    links.chmod(0o500)
    server.database.url = f"sqlite:{links}/latchkey.sqlite"
    done = server.run("account", "list")
    assert done.returncode == 0, done.stderr
    server.folder.chmod(0o500)
    check_one_line_error(server.run("account", "list"), f"{server.folder} belongs to ")
    server.folder.chmod(0o700)


@pytest.mark.skipif(os.geteuid() != 0, reason="only root makes files for somebody else")
def test_who_does_not_own_a_file_is_told_to_run_as_its_owner(new_server):
    server = prepared(new_server)
    path = server.folder / "latchkey.sqlite"
    path.chmod(0o600)
    os.chown(path, pwd.getpwnam("nobody").pw_uid, -1)
    server.prefix = ("setpriv", "--bounding-set=-dac_override,-dac_read_search")
    check_one_line_error(server.run("account", "list"), "belongs to nobody", "run it as its owner, or hand it over")


def test_serve_says_loudly_that_it_made_a_database(own_server):
    own_server.start()
    assert "made a new, empty database at" in own_server.log
    assert own_server.log.count("made a new, empty database at") == 1
    own_server.restart()
    assert own_server.log.count("made a new, empty database at") == 1, "only the first start made it"


def test_serve_makes_no_folder_for_its_database(new_server):
    server = new_server()
    server.database.url = f"sqlite:{server.folder}/typo/latchkey.sqlite"
    check_one_line_error(server.run("serve"), "there is no folder", "typo", "--database")
    assert not (server.folder / "typo").exists()


def test_an_invitation_to_a_server_in_test_mode_is_told_what_this_command_reads(new_server):
    server = new_server()
    words = ("operator", "invite", "--issuer", "http://id.example")
    check_one_line_error(server.run(*words), "test mode", "LATCHKEY_TEST_MODE=true")
    server.extra_environment = {"LATCHKEY_TEST_MODE": "true"}
    assert server.command(*words)["link"].startswith("http://id.example/console/")


def test_an_invitation_by_an_issuer_that_is_guessed_says_where_it_leads(own_server):
    done = own_server.run("operator", "invite", "--json")
    assert (done.returncode, json.loads(done.stdout)["role"]) == (0, "operator")
    assert "no setting names the issuer" in done.stderr
    assert "--issuer" in done.stderr
    assert own_server.run("operator", "invite", "--issuer", "https://id.example").stderr == ""


def test_serve_warns_of_test_mode(new_server):
    server = new_server()
    server.start()
    assert "test mode is on" not in server.log
    server.restart(clock_offset=0)
    assert any("test mode is on" in line and '"warning"' in line for line in server.log.splitlines())


def test_serve_is_ready_soon_and_stops_at_once_when_asked(own_server):
    def seconds() -> float:
        own_server.stop()
        started = time.monotonic()
        own_server.start()
        return time.monotonic() - started

    # A debug build; the release build's bound is measured by `make bench`. A busy machine is not so at each start.
    eventually(seconds, 60, "it is never ready soon", enough=lambda took: took < 3)
    assert send("GET", own_server.base + "/healthz").status_code == 200
    assert send("GET", own_server.base + "/readyz").status_code == 200
    assert own_server.stop() == 0


def test_serve_without_the_sample_api_has_no_locks(new_server):
    server = new_server(options=())
    server.start()
    assert send("GET", server.base + "/v1/locks").status_code == 404
