"""The Debian package: what `make deb` puts into it. The fault suite installs it in a clean Debian."""

import os
import re
import shutil
import subprocess
import tarfile
from dataclasses import dataclass
from pathlib import Path

import pytest

from toolkit.databases import ROOT
from toolkit.process import BINARY, clean_environment


@dataclass
class Package:
    """The package of the debug build, and what is in it."""

    path: Path
    folder: Path
    """Its files, unpacked."""
    control: str

    def field(self, name: str) -> str:
        return re.search(rf"^{name}: (.*)$", self.control, re.M).group(1)

    def members(self) -> dict[str, tarfile.TarInfo]:
        """What lies in it, by path, with modes and owners."""
        data = subprocess.Popen(["dpkg-deb", "--fsys-tarfile", self.path], stdout=subprocess.PIPE)
        with tarfile.open(fileobj=data.stdout, mode="r|") as archive:
            found = {member.name.removeprefix("."): member for member in archive}
        assert data.wait() == 0
        return found


@pytest.fixture(scope="module")
def package(tmp_path_factory) -> Package:
    folder = tmp_path_factory.mktemp("package")
    done = subprocess.run(
        [ROOT / "scripts" / "deb", "--debug", "--output", folder],
        capture_output=True,
        text=True,
        timeout=300,
        env=clean_environment() | {"LATCHKEY_ISSUER": "https://of.whoever.builds.it"},
    )
    assert done.returncode == 0, done.stderr[-3000:]
    path = Path(done.stdout.strip().splitlines()[-1])
    control = subprocess.run(["dpkg-deb", "--field", path], check=True, capture_output=True, text=True).stdout
    subprocess.run(["dpkg-deb", "--raw-extract", path, folder / "raw"], check=True)
    return Package(path, folder / "raw", control)


def test_it_says_what_it_is_and_what_it_needs(package):
    version = subprocess.run([BINARY, "--version"], check=True, capture_output=True, text=True).stdout.strip()
    assert package.field("Package") == "latchkey"
    assert package.field("Version") == f"{version}-1"
    assert package.path.name == f"latchkey_{version}-1_{package.field('Architecture')}.deb"
    needs = package.field("Depends")
    for library in ("libc6", "libpq5", "libsqlite3-0", "libargon2-1", "libcrypt1", "adduser", "ca-certificates"):
        assert library in needs, needs
    assert "swift" not in needs


def test_the_program_in_it_needs_nothing_of_swift(package):
    program = package.folder / "usr/bin/latchkey"
    needed = subprocess.run(["readelf", "--dynamic", program], check=True, capture_output=True, text=True).stdout
    libraries = re.findall(r"NEEDED.*\[(.*)\]", needed)
    assert libraries
    assert not [one for one in libraries if "swift" in one.lower() or "Foundation" in one or "dispatch" in one]
    # It finds its libraries where Debian has them, whatever this machine has beside.
    done = subprocess.run([program, "partner", "show", "seam"], capture_output=True, text=True, env={}, cwd="/")
    assert done.returncode == 0, done.stderr
    assert "Seam" in done.stdout


