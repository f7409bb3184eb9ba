"""The Debian package, installed, upgraded, removed and purged in a clean Debian; what its unit lets the program do."""

import json
import os
import re
import shutil
import signal
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from toolkit import process
from toolkit.canaries import Canaries
from toolkit.client import OAuthClient
from toolkit.databases import ROOT, SQLite
from toolkit.person import Person
from toolkit.ports import free_port
from toolkit.process import Account, Latchkey
from toolkit.waiting import eventually, until_ready
from toolkit.wire import send, serves

pytestmark = pytest.mark.skipif(os.getuid() != 0, reason="a clean Debian is made by root")

UNIT = ROOT / "deploy" / "systemd" / "latchkey.service"
ENTER = 'root=$1; shift; mount -t proc proc "$root/proc"; mount --rbind /dev "$root/dev"; exec chroot "$root" "$@"'
"""Runs a command inside a root, in a mount namespace that goes with it."""


def unit_setting(name: str) -> str:
    return re.search(rf"^{name}=(.*)$", UNIT.read_text(), re.M).group(1)


def apt_mirror() -> tuple[str, str]:
    """Where this machine's own apt gets Debian from, and the name of its release."""
    release = dict(re.findall(r'^(\w+)="?([^"\n]*)"?$', Path("/etc/os-release").read_text(), re.M))["VERSION_CODENAME"]
    sources = subprocess.run(
        ["apt-get", "indextargets", "--format", "$(REPO_URI) $(RELEASE) $(COMPONENT)", "Created-By: Packages"],
        check=True,
        capture_output=True,
        text=True,
    ).stdout.split("\n")
    found = [line.split()[0] for line in sources if line.split()[1:] == [release, "main"]]
    assert found, f"apt knows no source of {release} main"
    return found[0], release


def apt_settings() -> str:
    """How this machine's apt reaches its sources: proxies and deadlines."""
    dump = subprocess.run(["apt-config", "dump"], check=True, capture_output=True, text=True).stdout
    return "".join(line + "\n" for line in dump.splitlines() if re.match(r"Acquire::(http|https|Retries)\b.* \"", line))


def make_debian(folder: Path) -> None:
    """Puts the least Debian there is into a folder: from what an earlier run has kept, if it has."""
    mirror, release = apt_mirror()
    kept = ROOT / ".build" / f"debian-{release}.tar"
    if not kept.exists():
        made = folder.with_name("made")
        settings = apt_settings()
        proxy = re.search(r'Acquire::http::Proxy "([^"]+)"', settings)
        environment = os.environ | ({"http_proxy": proxy.group(1)} if proxy else {})
        done = subprocess.run(
            ["debootstrap", "--variant=minbase", release, made, mirror],
            capture_output=True,
            text=True,
            env=environment,
            timeout=540,
        )
        assert done.returncode == 0, (done.stdout + done.stderr)[-2000:]
        (made / "etc/apt/apt.conf.d/99test").write_text(settings)
        draft = kept.with_suffix(".new")
        subprocess.run(["tar", "--create", "--one-file-system", "--file", draft, "--directory", made, "."], check=True)
        draft.rename(kept)
        shutil.rmtree(made)
    folder.mkdir()
    subprocess.run(["tar", "--extract", "--file", kept, "--directory", folder], check=True)
    # Names are found as they are found outside.
    for name in ("resolv.conf", "hosts"):
        if Path("/etc", name).exists():
            shutil.copy(Path("/etc", name), folder / "etc" / name)


