"""Settings and the start of `latchkey serve`: where values come from, and one line for what is wrong."""

import json
import re
import socket
import time

import pytest

from toolkit.expect import check_one_line_error
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
    file.write_text("\n".join(examples))
    taken = {one["name"] for one in server.command("settings") if one["source"] == "latchkey.yaml"}
    left_out = {line.split(":", 1)[0] for line in examples if re.fullmatch(r"[a-z-]+: +#.*", line)}
    assert taken == names - left_out - {"listen", "log-level", "database"}
    assert left_out <= {"secret-key", "login-endpoint-secret"}


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


@pytest.mark.parametrize("key", ["", "short", "!!!", "QUJD"])
def test_a_wrong_secret_key_stops_the_start_with_one_line(new_server, key):
    server = new_server("postgres", environment={"LATCHKEY_SECRET_KEY": key})
    check_one_line_error(server.run("serve", "--listen", f"127.0.0.1:{server.port}"), "secret-key")


def test_a_wrong_line_in_the_settings_file_is_named(new_server):
    server = new_server()
    (server.folder / "latchkey.yaml").write_text("isuer: https://company.example\n")
    check_one_line_error(server.run("serve", "--listen", f"127.0.0.1:{server.port}"), "isuer")


def test_a_port_in_use_stops_the_start_with_one_line(new_server):
    server = new_server()
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", server.port))
        taken.listen()
        done = server.run("serve", "--listen", f"127.0.0.1:{server.port}", "--issuer", server.base)
    assert done.returncode == 1
    assert str(server.port) in done.stderr.strip().splitlines()[-1]


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


def test_serve_warns_of_test_mode(new_server):
    server = new_server()
    server.start()
    assert "test mode is on" not in server.log
    server.restart(clock_offset=0)
    assert any("test mode is on" in line and '"warning"' in line for line in server.log.splitlines())


def test_serve_is_ready_soon_and_stops_at_once_when_asked(own_server):
    own_server.start()
    own_server.stop()
    started = time.monotonic()
    own_server.start()
    assert time.monotonic() - started < 3, "a debug build; the release build's bound is measured by make bench"
    assert send("GET", own_server.base + "/healthz").status_code == 200
    assert send("GET", own_server.base + "/readyz").status_code == 200
    assert own_server.stop() == 0


def test_serve_without_the_sample_api_has_no_locks(new_server):
    server = new_server(options=())
    server.start()
    assert send("GET", server.base + "/v1/locks").status_code == 404
