"""Takes the pictures of README.md, as a person with Chromium would see them; `make pictures` runs it.

The tour is `latchkey demo` on a telephone; the console is a server that has run for a day.
"""

import random
import re
import shutil
import signal
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from playwright.sync_api import Browser, BrowserContext, Page, sync_playwright

from toolkit.client import OAuthClient
from toolkit.console import Operator
from toolkit.databases import ROOT, SQLite
from toolkit.person import Person
from toolkit.process import BINARY, Account, Latchkey, clean_environment
from toolkit.waiting import eventually
from toolkit.wire import send

IMAGES = ROOT / "docs" / "images"
DEMO = "http://localhost:3020"
TELEPHONE = {"viewport": {"width": 460, "height": 760}, "device_scale_factor": 2}
DESKTOP = {"viewport": {"width": 1280, "height": 960}}
NAMES = [
    "Ada Lovelace",
    "Grace Hopper",
    "Katherine Johnson",
    "Alan Turing",
    "Barbara Liskov",
    "Edsger Dijkstra",
    "Radia Perlman",
    "Dennis Ritchie",
    "Frances Allen",
    "Donald Knuth",
]
HOUR = 3600
FIRST = 26
"""How many hours ago the console's server began."""


@contextmanager
def demo(folder: Path) -> Iterator[str]:
    """A running demo, with what its banner says."""
    printed = folder / "printed"
    with printed.open("w") as out:
        process = subprocess.Popen([BINARY, "demo"], cwd=folder, env=clean_environment(), stdout=out, stderr=out)

    def ready() -> bool:
        if process.poll() is not None:
            sys.exit(f"the demo did not start:\n{printed.read_text()}")
        try:
            return send("GET", DEMO + "/").status_code == 200 and "Password" in printed.read_text()
        except OSError:
            return False

    try:
        eventually(ready, 30)
        yield printed.read_text()
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait(timeout=20)


def take_the_tour(browser: Browser, folder: Path, take: Callable[[Page, str], None]) -> None:
    """A customer connects the sample partner, and looks at the own account."""
    with demo(folder) as banner:
        page = browser.new_context(**TELEPHONE).new_page()
        page.goto(DEMO + "/connect")
        page.get_by_label("Email", exact=True).fill(re.search(r"[\w.+-]+@[\w.-]+\w", banner).group())
        take(page, "sign-in")
        page.get_by_label("Password", exact=True).fill(re.search(r"Password\s+(\S+)", banner).group(1))
        page.get_by_role("button", name="Sign in", exact=True).click()
        take(page, "consent")
        page.get_by_role("button", name="Allow", exact=True).click()
        page.wait_for_url(DEMO + "/connected")
        take(page, "connected")
        page.goto(DEMO + "/account")
        take(page, "account")


class Day:
    """A day of a server with some partners: customers connect and cut, partners refresh, and one of them errs."""

    def __init__(self, folder: Path):
        self.server = Latchkey(SQLite(folder), folder)
        self.random = random.Random(3)
        self.set_clock(FIRST)
        self.accounts = [
            self.server.create_account(f"{name.split()[0].lower()}@example.com", name=name) for name in NAMES
        ]
        self.partners = [
            self.partner("Seam", "--partner", "seam"),
            self.partner("Google Home", "--partner", "google-home", "--profile-value", "project_id=acme-locks"),
            self.partner("Home Assistant", "--partner", "home-assistant"),
        ]
        self.live: list[tuple[OAuthClient, str]] = []

    def set_clock(self, hours_ago: int) -> None:
        """Moves the clock of the server's next start, and of commands."""
        past = {"LATCHKEY_TEST_MODE": "true", "LATCHKEY_CLOCK_OFFSET": str(-hours_ago * HOUR)}
        self.server.extra_environment = {"LATCHKEY_BRAND_NAME": "Acme Locks"} | (past if hours_ago else {})

    def account(self, name: str) -> Account:
        return self.server.create_account(f"{name.split()[0].lower()}@example.com", name=name)

    def partner(self, name: str, *options: str) -> OAuthClient:
        scopes = ("--scope", "locks.read") if "seam" not in options else ()
        return self.server.create_client(*options, *scopes, name=name)

    def pass_by(self) -> Latchkey:
        """Lives through the day, and leaves the server running at the hour of the clock."""
        for hours_ago in range(FIRST, -1, -1):
            self.set_clock(hours_ago)
            self.server.start()
            self.visit()
            if hours_ago:
                self.server.stop()
        return self.server

    def visit(self) -> None:
        """What happens in an hour."""
        for _ in range(self.random.randint(0, 4)):
            client, account = self.random.choice(self.partners), self.random.choice(self.accounts)
            self.live.append((client, Person(self.server, account).connect(client).refresh))
        for client, token in self.live:
            for _ in range(self.random.randint(1, 3)):
                client.refresh(token)
        if self.live and self.random.random() < 0.3:
            client, token = self.live.pop(self.random.randrange(len(self.live)))
            client.revoke(token)
        seam = self.partners[0]
        for _ in range(self.random.choice([0, 0, 1, 3])):
            seam.using(client_secret="the secret of another stage").refresh("lkr_unknown")
        for _ in range(self.random.choice([0, 1, 2])):
            seam.post("/oauth/token", {"grant_type": "authorization_code", "code": "lkc_gone", "redirect_uri": "x"})


def look_at_the_console(browser: Browser, folder: Path, take: Callable[[Page, str], None]) -> None:
    """An operator signs in, and sees what has happened."""
    server = Day(folder).pass_by()
    try:
        operator = Operator(server, name="Jo Operator", email="jo@acme.example").join()
        context: BrowserContext = browser.new_context(**DESKTOP)
        for name, value in operator.cookies.items():
            context.add_cookies([{"name": name, "value": value, "url": server.base}])
        page = context.new_page()
        page.goto(operator.home)
        take(page, "console")
    finally:
        server.stop()


PICTURES = {"sign-in": take_the_tour, "consent": take_the_tour, "connected": take_the_tour, "account": take_the_tour}
PICTURES |= {"console": look_at_the_console}


def main() -> None:
    wanted = sys.argv[1:] or list(PICTURES)
    if unknown := [name for name in wanted if name not in PICTURES]:
        sys.exit(f"there is no picture {', '.join(unknown)}; there are {', '.join(PICTURES)}")

    def take(page: Page, name: str) -> None:
        page.wait_for_load_state("networkidle")
        if name in wanted:
            page.screenshot(path=IMAGES / f"{name}.png", animations="disabled")
            print(f"docs/images/{name}.png")

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=shutil.which("chromium"), args=["--no-sandbox"])
        for play in dict.fromkeys(PICTURES[name] for name in wanted):
            with tempfile.TemporaryDirectory(prefix="latchkey-pictures-") as folder:
                play(browser, Path(folder), take)
        browser.close()


if __name__ == "__main__":
    main()
