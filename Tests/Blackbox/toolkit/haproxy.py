"""A real HAProxy before some nodes, as an operator would run one."""

import shutil
import socket
import subprocess
from pathlib import Path

from .canaries import Canaries
from .ports import free_port
from .process import Latchkey
from .waiting import eventually

CONFIGURATION = """
global
    maxconn 500
    stats socket {socket} mode 600 level user

defaults
    mode http
    timeout connect 2s
    timeout client 30s
    timeout server 30s
    # A busy machine answers late; that is no reason to think a node dead.
    timeout check 10s

frontend public
    bind 127.0.0.1:{port}
    default_backend nodes

backend nodes
    balance roundrobin
    option httpchk GET /readyz
    http-check expect status 200
    default-server check inter 100ms fastinter 100ms downinter 100ms fall 2 rise 1
"""


def asked(path: Path, command: str) -> str:
    """What HAProxy's own console answers to a command."""
    with socket.socket(socket.AF_UNIX) as line:
        line.settimeout(5)
        line.connect(str(path))
        line.sendall(command.encode() + b"\n")
        received = b""
        while piece := line.recv(65536):
            received += piece
    return received.decode()


class HAProxy:
    """The balancer; it stands where a server stands for a person and a partner."""

    def __init__(self, folder: Path, port: int | None = None):
        self.program = shutil.which("haproxy") or "/usr/sbin/haproxy"
        self.folder = folder
        self.port = port or free_port()
        self.base = self.issuer = f"http://127.0.0.1:{self.port}"
        self.canaries = Canaries()
        self.socket = folder / f"haproxy-{self.port}.sock"
        self.process: subprocess.Popen | None = None

    def start(self, nodes: list[Latchkey]) -> "HAProxy":
        lines = [f"    server node{place} 127.0.0.1:{node.port}" for place, node in enumerate(nodes)]
        file = self.folder / f"haproxy-{self.port}.cfg"
        file.write_text(CONFIGURATION.format(socket=self.socket, port=self.port) + "\n".join(lines) + "\n")
        with (self.folder / f"haproxy-{self.port}.log").open("ab") as log:
            self.process = subprocess.Popen(
                [self.program, "-db", "-f", file], stdin=subprocess.DEVNULL, stdout=log, stderr=log
            )
        for place in range(len(nodes)):
            self.wait_until(place, "UP")
        return self

    def status(self, place: int) -> str:
        """What the balancer thinks of a node: UP or DOWN."""
        for row in asked(self.socket, "show stat").splitlines():
            cells = row.split(",")
            if cells[:2] == ["nodes", f"node{place}"]:
                return cells[17].split()[0]
        return "unknown"

    def wait_until(self, place: int, status: str, seconds: float = 30) -> None:
        def found() -> str:
            try:
                return self.status(place)
            except OSError:
                assert self.process.poll() is None, "HAProxy has ended; its log lies in the test's folder"
                return "unknown"

        what = f"HAProxy does not find node {place} {status}"
        eventually(found, seconds, what, enough=lambda one: one == status, pause=0.02)

    def stop(self) -> None:
        if self.process is not None:
            self.process.terminate()
            self.process.wait(timeout=20)
            self.process = None
