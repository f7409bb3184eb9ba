"""What lies in `deploy/` for service managers and containers agrees with the program; so do the pages for operators."""

import contextlib
import json
import re
import secrets
import shlex
import socket
import sqlite3
import subprocess

import pytest
import yaml

from toolkit.client import refusal
from toolkit.databases import ROOT
from toolkit.expect import check_one_line_error
from toolkit.person import Person
from toolkit.ports import free_port
from toolkit.process import BINARY
from toolkit.wire import send

UNIT = ROOT / "deploy" / "systemd" / "latchkey.service"
IMAGE = ROOT / "deploy" / "docker" / "Dockerfile"
MANIFEST = ROOT / "deploy" / "kubernetes" / "latchkey.yaml"
DRAIN = "LATCHKEY_SHUTDOWN_DRAIN"
PAGES = ("README.md", "docs/operating.md", "docs/backup.md")


def unit_setting(name: str) -> str:
    return re.search(rf"^{name}=(.*)$", UNIT.read_text(), re.M).group(1)


@pytest.fixture(scope="module")
def variables() -> dict[str, str]:
    """The settings that the program has, by their names in the environment, with their defaults."""
    done = subprocess.run([BINARY, "settings", "--json"], check=True, capture_output=True, text=True, env={}, cwd="/")
    return {"LATCHKEY_" + one["name"].upper().replace("-", "_"): one["default"] for one in json.loads(done.stdout)}


# systemd


