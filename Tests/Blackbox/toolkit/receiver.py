"""A company's webhook receiver on loopback: it verifies signatures by itself, as docs/webhooks.md shows."""

import base64
import hashlib
import hmac
import time
from collections.abc import Callable

from .site import Answer, Asked, Site

TOLERANCE = 5 * 60


def verify(secret: str, headers: dict[str, str], body: bytes) -> bool:
    """Whether a message is genuine and new, by the Standard Webhooks specification; written for the tests alone."""
    key = base64.b64decode(secret.removeprefix("whsec_"))
    message_id, timestamp = headers["webhook-id"], headers["webhook-timestamp"]
    if abs(time.time() - int(timestamp)) > TOLERANCE:
        return False
    signed = f"{message_id}.{timestamp}.".encode() + body
    wanted = base64.b64encode(hmac.new(key, signed, hashlib.sha256).digest()).decode()
    versions = [one.split(",", 1) for one in headers["webhook-signature"].split(" ")]
    return any(version == "v1" and hmac.compare_digest(given, wanted) for version, given in versions)


class Message(Asked):
    """One delivery."""

    @property
    def id(self) -> str:
        return self.headers["webhook-id"]


class Receiver(Site):
    """Answers every message as it is told: with 204 when nothing is said."""

    kind = Message
    path = "/hook"

    def __init__(self, answer: Callable[[Message], Answer] = lambda _: 204, port: int = 0):
        super().__init__(answer, port=port)

    def of(self, kind: str) -> list[Message]:
        return [one for one in self.asked if one.json["type"] == kind]
