"""Remembers every secret that a run has seen, and looks for traces of them where none may be."""

import base64
import binascii
from dataclasses import dataclass, field

WINDOW = 16


def _decoded(value: str) -> bytes | None:
    """The bytes behind a base64url value, without its prefix such as `lkr_`."""
    body = value.split("_", 1)[1] if value[:4] in {"lkr_", "lka_", "lks_", "lkk_", "lkc_"} else value.rsplit(".", 1)[-1]
    try:
        return base64.urlsafe_b64decode(body + "=" * (-len(body) % 4))
    except (binascii.Error, ValueError):
        return None


def _spellings(value: str) -> set[bytes]:
    """The ends of all the forms in which a value could lie on a disk.

    Only the last part of a value is looked for: the first part of a token may be public (a header, a connection's id).
    """
    whole = value.encode()
    tail = whole[-24:]
    forms = {tail}
    for content in {tail, (_decoded(value) or b"")[-24:]} - {b""}:
        if len(content) < 8:
            continue
        forms |= {content, content.hex().encode(), content.hex().upper().encode()}
        for shift in range(3):
            # The first and last characters of a shifted base64 text depend on its neighbours: they are cut off.
            for encode in (base64.b64encode, base64.urlsafe_b64encode):
                text = encode(b"\0" * shift + content).rstrip(b"=")
                forms.add(text[4:-2] if shift else text[:-2])
    return {form for form in forms if len(form) >= 8}


@dataclass
class Canaries:
    """The secrets of one server, each with a word for what it is."""

    secrets: dict[str, str] = field(default_factory=dict)

    def add(self, kind: str, value: str | None) -> None:
        """Remembers a secret; values under eight characters are too short to tell from chance."""
        if value and len(value) >= 8:
            self.secrets.setdefault(value, kind)

    def found_in(self, content: bytes) -> list[str]:
        """What kinds of secrets lie in the content, with the first characters of each."""
        long: dict[bytes, list[tuple[bytes, str]]] = {}
        found = set()
        for value, kind in list(self.secrets.items()):
            label = f"{kind} {value[:8]}…"
            for form in _spellings(value):
                if len(form) >= WINDOW:
                    long.setdefault(form[-WINDOW:], []).append((form, label))
                elif form in content:
                    found.add(label)
        for start in range(len(content) - WINDOW + 1):
            for form, label in long.get(content[start : start + WINDOW], ()):
                end = start + WINDOW
                if content[max(0, end - len(form)) : end] == form:
                    found.add(label)
        return sorted(found)
