"""What the load generator sends: form bodies, made of the tokens and codes that bench-server has written."""

import html
import json
import re
import subprocess
import urllib.parse
from pathlib import Path

from .databases import ROOT, Postgres, SQLite
from .process import ServerProcess

BENCH_SERVER = ROOT / ".build" / "release" / "bench-server"
REDIRECT_URI = "https://partner.example/callback"
VERIFIER = "dBjftJeZ4CVP-mBg92tKL7eTvoXbQSJDcjRPJyNUZYE"
CHALLENGE = "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM"
INTROSPECTED = 200
"""How many different tokens are introspected."""


class Bodies:
    """The files of one database."""

    def __init__(self, database: SQLite | Postgres):
        self.database = database
        self.folder = database.folder

    def command(self, name: str, *arguments: str) -> list[str | Path]:
        return [BENCH_SERVER, name, "--database", self.database.url, "--folder", self.folder, *arguments]

    def seed(self, name: str, *arguments: str) -> None:
        subprocess.run(self.command(name, *arguments), check=True)

    def lines(self, name: str) -> list[str]:
        return (self.folder / name).read_text().splitlines()

    @property
    def secrets(self) -> dict[str, str]:
        return dict(line.split(" ", 1) for line in self.lines("clients.txt"))

    def form(self, client: str, **parameters: str) -> str:
        """A body with the client's own credentials in it."""
        credentials = {"client_id": client, "client_secret": self.secrets[client]}
        return urllib.parse.urlencode(parameters | credentials)

    def write(self, name: str, bodies: list[str]) -> str:
        path = self.folder / f"{name}.bodies"
        path.write_text("".join(body + "\n" for body in bodies))
        return str(path)

    def refresh(self, client: str) -> list[str]:
        tokens = self.lines(f"refresh-{client}.txt")
        return [self.form(client, grant_type="refresh_token", refresh_token=token) for token in tokens]

    def codes(self, count: int) -> list[str]:
        """Codes issued at this moment: they live for a minute."""
        self.seed("codes", str(count))
        constant = self.form(
            "opaque", grant_type="authorization_code", redirect_uri=REDIRECT_URI, code_verifier=VERIFIER
        )
        return [f"{constant}&code={code}" for code in self.lines("codes.txt")]

    def successors(self, count: int) -> list[str]:
        """Refresh tokens that have not been used; each answer names the next one."""
        self.seed("successors", str(count))
        return self.refresh("successor")

    def introspection(self, server: ServerProcess, client: str) -> list[str]:
        bodies = []
        for body in self.refresh(client)[:INTROSPECTED]:
            _, _, answer = server.ask("POST", "/oauth/token", body)
            bodies.append(self.form("api", token=json.loads(answer)["access_token"]))
        return bodies

    def client_credentials(self, client: str) -> list[str]:
        return [self.form(client, grant_type="client_credentials")]

    def sign_in(self, server: ServerProcess) -> list[str]:
        """One sign-in page for each account, each in a browser of its own, with the right password filled in."""
        query = urllib.parse.urlencode(
            {
                "response_type": "code",
                "client_id": "opaque",
                "redirect_uri": REDIRECT_URI,
                "code_challenge": CHALLENGE,
                "code_challenge_method": "S256",
                "state": "bench",
            }
        )
        bodies = []
        for line in self.lines("accounts.txt"):
            email, password = line.split(" ", 1)
            _, headers, page = server.ask("GET", f"/oauth/authorize?{query}")
            found = re.search(r'name="transaction" value="([^"]+)"', page)
            cookies = [cookie.split(";")[0] for cookie in headers.get_all("Set-Cookie") or []]
            if not found or not cookies:
                raise SystemExit("bench: the authorization endpoint did not show its sign-in page")
            form = {"transaction": html.unescape(found.group(1)), "email": email, "password": password}
            bodies.append(urllib.parse.urlencode(form) + "\t" + "; ".join(cookies))
        return bodies
