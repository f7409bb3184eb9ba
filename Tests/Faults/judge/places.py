"""Other addresses of a node: through a line that goes wrong, on a database behind such a line."""

from __future__ import annotations

from dataclasses import dataclass
from urllib.parse import urlsplit

from toolkit.canaries import Canaries
from toolkit.databases import Postgres
from toolkit.process import Latchkey

from .lossy import Line


@dataclass
class Place:
    """Where partners find a node."""

    base: str
    issuer: str
    canaries: Canaries


def through(line: Line, node: Latchkey) -> Place:
    """A node as it is found at the near end of a line."""
    return Place(f"http://127.0.0.1:{line.port}", node.issuer, node.canaries)


def database_through(line: Line, database: Postgres) -> Postgres:
    """A database as it is found at the near end of a line."""
    return database.at(line.port)


def line_before(url: str) -> Line:
    """A line before the server of a `postgres://` address."""
    return Line(urlsplit(url).port)
