"""What the load generator sends: form bodies, made of the tokens and codes that bench-server has written."""

import base64
import hashlib
import html
import json
import re
import subprocess
import urllib.parse
from pathlib import Path

from .databases import ROOT, Place
from .process import ServerProcess

SHIPPED = ROOT / ".build" / "bench"
"""Where the programs lie that are measured."""
BENCH_SERVER = SHIPPED / "bench-server"
RELEASE = ROOT / ".build" / "release"
"""Where they lie as SwiftPM has linked them."""
REDIRECT_URI = "https://partner.example/callback"
VERIFIER = "dBjftJeZ4CVP-mBg92tKL7eTvoXbQSJDcjRPJyNUZYE"
CHALLENGE = base64.urlsafe_b64encode(hashlib.sha256(VERIFIER.encode()).digest()).rstrip(b"=").decode()
TOKENS = 200
"""How many different access tokens are introspected and presented."""
AUTHORIZATION = urllib.parse.urlencode(
    {
        "response_type": "code",
        "client_id": "opaque",
        "redirect_uri": REDIRECT_URI,
        "scope": "locks.read locks.write",
        "code_challenge": CHALLENGE,
        "code_challenge_method": "S256",
        "state": "bench",
    }
)


class Bodies:
    """The files of one database."""

    def __init__(
        self,
        place: Place,
        algorithm: str = "ES256",
        issuer: ServerProcess | None = None,
        server: Path = BENCH_SERVER,
    ):
        self.server = server
        """The program that writes them."""
        self.place = place
        self.folder = place.folder
        self.algorithm = algorithm
        self.issuer = issuer
        """Who issues the tokens that are presented to an API."""

    def command(self, name: str, *arguments: str) -> list[str | Path]:
        where = ["--database", self.place.url, "--folder", self.folder, "--algorithm", self.algorithm]
        return [self.server, name, *where, *arguments]

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
        secret = self.secrets[client]
        start = {"grant_type": "refresh_token"}
        end = urllib.parse.urlencode({"client_id": client, "client_secret": secret})
        tokens = self.lines(f"refresh-{client}.txt")
        return [f"{urllib.parse.urlencode(start | {'refresh_token': token})}&{end}" for token in tokens]

    def connections(self, client: str, count: int) -> list[str]:
        """Refreshes of new connections, whose tokens have not been used."""
        self.seed("connect", client, str(count))
        return self.refresh(client)

    @property
    def exchange(self) -> str:
        """The body of a code exchange, up to the code."""
        constant = self.form(
            "opaque", grant_type="authorization_code", redirect_uri=REDIRECT_URI, code_verifier=VERIFIER
        )
        return constant + "&code="

    def codes(self, count: int) -> list[str]:
        """Codes issued at this moment: they live for a minute."""
        self.seed("codes", str(count))
        exchange = self.exchange
        return [exchange + code for code in self.lines("codes.txt")]

    def visits(self, count: int) -> list[str]:
        """Authorizations of new people who are signed in and have allowed the client before, and how their codes are
        exchanged: the query, the cookies and the body's beginning."""
        self.seed("visitors", str(count))
        exchange = self.exchange
        return [f"{AUTHORIZATION}\t{cookies}\t{exchange}" for cookies in self.lines("visitors.txt")]

    def access_tokens(self, server: ServerProcess, client: str) -> list[str]:
        tokens = []
        for body in self.refresh(client)[:TOKENS]:
            _, _, answer = server.ask("POST", "/oauth/token", body)
            tokens.append(json.loads(answer)["access_token"])
        return tokens

    def guarded(self, client: str) -> list[str]:
        """Access tokens for the API."""
        if self.issuer is None:
            raise SystemExit("bench: nobody issues tokens for this API")
        return self.access_tokens(self.issuer, client)

    def introspection(self, server: ServerProcess, client: str) -> list[str]:
        return [self.form("api", token=token) for token in self.access_tokens(server, client)]

    def client_credentials(self, client: str) -> list[str]:
        return [self.form(client, grant_type="client_credentials")]

    def revocations(self, count: int) -> list[str]:
        """Revocations of new connections, each by its refresh token."""
        self.seed("connect", "leaving", str(count))
        end = self.form("leaving")
        return [f"token={token}&{end}" for token in self.lines("refresh-leaving.txt")]

    def sign_in(self, server: ServerProcess) -> list[str]:
        """One sign-in page for each account, each in a browser of its own, with the right password filled in."""
        bodies = []
        for line in self.lines("accounts.txt"):
            email, password = line.split(" ", 1)
            _, headers, page = server.ask("GET", f"/oauth/authorize?{AUTHORIZATION}")
            found = re.search(r'name="transaction" value="([^"]+)"', page)
            cookies = [cookie.split(";")[0] for cookie in headers.get_all("Set-Cookie") or []]
            if not found or not cookies:
                raise SystemExit("bench: the authorization endpoint did not show its sign-in page")
            form = {"transaction": html.unescape(found.group(1)), "email": email, "password": password}
            bodies.append(urllib.parse.urlencode(form) + "\t" + "; ".join(cookies))
        return bodies