def test_the_unit_is_correct(tmp_path):
    # The program stands elsewhere here, and the page is in the package.
    unit = tmp_path / "latchkey.service"
    text = UNIT.read_text().replace("/usr/bin/latchkey", str(BINARY))
    unit.write_text(text)
    done = subprocess.run(
        ["systemd-analyze", "verify", "--man=no", "--recursive-errors=no", unit], capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
    assert "latchkey.service" not in done.stderr, done.stderr


def test_the_unit_may_do_little():
    """`systemd-analyze security` counts what a broken-in program could do, from 0 to 10; most services are at 9.6."""
    done = subprocess.run(
        ["systemd-analyze", "security", "--offline=true", "--threshold=15", "--no-pager", UNIT],
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stdout[-1000:] + done.stderr


def test_the_unit_asks_for_what_the_program_has(variables):
    command = unit_setting("ExecStart").split()
    assert command == ["/usr/bin/latchkey", "serve", "--config", "/etc/latchkey/latchkey.yaml"]
    assert unit_setting("StateDirectory") == "latchkey"
    # The server drains by itself, and then has 10 seconds for what it is answering; systemd must not be faster.
    stop, drain = (int(one.removesuffix("s")) for one in (unit_setting("TimeoutStopSec"), variables[DRAIN]))
    assert stop >= drain + 60 + 10, "the page says up to which drain it fits"


def test_the_program_reads_of_proc_what_the_unit_shows_it():
    assert unit_setting("ProcSubset") == "pid"
    texts = [path.read_text() for path in (ROOT / "Sources").rglob("*.swift")]
    read = {name for text in texts for name in re.findall(r'"/proc/([^"/]*)', text)}
    assert read == {"self"}, "anything else is hidden there"


@pytest.fixture
def supervisor():
    """What systemd listens on for word from a service: a socket with its address."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_CLOEXEC) as line:
        name = "latchkey-test-" + secrets.token_hex(8)
        line.bind("\0" + name)
        line.settimeout(30)
        yield line, "@" + name


@pytest.mark.parametrize("listeners", ["one", "and-one-for-metrics"])
def test_the_program_says_when_it_is_ready_that_it_lives_and_that_it_stops(new_server, supervisor, listeners):
    line, address = supervisor
    settings = {"NOTIFY_SOCKET": address, "WATCHDOG_USEC": "400000"}
    if listeners != "one":
        # Whichever is there last, the server is ready then.
        settings["LATCHKEY_METRICS_LISTEN"] = f"127.0.0.1:{free_port()}"
    server = new_server(environment=settings)
    server.start(wait=False)
    # It lives already while it starts.
    while (said := line.recv(200)) != b"READY=1":
        assert said == b"WATCHDOG=1"
    assert send("GET", server.base + "/readyz").status_code == 200, "ready means ready"
    for _ in range(3):
        assert line.recv(200) == b"WATCHDOG=1"
    assert server.stop() == 0
    while (said := line.recv(200)) != b"STOPPING=1":
        assert said == b"WATCHDOG=1"


def test_the_program_is_ready_whichever_of_its_listeners_is_the_last(new_server, supervisor):
    line, address = supervisor
    # Which one that is differs from start to start.
    for _ in range(6):
        port = free_port()
        server = new_server(
            port=free_port(),
            environment={"NOTIFY_SOCKET": address, "LATCHKEY_METRICS_LISTEN": f"127.0.0.1:{port}"},
        )
        server.start(wait=False)
        assert line.recv(200) == b"READY=1"
        assert send("GET", server.base + "/readyz").status_code == 200, "ready means ready"
        assert send("GET", f"http://127.0.0.1:{port}/metrics").status_code == 200, "ready means ready"
        assert server.stop() == 0
        assert line.recv(200) == b"STOPPING=1"


@pytest.mark.parametrize("address", ["/nowhere/notify", "@nobody-listens-there", "not-an-address", "/" + "x" * 200])
def test_nobody_who_listens_is_no_reason_to_fail(new_server, address):
    server = new_server(environment={"NOTIFY_SOCKET": address, "WATCHDOG_USEC": "x"})
    server.start()
    assert server.stop() == 0


# Containers


def test_the_image_is_made_of_the_package(variables):
    text = IMAGE.read_text()
    assert re.search(r"^FROM [a-z]+:[a-z-]+$", text, re.M), "no host in the image's name"
    assert set(re.findall(r"LATCHKEY_[A-Z_]+", text)) <= variables.keys()
    assert re.search(r"^USER (\d+):\d+$", text, re.M).group(1) != "0"
    port = re.search(r"^EXPOSE (\d+)$", text, re.M).group(1)
    assert f"LATCHKEY_LISTEN=0.0.0.0:{port}" in text
    assert f"/dev/tcp/127.0.0.1/{port}" in text


def test_the_images_health_check_tells_the_living_from_the_dead(sqlite_server):
    # A line that ends in \ goes on in the next.
    text = IMAGE.read_text().replace("\\\n", "")
    command = json.loads(re.search(r"^HEALTHCHECK .*? CMD (\[.*\])$", text, re.M).group(1))
    assert command[:2] == ["/bin/bash", "-c"]

    def check(port: int) -> int:
        return subprocess.run([*command[:2], command[2].replace("8080", str(port))], capture_output=True).returncode

    assert check(sqlite_server.port) == 0
    with socket.socket() as silent:
        silent.bind(("127.0.0.1", 0))
        assert check(silent.getsockname()[1]) != 0


def test_the_manifest_asks_for_what_the_program_has(variables, tmp_path):
    deployment, service, budget = yaml.safe_load_all(MANIFEST.read_text())
    assert [one["kind"] for one in (deployment, service, budget)] == ["Deployment", "Service", "PodDisruptionBudget"]
    pod = deployment["spec"]["template"]["spec"]
    container = pod["containers"][0]
    named = {one["name"] for one in container["env"]}
    assert named <= variables.keys()
    assert {"LATCHKEY_ISSUER", "LATCHKEY_DATABASE", "LATCHKEY_SECRET_KEY"} <= named
    assert all("value" not in one for one in container["env"] if one["name"].endswith(("_DATABASE", "_KEY")))
    # The program takes these arguments: with settings that are good it would start.
    flags = [word for word in container["args"] if word != "serve"]
    done = subprocess.run(
        [BINARY, "settings", "--check", *flags, "--database", f"sqlite:{tmp_path}/latchkey.sqlite"],
        capture_output=True,
        text=True,
        env={one["name"]: one["value"] for one in container["env"] if "value" in one},
        cwd="/",
    )
    assert done.returncode == 0, done.stderr
    port, metrics = container["ports"]
    assert f"0.0.0.0:{port['containerPort']}" in flags
    assert [one["targetPort"] for one in service["spec"]["ports"]] == [port["name"]], "metrics are for inside"
    said = {one["name"]: one.get("value") for one in container["env"]}
    assert said["LATCHKEY_METRICS_LISTEN"] == f"0.0.0.0:{metrics['containerPort']}"
    annotations = deployment["spec"]["template"]["metadata"]["annotations"]
    assert annotations["prometheus.io/port"] == str(metrics["containerPort"])
    assert annotations["prometheus.io/path"] == "/metrics"
    labels = deployment["spec"]["template"]["metadata"]["labels"]
    assert service["spec"]["selector"] == budget["spec"]["selector"]["matchLabels"] == labels
    assert deployment["spec"]["replicas"] > budget["spec"]["minAvailable"]
    drain = next(one["value"] for one in container["env"] if one["name"] == DRAIN)
    assert pod["terminationGracePeriodSeconds"] >= int(drain.removesuffix("s")) + 10
    assert str(pod["securityContext"]["runAsUser"]) in re.search(r"^USER .*$", IMAGE.read_text(), re.M).group()


def test_the_manifests_probes_are_answered(sqlite_server):
    deployment = next(yaml.safe_load_all(MANIFEST.read_text()))
    container = deployment["spec"]["template"]["spec"]["containers"][0]
    paths = {name: container[name]["httpGet"]["path"] for name in ("readinessProbe", "livenessProbe", "startupProbe")}
    assert paths["readinessProbe"] == "/readyz"
    for path in paths.values():
        assert send("GET", sqlite_server.base + path).status_code == 200


# PostgreSQL


def test_patronis_pair_keeps_every_acknowledged_commit():
    text = (ROOT / "deploy" / "patroni" / "patroni.yml").read_text()
    settings = yaml.safe_load(re.sub(r"\$\{(\w+)\}", r"\1", text))
    shared = settings["bootstrap"]["dcs"]
    assert shared["synchronous_mode"] is True
    assert shared["ttl"] == 20
    assert shared["loop_wait"] + 2 * shared["retry_timeout"] <= shared["ttl"], "else Patroni changes them"
    parameters = shared["postgresql"]["parameters"]
    assert {parameters[name] for name in ("synchronous_commit", "fsync", "full_page_writes")} == {"on"}
    # Every name is told at the top.
    told = text.split("scope:", 1)[0]
    assert all(re.search(rf"\b{name}=", told) for name in set(re.findall(r"\$\{(\w+)\}", text)))


# The pages


@pytest.fixture(scope="module")
def commands() -> dict:
    """What the program's own parser knows."""
    done = subprocess.run([BINARY, "--experimental-dump-help"], check=True, capture_output=True, text=True)
    return json.loads(done.stdout)["command"]


def lines_of(page: str) -> list[str]:
    """Every `latchkey …` that a page tells somebody to type."""
    text = (ROOT / page).read_text().replace("\\\n", " ")
    blocks = re.findall(r"^```sh\n(.*?)^```", text, re.M | re.S)
    lines = [line.strip() for block in blocks for line in block.splitlines()]
    lines += re.findall(r"`((?:sudo -u latchkey )?latchkey [^`]*)`", text)
    typed = [line.removeprefix("sudo -u latchkey ") for line in lines]
    return [line for line in typed if line.startswith("latchkey ") and "…" not in line]


@pytest.mark.parametrize("page", PAGES)
def test_every_command_of_a_page_is_one_of_the_programs(page, commands):
    lines = lines_of(page)
    assert lines
    for line in lines:
        line = re.sub(r"\$\([^)]*\)", "WORD", line)
        words = shlex.split(re.split(r" [|<>&] ?|;", line)[0], comments=True)[1:]
        command = commands
        while words and command.get("subcommands"):
            below = {one["commandName"]: one for one in command["subcommands"]}
            if words[0].startswith("-"):
                break
            assert words[0] in below, f"{page}: {line}"
            command = below[words.pop(0)]
        options = {}
        for one in command.get("arguments", []):
            for name in one.get("names") or []:
                options[("--" if name["kind"] == "long" else "-") + name["name"]] = one["kind"] == "option"
        positions = [one for one in command.get("arguments", []) if one["kind"] == "positional"]
        free = 0
        while words:
            word = words.pop(0)
            if word.startswith("-"):
                name, _, value = word.partition("=")
                assert name in options, f"{page}: {line}: there is no {name}"
                if options[name] and not value:
                    assert words, f"{page}: {line}: {name} needs a value"
                    words.pop(0)
            else:
                free += 1
        needed = sum(not one["isOptional"] for one in positions)
        most = 99 if any(one["isRepeating"] for one in positions) else len(positions)
        # A command in the middle of a sentence may be named without what it works on.
        assert free <= most, f"{page}: {line}: {free} words too many"
        assert free >= needed or "`" + line in (ROOT / page).read_text(), f"{page}: {line}: {needed} needed"


def test_F9_keys_that_nobody_can_open_are_given_up_by_hand_as_the_page_says(new_server):
    page = (ROOT / "docs" / "operating.md").read_text()
    statement = re.search(r"sqlite3 /var/lib/latchkey/latchkey.sqlite '([^']*)'", page).group(1)
    server = new_server()
    client = server.create_client("--partner", "seam", name="Seam")
    account = server.create_account()
    server.start()
    before = Person(server, account).connect(client)
    server.stop()
    server.database.path.with_name("latchkey.sqlite.key").unlink()
    check_one_line_error(server.run("serve"), "secret key", "is missing")
    with contextlib.closing(sqlite3.connect(server.database.path)) as line:
        line.execute(statement)
        line.commit()
    server.start()
    # Whoever was there is there, and connects anew.
    refusal(client.refresh(before.refresh), 400, "invalid_grant")
    after = Person(server, account).connect(client)
    assert after.user_id == before.user_id
    assert client.refresh(after.refresh).status_code == 200