class Debian:
    """A clean Debian in a folder. It stands in for the server that its package installs, on one port of loopback."""

    def __init__(self, root: Path):
        self.root = root
        self.log_path = root.with_name("serve.log")
        self.port, self.metrics_port = free_port(), free_port()
        self.base = self.issuer = f"http://127.0.0.1:{self.port}"
        self.canaries = Canaries()
        self.server: subprocess.Popen | None = None
        make_debian(root)

    is_running = True

    def enter(self, *words: str) -> list[str]:
        return ["unshare", "--mount", "sh", "-ec", ENTER, "sh", str(self.root), *words]

    def run(self, *words: str, stdin: str = "", status: int = 0) -> str:
        """Runs a command inside, as root, and returns what it printed."""
        done = subprocess.run(
            self.enter(*words),
            input=stdin,
            capture_output=True,
            text=True,
            timeout=400,
            env={"PATH": "/usr/sbin:/usr/bin:/sbin:/bin", "DEBIAN_FRONTEND": "noninteractive", "LC_ALL": "C.UTF-8"},
        )
        assert done.returncode == status, f"{words}: {done.returncode}\n{(done.stdout + done.stderr)[-3000:]}"
        return done.stdout

    def latchkey(self, *words: str, stdin: str = "") -> dict:
        """A command as the operator types it."""
        return json.loads(self.run("runuser", "-u", "latchkey", "--", "latchkey", *words, "--json", stdin=stdin))

    def install(self, package: Path) -> None:
        """As somebody who keeps the settings that they changed."""
        shutil.copy(package, self.root / "opt" / package.name)
        keep = ("-o", "Dpkg::Options::=--force-confold")
        self.run("apt-get", "install", "--yes", "-qq", "--no-install-recommends", *keep, f"/opt/{package.name}")

    def start_unit(self) -> None:
        """Starts the server as its unit does: that user, that folder, that file, that umask."""
        umask = unit_setting("UMask")
        shell = ["sh", "-c", f'umask {umask}; exec "$@"', "sh"]
        self.start("runuser", "-u", "latchkey", "--", *shell, *self.settings(), *unit_setting("ExecStart").split())

    @property
    def own_settings(self) -> list[str]:
        """Addresses of this test, in place of the package's."""
        metrics = f"LATCHKEY_METRICS_LISTEN=127.0.0.1:{self.metrics_port}"
        return [f"LATCHKEY_LISTEN=127.0.0.1:{self.port}", f"LATCHKEY_ISSUER={self.base}", metrics]

    def settings(self) -> list[str]:
        """The words that give a command the settings of this test, in the state folder."""
        return ["env", "--chdir=/var/lib/latchkey", *self.own_settings]

    def start(self, *command: str) -> None:
        """Starts a server, and waits until it is ready."""
        with self.log_path.open("ab") as log:
            self.server = subprocess.Popen(
                self.enter(*command),
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
                env={"PATH": "/usr/sbin:/usr/bin:/sbin:/bin"},
            )
        until_ready(self.base, self.server, self.log_path, 60)

    def stop(self) -> None:
        if self.server is not None:
            # The whole session: runuser waits for the program, and is no more when that is.
            if self.server.poll() is None:
                os.killpg(self.server.pid, signal.SIGTERM)
                self.server.wait(timeout=30)
            self.server = None


class NeverBooted(Exception):
    """This machine does not let a Debian boot in a container."""


class Booted(Debian):
    """A clean Debian that has been booted: its systemd runs, in a container on this machine's network."""

    def __init__(self, root: Path):
        super().__init__(root)
        self.machine: subprocess.Popen | None = None
        self.leader = 0
        self.run("apt-get", "update", "-qq")
        self.run("apt-get", "install", "--yes", "-qq", "--no-install-recommends", "systemd-sysv")
        # The package's own addresses may be taken on this machine.
        folder = root / "etc/latchkey"
        folder.mkdir()
        (folder / "latchkey.env").write_text("".join(line + "\n" for line in self.own_settings))

    def enter(self, *words: str) -> list[str]:
        if not self.leader:
            return super().enter(*words)
        return ["nsenter", f"--target={self.leader}", "--mount", "--uts", "--ipc", "--pid", *words]

    def boot(self) -> None:
        """Starts its systemd as process 1, and waits until everything has been started."""
        if not shutil.which("systemd-nspawn"):
            raise NeverBooted("there is no systemd-nspawn: scripts/install faults brings it")
        options = ["--quiet", "--boot", "--register=no", "--keep-unit", "--resolv-conf=off", "--timezone=off"]
        with self.log_path.open("ab") as log:
            self.machine = subprocess.Popen(
                ["systemd-nspawn", *options, "--console=pipe", "--machine=latchkey", f"--directory={self.root}"],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )
        deadline, state = time.monotonic() + 90, ""
        while state not in ("running", "degraded"):
            if self.machine.poll() is not None or time.monotonic() > deadline:
                raise NeverBooted(f"{state or 'no systemd'}: {self.log_path.read_text(errors='replace')[-1000:]}")
            time.sleep(0.2)
            self.leader = self.leader or self._found_leader()
            if self.leader:
                asked = subprocess.run(self.enter("systemctl", "is-system-running"), capture_output=True, text=True)
                state = asked.stdout.strip()

    def _found_leader(self) -> int:
        """The id that the container's process 1 has outside; 0 while it is not there."""
        children = Path(f"/proc/{self.machine.pid}/task/{self.machine.pid}/children").read_text().split()
        return next((int(one) for one in children if Path(f"/proc/{one}/comm").read_text() == "systemd\n"), 0)

    def asked_unit(self, what: str) -> str:
        return self.run("systemctl", "show", f"--property={what}", "--value", "latchkey").strip()

    def is_ready(self) -> bool:
        return serves(self.base + "/readyz")

    def stop(self) -> None:
        if self.machine is not None and self.machine.poll() is None:
            # To the one who holds the container this is its power button.
            self.machine.terminate()
            try:
                self.machine.wait(timeout=60)
            except subprocess.TimeoutExpired:
                self.machine.kill()
                self.machine.wait()


