"""One server with a client of every partner profile, and one customer who connects them all."""

from __future__ import annotations

import functools
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from .client import OAuthClient
from .databases import Postgres, SQLite
from .person import Person
from .process import Latchkey
from .replay import Habits, Player

AUDIENCE = "https://mcp.acme.example/mcp"
VALUES = {"gpt-actions": "gpt_id=g-0123abcdef", "zapier": "app_id=App1234CLIAPI"}
"""What an operator says for the profiles' redirect URIs, for those clients that others' libraries play."""


@functools.cache
def profile_client(server: Latchkey, name: str) -> OAuthClient:
    """One of a shared server's standard clients, or its one client of the partner profile of that name."""
    if known := getattr(server.partners, name, None):
        return known
    value = ("--profile-value", VALUES[name]) if name in VALUES else ()
    scopes = ("--scope", "locks.read", "--scope", "locks.write")
    return server.create_client("--partner", name, *value, *scopes, name=name)


class Stage:
    """Where partners are played; `table` has a row for each of them."""

    def __init__(
        self,
        database: SQLite | Postgres,
        folder: Path,
        table: dict[str, Habits],
        environment: dict[str, str] | None = None,
    ):
        settings = {"LATCHKEY_SCOPES": "locks.read,locks.write"} | (environment or {})
        self.server = Latchkey(database, folder, environment=settings)
        # The first command makes the database, so that the others find it.
        self.resource = self.server.create_client("--audience", AUDIENCE, name="MCP server of Acme")
        with ThreadPoolExecutor(4) as pool:
            made = list(pool.map(self.create, table.values()))
        account = self.server.create_account()
        self.person = Person(self.server, account)
        self.players = {player.habits.profile: player for player in made}
        for player in made:
            player.person = self.person
        self.server.start()

    def create(self, habits: Habits) -> Player:
        """Registers the client of a partner, as an operator does."""
        made = self.server.command(*habits.creation)
        self.server.canaries.add("client secret", made.get("client_secret"))
        client = OAuthClient.from_registration(
            self.server, made, proves=habits.proves, redirect_uri=habits.redirect_uris[0], scope=habits.scope
        )
        return Player(self.server, habits, client, made, None, self.resource)

    def player(self, profile: str) -> Player:
        """The partner of this profile."""
        return self.players[profile]

    def variant(self, habits: Habits) -> Player:
        """One more client of a partner, with other options."""
        player = self.create(habits)
        player.person = self.person
        player.client.wait_until_known()
        return player
