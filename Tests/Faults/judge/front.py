"""HAProxy before several nodes, with the settings of `deploy/haproxy`."""

from __future__ import annotations

import csv
import re
import subprocess
from pathlib import Path

from toolkit.canaries import Canaries
from toolkit.databases import ROOT
from toolkit.haproxy import asked
from toolkit.ports import free_port
from toolkit.process import Latchkey
from toolkit.waiting import eventually, until_ready

SETTINGS = ROOT / "deploy" / "haproxy" / "haproxy.cfg"


class Front:
    """What partners and people see of a cluster: one address."""

    def __init__(self, folder: Path):
        self.folder = folder
        self.port = free_port()
        self.base = self.issuer = f"http://127.0.0.1:{self.port}"
        self.canaries = Canaries()
        self.log_path = folder / "haproxy.log"
        self.socket = folder / "haproxy.sock"
        self.process: subprocess.Popen | None = None

    def settings(self, nodes: list[Latchkey]) -> str:
        """The deployed settings, with this machine's addresses and size and a console, without TLS and the log."""
        text = re.sub(r"(?m)^frontend plain\n(?:[ #].*\n|\n)*", "", SETTINGS.read_text())
        text = re.sub(r"(?m)^ +(log|user|group|ssl-default-bind-options) .*\n", "", text)
        text = re.sub(r"(?m)^( +maxconn) .*$", r"\1 2000", text)
        text = re.sub(r"(?m)^global\n", f"global\n    stats socket {self.socket} mode 600 level admin\n", text)
        text, binds = re.subn(r"(?m)^( +)bind :443 .*$", rf"\1bind 127.0.0.1:{self.port}", text)
        assert binds == 1, f"{SETTINGS} binds :443 {binds} times"
        for place, node in enumerate(nodes, 1):
            text, count = re.subn(rf"(?m)^( +server node{place}) \S+", rf"\1 127.0.0.1:{node.port}", text)
            assert count >= 1, f"{SETTINGS} names no node{place}"
        return text

    def start(self, nodes: list[Latchkey]) -> Front:
        path = self.folder / "haproxy.cfg"
        path.write_text(self.settings(nodes))
        with self.log_path.open("ab") as log:
            self.process = subprocess.Popen(
                ["haproxy", "-db", "-f", path], stdin=subprocess.DEVNULL, stdout=log, stderr=log
            )
        until_ready(self.base, self.process, self.log_path)
        return self

    # What its operator sees and does; nodes are counted from 1, as in its settings

    def _row(self, place: int) -> dict[str, str]:
        rows = csv.DictReader(asked(self.socket, "show stat").removeprefix("# ").splitlines())
        return next(row for row in rows if (row["pxname"], row["svname"]) == ("nodes", f"node{place}"))

    def is_up(self, place: int) -> bool:
        return self._row(place)["status"] == "UP"

    def served(self, place: int) -> int:
        """How many requests a node has been given so far."""
        return int(self._row(place)["stot"])

    def take_out(self, place: int) -> None:
        """Gives a node no more requests, and waits until it has answered those that it has."""
        assert not asked(self.socket, f"set server nodes/node{place} state drain").strip()
        eventually(lambda: self._row(place)["scur"] == "0", 30, f"node{place} answers on and on", pause=0.02)

    def let_in(self, place: int) -> None:
        """Gives a node requests again, and waits until it has been found ready."""
        assert not asked(self.socket, f"set server nodes/node{place} state ready").strip()
        eventually(lambda: self.is_up(place), 30, f"HAProxy does not find node{place} ready", pause=0.02)

    def stop(self) -> None:
        if self.process is not None:
            self.process.kill()
            self.process.wait()
