"""An OpenTelemetry collector on loopback that remembers the spans it was sent (OTLP over HTTP, JSON)."""

import re
from dataclasses import dataclass

from .site import Answer, Asked, Site


@dataclass
class Span:
    """A span as it was sent."""

    trace: str
    id: str
    parent: str | None
    name: str
    kind: int
    start: int
    end: int
    attributes: dict[str, str | int]
    failed: bool


def value(typed: dict[str, str]) -> str | int:
    """What an attribute says, in its own type."""
    ((kind, text),) = typed.items()
    return {"stringValue": str, "intValue": int}[kind](text)


def spans_of(body: dict) -> list[Span]:
    """The spans of a request; whatever is not as the protocol has it fails."""
    found = []
    for resource in body["resourceSpans"]:
        service = {one["key"]: one["value"]["stringValue"] for one in resource["resource"]["attributes"]}
        assert service == {"service.name": "latchkey"}
        for scope in resource["scopeSpans"]:
            for span in scope["spans"]:
                assert re.fullmatch("[0-9a-f]{32}", span["traceId"])
                assert re.fullmatch("[0-9a-f]{16}", span["spanId"])
                start, end = int(span["startTimeUnixNano"]), int(span["endTimeUnixNano"])
                assert isinstance(span["startTimeUnixNano"], str)
                assert start <= end
                attributes = {one["key"]: value(one["value"]) for one in span["attributes"]}
                failed = span.get("status", {}).get("code") == 2
                parent = span.get("parentSpanId")
                found.append(
                    Span(
                        span["traceId"],
                        span["spanId"],
                        parent,
                        span["name"],
                        span["kind"],
                        start,
                        end,
                        attributes,
                        failed,
                    )
                )
    return found


class Collector(Site):
    """Takes spans, or answers with another status than 200 and takes none."""

    path = "/v1/traces"

    def __init__(self, status: int = 200):
        self.status = status
        self.spans: list[Span] = []
        super().__init__(self._take)

    def _take(self, asked: Asked) -> Answer:
        assert asked.headers["content-type"] == "application/json"
        if self.status == 200:
            self.spans += spans_of(asked.json)
        return self.status, {}, b"{}"

    @property
    def content(self) -> bytes:
        """Everything that it was sent."""
        return b"".join(asked.body for asked in self.asked)

    def named(self, name: str) -> list[Span]:
        return [span for span in self.spans if span.name == name]
