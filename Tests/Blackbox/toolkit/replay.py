"""Plays what a partner sends: its link, its token requests, in its order and its encoding."""

from __future__ import annotations

import json
import secrets
from dataclasses import dataclass, field, replace
from string import Template
from urllib.parse import parse_qsl, quote, quote_plus, urlsplit

import requests

from .client import Authorization, OAuthClient, Tokens, basic, challenge, tokens
from .person import Person
from .process import Latchkey
from .wire import send

FORM = "application/x-www-form-urlencoded"
JSON = "application/json"


def percent(text: str) -> str:
    """JavaScript's encodeURIComponent."""
    return quote(text, safe="-_.!~*'()")


def plus(text: str) -> str:
    """The form encoding of Java, Python and Ruby: a space is a plus."""
    return quote_plus(text)


def lenient(text: str) -> str:
    """What yarl does to a query: slashes and colons stay as they are."""
    return quote_plus(text, safe="/:?@")


@dataclass(frozen=True)
class Way:
    """One way in which a partner talks to the token endpoint: who it is, and the bodies word for word.

    In the bodies `$name` stands for a value; values are encoded as the content type has it.
    """

    name: str
    exchange: str
    refresh: str | None
    basic: str | None = None
    content_type: str = FORM

    def body(self, template: str, encode, values: dict[str, str]) -> bytes:
        if self.content_type.startswith(JSON):
            return Template(template).substitute({k: json.dumps(v) for k, v in values.items()}).encode()
        return Template(template).substitute({k: encode(v) for k, v in values.items()}).encode()


IN_BODY = Way(
    "in the body",
    "grant_type=authorization_code&code=$code&redirect_uri=$redirect_uri"
    "&client_id=$client_id&client_secret=$client_secret",
    "grant_type=refresh_token&refresh_token=$refresh_token&client_id=$client_id&client_secret=$client_secret",
)
BY_BASIC = Way(
    "by Basic",
    "grant_type=authorization_code&code=$code&redirect_uri=$redirect_uri",
    "grant_type=refresh_token&refresh_token=$refresh_token",
    basic="raw",
)
BY_ENCODED_BASIC = replace(BY_BASIC, name="by Basic, percent-encoded", basic="encoded")


@dataclass(frozen=True)
class Refusal:
    """What a partner expects of a refusal."""

    status: int
    error: str
    exactly: bool = False
    """Whether the body holds the error and nothing else."""

    def check(self, answer: requests.Response) -> None:
        assert answer.status_code == self.status, f"expected {self.status}, got {answer.status_code}: {answer.text}"
        body = answer.json()
        assert body["error"] == self.error, answer.text
        if self.exactly:
            assert body == {"error": self.error}
        assert "no-store" in answer.headers["Cache-Control"]
        assert answer.headers["Content-Type"].startswith(JSON)


INVALID_GRANT = Refusal(400, "invalid_grant")
INVALID_CLIENT = Refusal(401, "invalid_client")


@dataclass(frozen=True)
class Habits:
    """A partner as it behaves: the row of a profile in the table of `partner_table.py`."""

    profile: str
    redirect_uris: tuple[str, ...]
    """All that the client must have; the first is the one that is played."""
    values: dict[str, str] = field(default_factory=dict)
    """The operator's parts of the profile's redirect URIs."""
    options: tuple[str, ...] = ()
    """Further words of `client create`."""
    authorize_path: str = "/oauth/authorize"
    authorize: str = "response_type=code&client_id=$client_id&redirect_uri=$redirect_uri&scope=$scope&state=$state"
    scope: str | None = "locks.read locks.write"
    """What is asked for; None where the profile's default stands in."""
    state: str | None = "a+b/c=d e&f"
    encode: object = plus
    proves: bool = False
    """Whether it sends PKCE."""
    token_path: str = "/oauth/token"
    ways: tuple[Way, ...] = (IN_BODY,)
    headers: dict[str, str] = field(default_factory=dict)
    sends_issuer: bool = True
    """Whether the answer at its redirect URI carries `iss`."""
    members: frozenset[str] = frozenset({"access_token", "token_type", "expires_in", "refresh_token", "user_id"})
    rotates: bool = False
    api: str = "locks"
    """What it calls with its token: `locks`, `userinfo` or nothing of ours (`introspection`)."""
    wrong_code: Refusal = INVALID_GRANT
    wrong_refresh: Refusal = INVALID_GRANT
    wrong_secret: Refusal = INVALID_CLIENT
    deadline: float = 4.5
    """Within how many seconds the token endpoint must answer."""

    @property
    def refreshes(self) -> bool:
        return self.ways[0].refresh is not None

    @property
    def has_secret(self) -> bool:
        return any("client_secret" in way.exchange or way.basic for way in self.ways)

    @property
    def creation(self) -> list[str]:
        """The words that make its client."""
        words = ["client", "create", "--partner", self.profile]
        for name, value in self.values.items():
            words += ["--profile-value", f"{name}={value}"]
        return [*words, *self.options]


