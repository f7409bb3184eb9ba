"""A real `latchkey serve` process, and the command line beside it."""

import json
import os
import secrets
import signal
import subprocess
from dataclasses import dataclass
from pathlib import Path

from .canaries import Canaries
from .client import OAuthClient
from .databases import ROOT, Postgres, SQLite
from .ports import free_port
from .waiting import until_ready

BINARY = Path(os.environ.get("LATCHKEY_BINARY", ROOT / ".build" / "debug" / "latchkey"))


def clean_environment() -> dict[str, str]:
    """The environment without any setting of Latchkey's."""
    return {name: value for name, value in os.environ.items() if not name.startswith("LATCHKEY_")}


@dataclass
class Account:
    """A customer of the company, with the password that only the customer knows."""

    user_id: str
    email: str
    password: str
    name: str


class Latchkey:
    """One node: its process, its log, and the commands that an operator runs beside it."""

    def __init__(
        self,
        database: SQLite | Postgres,
        folder: Path,
        *,
        port: int | None = None,
        issuer: str | None = None,
        options: tuple[str, ...] = ("--sample-api",),
        environment: dict[str, str] | None = None,
        canaries: Canaries | None = None,
        prefix: tuple[str, ...] = (),
    ):
        """`prefix` is a command that becomes the server in the end, and each command: `prlimit --nofile=256`."""
        self.database = database
        self.folder = folder
        self.port = port or free_port()
        self.base = f"http://127.0.0.1:{self.port}"
        self.issuer = issuer or self.base
        self.options = options
        self.extra_environment = environment or {}
        self.prefix = prefix
        self.release: Path | None = None
        """The program of another release, while this node runs one."""
        self.process_environment: dict[str, str] = {}
        """What only the server's process gets, and the commands beside it do not."""
        self.canaries = canaries if canaries is not None else Canaries()
        self.log_path = folder / f"serve-{self.port}.log"
        self.process: subprocess.Popen | None = None

    # The process

    @property
    def program(self) -> Path:
        return self.release or BINARY

    @property
    def environment(self) -> dict[str, str]:
        return clean_environment() | self.database.environment | self.extra_environment

    def start(self, *, clock_offset: int | None = None, wait: bool = True) -> "Latchkey":
        """Starts the process; with an offset in seconds, in test mode and with its clock shifted."""
        command = [*self.prefix, self.program, "serve", "--listen", f"127.0.0.1:{self.port}", "--issuer", self.issuer]
        command += ["--database", self.database.url, *self.options]
        environment = self.environment | self.process_environment
        if clock_offset is not None:
            environment["LATCHKEY_CLOCK_OFFSET"] = str(clock_offset)
            command += [] if "--test-mode" in self.options else ["--test-mode"]
        with self.log_path.open("ab") as log:
            self.process = subprocess.Popen(
                command, cwd=self.folder, env=environment, stdin=subprocess.DEVNULL, stdout=log, stderr=log
            )
        if wait:
            self.wait_until_ready()
        return self

    def wait_until_ready(self, seconds: float = 30) -> None:
        until_ready(self.base, self.process, self.log_path, seconds)

    def stop(self) -> int | None:
        """Asks the process to stop, as a service manager does, and returns its exit status."""
        if self.process is None:
            return None
        self.process.send_signal(signal.SIGTERM)
        try:
            status = self.process.wait(timeout=20)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
            raise AssertionError("latchkey serve did not stop within 20 s of SIGTERM") from None
        self.process = None
        return status

    def kill(self) -> None:
        """Kills the process without a word, as a power cut does, if there is one."""
        if self.process is not None:
            self.process.kill()
            self.process.wait()
            self.process = None

    def restart(self, *, clock_offset: int | None = None) -> None:
        self.stop()
        self.start(clock_offset=clock_offset)

    @property
    def is_running(self) -> bool:
        return self.process is not None and self.process.poll() is None

    @property
    def log(self) -> str:
        return self.log_path.read_text(errors="replace") if self.log_path.exists() else ""

    def memory(self) -> int:
        """The process's resident memory in bytes."""
        return self._memory("VmRSS")

    def peak_memory(self) -> int:
        """The most that it has ever been."""
        return self._memory("VmHWM")

    def _memory(self, name: str) -> int:
        for line in Path(f"/proc/{self.process.pid}/status").read_text().splitlines():
            if line.startswith(name + ":"):
                return int(line.split()[1]) * 1024
        raise AssertionError(f"no {name} in /proc")

    # The command line

    def run(self, *words: str, stdin: str | None = None) -> subprocess.CompletedProcess:
        """Runs a command on this node's database, as an operator would, and returns whatever came of it.

        A command that comes before the server's first start needs a database that is there.
        """
        if words[0] not in ("serve", "migrate", "settings") and not self.database.is_prepared():
            self.run("migrate")
        return subprocess.run(
            [*self.prefix, self.program, *words, "--database", self.database.url],
            cwd=self.folder,
            env=self.environment,
            input=stdin if stdin is not None else "",
            capture_output=True,
            text=True,
            timeout=60,
        )

    def command(self, *words: str, stdin: str | None = None):
        """Runs a command with `--json` and returns its value."""
        done = self.run(*words, "--json", stdin=stdin)
        assert done.returncode == 0, f"latchkey {' '.join(words)}: {done.stderr}{done.stdout}"
        return json.loads(done.stdout) if done.stdout.strip() else None

    def create_account(
        self, email: str | None = None, password: str | None = None, name: str | None = "Ada Lovelace"
    ) -> Account:
        email = email or f"ada.{secrets.token_hex(5)}@example.com"
        password = password or "correct horse " + secrets.token_hex(8)
        named = [] if name is None else ["--name", name]
        made = self.command("account", "create", "--email", email, *named, "--password-stdin", stdin=password + "\n")
        self.canaries.add("password", password)
        return Account(made["user_id"], email, password, name)

    def create_client(self, *options: str, name: str = "Example partner", **named) -> OAuthClient:
        """Registers a client; named arguments set up the toolkit's side of it (see `OAuthClient`)."""
        made = self.command("client", "create", "--name", name, *options)
        self.canaries.add("client secret", made.get("client_secret"))
        client = OAuthClient.from_registration(self, made, **named)
        if self.is_running:
            client.wait_until_known()
        return client
