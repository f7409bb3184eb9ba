"""The programs as `latchkey serve` is shipped: with Swift's libraries inside, and stripped."""

import os
import subprocess
import sys
from pathlib import Path

from .databases import ROOT, Postgres, SQLite
from .process import ServerProcess, free_port


def ship(product: str, folder: Path) -> Path:
    """Links the release build of a product as `make deb` does, and strips it as that does."""
    program = folder / product
    relink = [sys.executable, ROOT / "scripts" / "relink.py", "--release", product, program]
    ended = subprocess.run(relink, text=True, capture_output=True, check=False)
    if ended.returncode != 0:
        raise SystemExit(f"bench: the release build of {product} could not be linked.\n{ended.stdout}{ended.stderr}")
    subprocess.run(["strip", "--strip-debug", program], check=True)
    return program


class Program:
    """A program on a database that bench-server has prepared."""

    def __init__(self, program: Path, database: SQLite | Postgres):
        self.program = program
        self.database = database
        clean = {name: value for name, value in os.environ.items() if not name.startswith("LATCHKEY_")}
        # bench-server writes the key in the URL-safe alphabet, which the program reads too.
        key = (database.folder / "secret-key").read_text().strip()
        # A server that is installed here has settings of its own.
        self.environment = clean | {"LATCHKEY_CONFIG": "/dev/null", "LATCHKEY_SECRET_KEY": key}

    def serve(self, *under: str) -> ServerProcess:
        """Starts it, under another program's eyes perhaps; wait until it is ready."""
        port = free_port()
        command = [*under, self.program, "serve", "--database", self.database.url, "--listen", f"127.0.0.1:{port}"]
        return ServerProcess(command, port, self.database.folder / "latchkey.log", self.environment)

    def migrate(self) -> None:
        command = [self.program, "migrate", "--database", self.database.url]
        subprocess.run(command, check=True, cwd=self.database.folder, env=self.environment, capture_output=True)