@pytest.fixture
def debian(tmp_path) -> Iterator[Debian]:
    made = Debian(tmp_path / "debian")
    yield made
    made.stop()
    # Nothing is mounted there: each command's mounts went with it.
    shutil.rmtree(made.root)


@pytest.fixture
def booted(tmp_path) -> Iterator[Booted]:
    made = Booted(tmp_path / "debian")
    try:
        made.boot()
        yield made
    except NeverBooted as reason:
        pytest.skip(f"systemd does not boot in a container on this machine: {reason}")
    finally:
        made.stop()
        shutil.rmtree(made.root)


def build(folder: Path, *options: str) -> Path:
    """The package of the debug build, or of the release: `LATCHKEY_FAULT_PACKAGE=release`, best after `make deb`."""
    kind = [] if os.environ.get("LATCHKEY_FAULT_PACKAGE") == "release" else ["--debug"]
    command = [ROOT / "scripts" / "deb", *kind, "--output", folder, *options]
    done = subprocess.run(command, capture_output=True, text=True, timeout=1800)
    assert done.returncode == 0, done.stderr[-3000:]
    return Path(done.stdout.strip().splitlines()[-1])


@pytest.fixture(scope="module")
def package(tmp_path_factory) -> Path:
    """The package as it is built: it takes a while, and no test changes it."""
    return build(tmp_path_factory.mktemp("package"))


def with_another_setting(package: Path, version: str) -> Path:
    """A later version of a package, whose settings file tells of one setting more."""
    folder = package.with_name("later")
    subprocess.run(["dpkg-deb", "--raw-extract", package, folder], check=True)
    control = folder / "DEBIAN/control"
    control.write_text(re.sub(r"(?m)^Version: .*$", f"Version: {version}", control.read_text()))
    with (folder / "etc/latchkey/latchkey.yaml").open("a") as settings:
        settings.write("\n# A setting that the earlier version did not have.\n#another-setting: 1\n")
    made = package.with_name(f"latchkey_{version}.deb")
    subprocess.run(["dpkg-deb", "-Zgzip", "-z1", "--build", folder, made], check=True, capture_output=True)
    return made


def mode(path: Path) -> str:
    status = path.stat()
    return f"{status.st_mode & 0o777:o}"