@dataclass
class Player:
    """A partner's client on one server, with one customer who signs in once."""

    server: Latchkey
    habits: Habits
    client: OAuthClient
    registration: dict
    person: Person
    resource: OAuthClient
    verifier: str = field(default_factory=lambda: secrets.token_urlsafe(48))

    @property
    def redirect_uri(self) -> str:
        return self.habits.redirect_uris[0]

    # The authorization endpoint

    def link(self, **changes) -> str:
        """The partner's link; a change to None takes the whole parameter out."""
        habits = self.habits
        values = {
            "client_id": self.client.client_id,
            "redirect_uri": self.redirect_uri,
            "scope": habits.scope or "",
            "state": habits.state or "",
            "resource": self.resource.registration["audiences"][0],
        } | {name: value for name, value in changes.items() if value is not None}
        pairs = [pair for pair in habits.authorize.split("&") if changes.get(pair.split("=")[0], "") is not None]
        query = Template("&".join(pairs)).substitute({k: habits.encode(v) for k, v in values.items()})
        if habits.proves:
            query += f"&code_challenge={challenge(self.verifier)}&code_challenge_method=S256"
        return f"{self.server.base}{habits.authorize_path}?{query}"

    def consent_page(self, **changes):
        page = self.person.visit(self.link(**changes))
        if page.sign_in_form:
            page = self.person.sign_in(page)
        assert page.consent_form, f"the person must be asked each time, got {page!r}"
        return page

    def authorize(self, decision: str = "allow", **changes) -> Authorization:
        page = self.person.decide(self.consent_page(**changes), decision)
        assert page.leaves, f"expected to be sent back to the partner, got {page!r}"
        return Authorization(page.target, self.client)

    def returned(self, back: Authorization) -> dict[str, str]:
        """The parameters of the answer, without those that the redirect URI had before."""
        before = parse_qsl(urlsplit(self.redirect_uri).query)
        return {name: value for name, value in back.parameters.items() if (name, value) not in before}

    # The token endpoint

    def _send(self, way: Way, template: str, **values) -> requests.Response:
        habits = self.habits
        values = {
            "client_id": self.client.client_id,
            "client_secret": self.client.client_secret or "",
            "redirect_uri": self.redirect_uri,
            "verifier": self.verifier,
            "resource": self.resource.registration["audiences"][0],
        } | values
        heads = habits.headers | {"Content-Type": way.content_type}
        if way.basic:
            heads |= basic(values["client_id"], values["client_secret"], encoded=way.basic == "encoded")
        body = way.body(template, habits.encode, values)
        answer = send("POST", self.server.base + habits.token_path, data=body, headers=heads)
        self.client.remember(answer)
        assert answer.elapsed.total_seconds() < habits.deadline, "the partner would have given up"
        return answer

    def exchange(self, code: str, way: Way | None = None, **values) -> requests.Response:
        way = way or self.habits.ways[0]
        template = way.exchange
        if self.habits.proves:
            template += "&code_verifier=$verifier"
        return self._send(way, template, code=code, **values)

    def refresh(self, token: str, way: Way | None = None, **values) -> requests.Response:
        way = way or self.habits.ways[0]
        return self._send(way, way.refresh, refresh_token=token, **values)

    def connect(self, way: Way | None = None) -> Tokens:
        return tokens(self.exchange(self.authorize().code, way))

    # What the tokens are good for

    def introspect(self, access_token: str) -> dict:
        """What the server says of a token: to the client itself, or to the API where the client has no secret."""
        return (self.client if self.client.client_secret else self.resource).introspect(access_token)

    def call(self, access_token: str) -> requests.Response:
        """What the partner calls with its token."""
        path = {"locks": "/v1/locks", "userinfo": "/oauth/userinfo"}.get(self.habits.api, self.habits.api)
        return send("GET", self.server.base + path, headers={"Authorization": f"Bearer {access_token}"})
