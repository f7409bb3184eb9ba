"""The customer's own page in Chromium: whole tasks by mouse and by keyboard, on a small phone, in the dark, for a
screen reader."""

import secrets

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page, expect
from test_pages import DESKTOP, PHONE, sign_in, tab_to, window  # noqa: F401

from toolkit.person import Person

PAGES = ["sign-in", "empty", "home", "disconnect", "password", "password problem", "log out", "signed out"]


def open_page(name: str, page: Page, server, account) -> None:
    """Brings the browser to one of the pages."""
    if name not in ("sign-in", "empty"):
        Person(server, account).connect(server.partners.seam)
        cut = Person(server, account)
        cut.connect(server.partners.opaque)
    page.goto(server.base + "/account")
    if name == "sign-in":
        return
    sign_in(page, account)
    heading = page.get_by_role("heading", level=1)
    expect(heading).to_have_text("Your account")
    if name == "disconnect":
        page.get_by_role("link", name="Disconnect Seam").click()
        expect(heading).to_have_text("Disconnect Seam?")
    elif name.startswith("password"):
        page.get_by_role("link", name="Change password").click()
        expect(heading).to_have_text("Change your password")
        if name == "password problem":
            page.get_by_label("Current password").fill("not my password")
            page.get_by_label("New password", exact=True).fill("a new long password")
            page.get_by_label("New password once more").fill("a new long password")
            page.get_by_role("button", name="Change password").click()
            expect(page.get_by_role("alert")).to_be_visible()
    elif name == "log out":
        page.goto(server.base + "/oauth/logout")
    elif name == "signed out":
        page.get_by_role("button", name="Sign out", exact=True).first.click()
        expect(heading).to_have_text("You are signed out")
    page.wait_for_load_state()


def test_disconnecting_an_app_with_the_mouse(sqlite_server, account, window):  # noqa: F811
    seam = sqlite_server.partners.seam
    connected = Person(sqlite_server, account).connect(seam)
    one = window(viewport=PHONE, java_script_enabled=False)
    one.page.goto(sqlite_server.base + "/account")
    sign_in(one.page, account)
    one.page.get_by_role("link", name="Disconnect Seam").click()
    expect(one.page.get_by_role("heading", level=1)).to_have_text("Disconnect Seam?")
    one.page.get_by_role("link", name="Keep it connected").click()
    one.page.get_by_role("link", name="Disconnect Seam").click()
    one.page.get_by_role("button", name="Disconnect", exact=True).click()
    expect(one.page.get_by_role("status")).to_contain_text("is disconnected")
    expect(one.page.get_by_text("No app is connected yet.")).to_be_visible()
    assert seam.introspect(connected.access) == {"active": False}


@pytest.mark.parametrize("address", ["jürgen.{}@example.com", "jo.{}@exämple.example"])
def test_an_address_in_any_script_signs_in(sqlite_server, window, address):  # noqa: F811
    account = sqlite_server.create_account(email=address.format(secrets.token_hex(4)))
    one = window()
    one.page.goto(sqlite_server.base + "/account")
    sign_in(one.page, account)
    expect(one.page.get_by_role("heading", level=1)).to_have_text("Your account")
    expect(one.page.get_by_role("main")).to_contain_text(account.email)


def test_a_domain_that_is_stored_as_browsers_write_it_is_found_by_its_letters(sqlite_server, window):  # noqa: F811
    name = "jo." + secrets.token_hex(4)
    account = sqlite_server.create_account(email=f"{name}@xn--exmple-cua.example")
    one = window()
    one.page.goto(sqlite_server.base + "/account")
    one.page.get_by_label("Email").fill(f"{name}@exämple.example")
    one.page.get_by_label("Password").fill(account.password)
    one.page.get_by_role("button", name="Sign in", exact=True).click()
    expect(one.page.get_by_role("main")).to_contain_text(account.email)


def test_changing_the_password_and_signing_out_by_keyboard_only(sqlite_server, account, window):  # noqa: F811
    one = window()
    one.page.goto(sqlite_server.base + "/account")
    tab_to(one.page, "Email")
    one.page.keyboard.type(account.email)
    tab_to(one.page, "Password")
    one.page.keyboard.type(account.password)
    one.page.keyboard.press("Enter")
    expect(one.page.get_by_role("heading", level=1)).to_have_text("Your account")
    tab_to(one.page, "Change password")
    one.page.keyboard.press("Enter")
    expect(one.page.get_by_role("heading", level=1)).to_have_text("Change your password")
    new = "keyboard horse battery"
    sqlite_server.canaries.add("password", new)
    tab_to(one.page, "Current password")
    one.page.keyboard.type(account.password)
    tab_to(one.page, "New password")
    one.page.keyboard.type(new)
    tab_to(one.page, "New password once more")
    one.page.keyboard.type(new)
    one.page.keyboard.press("Enter")
    expect(one.page.get_by_role("status")).to_have_text("Your password is changed.")
    tab_to(one.page, "Sign out")
    one.page.keyboard.press("Enter")
    expect(one.page.get_by_role("heading", level=1)).to_have_text("You are signed out")
    account.password = new
    one.page.get_by_role("link", name="Sign in again").click()
    sign_in(one.page, account)
    expect(one.page.get_by_role("heading", level=1)).to_have_text("Your account")


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("name", PAGES)
def test_axe_finds_nothing_serious(sqlite_server, account, window, name, scheme):  # noqa: F811
    one = window(viewport=PHONE, color_scheme=scheme)
    open_page(name, one.page, sqlite_server, account)
    found = Axe().run(one.page).response["violations"]
    serious = [v for v in found if v["impact"] in ("serious", "critical")]
    assert not serious, [(v["id"], [n["html"] for n in v["nodes"]]) for v in serious]


@pytest.mark.parametrize("name", PAGES)
def test_a_page_fits_a_small_phone(sqlite_server, account, window, name):  # noqa: F811
    one = window(viewport=PHONE)
    open_page(name, one.page, sqlite_server, account)
    assert one.page.evaluate("() => document.scrollingElement.scrollWidth") <= PHONE["width"]
    controls = "main button:visible, main input:not(.unseen):visible, main a.button:visible"
    for control in one.page.locator(controls).all():
        box = control.bounding_box()
        if control.get_attribute("type") != "checkbox" and box:
            assert box["height"] >= 24, control.evaluate("e => e.outerHTML")
    assert not [line for line in one.complaints if "Content Security Policy" in line], one.complaints
    assert one.page.locator("h1").count() == 1
    assert not one.page.locator("script").count()


def test_the_page_is_german_for_who_reads_german(sqlite_server, account, window):  # noqa: F811
    one = window(viewport=DESKTOP, locale="de-DE")
    one.page.goto(sqlite_server.base + "/account")
    assert one.page.locator("html").get_attribute("lang") == "de"
    expect(one.page.get_by_role("button", name="Anmelden")).to_be_visible()