def test_the_package_lives_and_dies_in_a_clean_debian(debian, package):
    """Without Swift there it serves; an upgrade and a removal keep everything; a purge leaves nothing."""
    root = debian.root
    settings, data = root / "etc/latchkey/latchkey.yaml", root / "var/lib/latchkey"

    debian.run("apt-get", "update", "-qq")
    debian.install(package)
    assert not (root / "usr/bin/swift").exists()
    who = debian.run("getent", "passwd", "latchkey").strip().split(":")
    assert who[5:] == ["/var/lib/latchkey", "/usr/sbin/nologin"]
    user, group = int(who[2]), int(who[3])
    assert (mode(data), data.stat().st_uid) == ("700", user)
    assert (mode(settings), settings.stat().st_uid, settings.stat().st_gid) == ("640", 0, group)
    assert "is at version" in debian.run("runuser", "-u", "latchkey", "--", "latchkey", "migrate")
    enabled = root / "etc/systemd/system/multi-user.target.wants/latchkey.service"
    assert enabled.is_symlink(), "the unit starts with the machine"

    debian.start_unit()
    made = debian.latchkey("client", "create", "--partner", "seam", "--name", "Seam")
    client = OAuthClient.from_registration(debian, made)
    client.wait_until_known()
    password = "correct horse battery"
    words = ("account", "create", "--email", "ada@example.com", "--name", "Ada", "--password-stdin")
    account = Account(debian.latchkey(*words, stdin=password + "\n")["user_id"], "ada@example.com", password, "Ada")
    connected = Person(debian, account).connect(client)
    assert client.refresh(connected.refresh).status_code == 200
    assert {mode(path) for path in data.iterdir()} == {"600"}, "nobody else reads the database and its key"
    # Figures are on a listener of their own, and not beside what a proxy shows to the world.
    assert "latchkey_token_grants_total" in send("GET", f"http://127.0.0.1:{debian.metrics_port}/metrics").text
    assert send("GET", debian.base + "/metrics").status_code == 404
    debian.stop()

    # Whoever cannot read the settings is told so.
    outsider = debian.enter("runuser", "-u", "nobody", "--", "latchkey", "client", "list")
    told = subprocess.run(outsider, capture_output=True, text=True)
    assert told.returncode == 1
    assert "latchkey.yaml" in told.stderr

    settings.write_text(settings.read_text() + "\nbrand-name: Acme Locks\n")
    debian.install(with_another_setting(package, "0.1.0-2"))
    assert "0.1.0-2" in debian.run("dpkg-query", "--show", "latchkey")
    assert "brand-name: Acme Locks" in settings.read_text()
    assert "another-setting" not in settings.read_text()
    assert "another-setting" in settings.with_name("latchkey.yaml.dpkg-dist").read_text(), (
        "the new sample lies beside it"
    )
    assert (mode(settings), settings.stat().st_gid) == ("640", group)
    debian.start_unit()
    assert client.refresh(connected.refresh).status_code == 200
    debian.stop()

    debian.run("apt-get", "remove", "--yes", "-qq", "latchkey")
    assert not (root / "usr/bin/latchkey").exists()
    assert settings.exists()
    assert (data / "latchkey.sqlite").exists()
    assert (data / "latchkey.sqlite.key").exists()

    debian.install(package)
    debian.start_unit()
    assert client.refresh(connected.refresh).status_code == 200, "what was connected is connected"
    debian.stop()

    debian.run("apt-get", "purge", "--yes", "-qq", "latchkey")
    left = [path for path in ("etc/latchkey", "var/lib/latchkey", "usr/share/doc/latchkey") if (root / path).exists()]
    assert not left
    assert not enabled.is_symlink()


def test_the_unit_lives_under_a_booted_systemd(booted, package, tmp_path):
    """Installed is started, killed is started again, upgraded is restarted, removed is ended; and it may do little."""
    data = booted.root / "var/lib/latchkey"
    booted.install(package)
    assert booted.asked_unit("ActiveState") == "active"
    assert booted.is_ready(), "the unit was not started before the server said that it is ready"

    first = booted.asked_unit("MainPID")
    status = dict(re.findall(r"(?m)^(\w+):\s*(.*)$", booted.run("cat", f"/proc/{first}/status")))
    assert status["Uid"].split()[0] == booted.run("id", "-u", "latchkey").strip()
    assert {int(status[name], 16) for name in ("CapEff", "CapPrm", "CapBnd", "CapAmb")} == {0}
    assert (status["NoNewPrivs"], status["Seccomp"]) == ("1", "2")
    for place in ("/usr/bin/x", "/etc/latchkey/x", "/home/x"):
        booted.run("nsenter", f"--target={first}", "--mount", "touch", place, status=1)

    made = booted.latchkey("client", "create", "--partner", "seam", "--name", "Seam")
    client = OAuthClient.from_registration(booted, made)
    client.wait_until_known()
    words = ("account", "create", "--email", "ada@example.com", "--name", "Ada", "--password-stdin")
    password = "correct horse battery"
    account = Account(booted.latchkey(*words, stdin=password + "\n")["user_id"], "ada@example.com", password, "Ada")
    connected = Person(booted, account).connect(client)

    booted.run("systemctl", "kill", "--kill-whom=main", "--signal=KILL", "latchkey")
    eventually(lambda: booted.asked_unit("MainPID") not in ("0", first) and booted.is_ready(), 60, "not started again")
    assert booted.asked_unit("NRestarts") == "1"
    assert client.refresh(connected.refresh).status_code == 200

    second = booted.asked_unit("MainPID")
    booted.install(build(tmp_path, "--version", "0.1.0-2"))
    assert booted.asked_unit("MainPID") not in ("0", second)
    assert booted.is_ready(), "the installation ended before the new server was ready"
    assert client.refresh(connected.refresh).status_code == 200

    booted.run("systemctl", "stop", "latchkey")
    assert (booted.asked_unit("ActiveState"), booted.asked_unit("Result")) == ("inactive", "success")
    booted.run("systemctl", "start", "latchkey")
    assert booted.is_ready()

    booted.run("apt-get", "remove", "--yes", "-qq", "latchkey")
    assert not booted.is_ready()
    assert (data / "latchkey.sqlite").exists()
    booted.install(package)
    assert booted.is_ready()
    assert client.refresh(connected.refresh).status_code == 200, "what was connected is connected"
    booted.run("apt-get", "purge", "--yes", "-qq", "latchkey")
    assert not booted.is_ready()
    assert not data.exists()


