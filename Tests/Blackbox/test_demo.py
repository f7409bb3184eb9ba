"""`latchkey demo`: what it prints, and the whole tour through its sample partner."""

import os
import re
import signal
import subprocess
import time
from concurrent.futures import ThreadPoolExecutor

import pytest
from playwright.sync_api import Browser, expect

from toolkit.process import BINARY
from toolkit.wire import send


@pytest.fixture
def demo(tmp_path):
    """`latchkey demo` in an empty folder, with what it printed until it was ready."""
    clean = {name: value for name, value in os.environ.items() if not name.startswith("LATCHKEY_")}
    printed = tmp_path / "printed"
    with printed.open("w") as out:
        process = subprocess.Popen(
            [BINARY, "demo"], cwd=tmp_path, env=clean, stdin=subprocess.DEVNULL, stdout=out, stderr=out
        )
    deadline = time.monotonic() + 30
    ready = False
    while not ready and process.poll() is None and time.monotonic() < deadline:
        time.sleep(0.1)
        try:
            ready = send("GET", "http://localhost:3020/").status_code == 200
        except OSError:
            ready = False
    assert ready, printed.read_text()
    time.sleep(0.3)
    yield printed.read_text()
    process.send_signal(signal.SIGTERM)
    assert process.wait(timeout=20) == 0


def test_the_demo_says_what_to_open_and_whom_to_sign_in_as(demo):
    assert "http://localhost:3020" in demo
    assert re.search(r"[\w.+-]+@[\w.-]+\w", demo), demo
    assert re.search(r"password", demo, re.IGNORECASE), demo


def test_the_demo_takes_a_person_through_the_whole_tour(demo, browser: Browser):
    email = re.search(r"[\w.+-]+@[\w.-]+\w", demo).group()
    password = re.search(r"[Pp]assword:?\s+[\"'`]?([^\s\"'`,]+)", demo).group(1)
    context = browser.new_context(viewport={"width": 390, "height": 800})
    page = context.new_page()
    page.goto("http://localhost:3020/")
    connect = page.get_by_role("button", name="Connect your locks").or_(
        page.get_by_role("link", name="Connect your locks")
    )
    connect.click()
    page.get_by_label("Email", exact=True).fill(email)
    page.get_by_label("Password", exact=True).fill(password)
    page.get_by_role("button", name="Sign in", exact=True).click()
    page.get_by_role("button", name="Allow", exact=True).click()
    page.wait_for_url(lambda url: url.startswith("http://localhost:3020/"))
    body = page.locator("body")
    expect(body).to_contain_text("usr_", timeout=15_000)
    for word in ("Access token", "Refresh token", "user_id"):
        expect(body).to_contain_text(word)
    expect(body).to_contain_text(re.compile(r"unlocked", re.IGNORECASE))
    expect(body).to_contain_text(re.compile(r"\b(20|twenty)\b", re.IGNORECASE))
    assert "401" not in body.inner_text()
    context.close()


def test_the_demo_survives_ten_people_at_once(demo):
    with ThreadPoolExecutor(10) as pool:
        statuses = list(pool.map(lambda _: send("GET", "http://localhost:3020/").status_code, range(40)))
    assert set(statuses) == {200}