def test_everything_lies_in_its_place_and_belongs_to_root(package):
    members = package.members()
    wanted = {
        "/usr/bin/latchkey": 0o755,
        "/usr/lib/systemd/system/latchkey.service": 0o644,
        "/etc/latchkey/latchkey.yaml": 0o640,
        "/usr/share/man/man1/latchkey.1.gz": 0o644,
        "/usr/share/doc/latchkey/copyright": 0o644,
        "/usr/share/doc/latchkey/changelog.gz": 0o644,
        "/usr/share/doc/latchkey/changelog.Debian.gz": 0o644,
        "/usr/share/doc/latchkey/operating.md": 0o644,
        "/usr/share/doc/latchkey/examples/haproxy/haproxy.cfg": 0o644,
        "/usr/share/doc/latchkey/examples/patroni/patroni.yml": 0o644,
        "/usr/share/doc/latchkey/examples/prometheus/prometheus.yml": 0o644,
        "/usr/share/doc/latchkey/examples/prometheus/alerts.yml": 0o644,
        "/usr/share/doc/latchkey/examples/grafana/latchkey.json": 0o644,
    }
    for path, mode in wanted.items():
        assert members[path].mode & 0o777 == mode, f"{path}: {members[path].mode:o}"
    assert {(member.uid, member.gid) for member in members.values()} == {(0, 0)}
    strays = [path for path in members if not path.startswith(("/usr", "/etc")) and path not in ("/", "")]
    assert not strays, "the state folder is made at installation, with an owner of its own"
    assert (package.folder / "DEBIAN/conffiles").read_text() == "/etc/latchkey/latchkey.yaml\n"
    sums = (package.folder / "DEBIAN/md5sums").read_text()
    assert "usr/bin/latchkey" in sums
    subprocess.run(["md5sum", "--check", "--quiet"], input=sums, text=True, check=True, cwd=package.folder)


def test_its_settings_are_those_of_the_program(package, tmp_path):
    path = package.folder / "etc/latchkey/latchkey.yaml"
    said = [line for line in path.read_text().splitlines() if line and not line.startswith("#")]
    assert said == [
        "listen: 127.0.0.1:8080",
        "database: sqlite:/var/lib/latchkey/latchkey.sqlite",
        "metrics-listen: 127.0.0.1:9464",
    ]
    # It is where the example of Prometheus looks.
    example = package.folder / "usr/share/doc/latchkey/examples/prometheus/prometheus.yml"
    assert '- targets: ["127.0.0.1:9464"]' in example.read_text()
    # The package makes its folder; this machine has none.
    check = [BINARY, "settings", "--check", "--config", path, "--database", f"sqlite:{tmp_path}/latchkey.sqlite"]
    done = subprocess.run(check, capture_output=True, text=True, env={}, cwd=tmp_path)
    assert done.returncode == 0, done.stderr


def test_its_pages_lead_to_what_is_in_it(package):
    members = package.members().keys()
    documents = Path("/usr/share/doc/latchkey")
    for page in (package.folder / "usr/share/doc/latchkey").rglob("*.md"):
        here = documents / page.relative_to(package.folder / "usr/share/doc/latchkey").parent
        for target in re.findall(r"\]\((?!https?:|#)([^)#\s]+)", page.read_text()):
            assert os.path.normpath(here / target) in members, f"{page.name} leads to {target}"


def test_its_manual_tells_of_every_command(package):
    page = package.folder / "usr/share/man/man1/latchkey.1.gz"
    text = subprocess.run(["gzip", "-dc", page], check=True, capture_output=True, text=True).stdout
    for words in ("serve", "client create", "connection revoke", "key rotate", "settings"):
        assert f'.SS "{words}"' in text.replace("\\-", "-"), words
    if shutil.which("man"):
        shown = subprocess.run(
            ["man", "--warnings", "--encoding=UTF-8", "--local-file", page],
            capture_output=True,
            text=True,
            env={"PATH": os.environ["PATH"], "MANWIDTH": "100", "LC_ALL": "C.UTF-8"},
        )
        assert shown.returncode == 0
        assert not shown.stderr, shown.stderr[:500]
        assert "latchkey - OAuth 2.0 authorization server" in shown.stdout


def test_its_copyright_names_every_library(package):
    text = (package.folder / "usr/share/doc/latchkey/copyright").read_text()
    for library in ("hummingbird", "swift-nio", "swift-crypto", "GRDB.swift", "swift-argument-parser"):
        assert f"---------- {library} ----------" in text


def test_its_scripts_are_what_dpkg_wants(package):
    for name in ("postinst", "prerm", "postrm"):
        script = package.folder / "DEBIAN" / name
        assert os.access(script, os.X_OK)
        subprocess.run(["sh", "-n", script], check=True)
    if shutil.which("lintian"):
        done = subprocess.run(["lintian", "--fail-on", "error", package.path], capture_output=True, text=True)
        assert done.returncode == 0, done.stdout
