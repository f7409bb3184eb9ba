"""A partner's OAuth client: it makes authorization links, and talks to the token endpoint."""

from __future__ import annotations

import base64
import hashlib
import json
import secrets
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING
from urllib.parse import parse_qsl, quote, urlencode, urlsplit

import requests

from .waiting import eventually
from .wire import send

if TYPE_CHECKING:
    from .process import Latchkey


def challenge(verifier: str) -> str:
    """The S256 challenge of a PKCE verifier (RFC 7636 §4.2)."""
    return base64.urlsafe_b64encode(hashlib.sha256(verifier.encode()).digest()).rstrip(b"=").decode()


def basic(client_id: str, secret: str, encoded: bool = False) -> dict[str, str]:
    """An Authorization header by Basic, raw or with both halves percent-encoded (RFC 6749 §2.3.1)."""
    if encoded:
        client_id, secret = quote(client_id, safe=""), quote(secret, safe="")
    return {"Authorization": "Basic " + base64.b64encode(f"{client_id}:{secret}".encode()).decode()}


@dataclass
class Authorization:
    """What came back to the partner's redirect URI."""

    location: str
    client: OAuthClient

    @property
    def parameters(self) -> dict[str, str]:
        pairs = parse_qsl(urlsplit(self.location).query, keep_blank_values=True)
        assert len(dict(pairs)) == len(pairs), f"a parameter came back twice: {self.location}"
        return dict(pairs)

    @property
    def code(self) -> str:
        assert "code" in self.parameters, f"no code came back: {self.location}"
        return self.parameters["code"]

    @property
    def error(self) -> str | None:
        return self.parameters.get("error")


@dataclass
class Tokens:
    """A token response."""

    body: dict

    @property
    def access(self) -> str:
        return self.body["access_token"]

    @property
    def refresh(self) -> str:
        return self.body["refresh_token"]

    @property
    def user_id(self) -> str:
        return self.body["user_id"]


