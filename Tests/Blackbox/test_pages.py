"""The pages in Chromium: by mouse, by keyboard, without scripts, on a small phone, in the dark, for a screen reader."""

import ssl
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from urllib.parse import parse_qs, urlsplit

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, BrowserContext, Page, expect

from toolkit.client import Authorization, OAuthClient
from toolkit.proxies import make_certificate

PHONE = {"width": 320, "height": 640}
DESKTOP = {"width": 1280, "height": 800}


@dataclass
class Window:
    """A browser window that remembers what it asked for and what its page complained of."""

    context: BrowserContext
    page: Page
    requests: list[str] = field(default_factory=list)
    complaints: list[str] = field(default_factory=list)

    def watch(self) -> None:
        self.page.on("request", lambda request: self.requests.append(request.url))
        self.page.on("console", lambda message: self.complaints.append(message.text))
        self.page.on("pageerror", lambda error: self.complaints.append(str(error)))


@pytest.fixture
def window(browser: Browser) -> Iterator[Callable[..., Window]]:
    """Opens browser windows, each with cookies of its own."""
    opened: list[BrowserContext] = []

    def make(**named) -> Window:
        named.setdefault("viewport", DESKTOP)
        context = browser.new_context(**named)
        context.set_default_timeout(30_000)
        opened.append(context)
        made = Window(context, context.new_page())
        made.watch()
        return made

    yield make
    for context in opened:
        context.close()


@pytest.fixture
def site(partner_site):
    """The partner's web site, where the browser lands at the end."""
    return partner_site()


@pytest.fixture
def phone(sqlite_server, site) -> OAuthClient:
    """A public client whose redirect URI is the partner's site."""
    return sqlite_server.partners.phone.using(redirect_uri=f"http://127.0.0.1:{site.port}/callback")


def sign_in(page: Page, account, password: str | None = None) -> None:
    page.get_by_label("Email", exact=True).fill(account.email)
    page.get_by_label("Password", exact=True).fill(password or account.password)
    page.get_by_role("button", name="Sign in", exact=True).click()


def callback(page: Page, site) -> dict[str, str]:
    """What the partner's site received, once the browser is there."""
    page.wait_for_url(lambda url: urlsplit(url).port == site.port)
    expect(page.get_by_role("heading", name="Back at the partner")).to_be_visible()
    assert len(site.callbacks) == 1, "the browser came back once"
    return {name: values[0] for name, values in parse_qs(urlsplit(site.callbacks[0]).query).items()}


def check_redeems(client: OAuthClient, site) -> None:
    client.redeem(Authorization(f"http://127.0.0.1:{site.port}{site.callbacks[0]}", client))


def test_the_whole_way_by_mouse(phone, account, window, site):
    one = window()
    one.page.goto(phone.authorize_url(state="s 1"))
    sign_in(one.page, account)
    expect(one.page.get_by_role("heading", level=1)).to_contain_text("Phone app")
    one.page.get_by_role("button", name="Allow", exact=True).click()
    assert callback(one.page, site)["state"] == "s 1"
    check_redeems(phone, site)
    assert site.referrers == [None], "the partner does not learn our address"


def tab_to(page: Page, name: str) -> None:
    """Presses Tab until the control of this name has the focus, as somebody without a mouse does."""
    for _ in range(30):
        focused = page.evaluate(
            "() => { const e = document.activeElement; const l = e.labels && e.labels[0];"
            " return (l ? l.innerText : e.innerText || '').trim() }"
        )
        if focused == name:
            return
        page.keyboard.press("Tab")
    raise AssertionError(f"the keyboard never reached {name!r}")


def check_focus_is_seen(page: Page) -> None:
    seen = page.evaluate(
        "() => { const s = getComputedStyle(document.activeElement);"
        " return (s.outlineStyle !== 'none' && parseFloat(s.outlineWidth) > 0) || s.boxShadow !== 'none' }"
    )
    assert seen, "the control with the focus does not show it"


def test_the_whole_way_by_keyboard_only(phone, account, window, site):
    one = window()
    one.page.goto(phone.authorize_url())
    tab_to(one.page, "Email")
    one.page.keyboard.type(account.email)
    tab_to(one.page, "Password")
    check_focus_is_seen(one.page)
    one.page.keyboard.type(account.password)
    one.page.keyboard.press("Enter")
    one.page.wait_for_selector("button[name=decision]")
    tab_to(one.page, "Deny")
    check_focus_is_seen(one.page)
    one.page.keyboard.press("Shift+Tab")
    tab_to(one.page, "Allow")
    one.page.keyboard.press("Enter")
    assert callback(one.page, site)["code"]
    check_redeems(phone, site)


