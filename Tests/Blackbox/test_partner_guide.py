"""docs/partners.md does what it says: its example is read from the page and run, and its table is the profiles'."""

import re
import shlex

import pytest

import test_partners as suite
from toolkit import replay
from toolkit.databases import ROOT, Postgres, SQLite
from toolkit.expect import check_one_line_error
from toolkit.stage import Stage

PAGE = ROOT / "docs" / "partners.md"


def example(name: str) -> str:
    """The code block behind a mark of the page."""
    found = re.search(rf"<!-- example: {re.escape(name)} -->\n```\w+\n(.*?)```", PAGE.read_text(), re.DOTALL)
    assert found, f"docs/partners.md has no example '{name}'"
    return found.group(1)


@pytest.fixture
def folder(tmp_path):
    """A working directory with the page's file in the folder that its commands name."""
    (tmp_path / "partners").mkdir()
    (tmp_path / "partners" / "butler.yaml").write_text(example("butler.yaml"))
    return tmp_path


@pytest.fixture
def habits() -> replay.Habits:
    """The page's row."""
    return eval(example("row"), vars(replay))


CHECKS = [check for name, check in vars(suite).items() if name.startswith("test_") and name != suite.TABLE_TEST]


@pytest.fixture(params=["sqlite", "postgres"])
def butler(request, folder, habits):
    database = SQLite(folder) if request.param == "sqlite" else Postgres(request.getfixturevalue("postgres_url"))
    stage = Stage(database, folder, {"butler": habits}, {"LATCHKEY_PARTNERS": "./partners"})
    try:
        yield stage.player("butler")
        assert stage.server.stop() == 0
    finally:
        stage.server.kill()
        database.remove()


def test_the_pages_partner_passes_the_whole_suite(butler):
    assert len(CHECKS) > 12
    for check in CHECKS:
        check(butler)


def test_the_pages_commands_work_as_they_are_written(new_server, folder):
    server = new_server("sqlite")
    show, serve, create = (shlex.split(line) for line in example("commands").strip().splitlines())
    assert serve == ["latchkey", "serve", "--partners", "./partners"]
    assert server.command(*show[1:])["name"] == "Butler"
    server.options = (*server.options, *serve[2:])
    server.start()
    made = server.command(*create[1:])
    assert made["redirect_uris"] == ["https://butler.example/link/acme-locks/callback"]
    assert made["client_secret"]
    server.canaries.add("client secret", made["client_secret"])


def test_a_command_without_the_pages_flag_says_how_to_name_the_folder(new_server, folder):
    server = new_server("sqlite")
    *_, create = (shlex.split(line) for line in example("commands").strip().splitlines())
    client_id = server.command(*create[1:])["client_id"]
    done = server.run("client", "rotate-secret", client_id)
    check_one_line_error(done, "there is no partner profile 'butler'", "LATCHKEY_PARTNERS")
    server.extra_environment |= {"LATCHKEY_PARTNERS": "./partners"}
    assert server.command("client", "rotate-secret", client_id)["client_secret"]


def test_the_pages_mistake_is_refused_in_the_pages_words(new_server, folder):
    server = new_server("sqlite")
    file = folder / "partners" / "butler.yaml"
    file.write_text(file.read_text().replace("refresh: stable", "refresh: sometimes"))
    done = server.run("partner", "show", "butler", "--partners", "./partners")
    assert done.returncode == 1
    assert f"    {done.stderr.strip()}\n" in PAGE.read_text(), done.stderr


def row(profile: dict) -> str:
    """A profile's line of the page's table."""
    uris = profile["rules"].get("redirect_uris", [])
    names = list(dict.fromkeys(re.findall(r"\{(\w+)\}", " ".join(uris))))
    if not uris and "redirect_hosts" not in profile["rules"]:
        names = ["the redirect URI"]
    said = ", ".join(f"`{name}`" if " " not in name else name for name in names) or "–"
    loosened = ", ".join(f"`{entry['rule']}`" for entry in profile["loosened"]) or "–"
    unmet = "; ".join(entry["need"] for entry in profile["unmet"]) or "–"
    return f"| `{profile['id']}` | {profile['name']} | {said} | {loosened} | {unmet} |"


def test_the_pages_table_is_what_the_profiles_say(new_server):
    server = new_server("sqlite")
    ids = [entry["id"] for entry in server.command("partner", "list")]
    lines = ["| profile | partner | you say | looser than the default | unmet |", "|---|---|---|---|---|"]
    lines += [row(server.command("partner", "show", profile)) for profile in ids]
    page = PAGE.read_text()
    table = page[page.index("<!-- table:") : page.index("<!-- end of the table -->")].splitlines()[1:]
    assert table == lines, "docs/partners.md should have this table:\n" + "\n".join(lines)
