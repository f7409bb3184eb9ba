"""The console in Chromium: axe, a keyboard, a small phone, the dark, and texts that try to become tags (U05, U08)."""

import re
import secrets
from collections.abc import Iterator

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, BrowserContext, Page, expect

from toolkit.console import Operator, invite, routes
from toolkit.person import Person
from toolkit.waiting import eventually

PHONE = {"width": 320, "height": 640}
DESKTOP = {"width": 1280, "height": 800}
HOSTILE = [
    '<script>alert(1)</script>"><img src=x onerror=alert(1)>',
    "'\" autofocus onfocus=alert(1) x='",
    "</title></textarea></select><svg onload=alert(1)>",
    "javascript:alert(1) {{token}} {{{heading}}} &lt;b&gt;",
]


@pytest.fixture(scope="module")
def places(sqlite_server) -> dict[str, str]:
    """An identifier of everything, each with a hostile name."""
    server, hostile = sqlite_server, HOSTILE[0][:90]
    client = server.create_client(
        "--redirect-uri", "https://partner.example/callback", "--scope", "locks.read", name=hostile
    )
    for text in HOSTILE[1:]:
        server.create_client("--redirect-uri", "https://partner.example/x?a='%22", name=text[:90])
    account = server.create_account(name=hostile)
    Person(server, account).connect(client)
    key = server.command("api-key", "create", "--name", hostile, "--account", account.user_id)
    server.canaries.add("API key", key["api_key"])
    connection = server.command("connection", "list", "--client", client.client_id)[0]["connection_id"]
    for text in HOSTILE:
        client.exchange("x", redirect_uri="https://partner.example/" + text)
        client.post("/oauth/token", {"grant_type": text, text: text})
    eventually(lambda: server.command("refusal", "list", "--client", client.client_id), 10)
    return {
        "clients": client.client_id,
        "accounts": account.user_id,
        "api-keys": key["api_key_id"],
        "connections": connection,
        "webhooks": server.command("webhook", "list", "--limit", "1")[0]["event_id"],
        "audit": next(
            str(entry["number"])
            for entry in server.command("audit", "list", "--action", "client.created")
            if entry["subject"] == f"client:{client.client_id}"
        ),
    }


@pytest.fixture(scope="module")
def operator(sqlite_server) -> Operator:
    return Operator(sqlite_server, name=HOSTILE[0][:90]).join()


def pages() -> list[str]:
    """All that is shown to somebody signed in; the export is a file to keep, not a page."""
    return [
        path.removeprefix("/console")
        for method, path, access in routes()
        if method == "GET" and access != "anyone" and not path.endswith("/audit-export")
    ]


def place(path: str, places: dict[str, str]) -> str:
    return path.replace(":id", places.get(path.split("/")[1] if path else "", ""))


@pytest.fixture
def browse(browser: Browser, operator) -> Iterator:
    """Opens windows in which the operator is signed in."""
    opened: list[BrowserContext] = []

    def make(**named) -> Page:
        named.setdefault("viewport", DESKTOP)
        context = browser.new_context(**named)
        context.set_default_timeout(30_000)
        for name, value in operator.cookies.items():
            context.add_cookies([{"name": name, "value": value, "url": operator.server.base}])
        opened.append(context)
        return context.new_page()

    yield make
    for context in opened:
        context.close()


