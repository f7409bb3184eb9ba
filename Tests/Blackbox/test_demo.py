"""`latchkey demo`: what it prints, and the whole tour through its sample partner."""

import json
import os
import re
import select
import shlex
import signal
import socket
import subprocess
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path

import pytest
import requests
from playwright.sync_api import Browser, Page, expect

from toolkit.expect import check_one_line_error
from toolkit.ports import free_port
from toolkit.process import BINARY, clean_environment
from toolkit.waiting import eventually
from toolkit.wire import send, serves

PORT = free_port()
ORIGIN = f"http://localhost:{PORT}"


@contextmanager
def running_demo(folder: Path, port: int = PORT) -> Iterator[str]:
    """`latchkey demo` in a folder, with what it printed until it was ready."""
    printed = folder / "printed"
    with printed.open("w") as out:
        process = subprocess.Popen(
            [BINARY, "demo", "--port", str(port)],
            cwd=folder,
            env=clean_environment(),
            stdin=subprocess.DEVNULL,
            stdout=out,
            stderr=out,
        )

    def is_ready() -> bool:
        assert process.poll() is None, printed.read_text()
        return serves(f"http://localhost:{port}/") and "Ctrl-C" in printed.read_text()

    eventually(is_ready, 60, printed.read_text)
    yield printed.read_text()
    process.send_signal(signal.SIGTERM)
    assert process.wait(timeout=20) == 0


@pytest.fixture
def demo(tmp_path):
    """`latchkey demo` in an empty folder, with what it printed until it was ready."""
    with running_demo(tmp_path) as printed:
        yield printed


def test_the_demo_says_what_to_open_and_whom_to_sign_in_as(demo):
    assert ORIGIN in demo
    assert re.search(r"[\w.+-]+@[\w.-]+\w", demo), demo
    assert re.search(r"password", demo, re.IGNORECASE), demo


@pytest.fixture
def page(demo, browser: Browser):
    """A phone's browser."""
    context = browser.new_context(viewport={"width": 390, "height": 800})
    yield context.new_page()
    context.close()


def another_demo(folder, *options: str) -> subprocess.CompletedProcess:
    return subprocess.run(
        [BINARY, "demo", *options],
        cwd=folder,
        env=clean_environment(),
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=30,
    )


def inspect(demo: str, *words: str) -> str:
    """Runs the command that the banner prints, from another folder, with other words after the program."""
    printed = shlex.split(re.search(r"Inspect\s+(.*)", demo).group(1))
    command = [printed[0], *words, *printed[3:]] if words else printed
    return subprocess.run(command, cwd="/", check=True, capture_output=True, text=True, timeout=30).stdout


def connect(demo: str, page: Page) -> None:
    """Connects the account that the banner names."""
    page.goto(ORIGIN + "/connect")
    if page.get_by_label("Email", exact=True).count():
        page.get_by_label("Email", exact=True).fill(re.search(r"[\w.+-]+@[\w.-]+\w", demo).group())
        page.get_by_label("Password", exact=True).fill(re.search(r"Password\s+(\S+)", demo).group(1))
        page.get_by_role("button", name="Sign in", exact=True).click()
    page.get_by_role("button", name="Allow", exact=True).click()
    page.wait_for_url(ORIGIN + "/connected")


def test_the_demo_takes_a_person_through_the_whole_tour(demo, page):
    page.goto(ORIGIN)
    expect(page.get_by_role("link", name="Connect your locks")).to_be_visible()
    connect(demo, page)
    body = page.locator("body")
    expect(body).to_contain_text("usr_")
    for word in ("Access token", "Refresh token", "user_id", "Tried at once", "was unlocked through the API", "twenty"):
        expect(body).to_contain_text(word)
    expect(body).to_contain_text("All 21 tokens still work.")
    expect(page.locator("tbody tr").nth(20)).to_be_visible()
    assert page.get_by_text("Unlocked", exact=True).count() == 0, "the lock that was tried is locked again"
    assert "401" not in body.inner_text()
    reveal = page.locator("details.secret summary").first
    reveal.click()
    assert "Hide" in reveal.inner_text()
    assert "Reveal" not in reveal.inner_text()


def test_a_cut_connection_is_told_once_with_the_way_on(demo, page):
    connect(demo, page)
    (connection,) = json.loads(inspect(demo, "connection", "list", "--json"))
    inspect(demo, "connection", "cut", connection["connection_id"])
    page.get_by_role("button", name="Refresh 20 times at once").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("The connection has ended")
    assert page.locator("pre").count() == 1
    page.get_by_role("link", name="Connect again").click()
    page.get_by_role("button", name="Allow", exact=True).click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Your locks are connected")


def test_two_tabs_connect_side_by_side(demo, page):
    connect(demo, page)
    second = page.context.new_page()
    for tab in (page, second):
        tab.goto(ORIGIN + "/connect")
    for tab in (page, second):
        tab.get_by_role("button", name="Allow", exact=True).click()
        tab.wait_for_url(ORIGIN + "/connected")