def test_the_whole_way_without_scripts(phone, account, window, site):
    one = window(java_script_enabled=False, viewport=PHONE)
    one.page.goto(phone.authorize_url())
    sign_in(one.page, account)
    one.page.get_by_role("button", name="Allow", exact=True).click()
    assert callback(one.page, site)["code"]


def test_deny_leads_back_with_access_denied(phone, account, window, site):
    one = window()
    one.page.goto(phone.authorize_url(state="s"))
    sign_in(one.page, account)
    one.page.get_by_role("button", name="Deny", exact=True).click()
    answer = callback(one.page, site)
    assert answer["error"] == "access_denied"
    assert answer["state"] == "s"


def test_prompt_login_asks_again_and_the_session_is_kept_without_it(phone, account, window, site):
    one = window()
    one.page.goto(phone.authorize_url())
    sign_in(one.page, account)
    one.page.goto(phone.authorize_url())
    expect(one.page.get_by_role("button", name="Allow", exact=True)).to_be_visible()
    one.page.goto(phone.authorize_url(prompt="login"))
    sign_in(one.page, account)
    one.page.get_by_role("button", name="Allow", exact=True).click()
    assert callback(one.page, site)["code"]


def test_a_wrong_password_says_so_and_keeps_the_address(phone, account, window, site):
    one = window()
    one.page.goto(phone.authorize_url())
    sign_in(one.page, account, "not my password")
    expect(one.page.get_by_role("alert")).to_contain_text("password")
    expect(one.page.get_by_label("Email", exact=True)).to_have_value(account.email)
    expect(one.page.get_by_label("Password", exact=True)).to_have_value("")
    sign_in(one.page, account)
    one.page.get_by_role("button", name="Allow", exact=True).click()
    assert callback(one.page, site)["code"]


def test_not_you_lets_another_person_sign_in(sqlite_server, phone, account, window, site):
    one = window()
    one.page.goto(phone.authorize_url())
    sign_in(one.page, account)
    one.page.get_by_role("button", name="Not you?").click()
    other = sqlite_server.create_account(name="Grace Hopper")
    sign_in(one.page, other)
    expect(one.page.get_by_text(other.email)).to_be_visible()
    one.page.get_by_role("button", name="Allow", exact=True).click()
    code = callback(one.page, site)["code"]
    assert phone.exchange(code).json()["user_id"] == other.user_id


def test_the_back_button_and_a_second_press_do_no_harm(phone, account, window, site):
    one = window()
    one.page.goto(phone.authorize_url())
    sign_in(one.page, account)
    one.page.get_by_role("button", name="Allow", exact=True).click()
    callback(one.page, site)
    one.page.go_back()
    button = one.page.get_by_role("button", name="Allow", exact=True)
    if button.count():
        button.click()
        one.page.wait_for_load_state()
    assert len(site.callbacks) == 1, "no second code was given"
    check_redeems(phone, site)


def test_a_wrong_link_ends_on_a_page_that_says_what_to_do(sqlite_server, window):
    one = window()
    answer = one.page.goto(sqlite_server.partners.web.authorize_url(redirect_uri="https://evil.example/"))
    assert answer.status == 400
    expect(one.page.get_by_role("heading", level=1)).to_be_visible()
    expect(one.page.get_by_role("main")).to_contain_text("application")
    assert urlsplit(one.page.url).netloc == urlsplit(sqlite_server.base).netloc


# C09: Chromium applies form-action to the whole chain of redirects after a form. The policy must not stop it.


@pytest.fixture
def sent_on_by_https(sqlite_server, partner_site, tmp_path) -> Callable[[str], OAuthClient]:
    """Makes clients whose callback, over https, sends the browser on to another address, as Claude's does."""
    certificate = make_certificate(tmp_path)
    tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    tls.load_cert_chain(certificate.chain, certificate.key)

    def make(target: str) -> OAuthClient:
        uri = partner_site(send_on_to=target, tls=tls, status=307).base + "/callback"
        options = ("--public", "--redirect-uri", uri, "--scope", "locks.read")
        return sqlite_server.create_client(*options, name="App behind a web site").using(redirect_uri=uri)

    return make


@pytest.mark.parametrize("scripts", [True, False])
def test_C09_the_browser_reaches_a_partner_on_another_origin(phone, account, window, site, scripts):
    one = window(java_script_enabled=scripts)
    one.page.goto(phone.authorize_url())
    sign_in(one.page, account)
    one.page.get_by_role("button", name="Allow", exact=True).click()
    assert callback(one.page, site)["code"]
    assert not [line for line in one.complaints if "Content Security Policy" in line], one.complaints