@pytest.mark.parametrize("path", pages())
def test_U05_stored_texts_stay_texts(browse, operator, places, path):
    page = browse()
    dialogs, complaints = [], []
    page.on("dialog", lambda dialog: (dialogs.append(dialog.message), dialog.dismiss()))
    page.on("console", lambda message: complaints.append(message.text))
    assert page.goto(operator.home + place(path, places)).status == 200
    page.wait_for_load_state("networkidle")
    assert not dialogs
    assert not page.locator("script, svg:not(.chart svg), img[src=x], [onerror], [onfocus], [onload]").count()
    assert not [line for line in complaints if "Content Security Policy" in line], complaints
    if (":id" in path and not path.startswith("/webhooks")) or path in (
        "/clients",
        "/accounts",
        "/api-keys",
        "/connections",
        "/debugger",
    ):
        expect(page.locator("main")).to_contain_text("onerror=alert(1)")


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("path", pages())
def test_U08_axe_finds_nothing_serious(browse, operator, places, path, scheme):
    page = browse(color_scheme=scheme)
    page.goto(operator.home + place(path, places))
    found = Axe().run(page).response["violations"]
    serious = [
        f"{one['id']}: {one['nodes'][0]['html'][:120]}" for one in found if one["impact"] in ("serious", "critical")
    ]
    assert not serious, serious


@pytest.mark.parametrize("path", pages())
def test_U08_a_small_phone_needs_no_sideways_scrolling(browse, operator, places, path):
    page = browse(viewport=PHONE)
    page.goto(operator.home + place(path, places))
    cut = page.evaluate(
        "() => [...document.querySelectorAll('main *')].filter(e => e.getBoundingClientRect().right > 321"
        " && !e.closest('thead, caption, .unseen')).map(e => e.outerHTML.slice(0, 80))"
    )
    assert not cut, cut
    assert page.evaluate("() => document.scrollingElement.scrollWidth") <= PHONE["width"]
    assert page.locator("h1").count() == 1
    for control in page.locator(
        "main button:visible, main a.button:visible, main input:not(.unseen):visible, summary:visible"
    ).all():
        box = control.bounding_box()
        if control.get_attribute("type") != "checkbox":
            assert box["height"] >= 24, control.evaluate("e => e.outerHTML")


def test_U08_forced_colours_leave_the_colours_of_a_legend(browse, operator, places):
    page = browse(forced_colors="active")
    page.goto(operator.home)
    keys = page.locator(".legend .key").all()
    assert keys
    for key in keys:
        assert key.evaluate("e => getComputedStyle(e).forcedColorAdjust") == "none"


def tab_to(page: Page, name: str) -> None:
    """Presses Tab until the control of this name has the focus, and sees that it shows."""
    for _ in range(80):
        page.keyboard.press("Tab")
        focused = page.evaluate(
            "() => { const e = document.activeElement; const l = e.labels && e.labels[0];"
            " return (l ? l.innerText : e.innerText || '').trim() }"
        )
        if focused == name:
            seen = page.evaluate("() => getComputedStyle(document.activeElement).outlineStyle !== 'none'")
            assert seen, f"{name} does not show that it has the focus"
            return
    raise AssertionError(f"the keyboard never reached {name!r}")


def press_enter(page: Page) -> None:
    """Presses Enter, and waits for the page that it leads to."""
    with page.expect_navigation():
        page.keyboard.press("Enter")


@pytest.mark.parametrize("scripts", [True, False])
def test_U08_from_the_invitation_to_a_new_connection_by_keyboard_only(sqlite_server, browser, scripts):
    context = browser.new_context(viewport=PHONE, java_script_enabled=True) if scripts else None
    context = context or browser.new_context(viewport=PHONE, java_script_enabled=False)
    page = context.new_page()
    page.goto(invite(sqlite_server, "--name", "Keyboard", "--email", f"keyboard.{scripts}@acme.example"))
    if not scripts:
        page.get_by_label("Password", exact=True).fill("correct horse 1")
        page.get_by_label("The same password again").fill("correct horse 1")
        page.get_by_role("button", name="Open the console").press("Enter")
        expect(page.get_by_role("heading", level=1)).to_have_text("Dashboard")
        context.close()
        return
    tab_to(page, "Password")
    page.keyboard.type("correct horse 1")
    tab_to(page, "The same password again")
    page.keyboard.type("correct horse 1")
    press_enter(page)
    expect(page.get_by_role("heading", level=1)).to_have_text("Dashboard")
    tab_to(page, "Menu")
    page.keyboard.press("Enter")
    tab_to(page, "OAuth connections")
    press_enter(page)
    expect(page.get_by_role("heading", level=1)).to_have_text("OAuth connections")
    tab_to(page, "Create New Connection")
    press_enter(page)
    tab_to(page, "Another partner, without a profile")
    press_enter(page)
    tab_to(page, "Name")
    page.keyboard.type("By keyboard")
    tab_to(page, "Redirect URIs")
    page.keyboard.type("https://keyboard.example/callback")
    tab_to(page, "Create")
    press_enter(page)
    expect(page.get_by_text("The secret is shown this once.")).to_be_visible()
    secret = page.locator("code", has_text="lks_").inner_text()
    sqlite_server.canaries.add("client secret", secret)
    page.reload()
    assert secret not in page.content(), "loading the page again does not show the secret"
    context.close()