def test_the_images_steps_work_in_a_clean_debian(debian, package):
    """Without an engine for containers: what the Dockerfile says is done in a root, one step after the other."""
    text = (ROOT / "deploy" / "docker" / "Dockerfile").read_text().replace("\\\n", "")
    shutil.copy(package, debian.root / "tmp")
    for step in re.findall(r"^RUN (.*)$", text, re.M):
        debian.run("sh", "-ec", step)
    assert not list((debian.root / "tmp").glob("*.deb"))
    user, group = re.search(r"^USER (\d+):(\d+)$", text, re.M).groups()
    command = json.loads(re.search(r"^ENTRYPOINT (.*)$", text, re.M).group(1))
    command += json.loads(re.search(r"^CMD (.*)$", text, re.M).group(1))
    debian.start("setpriv", f"--reuid={user}", f"--regid={group}", "--clear-groups", *debian.settings(), *command)
    assert (debian.root / "var/lib/latchkey/latchkey.sqlite").stat().st_uid == int(user)


# What the unit lets the program do


def allowed_calls() -> set[str]:
    """The system calls that the unit's filter lets through, as systemd itself expands it."""
    listed = subprocess.run(
        ["systemd-analyze", "syscall-filter", "--no-pager"], check=True, capture_output=True, text=True
    )
    sets: dict[str, list[str]] = {}
    for line in re.sub(r"\x1b\[[\d;]*m", "", listed.stdout).splitlines():
        if line.startswith("@"):
            name = line.strip()
            sets[name] = []
        elif line.startswith("    ") and not line.strip().startswith("#") and sets:
            sets[name].append(line.strip())

    def expanded(word: str) -> set[str]:
        return set().union(*map(expanded, sets[word])) if word in sets else {word}

    calls: set[str] = set()
    for line in re.findall(r"^SystemCallFilter=(.*)$", UNIT.read_text(), re.M):
        words = set().union(*map(expanded, line.removeprefix("~").split()))
        calls = calls - words if line.startswith("~") else calls | words
    # systemd lets these through whatever the filter says.
    return calls | expanded("@default")


def test_the_unit_lets_the_program_do_what_it_does(tmp_path, monkeypatch):
    """Every system call of a start, a sign-in, a code, a refresh and a drain is one that the unit's filter has."""
    trace = tmp_path / "trace"
    traced = tmp_path / "traced"
    traced.write_text(f'#!/bin/sh\nexec strace -D -f -qq -e signal=none -o {trace} {process.BINARY} "$@"\n')
    traced.chmod(0o755)
    server = Latchkey(SQLite(tmp_path), tmp_path)
    client = server.create_client("--partner", "seam", name="Seam")
    account = server.create_account()
    with monkeypatch.context() as patched:
        patched.setattr(process, "BINARY", traced)
        server.start()
    connected = Person(server, account).connect(client)
    assert client.refresh(connected.refresh).status_code == 200
    assert client.revoke(connected.refresh).status_code == 200
    assert server.stop() == 0
    lines = trace.read_text(errors="replace")
    used = set(re.findall(r"^\d+ +(\w+)\(", lines, re.M))
    assert "fdatasync" in used or "fsync" in used, "the trace is of a server that wrote"
    # As root, which the unit is not, SQLite gives its files the database's owner.
    assert used <= allowed_calls() | {"execve", "fchown"}, used - allowed_calls()
    assert not re.search(r"PROT_WRITE\|PROT_EXEC|PROT_EXEC\|PROT_WRITE", lines), "MemoryDenyWriteExecute holds"
    families = set(re.findall(r"\bsocket\((AF_\w+)", lines))
    wanted = set(unit_setting("RestrictAddressFamilies").split())
    # Without netlink the C library takes every family of addresses to be there.
    assert families <= wanted | {"AF_NETLINK"}
