"""The program itself, `latchkey serve`, beside the server that has the fixed answer too."""

import os
import subprocess

from .databases import ROOT, Postgres, SQLite
from .process import ServerProcess, free_port

LATCHKEY = ROOT / ".build" / "release" / "latchkey"


class Program:
    """The release build on a database that bench-server has prepared."""

    def __init__(self, database: SQLite | Postgres):
        self.database = database
        clean = {name: value for name, value in os.environ.items() if not name.startswith("LATCHKEY_")}
        # bench-server writes the key in the URL-safe alphabet, which the program reads too.
        self.environment = clean | {"LATCHKEY_SECRET_KEY": (database.folder / "secret-key").read_text().strip()}

    @staticmethod
    def is_built() -> bool:
        return LATCHKEY.exists()

    def serve(self) -> ServerProcess:
        """Starts it; wait until it is ready."""
        port = free_port()
        command = [LATCHKEY, "serve", "--database", self.database.url, "--listen", f"127.0.0.1:{port}"]
        return ServerProcess(command, port, self.database.folder / "latchkey.log", self.environment)

    def migrate(self) -> None:
        command = [LATCHKEY, "migrate", "--database", self.database.url]
        subprocess.run(command, check=True, cwd=self.database.folder, env=self.environment, capture_output=True)
