"""The proxies of `deploy/`, run as they stand there, but on ports and with paths of the test's own."""

from __future__ import annotations

import datetime
import ipaddress
import os
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from .databases import ROOT
from .ports import free_port
from .waiting import until_ready
from .wire import trust

if TYPE_CHECKING:
    from .canaries import Canaries

DEPLOY = ROOT / "deploy"
NODES = ("10.0.0.11:8080", "10.0.0.12:8080")
"""What the files of `deploy/` call the two nodes."""


def program(name: str) -> str:
    """The path of a program that Debian keeps where not everybody looks."""
    found = shutil.which(name) or shutil.which(name, path="/usr/sbin:/sbin")
    assert found, f"there is no {name} on this machine: 'make test' installs it"
    return found


def rendered(file: Path, changes: dict[str, str]) -> str:
    """A file with ports and paths of the test's own; one that the file does not have is an error."""
    text = file.read_text()
    for old, new in changes.items():
        assert old in text, f"{file} does not say {old!r}"
        text = text.replace(old, new)
    return text


@dataclass
class Certificate:
    """A certificate for localhost and the throw-away authority that made it, as files."""

    authority: Path
    chain: Path
    key: Path
    both: Path
    """Chain and key in one file, as HAProxy wants them."""


def make_certificate(folder: Path) -> Certificate:
    """Makes an authority and a certificate of it, good for a day."""
    now = datetime.datetime.now(datetime.timezone.utc)

    def certificate(name: str, key, issuer: x509.Name, issuer_key, *extensions: tuple[x509.ExtensionType, bool]):
        builder = (
            x509.CertificateBuilder()
            .subject_name(x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)]))
            .issuer_name(issuer)
            .public_key(key.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(now - datetime.timedelta(hours=1))
            .not_valid_after(now + datetime.timedelta(days=1))
            .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
            .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(issuer_key.public_key()), critical=False)
        )
        for extension, critical in extensions:
            builder = builder.add_extension(extension, critical=critical)
        return builder.sign(issuer_key, hashes.SHA256())

    def written(name: str, *contents: bytes) -> Path:
        path = folder / name
        path.write_bytes(b"".join(contents))
        return path

    usage = dict.fromkeys(("content_commitment", "key_encipherment", "data_encipherment", "key_agreement"), False)
    usage |= dict.fromkeys(("crl_sign", "encipher_only", "decipher_only"), False)
    root_key, key = ec.generate_private_key(ec.SECP256R1()), ec.generate_private_key(ec.SECP256R1())
    root_name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "Throw-away authority")])
    root = certificate(
        "Throw-away authority",
        root_key,
        root_name,
        root_key,
        (x509.BasicConstraints(ca=True, path_length=0), True),
        (x509.KeyUsage(digital_signature=False, key_cert_sign=True, **usage), True),
    )
    names = [x509.DNSName("localhost"), x509.IPAddress(ipaddress.ip_address("127.0.0.1"))]
    leaf = certificate(
        "localhost",
        key,
        root_name,
        root_key,
        (x509.SubjectAlternativeName(names), False),
        (x509.BasicConstraints(ca=False, path_length=None), True),
    )
    plain = serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    secret = key.private_bytes(serialization.Encoding.PEM, *plain)
    chain = leaf.public_bytes(serialization.Encoding.PEM)
    return Certificate(
        written("authority.crt", root.public_bytes(serialization.Encoding.PEM)),
        written("localhost.crt", chain),
        written("localhost.key", secret),
        written("localhost.pem", chain, secret),
    )