def test_an_operators_address_may_be_in_any_script(sqlite_server, browser):
    email, password = f"jo.{secrets.token_hex(4)}@exämple.example", "correct horse 1"
    for url in (invite(sqlite_server, "--name", "Jo"), sqlite_server.base + "/console"):
        context = browser.new_context(viewport=DESKTOP)
        page = context.new_page()
        page.goto(url)
        page.get_by_label("Email").fill(email)
        page.get_by_label("Password", exact=True).fill(password)
        again = page.get_by_label("The same password again")
        if again.count():
            again.fill(password)
        page.locator("main").get_by_role("button").click()
        expect(page.get_by_role("heading", level=1)).to_have_text("Dashboard")
        context.close()
    assert email in [one["email"] for one in sqlite_server.command("operator", "list")]


def fields(page: Page) -> list[list[str]]:
    """Name, type, purpose and value of the fields of a page's form, as a password manager reads them."""
    return page.evaluate(
        "() => [...document.querySelectorAll('main form.form input:not([type=hidden])')]"
        ".map(e => [e.name, e.type, e.autocomplete, e.value])"
    )


def test_a_customers_new_password_is_not_taken_for_the_operators(new_server, browser):
    server = new_server()
    account = server.create_account()
    server.start()
    ada = Operator(server).join()
    server.restart(clock_offset=301)
    context = browser.new_context(viewport=DESKTOP)
    for name, value in ada.cookies.items():
        context.add_cookies([{"name": name, "value": value, "url": server.base}])
    page = context.new_page()
    page.goto(ada.home + f"/accounts/{account.user_id}/password")
    assert fields(page) == [
        ["new_password", "text", "off", ""],
        ["username", "text", "username", ada.email],
        ["password", "password", "current-password", ""],
    ]
    new = "a new correct horse"
    server.canaries.add("password", new)
    page.get_by_label("New password").fill(new)
    page.get_by_label("Your password").fill(ada.password)
    page.get_by_role("button", name="Set the password").click()
    expect(page.get_by_role("status")).to_contain_text("The password is set")
    context.close()


@pytest.mark.parametrize("is_named", [True, False])
def test_an_invitation_has_password_managers_keep_the_address_as_the_user_name(sqlite_server, browser, is_named):
    words = ("--email", "grace.invited@acme.example") if is_named else ()
    context = browser.new_context(viewport=PHONE)
    page = context.new_page()
    page.goto(invite(sqlite_server, "--name", "Grace Hopper", *words))
    assert fields(page) == [
        ["name", "text", "name", "Grace Hopper"],
        ["username" if is_named else "email", "text", "username", words[1] if is_named else ""],
        ["password", "password", "new-password", ""],
        ["again", "password", "new-password", ""],
    ]
    assert page.evaluate("() => document.scrollingElement.scrollWidth") <= PHONE["width"]
    context.close()


