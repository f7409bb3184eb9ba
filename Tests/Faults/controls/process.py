"""The broken server as a process: what the ledger client needs of a node."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from toolkit.canaries import Canaries
from toolkit.client import OAuthClient
from toolkit.databases import SQLite
from toolkit.ports import free_port
from toolkit.process import Account
from toolkit.waiting import until_ready

PROGRAM = Path(__file__).with_name("server.py")


class BrokenServer:
    """A node with one fault; it is killed and started again on the same database."""

    def __init__(self, folder: Path, fault: str):
        self.folder, self.fault = folder, fault
        self.port = free_port()
        self.base = self.issuer = f"http://127.0.0.1:{self.port}"
        self.canaries = Canaries()
        self.database = SQLite(folder)
        self.process: subprocess.Popen | None = None

    def start(self) -> BrokenServer:
        words = [sys.executable, PROGRAM, str(self.port), self.database.path, self.fault]
        log_path = self.folder / "broken-server.log"
        with log_path.open("ab") as log:
            self.process = subprocess.Popen(words, stdin=subprocess.DEVNULL, stdout=log, stderr=log)
        until_ready(self.base, self.process, log_path)
        return self

    def kill(self) -> None:
        self.process.kill()
        self.process.wait()

    def will_die(self) -> None:
        """Lets it die between the two halves of its next write."""
        (self.folder / "die").touch()

    def has_outage(self, is_out: bool) -> None:
        mark = self.folder / "outage"
        mark.touch() if is_out else mark.unlink()

    def has_race(self, is_on: bool) -> None:
        """Lets an exchange that reads before it marks wait until another one has read, too."""
        mark = self.folder / "race"
        mark.touch() if is_on else mark.unlink()

    def client(self) -> OAuthClient:
        """The one client that it knows; its refresh tokens have a successor."""
        made = {"client_id": "s6BhdRkqt3", "client_secret": "gX1fBat3bV", "refresh": "successor"}
        return OAuthClient.from_registration(
            self, made | {"redirect_uris": ["https://partner.example/callback"], "scopes": ["locks.read"]}
        )

    def account(self) -> Account:
        return Account("usr_ada", "ada@example.com", "correct horse", "Ada Lovelace")
