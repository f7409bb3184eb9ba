"""An operator at the console: invited by the command line, signed in, reading pages and sending their forms."""

import secrets
from pathlib import Path

from .pages import Form, Page
from .person import Person
from .process import Latchkey

PATHS = Path(__file__).resolve().parent.parent / "console_routes.txt"
"""Every route of the console with who may use it; a Swift test keeps it equal to the table in the sources."""


def routes() -> list[tuple[str, str, str]]:
    """Method, path and access of every route."""
    return [tuple(line.split()) for line in PATHS.read_text().splitlines() if line]


class Operator(Person):
    """A browser in which somebody runs the server."""

    def __init__(
        self, server: Latchkey, *, read_only: bool = False, name: str = "Grace Hopper", email: str | None = None
    ):
        super().__init__(server)
        self.email = email or f"op.{secrets.token_hex(5)}@acme.example"
        self.password = "correct horse " + secrets.token_hex(8)
        server.canaries.add("operator password", self.password)
        words = ["--read-only"] if read_only else []
        self.link = invite(server, "--name", name, "--email", self.email, *words)

    @property
    def home(self) -> str:
        return self.server.base + "/console"

    def join(self) -> "Operator":
        """Opens the invitation and chooses a password."""
        page = self.visit(self.link)
        page = self.follow(self.submit(page.forms[0], {"password": self.password, "again": self.password}))
        assert page.status == 200, repr(page)
        assert "Dashboard" in page.text, repr(page)
        return self

    def enter(self) -> Page:
        """Signs in by the sign-in page."""
        page = self.visit(self.home)
        assert page.sign_in_form, repr(page)
        return self.follow(self.submit(page.sign_in_form, {"email": self.email, "password": self.password}))

    def open(self, path: str) -> Page:
        return self.visit(self.home + path)

    def form(self, page: Page, action: str) -> Form:
        """The form of a page that posts to a path below the console."""
        found = next((form for form in page.forms if form.action.endswith("/console" + action)), None)
        assert found, f"no form to {action} among {[form.action for form in page.forms]}\n{page!r}"
        return found

    def press(self, path: str, action: str | None = None, **values: str) -> Page:
        """Opens a page, fills its form in and sends it; gives the password where it is asked for again."""
        form = self.form(self.open(path), path if action is None else action)
        if "password" in form.fields and "password" not in values:
            values["password"] = self.password
        return self.follow(self.submit(form, values))

    def token(self) -> str:
        return self.form(self.open(""), "/sign-out").fields["token"]


def invite(server: Latchkey, *words: str) -> str:
    """A one-time link for an operator."""
    made = server.command("operator", "invite", "--issuer", server.issuer, *words)
    server.canaries.add("invitation", made["link"].split("code=")[1])
    return made["link"]


def value_of(page: Page, label: str) -> str:
    """What a page shows beside a name."""
    lines = page.text.splitlines()
    return lines[lines.index(label) + 1]
