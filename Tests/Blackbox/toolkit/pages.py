"""Reads an HTML page as a person without a browser would: its text, its headings, its forms."""

import re
from dataclasses import dataclass, field
from html.parser import HTMLParser
from urllib.parse import urljoin, urlsplit

import requests


@dataclass
class Form:
    """A form: where it goes, what it carries, what can be pressed."""

    action: str
    method: str
    fields: dict[str, str] = field(default_factory=dict)
    types: dict[str, str] = field(default_factory=dict)
    buttons: list[tuple[str, str, str]] = field(default_factory=list)

    @property
    def asks_for_password(self) -> bool:
        return "password" in self.types.values()

    @property
    def asks_for_decision(self) -> bool:
        return any(name == "decision" for name, _, _ in self.buttons)


class _Reader(HTMLParser):
    """Collects the forms and the visible text of a page."""

    SILENT = {"script", "style", "template", "title"}
    BREAKING = {
        "p",
        "div",
        "li",
        "h1",
        "h2",
        "h3",
        "dt",
        "dd",
        "br",
        "button",
        "label",
        "form",
        "section",
        "main",
        "tr",
    }

    def __init__(self, url: str):
        super().__init__(convert_charrefs=True)
        self.url = url
        self.forms: list[Form] = []
        self.words: list[str] = []
        self.links: list[str] = []
        self.form: Form | None = None
        self.button: list[str] | None = None
        self.silent = 0

    def handle_starttag(self, tag, attributes):
        values = {name: value or "" for name, value in attributes}
        if tag in self.SILENT:
            self.silent += 1
        if tag in self.BREAKING:
            self.words.append("\n")
        if tag == "a" and "href" in values:
            self.links.append(urljoin(self.url, values["href"]))
        if tag == "form":
            action = urljoin(self.url, values.get("action") or self.url)
            self.form = Form(action, values.get("method", "get").lower())
            self.forms.append(self.form)
        elif self.form is not None and tag == "input":
            self._input(values)
        elif self.form is not None and tag == "button":
            self.button = [values.get("name", ""), values.get("value", ""), ""]

    def _input(self, values):
        kind, name = values.get("type", "text").lower(), values.get("name", "")
        if kind == "submit":
            self.form.buttons.append((name, values.get("value", ""), values.get("value", "")))
        elif name and (kind not in {"checkbox", "radio"} or "checked" in values):
            self.form.fields[name] = values.get("value", "on" if kind in {"checkbox", "radio"} else "")
            self.form.types[name] = kind

    def handle_endtag(self, tag):
        if tag in self.SILENT:
            self.silent -= 1
        if tag in self.BREAKING:
            self.words.append("\n")
        if tag == "form":
            self.form = None
        if tag == "button" and self.button is not None:
            name, value, text = self.button
            self.form.buttons.append((name, value, text.strip()))
            self.button = None

    def handle_data(self, data):
        if self.button is not None:
            self.button[2] += data
        if not self.silent:
            self.words.append(data)


class Page:
    """One answer of the server, read as a page, or as a redirect that leaves the server."""

    def __init__(self, response: requests.Response, server: set[str]):
        self.response = response
        self.status = response.status_code
        self.headers = response.headers
        self.url = response.url
        self.html = response.text if "html" in response.headers.get("Content-Type", "") else ""
        reader = _Reader(response.url)
        reader.feed(self.html)
        self.forms = reader.forms
        self.links = reader.links
        self.text = re.sub(r"[ \t]+", " ", re.sub(r"\s*\n\s*", "\n", "".join(reader.words))).strip()
        self.location = response.headers.get("Location")
        self.target = urljoin(response.url, self.location) if self.location is not None else None
        self.leaves = self.target is not None and _origin(self.target) not in {_origin(url) for url in server}

    @property
    def sign_in_form(self) -> Form | None:
        return next((form for form in self.forms if form.asks_for_password), None)

    @property
    def consent_form(self) -> Form | None:
        return next((form for form in self.forms if form.asks_for_decision), None)

    def __repr__(self) -> str:
        return f"<{self.status} {self.url} → {self.target}>\n{self.text[:600]}"


def _origin(url: str) -> str:
    place = urlsplit(url)
    return f"{place.scheme}://{place.netloc}"