class Proxy:
    """One proxy in front of two nodes; `base` is where everybody reaches them."""

    is_running = True
    console_lines = 5
    """How many commented lines keep the console for a network."""
    console_network: str | None = None
    """Whom the console is for, by those lines; None leaves them commented."""

    def __init__(self, folder: Path, ports: tuple[int, int], canaries: Canaries | None = None):
        self.folder = folder
        self.port, self.plain_port = free_port(), free_port()
        self.base = self.issuer = f"https://localhost:{self.port}"
        self.nodes = [f"127.0.0.1:{port}" for port in ports]
        self.canaries = canaries
        self.certificate = make_certificate(folder)
        self.log_path = folder / "proxy.log"
        self.process: subprocess.Popen | None = None
        trust(self.base, self.certificate.authority)

    def command(self) -> list[str]:
        """Writes the files that the proxy reads, and returns the command that runs it."""
        raise NotImplementedError

    def start(self) -> Proxy:
        """Starts the proxy, and waits until it serves; its nodes are there already."""
        environment = {"PATH": os.environ["PATH"], "HOME": str(self.folder), "XDG_DATA_HOME": str(self.folder)}
        with self.log_path.open("ab") as log:
            self.process = subprocess.Popen(
                self.command(), cwd=self.folder, env=environment, stdin=subprocess.DEVNULL, stdout=log, stderr=log
            )
        until_ready(self.base, self.process, self.log_path)
        return self

    def stop(self) -> None:
        if self.process is not None:
            self.process.terminate()
            try:
                self.process.wait(timeout=20)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait()

    def rendered(self, file: Path, changes: dict[str, str]) -> str:
        """A file for this proxy, its nodes and its console's network."""
        text = rendered(file, changes | dict(zip(NODES, self.nodes, strict=True)))
        if self.console_network is None:
            return text
        before, mark, after = text.partition("# The console for the operators' network only:\n")
        assert mark, f"{file} says nothing of the console"
        lines = after.splitlines(keepends=True)
        kept = "".join(lines[: self.console_lines])
        assert kept.count("# ") >= self.console_lines
        assert "10.0.0.0/8" in kept
        kept = "".join(line.replace("# ", "", 1) for line in kept.splitlines(keepends=True))
        return before + mark + kept.replace("10.0.0.0/8", self.console_network) + "".join(lines[self.console_lines :])


class HAProxy(Proxy):
    """`deploy/haproxy/haproxy.cfg`."""

    console_lines = 1

    def command(self) -> list[str]:
        changes = {
            "bind :443 ssl crt /etc/haproxy/certs/auth.example.com.pem": f"bind 127.0.0.1:{self.port} ssl crt "
            f"{self.certificate.both}",
            "bind :80": f"bind 127.0.0.1:{self.plain_port}",
            "log /dev/log local0": "log stdout format raw local0",
        }
        if os.getuid() != 0:
            changes |= {"    user haproxy\n": "", "    group haproxy\n": ""}
        path = self.folder / "haproxy.cfg"
        path.write_text(self.rendered(DEPLOY / "haproxy" / "haproxy.cfg", changes))
        return [program("haproxy"), "-db", "-f", str(path)]


class Nginx(Proxy):
    """`deploy/nginx/latchkey.conf`, inside the least that nginx wants around it."""

    def command(self) -> list[str]:
        # Where the file says "on IPv6 too", the test says "on a second port too": not every machine has IPv6.
        changes = {
            "listen 80;": f"listen 127.0.0.1:{self.plain_port};",
            "listen [::]:80;": f"listen 127.0.0.1:{free_port()};",
            "listen 443 ssl": f"listen 127.0.0.1:{self.port} ssl",
            "listen [::]:443 ssl": f"listen 127.0.0.1:{free_port()} ssl",
            "/etc/nginx/certs/auth.example.com.crt": str(self.certificate.chain),
            "/etc/nginx/certs/auth.example.com.key": str(self.certificate.key),
            "/var/log/nginx/latchkey.log": str(self.folder / "access.log"),
        }
        site = self.folder / "latchkey.conf"
        site.write_text(self.rendered(DEPLOY / "nginx" / "latchkey.conf", changes))
        kinds = ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
        places = "".join(f"    {kind}_temp_path {self.folder / kind};\n" for kind in kinds)
        path = self.folder / "nginx.conf"
        path.write_text(
            f"daemon off;\nworker_processes 1;\npid {self.folder / 'nginx.pid'};\nerror_log {self.log_path};\n"
            f"events {{ worker_connections 1024; }}\nhttp {{\n{places}    include {site};\n}}\n"
        )
        return [program("nginx"), "-e", str(self.log_path), "-p", str(self.folder), "-c", str(path)]


class Caddy(Proxy):
    """`deploy/caddy/Caddyfile`."""

    def command(self) -> list[str]:
        changes = {
            "admin localhost:2019": f"admin localhost:{free_port()}",
            "http_port 80": f"http_port {self.plain_port}",
            "https_port 443": f"https_port {self.port}\n\tdefault_bind 127.0.0.1",
            "auth.example.com {": "localhost {",
            "/etc/caddy/auth.example.com.crt": str(self.certificate.chain),
            "/etc/caddy/auth.example.com.key": str(self.certificate.key),
        }
        path = self.folder / "Caddyfile"
        path.write_text(self.rendered(DEPLOY / "caddy" / "Caddyfile", changes))
        return [program("caddy"), "run", "--config", str(path), "--adapter", "caddyfile"]


PROXIES = {"haproxy": HAProxy, "nginx": Nginx, "caddy": Caddy}
