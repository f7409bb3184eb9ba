"""What is measured: for each scenario how its requests are made and how its answer must look."""

from collections.abc import Callable
from dataclasses import dataclass

from .bodies import Bodies
from .process import ServerProcess

SUCCESSORS = 512
"""Connections of a run whose refresh tokens change; more than there are connections to the server."""
VISITORS = 1000
"""People of a run who are signed in and have consented before."""

Answer = tuple[int, str]


def posted(server: ServerProcess, path: str, line: str) -> Answer:
    """A form, and behind a tab a cookie."""
    body, _, cookie = line.partition("\t")
    status, _, answer = server.ask("POST", path, body, {"Cookie": cookie} if cookie else {})
    return status, answer


def got(server: ServerProcess, path: str, line: str) -> Answer:
    """A page or a document, for the token that the line is, if it is one."""
    status, _, answer = server.ask("GET", path, None, {"Authorization": f"Bearer {line}"} if line else {})
    return status, answer


def connected(server: ServerProcess, path: str, line: str) -> Answer:
    """An authorization that goes straight to its code, and the exchange of it."""
    query, cookie, exchange = line.split("\t")
    status, headers, page = server.ask("GET", f"{path}?{query}", None, {"Cookie": cookie})
    _, found, code = headers.get("Location", "").partition("?code=")
    if not found:
        return status, page
    return posted(server, "/oauth/token", exchange + code.partition("&")[0])


@dataclass(frozen=True)
class Scenario:
    """One kind of request."""

    name: str
    title: str
    path: str
    lines: Callable[[Bodies, ServerProcess, int], list[str]] | None = None
    """Makes the lines that are sent, given how many are wanted where each is sent once only; None for a plain GET."""
    script: str = "forms.lua"
    ask: Callable[[ServerProcess, str, str], Answer] = posted
    """Sends one of the lines as the script does."""
    status: int = 200
    holds: str = '"access_token"'
    """What the body of a good answer holds."""
    is_fresh: bool = False
    """Whether the lines must be made anew for each run."""
    site: str = "server"
    """Which of the servers is asked (`Sites`)."""
    leaves_work: bool = False
    """Whether the server goes on working for requests whose callers have gone: the next run waits until it is done."""
    is_judged: bool = False
    """Whether a demand stands on its ratio to the fixed answer, which is therefore measured just before it."""

    @property
    def is_sent_once(self) -> bool:
        return self.script == "once.lua"


FIXED = Scenario("fixed", "fixed JSON, the ceiling", "/fixed", lambda bodies, server, count: bodies.refresh("opaque"))

SCENARIOS = [
    Scenario(
        "refresh-opaque", "refresh, opaque, stable", "/oauth/token",
        lambda bodies, server, count: bodies.refresh("opaque"),
        is_judged=True,
    ),
    Scenario(
        "refresh-jwt", "refresh, ES256 JWT, stable", "/oauth/token",
        lambda bodies, server, count: bodies.refresh("jwt"),
        is_judged=True,
    ),
    Scenario(
        "program-refresh-opaque", "the same, by latchkey serve: opaque", "/oauth/token",
        lambda bodies, server, count: bodies.refresh("opaque"),
        site="program", is_judged=True,
    ),
    Scenario(
        "program-refresh-jwt", "the same, by latchkey serve: ES256 JWT", "/oauth/token",
        lambda bodies, server, count: bodies.refresh("jwt"),
        site="program", is_judged=True,
    ),
    Scenario(
        "refresh-eddsa", "refresh, EdDSA JWT, stable", "/oauth/token",
        lambda bodies, server, count: bodies.refresh("jwt"),
        site="eddsa",
    ),
    Scenario(
        "refresh-rs256", "refresh, RS256 JWT, stable", "/oauth/token",
        lambda bodies, server, count: bodies.refresh("jwt"),
        site="rs256",
    ),
    Scenario(
        "refresh-successor", "refresh, opaque, successor", "/oauth/token",
        lambda bodies, server, count: bodies.connections("successor", SUCCESSORS),
        script="chain.lua", is_fresh=True,
    ),
    Scenario(
        "code", "code exchange", "/oauth/token",
        lambda bodies, server, count: bodies.codes(count),
        script="once.lua", is_fresh=True, is_judged=True,
    ),
    Scenario(
        "authorize", "authorization and its code exchange", "/oauth/authorize",
        lambda bodies, server, count: bodies.visits(VISITORS),
        script="connect.lua", ask=connected, is_fresh=True,
    ),
    Scenario(
        "introspect-opaque", "introspection, opaque", "/oauth/introspect",
        lambda bodies, server, count: bodies.introspection(server, "opaque"),
        holds='"active":true',
    ),
    Scenario(
        "introspect-jwt", "introspection, JWT", "/oauth/introspect",
        lambda bodies, server, count: bodies.introspection(server, "jwt"),
        holds='"active":true',
    ),
    Scenario(
        "guard-jwt", "OAuthGuard, JWT, offline", "/offline/whoami",
        lambda bodies, server, count: bodies.guarded("jwt"),
        script="bearer.lua", ask=got, holds="usr_", site="api",
    ),
    Scenario(
        "guard-opaque", "OAuthGuard, opaque, introspection", "/introspected/whoami",
        lambda bodies, server, count: bodies.guarded("opaque"),
        script="bearer.lua", ask=got, holds="usr_", site="api",
    ),
    Scenario(
        "user-info", "user info", "/oauth/userinfo",
        lambda bodies, server, count: bodies.access_tokens(server, "opaque"),
        script="bearer.lua", ask=got, holds='"sub"',
    ),
    Scenario(
        "client-credentials-opaque", "client credentials, opaque", "/oauth/token",
        lambda bodies, server, count: bodies.client_credentials("opaque"),
    ),
    Scenario(
        "client-credentials-jwt", "client credentials, JWT", "/oauth/token",
        lambda bodies, server, count: bodies.client_credentials("jwt"),
    ),
    Scenario(
        "revoke", "revocation of a connection, by latchkey serve", "/oauth/revoke",
        lambda bodies, server, count: bodies.revocations(count),
        script="once.lua", is_fresh=True, holds="{}", site="program",
    ),
    Scenario(
        "sign-in", "sign-in (Argon2id)", "/login",
        lambda bodies, server, count: bodies.sign_in(server),
        script="shedding.lua", status=303, holds="", is_fresh=True, leaves_work=True,
    ),
    Scenario("jwks", "JWKS", "/oauth/jwks", script="get.lua", ask=got, holds='"keys"'),
    Scenario(
        "metadata", "metadata", "/.well-known/oauth-authorization-server",
        script="get.lua", ask=got, holds='"issuer"',
    ),
]  # fmt: skip
