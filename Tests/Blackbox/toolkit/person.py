"""A person at a browser that runs no scripts: keeps cookies, reads pages, fills in forms, presses buttons."""

from __future__ import annotations

from http.cookies import SimpleCookie
from typing import TYPE_CHECKING
from urllib.parse import parse_qs, urlsplit

from .client import Authorization, OAuthClient, Tokens
from .pages import Form, Page
from .wire import send

if TYPE_CHECKING:
    from .process import Account, Latchkey


class Person:
    """One browser with its cookies. `source` is the loopback address that the browser connects from."""

    def __init__(self, server: Latchkey, account: Account | None = None, source: str | None = None):
        self.server = server
        self.account = account
        self.source = source
        self.cookies: dict[str, str] = {}
        self.answers: list = []

    # The browser

    @property
    def cookie_header(self) -> str:
        return "; ".join(f"{name}={value}" for name, value in self.cookies.items())

    def request(self, method: str, url: str, **named) -> Page:
        """One request with this browser's cookies; no redirect is followed."""
        if url.startswith(self.server.issuer):
            # Behind a proxy or beside other nodes the issuer is another address: this person plays the proxy.
            url = self.server.base + url[len(self.server.issuer) :]
        headers = dict(named.pop("headers", {}))
        headers.setdefault("Accept", "text/html,application/xhtml+xml")
        if self.cookies:
            headers["Cookie"] = self.cookie_header
        response = send(method, url, source=self.source, headers=headers, **named)
        self._keep_cookies(response)
        self.answers.append(response)
        page = Page(response, {self.server.base, self.server.issuer})
        if page.leaves:
            for code in parse_qs(urlsplit(page.target).query).get("code", []):
                self.server.canaries.add("code", code)
        return page

    def _keep_cookies(self, response) -> None:
        for line in response.raw.headers.getlist("Set-Cookie"):
            for name, morsel in SimpleCookie(line).items():
                gone = morsel["max-age"] in {"0", "-1"} or "1970" in morsel["expires"]
                if gone or not morsel.value:
                    self.cookies.pop(name, None)
                else:
                    self.cookies[name] = morsel.value
                    self.server.canaries.add(f"cookie {name}", morsel.value)

    def follow(self, page: Page) -> Page:
        """Follows redirects while they stay on the server."""
        for _ in range(10):
            if page.target is None or page.leaves:
                return page
            page = self.request("GET", page.target)
        raise AssertionError(f"redirected in a circle: {page!r}")

    def visit(self, url: str, **named) -> Page:
        return self.follow(self.request("GET", url, **named))

    def submit(self, form: Form, values: dict | None = None, button: str | None = None, **named) -> Page:
        """Submits a form with some fields filled in, by the button with this value; does not follow the answer."""
        fields = form.fields | (values or {})
        if button is not None:
            pressed = next((b for b in form.buttons if button in (b[1], b[2])), None)
            assert pressed, f"no button {button!r} among {form.buttons}"
            fields[pressed[0]] = pressed[1]
        if form.method == "get":
            return self.request("GET", form.action, params=fields, **named)
        return self.request("POST", form.action, data=fields, **named)

    # What a person does

    def sign_in(self, page: Page, password: str | None = None, email: str | None = None) -> Page:
        """Fills in the sign-in form of a page and follows where it leads."""
        assert page.sign_in_form, f"expected the sign-in page, got {page!r}"
        values = {
            "email": self.account.email if email is None else email,
            "password": self.account.password if password is None else password,
        }
        return self.follow(self.submit(page.sign_in_form, values))

    def decide(self, page: Page, decision: str) -> Page:
        """Presses Allow or Deny and follows where it leads."""
        assert page.consent_form, f"expected the consent page, got {page!r}"
        return self.follow(self.submit(page.consent_form, button=decision))

    def reach_consent(self, client: OAuthClient, **changes) -> Page:
        """Opens the partner's link and signs in if asked to; ends at the consent page."""
        page = self.visit(client.authorize_url(**changes))
        if page.sign_in_form:
            page = self.sign_in(page)
        assert page.consent_form, f"expected the consent page, got {page!r}"
        return page

    def authorize(self, client: OAuthClient, decision: str = "allow", **changes) -> Authorization:
        """The whole way from the partner's link back to the partner."""
        page = self.visit(client.authorize_url(**changes))
        if page.sign_in_form:
            page = self.sign_in(page)
        if page.consent_form:
            page = self.decide(page, decision)
        assert page.leaves, f"expected to be sent back to the partner, got {page!r}"
        return Authorization(page.target, client)

    def connect(self, client: OAuthClient, **changes) -> Tokens:
        """Connects this person's account to the partner and returns the partner's tokens."""
        return client.redeem(self.authorize(client, **changes))
