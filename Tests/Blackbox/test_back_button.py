"""Who has signed out is gone for the Back button too, in a Chromium that keeps whole pages for it.

Playwright switches that cache off; here it is on, as it is for everybody else.
"""

import shutil
from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Page, expect
from test_pages import sign_in, window  # noqa: F401

from toolkit.console import Operator


@pytest.fixture(scope="module")
def browser(browser: Browser) -> Iterator[Browser]:
    """Debian's Chromium with its back/forward cache."""
    chromium = browser.browser_type.launch(
        executable_path=shutil.which("chromium"),
        args=["--no-sandbox"],
        ignore_default_args=["--disable-back-forward-cache"],
    )
    yield chromium
    chromium.close()


def go_back(page: Page) -> None:
    # A page that comes from the cache is not loaded.
    page.go_back(wait_until="commit")


def sign_out(page: Page) -> None:
    page.get_by_role("button", name="Sign out", exact=True).locator("visible=true").first.click()


def check_nobody_is_shown(page: Page, name: str) -> None:
    """Goes back, to where somebody of this name was signed in."""
    go_back(page)
    expect(page.get_by_role("button", name="Sign in", exact=True)).to_be_visible()
    assert name not in page.content()


def test_this_browser_keeps_pages_for_its_back_button(sqlite_server, account, window):  # noqa: F811
    page = window().page
    page.goto(sqlite_server.base + "/account")
    sign_in(page, account)
    page.get_by_role("link", name="Change password").click()
    page.evaluate("() => { window.kept = true }")
    page.goto(sqlite_server.base + "/account")
    go_back(page)
    assert page.evaluate("() => window.kept"), "without the cache, the other tests here say nothing"


@pytest.mark.parametrize("times", [1, 2])
def test_back_shows_no_account_after_signing_in_and_out(sqlite_server, account, window, times):  # noqa: F811
    page = window().page
    for _ in range(times):
        page.goto(sqlite_server.base + "/account")
        sign_in(page, account)
        expect(page.get_by_role("main")).to_contain_text(account.email)
        sign_out(page)
        expect(page.get_by_role("heading", level=1)).to_have_text("You are signed out")
    check_nobody_is_shown(page, account.email)


def test_back_shows_no_account_after_a_new_password_and_signing_out(sqlite_server, account, window):  # noqa: F811
    page = window().page
    page.goto(sqlite_server.base + "/account")
    sign_in(page, account)
    page.get_by_role("link", name="Change password").click()
    new = "back horse battery staple"
    sqlite_server.canaries.add("password", new)
    page.get_by_label("Current password").fill(account.password)
    page.get_by_label("New password", exact=True).fill(new)
    page.get_by_label("New password once more").fill(new)
    page.get_by_role("button", name="Change password").click()
    expect(page.get_by_role("status")).to_have_text("Your password is changed.")
    sign_out(page)
    expect(page.get_by_role("heading", level=1)).to_have_text("You are signed out")
    check_nobody_is_shown(page, account.email)


def at_the_dashboard(window, ada: Operator):  # noqa: F811
    page = window().page
    page.goto(ada.home)
    sign_in(page, ada)
    expect(page.get_by_role("heading", level=1)).to_have_text("Dashboard")
    return page


def test_back_shows_no_console_after_a_change_by_password_and_signing_out(new_server, window):  # noqa: F811
    server = new_server()
    account = server.create_account()
    server.start()
    ada = Operator(server).join()
    page = at_the_dashboard(window, ada)
    server.restart(clock_offset=301)
    page.goto(ada.home + f"/accounts/{account.user_id}/password")
    new = "a new correct horse"
    server.canaries.add("password", new)
    page.get_by_label("New password").fill(new)
    page.get_by_label("Your password").fill(ada.password)
    page.get_by_role("button", name="Set the password").click()
    expect(page.get_by_role("status")).to_contain_text("The password is set")
    sign_out(page)
    expect(page.get_by_role("heading", level=1)).to_have_text("Console")
    check_nobody_is_shown(page, account.email)


def test_back_shows_no_console_after_signing_in_and_out(sqlite_server, window):  # noqa: F811
    ada = Operator(sqlite_server).join()
    page = at_the_dashboard(window, ada)
    sign_out(page)
    expect(page.get_by_role("heading", level=1)).to_have_text("Console")
    check_nobody_is_shown(page, "Dashboard")


def test_back_shows_no_console_after_signing_out_of_a_session_that_had_ended(new_server, window):  # noqa: F811
    server = new_server()
    server.start()
    ada = Operator(server).join()
    page = at_the_dashboard(window, ada)
    server.restart(clock_offset=31 * 60)
    sign_out(page)
    expect(page.get_by_role("heading", level=1)).to_have_text("Console")
    check_nobody_is_shown(page, "Dashboard")