def test_a_reload_says_the_same_after_deny(demo, page):
    connect(demo, page)
    page.goto(ORIGIN + "/connect")
    page.get_by_role("button", name="Deny", exact=True).click()
    for _ in range(2):
        expect(page.get_by_role("heading", level=1)).to_have_text("Nothing was connected")
        page.reload()


def test_back_and_allow_again_is_no_dead_end(demo, page):
    connect(demo, page)
    page.go_back()
    page.get_by_role("button", name="Allow", exact=True).click()
    expect(page.get_by_role("heading", level=1)).to_have_text("This was already answered")
    page.get_by_role("link", name="Go back").click()
    expect(page.get_by_role("link", name="Connect your locks")).to_be_visible()


@pytest.mark.parametrize("path", ["/connect", "/oauth/callback", "/connected/move"])
def test_a_profiles_path_that_the_sample_partner_has_is_refused_in_one_line(tmp_path, path):
    partners = tmp_path / "partners"
    partners.mkdir()
    text = f"id: acme\nname: Acme\nsources: {{A1: Acme}}\nrules:\n  endpoints:\n    authorize: [{path}]\n"
    (partners / "acme.yaml").write_text(text)
    (tmp_path / "latchkey.yaml").write_text(f"partners: {partners}\n")
    done = another_demo(tmp_path, "--port", str(free_port()))
    check_one_line_error(done, f"{partners}/acme.yaml line 6: ", f"{path} is the sample partner's")


def test_a_demo_in_a_real_servers_folder_takes_its_brand_and_leaves_the_rest_alone(tmp_path):
    taken = socket.create_server(("127.0.0.1", 0))
    port = taken.getsockname()[1]
    (tmp_path / "latchkey.yaml").write_text(
        f"""\
brand-name: Acme Doors
metrics-listen: 127.0.0.1:{port}
webhook-url: http://127.0.0.1:{port}/hook
webhook-secret: whsec_AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA
revocation-log: {tmp_path}/real.revocations
accounts: login-endpoint
login-endpoint-url: http://127.0.0.1:{port}/login
"""
    )
    mine = free_port()
    with running_demo(tmp_path, mine) as printed:
        form = {"email": re.search(r"[\w.+-]+@[\w.-]+\w", printed).group()}
        form["password"] = re.search(r"Password\s+(\S+)", printed).group(1)
        browser = requests.Session()
        page = browser.get(f"http://localhost:{mine}/account/sign-in")
        assert "Acme Doors" in page.text
        form["transaction"] = re.search(r'name="transaction" value="([^"]+)"', page.text).group(1)
        answer = browser.post(page.url, data=form, allow_redirects=False, headers={"Sec-Fetch-Site": "same-origin"})
        assert answer.status_code == 303, "the demo has accounts of its own"
    assert not (tmp_path / "real.revocations").exists()
    taken.setblocking(False)
    with pytest.raises(BlockingIOError):
        taken.accept()
    taken.close()


def test_a_taken_port_names_the_flag_that_the_demo_has(demo, tmp_path):
    done = another_demo(tmp_path, "--data", "elsewhere", "--port", str(PORT))
    check_one_line_error(done, f"cannot listen on 127.0.0.1:{PORT}", "--port")
    assert "--listen" not in done.stderr


def test_a_port_that_another_program_has_is_told_in_one_line(tmp_path):
    # Of one address of localhost; a demo that listened on the other one would say that it has to close again.
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        done = another_demo(tmp_path, "--port", str(port))
    check_one_line_error(done, f"cannot listen on 127.0.0.1:{port}: ", "--port")


def test_a_second_demo_does_not_take_the_first_ones_data_over(demo, tmp_path):
    check_one_line_error(another_demo(tmp_path, "--port", str(free_port())), "another demo", "--data", "--port")


def test_a_demo_ends_with_its_terminal_and_not_by_a_hangup_alone(tmp_path):
    leader, follower = os.openpty()
    command = ["setsid", "--ctty", BINARY, "demo", "--port", str(free_port()), "--log-level", "notice"]
    demo = subprocess.Popen(
        command, cwd=tmp_path, env=clean_environment(), stdin=follower, stdout=follower, stderr=follower
    )
    os.close(follower)

    def wait_for(words: bytes) -> None:
        shown = b""
        while words not in shown:
            assert select.select([leader], [], [], 20)[0], shown
            shown += os.read(leader, 4096)

    try:
        wait_for(b"Ctrl-C")
        demo.send_signal(signal.SIGHUP)
        wait_for(b"SIGHUP changes nothing")
        os.close(leader)
        assert demo.wait(timeout=20) == 0
    finally:
        demo.kill()
        demo.wait()


def test_the_banner_prints_a_command_that_works_anywhere(demo):
    assert "No connections." in inspect(demo)


def test_the_demo_survives_ten_people_at_once(demo):
    with ThreadPoolExecutor(10) as pool:
        statuses = list(pool.map(lambda _: send("GET", ORIGIN + "/").status_code, range(40)))
    assert set(statuses) == {200}