def test_C09_a_native_app_that_listens_on_ipv6_is_reached(sqlite_server, account, window, partner_site):
    """RFC 8252 §7.3."""
    site = partner_site(host="::1")
    client = sqlite_server.create_client(
        "--public", "--redirect-uri", "http://[::1]/callback", "--scope", "locks.read", name="IPv6 phone"
    ).using(redirect_uri=f"http://[::1]:{site.port}/callback")
    one = window()
    one.page.goto(client.authorize_url())
    sign_in(one.page, account)
    one.page.get_by_role("button", name="Allow", exact=True).click()
    assert callback(one.page, site)["code"]
    assert not [line for line in one.complaints if "Content Security Policy" in line], one.complaints


def test_C09_a_partner_may_send_the_browser_on_to_a_third_origin(sqlite_server, account, window, partner_site):
    last = partner_site()
    first = partner_site(send_on_to=f"http://localhost:{last.port}/landed")
    client = sqlite_server.partners.phone.using(redirect_uri=f"http://127.0.0.1:{first.port}/callback")
    one = window()
    one.page.goto(client.authorize_url())
    sign_in(one.page, account)
    one.page.get_by_role("button", name="Allow", exact=True).click()
    one.page.wait_for_url(f"http://localhost:{last.port}/landed")
    expect(one.page.get_by_role("heading", name="Back at the partner")).to_be_visible()
    assert not [line for line in one.complaints if "Content Security Policy" in line], one.complaints


APPS = ["com.acme.app://connected", "claude://connected", "intent://connected#Intent;scheme=acme;end"]


def check_allow_opens(one: Window, client: OAuthClient, account, app: str) -> None:
    """No app has this machine's schemes, so what is seen is that the browser asks for one."""
    one.page.goto(client.authorize_url())
    sign_in(one.page, account)
    with one.page.expect_request(lambda request: request.url == app.split("#")[0]):
        one.page.get_by_role("button", name="Allow", exact=True).click()
    assert not [line for line in one.complaints if "Content Security Policy" in line], one.complaints


@pytest.mark.parametrize("app", APPS)
def test_C09_a_callback_by_https_may_send_the_browser_on_to_an_app(sent_on_by_https, account, window, app):
    check_allow_opens(window(ignore_https_errors=True), sent_on_by_https(app), account, app)


def test_C09_a_callback_on_loopback_may_send_the_browser_on_to_an_app(sqlite_server, account, window, partner_site):
    uri = f"http://127.0.0.1:{partner_site(send_on_to=APPS[0]).port}/callback"
    check_allow_opens(window(), sqlite_server.partners.phone.using(redirect_uri=uri), account, APPS[0])


def test_C09_a_callback_by_https_may_send_the_browser_on_to_plain_http_at_home(
    sent_on_by_https, account, window, partner_site
):
    home = f"http://localhost:{partner_site().port}/landed"
    one = window(ignore_https_errors=True)
    one.page.goto(sent_on_by_https(home).authorize_url())
    sign_in(one.page, account)
    one.page.get_by_role("button", name="Allow", exact=True).click()
    one.page.wait_for_url(home)
    assert not [line for line in one.complaints if "Content Security Policy" in line], one.complaints


# Every page, one by one.


def open_page(name: str, page: Page, client: OAuthClient, account) -> None:
    """Brings a browser to one of the pages that a person can meet."""
    if name == "error":
        page.goto(client.authorize_url(redirect_uri="https://evil.example/"))
        return
    if name == "not found":
        page.goto(client.server.base + "/no/such/page")
        return
    page.goto(client.authorize_url())
    if name == "sign-in":
        return
    if name == "wrong password":
        sign_in(page, account, "not my password")
        page.wait_for_selector("[role=alert]")
        page.wait_for_load_state()
        return
    sign_in(page, account)
    page.wait_for_selector("button[name=decision]")
    page.wait_for_load_state()
    if name == "select account":
        page.goto(client.authorize_url(prompt="select_account"))


PAGES = ["sign-in", "wrong password", "consent", "select account", "error", "not found"]


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("name", PAGES)
def test_axe_finds_nothing_serious(phone, account, window, name, scheme):
    one = window(color_scheme=scheme, viewport=PHONE)
    open_page(name, one.page, phone, account)
    found = Axe().run(one.page).response["violations"]
    serious = [f"{one['id']}: {one['help']}" for one in found if one["impact"] in ("serious", "critical")]
    assert not serious, serious