@pytest.mark.parametrize("width", [704, 1000, 1280])
def test_the_words_that_end_a_row_stay_in_one_piece(sqlite_server, browse, operator, width):
    account = sqlite_server.create_account()
    words = ("--name", "w" * 100, "--account", account.user_id, "--scope", "locks.read")
    sqlite_server.canaries.add("API key", sqlite_server.command("api-key", "create", *words)["api_key"])
    uri = "https://partner.example/" + "c" * 500
    client = sqlite_server.create_client("--redirect-uri", uri, "--scope", "locks.read")
    page = browse(viewport={"width": width, "height": 800})
    for path, role, name in (("/api-keys", "link", "Revoke"), (f"/clients/{client.client_id}", "button", "Remove")):
        page.goto(operator.home + path)
        found = page.get_by_role(role, name=name, exact=True).all()
        assert found
        for one in found:
            lines = one.evaluate(
                "e => { while (e.firstElementChild) e = e.firstElementChild; const text = document.createRange();"
                " text.selectNodeContents(e); return text.getClientRects().length }"
            )
            assert lines == 1, one.evaluate("e => e.outerHTML")
        wide = "[...document.querySelectorAll('main *')].filter(e => e.getBoundingClientRect().right > innerWidth + 1)"
        assert not page.evaluate(wide + ".length"), path


def test_what_is_wrong_with_a_form_is_in_the_title_and_is_read_out_with_its_field(sqlite_server, browse, operator):
    page = browse()
    page.goto(operator.home + "/api-keys/new")
    assert page.title().startswith("Create API key")
    page.get_by_label("Name", exact=True).fill("A key")
    page.get_by_label("Speaks for").fill("nobody@nowhere.example")
    if page.get_by_label("Your password").count():
        page.get_by_label("Your password").fill(operator.password)
    page.get_by_role("button", name="Create", exact=True).click()
    expect(page).to_have_title(re.compile("^Problem: Create API key"))
    owner = page.get_by_label("Speaks for")
    expect(owner).to_have_attribute("aria-invalid", "true")
    expect(owner).to_have_accessible_description(re.compile("Empty: the company itself.*There is no account nobody"))
    expect(page.locator("[aria-invalid]")).to_have_count(1)
    page.goto(operator.home + "/clients/new?profile=none")
    page.get_by_label("Name", exact=True).fill("Partner")
    page.get_by_label("Redirect URIs").fill("http://partner.example/callback")
    page.get_by_role("button", name="Create", exact=True).click()
    expect(page).to_have_title(re.compile("^Problem: "))
    problem = page.get_by_role("alert").inner_text()
    uris = page.get_by_label("Redirect URIs")
    expect(uris).to_have_attribute("aria-invalid", "true")
    expect(uris).to_have_accessible_description(re.compile(re.escape(problem)))
    expect(page.locator("[aria-invalid]")).to_have_count(1)
    client = sqlite_server.create_client("--redirect-uri", "https://partner.example/callback", "--scope", "locks.read")
    page.goto(operator.home + f"/clients/{client.client_id}/edit")
    lifetime = page.get_by_label("Lifetime of access tokens, in seconds")
    lifetime.fill("5")
    page.get_by_role("button", name="Save", exact=True).click()
    expect(page).to_have_title(re.compile("^Problem: "))
    expect(lifetime).to_have_attribute("aria-invalid", "true")
    expect(lifetime).to_have_accessible_description(re.compile("follows the profile.*must be 60 to 86400 seconds"))
    expect(page.locator("[aria-invalid]")).to_have_count(1)


def test_what_is_wrong_with_an_invitation_is_read_out_with_its_field(sqlite_server, browser):
    context = browser.new_context(viewport=DESKTOP)
    page = context.new_page()
    page.goto(invite(sqlite_server, "--name", "Ada"))
    page.get_by_label("Email").fill("ada.described@acme.example")
    page.get_by_label("Password", exact=True).fill("correct horse 1")
    page.get_by_label("The same password again").fill("correct horse 2")
    page.get_by_role("button", name="Open the console").click()
    expect(page).to_have_title(re.compile("^Problem: "))
    again = page.get_by_label("The same password again")
    expect(again).to_have_attribute("aria-invalid", "true")
    expect(again).to_have_accessible_description("The two passwords are not the same.")
    context.close()