@dataclass
class OAuthClient:
    """One registered client; `authentication` is `post`, `basic` or `none`."""

    server: Latchkey
    client_id: str
    client_secret: str | None
    redirect_uri: str | None
    scope: str | None
    authentication: str = "post"
    proves: bool = False
    registration: dict = field(default_factory=dict)
    verifier: str = field(default_factory=lambda: secrets.token_urlsafe(48))

    @classmethod
    def from_registration(cls, server: Latchkey, made: dict, **named) -> OAuthClient:
        secret = made.get("client_secret")
        uris, scopes = made.get("redirect_uris") or [None], made.get("scopes") or []
        named.setdefault("authentication", "post" if secret else "none")
        # PKCE is required of every client whose partner's profile does not make it optional.
        named.setdefault("proves", made.get("partner") is None)
        named.setdefault("redirect_uri", uris[0])
        named.setdefault("scope", " ".join(scopes) or None)
        return cls(server, made["client_id"], secret, registration=made, **named)

    def at(self, server: Latchkey) -> OAuthClient:
        """The same client, talking to another node."""
        return replace(self, server=server)

    def using(self, **changes) -> OAuthClient:
        """The same client with some of its values changed."""
        return replace(self, **changes)

    # The authorization endpoint

    def parameters(self, **changes) -> dict[str, str]:
        """An authorization request; a change to None leaves the parameter out."""
        request = {
            "response_type": "code",
            "client_id": self.client_id,
            "redirect_uri": self.redirect_uri,
            "scope": self.scope,
            "state": "state-" + secrets.token_urlsafe(9),
        }
        if self.proves:
            request |= {"code_challenge": challenge(self.verifier), "code_challenge_method": "S256"}
        return {name: value for name, value in (request | changes).items() if value is not None}

    def authorize_url(self, **changes) -> str:
        return f"{self.server.base}/oauth/authorize?{urlencode(self.parameters(**changes))}"

    def wait_until_known(self, seconds: float = 5) -> None:
        """Waits until a running server knows this client; it may take the design's two seconds."""
        form = {"grant_type": "authorization_code", "code": "x", "redirect_uri": "x"}
        what = f"the server has not learnt of client {self.client_id}"
        eventually(lambda: self.post("/oauth/token", form).status_code != 401, seconds, what, pause=0.1)

    # The token endpoint and its neighbours

    def post(self, path: str, form: dict | list, headers: dict | None = None) -> requests.Response:
        """An authenticated form POST. A value None in the form leaves the parameter out."""
        pairs = list(form.items()) if isinstance(form, dict) else list(form)
        heads = dict(headers or {})
        if self.authentication == "basic":
            heads |= basic(self.client_id, self.client_secret)
        else:
            names = {name for name, _ in pairs}
            if "client_id" not in names:
                pairs.append(("client_id", self.client_id))
            if self.authentication == "post" and "client_secret" not in names:
                pairs.append(("client_secret", self.client_secret))
        pairs = [(name, value) for name, value in pairs if value is not None]
        heads.setdefault("Content-Type", "application/x-www-form-urlencoded")
        answer = send("POST", self.server.base + path, data=urlencode(pairs), headers=heads)
        self.remember(answer)
        return answer

    def remember(self, answer: requests.Response) -> None:
        if answer.status_code != 200 or "json" not in answer.headers.get("Content-Type", ""):
            return
        body = answer.json()
        if isinstance(body, dict):
            self.keep_secret(body)

    def keep_secret(self, body: dict) -> None:
        """Has the tokens of an answer looked for where they must not be."""
        self.server.canaries.add("access token", body.get("access_token"))
        self.server.canaries.add("refresh token", body.get("refresh_token"))

    def exchange_form(self, code: str, **changes) -> dict:
        form = {"grant_type": "authorization_code", "code": code, "redirect_uri": self.redirect_uri}
        if self.proves:
            form["code_verifier"] = self.verifier
        return form | changes

    def exchange(self, code: str, **changes) -> requests.Response:
        self.server.canaries.add("code", code)
        if self.proves:
            self.server.canaries.add("verifier", self.verifier)
        return self.post("/oauth/token", self.exchange_form(code, **changes))

    def refresh(self, refresh_token: str, **changes) -> requests.Response:
        return self.post("/oauth/token", {"grant_type": "refresh_token", "refresh_token": refresh_token} | changes)

    def client_credentials(self, **changes) -> requests.Response:
        return self.post("/oauth/token", {"grant_type": "client_credentials"} | changes)

    def introspect(self, token: str, **changes) -> dict:
        answer = self.post("/oauth/introspect", {"token": token} | changes)
        assert answer.status_code == 200, f"{answer.status_code} {answer.text}"
        return answer.json()

    def revoke(self, token: str, **changes) -> requests.Response:
        return self.post("/oauth/revoke", {"token": token} | changes)

    # Whole answers

    def redeem(self, authorization: Authorization) -> Tokens:
        return tokens(self.exchange(authorization.code))

    def refreshed(self, refresh_token: str) -> Tokens:
        return tokens(self.refresh(refresh_token))

    def locks(self, access_token: str) -> requests.Response:
        """Calls the company's API with a token."""
        return send("GET", self.server.base + "/v1/locks", headers={"Authorization": f"Bearer {access_token}"})

    def secret_form(self) -> dict[str, str]:
        """This client's credentials as members of a form."""
        return {"client_id": self.client_id} | ({"client_secret": self.client_secret} if self.client_secret else {})


def tokens(answer: requests.Response) -> Tokens:
    """The tokens of an answer that must be good."""
    assert answer.status_code == 200, f"{answer.status_code} {answer.text}"
    return Tokens(answer.json())


def refusal(answer, status: int, *errors: str) -> dict:
    """Checks that an answer is an OAuth refusal in JSON with one of the errors, and returns its body."""
    code = getattr(answer, "status_code", None) or answer.status
    body = answer.text
    assert code == status, f"expected {status}, got {code}: {body}"
    value = json.loads(body)
    assert value.get("error") in errors, f"expected {errors}, got {value}"
    assert "access_token" not in value
    return value