@pytest.mark.parametrize("name", PAGES)
def test_a_small_phone_needs_no_sideways_scrolling(phone, account, window, name):
    one = window(viewport=PHONE)
    open_page(name, one.page, phone, account)
    width = one.page.evaluate("() => document.scrollingElement.scrollWidth")
    assert width <= PHONE["width"], f"the page is {width} px wide"
    cut = one.page.evaluate(
        "() => [...document.querySelectorAll('main *')].filter(e => e.getBoundingClientRect().right > 321"
        " && getComputedStyle(e).position !== 'absolute').map(e => e.outerHTML.slice(0, 80))"
    )
    assert not cut, cut


@pytest.mark.parametrize("name", PAGES)
def test_controls_are_large_enough_for_a_thumb(phone, account, window, name):
    one = window(viewport=PHONE)
    open_page(name, one.page, phone, account)
    for control in one.page.locator("main button:visible, main input:visible").all():
        box = control.bounding_box()
        assert box["height"] >= 24, control.evaluate("e => e.outerHTML")
        assert box["width"] >= 24


@pytest.mark.parametrize("name", PAGES)
def test_the_dark_scheme_is_dark_and_the_light_one_light(phone, account, window, name):
    brightness = {}
    for scheme in ("light", "dark"):
        one = window(color_scheme=scheme)
        open_page(name, one.page, phone, account)
        colour = one.page.evaluate(
            "() => { for (const e of [document.body, document.documentElement]) {"
            " const c = getComputedStyle(e).backgroundColor.match(/[\\d.]+/g).map(Number);"
            " if (c.length < 4 || c[3] > 0) return c.slice(0, 3) } return [255, 255, 255] }"
        )
        brightness[scheme] = sum(colour) / 3
    assert brightness["dark"] < 80
    assert brightness["light"] > 200


@pytest.mark.parametrize("name", PAGES)
def test_a_page_asks_nobody_else_and_breaks_no_policy(sqlite_server, phone, account, window, name):
    one = window()
    open_page(name, one.page, phone, account)
    one.page.wait_for_load_state("networkidle")
    foreign = [url for url in one.requests if not url.startswith((sqlite_server.base, "data:"))]
    assert not foreign
    assert not [line for line in one.complaints if "Content Security Policy" in line], one.complaints
    assert not one.page.locator("script").count(), "the pages need no scripts and have none"
    styled = one.page.evaluate("() => document.styleSheets.length > 0")
    assert styled, "the style sheet was not loaded"


@pytest.mark.parametrize("name", PAGES)
def test_a_page_has_a_language_a_title_and_one_first_heading(phone, account, window, name):
    one = window(locale="en-GB")
    open_page(name, one.page, phone, account)
    assert one.page.locator("html").get_attribute("lang").startswith("en")
    assert one.page.title().strip()
    assert one.page.locator("h1").count() == 1


def test_the_pages_speak_german_to_who_asks_for_it(phone, window):
    one = window(locale="de-DE")
    one.page.goto(phone.authorize_url())
    assert one.page.locator("html").get_attribute("lang").startswith("de")
    two = window(locale="en-GB")
    two.page.goto(phone.authorize_url(ui_locales="de"))
    assert two.page.locator("html").get_attribute("lang").startswith("de")


def test_not_you_stands_beside_the_account_on_a_small_phone(phone, account, window):
    one = window(viewport={"width": 360, "height": 740})
    one.page.goto(phone.authorize_url())
    sign_in(one.page, account)
    button = one.page.get_by_role("button", name="Not you?").bounding_box()
    who = one.page.locator(".who").bounding_box()
    assert button["x"] >= who["x"] + who["width"]
    assert who["y"] <= button["y"] + button["height"] / 2 <= who["y"] + who["height"]


def test_text_can_be_twice_as_large(phone, account, window):
    one = window(viewport={"width": 640, "height": 640})
    open_page("consent", one.page, phone, account)
    one.page.evaluate("() => { document.documentElement.style.fontSize = '200%' }")
    assert one.page.evaluate("() => document.scrollingElement.scrollWidth") <= 640
    expect(one.page.get_by_role("button", name="Allow", exact=True)).to_be_visible()


def test_C05_a_clients_name_is_text_and_nothing_else(sqlite_server, account, window):
    name = '<img src=x onerror="document.title=1">&lt;b&gt;'
    options = ("--redirect-uri", "https://partner.example/callback", "--scope", "locks.read")
    client = sqlite_server.create_client(*options, name=name)
    one = window()
    one.page.goto(client.authorize_url())
    sign_in(one.page, account)
    expect(one.page.get_by_role("heading", level=1)).to_contain_text(name)
    assert not one.page.locator("img[src=x]").count()
    assert not [line for line in one.complaints if "Content Security Policy" in line]
