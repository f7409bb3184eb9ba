"""What is measured: for each scenario how its requests are made and how its answer must look."""

from collections.abc import Callable
from dataclasses import dataclass

from .bodies import Bodies
from .process import ServerProcess

SUCCESSORS = 256
"""Connections of a run whose refresh tokens change; more than there are connections to the server."""


@dataclass(frozen=True)
class Scenario:
    """One kind of request."""

    name: str
    title: str
    path: str
    lines: Callable[[Bodies, ServerProcess, int], list[str]] | None = None
    """Makes the lines that are sent, given how many are wanted where each can be sent once only; None for a GET."""
    script: str = "forms.lua"
    status: int = 200
    holds: str = '"access_token"'
    """What the body of a good answer holds."""
    is_fresh: bool = False
    """Whether the lines must be made anew for each run."""
    is_of_program: bool = False
    """Whether `latchkey serve` is asked, and not the server that has the fixed answer too."""
    is_judged: bool = False
    """Whether a floor stands on its ratio to the fixed answer, which is therefore measured just before it."""

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
        is_of_program=True, is_judged=True,
    ),
    Scenario(
        "program-refresh-jwt", "the same, by latchkey serve: JWT", "/oauth/token",
        lambda bodies, server, count: bodies.refresh("jwt"),
        is_of_program=True, is_judged=True,
    ),
    Scenario(
        "refresh-successor", "refresh, opaque, successor", "/oauth/token",
        lambda bodies, server, count: bodies.successors(SUCCESSORS),
        script="chain.lua", is_fresh=True,
    ),
    Scenario(
        "code", "code exchange", "/oauth/token",
        lambda bodies, server, count: bodies.codes(count),
        script="once.lua", is_fresh=True,
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
        "client-credentials-opaque", "client credentials, opaque", "/oauth/token",
        lambda bodies, server, count: bodies.client_credentials("opaque"),
    ),
    Scenario(
        "client-credentials-jwt", "client credentials, JWT", "/oauth/token",
        lambda bodies, server, count: bodies.client_credentials("jwt"),
    ),
    Scenario(
        "sign-in", "sign-in (Argon2id)", "/login",
        lambda bodies, server, count: bodies.sign_in(server),
        script="sign-in.lua", status=303, holds="", is_fresh=True,
    ),
    Scenario("jwks", "JWKS", "/oauth/jwks", script="get.lua", holds='"keys"'),
]  # fmt: skip
