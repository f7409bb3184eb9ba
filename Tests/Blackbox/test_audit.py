"""The audit trail: who changed what, with before and after, and without a secret (ASVS 16.3, U06)."""

import getpass
import json
import os
import pwd
import stat
import subprocess
from pathlib import Path

from toolkit.expect import check_one_line_error

WEB = ("--redirect-uri", "https://partner.example/callback", "--scope", "locks.read")


def me() -> str:
    return pwd.getpwuid(os.getuid()).pw_name or getpass.getuser()


def entries(server, *words) -> list[dict]:
    return server.command("audit", "list", *words)


def test_u06_every_change_at_the_command_line_is_recorded(server):
    client = server.create_client(*WEB, name="Audited partner")
    subject = f"client:{client.client_id}"
    server.command("client", "update", client.client_id, "--name", "Renamed partner")
    rotated = server.command("client", "rotate-secret", client.client_id)["client_secret"]
    server.canaries.add("client secret", rotated)
    server.command("client", "disable", client.client_id)
    server.command("client", "enable", client.client_id)
    server.command("client", "delete", client.client_id)
    trail = entries(server, "--subject", subject)
    assert [one["action"] for one in trail] == [
        "client.deleted",
        "client.enabled",
        "client.disabled",
        "client.secret_rotated",
        "client.updated",
        "client.created",
    ]
    assert all(one["actor"] == {"kind": "command_line", "id": me(), "name": None} for one in trail)
    updated = trail[4]
    assert (updated["before"]["name"], updated["after"]["name"]) == ("Audited partner", "Renamed partner")
    assert trail[3]["after"]["client_secret"] == "***"
    assert rotated not in json.dumps(trail)


def test_u06_an_account_and_its_cut_connection_are_recorded(server, person):
    user_id = person.account.user_id
    connected = person.connect(server.partners.seam)
    (connection,) = server.command("connection", "list", "--account", user_id)
    server.command("connection", "revoke", connection["connection_id"])
    words = ("account", "set-password", user_id, "--password-stdin")
    server.command(*words, stdin="a brand new password\n")
    server.canaries.add("password", "a brand new password")
    server.command("account", "disable", user_id)
    (cut,) = entries(server, "--subject", f"connection:{connection['connection_id']}")
    assert cut["before"]["user_id"] == user_id
    assert cut["after"] == {"revoked_why": "operator"}
    trail = entries(server, "--subject", f"account:{user_id}")
    assert [one["action"] for one in trail] == ["account.disabled", "account.password_changed", "account.created"]
    assert trail[0]["before"]["disabled"] is False
    assert trail[0]["after"]["disabled"] is True
    text = json.dumps(trail)
    for secret in ("argon2", "brand new", connected.refresh):
        assert secret not in text


def test_u06_who_is_named_otherwise_than_in_the_trail_does_not_look_idle(server, person):
    user_id = person.account.user_id
    for words in (("--subject", user_id), ("--actor", "grace@acme.example")):
        done = server.run("audit", "list", *words)
        assert done.returncode == 0
        assert "--subject is KIND:ID and --actor an id" in done.stdout
    named = server.run("audit", "list", "--subject", f"account:{user_id}").stdout
    assert "account.created" in named
    assert "KIND:ID" not in named


def test_u06_what_partners_and_the_server_cut_is_recorded(server, person):
    client = server.partners.strict
    revoked, reused = person.connect(client), person.connect(client)
    assert client.revoke(revoked.refresh).status_code == 200
    client.refresh(reused.refresh)
    client.refresh(reused.refresh)
    trail = [
        one
        for one in entries(server, "--action", "connection.revoked")
        if one["before"]["user_id"] == person.account.user_id
    ]
    assert [(one["actor"]["kind"], one["after"]["revoked_why"]) for one in trail] == [
        ("server", "token_reused"),
        ("client", "client"),
    ]
    assert trail[1]["actor"]["id"] == client.client_id


def test_u06_the_trail_is_exported_as_json_lines(server, tmp_path):
    server.create_client(*WEB, name="Exported partner")
    file = tmp_path / "trail.jsonl"
    assert server.run("audit", "export", str(file)).returncode == 0
    assert file.stat().st_mode & 0o777 == 0o600
    lines = [json.loads(line) for line in file.read_text().splitlines()]
    assert [one["number"] for one in lines] == sorted(one["number"] for one in lines)
    printed = server.run("audit", "export", "-", "--text", "Exported partner").stdout.splitlines()
    assert [json.loads(line)["action"] for line in printed] == ["client.created"]
    assert json.loads(printed[0]) in lines
    assert entries(server, "--text", "Exported partner") == [json.loads(line) for line in printed]


def test_u06_an_export_to_a_full_disk_ends_with_a_sentence(new_server):
    server = new_server("sqlite")
    server.create_client(*WEB)
    with Path("/dev/full").open("w") as full:
        done = subprocess.run(
            [server.program, "audit", "export", "-", "--database", server.database.url],
            cwd=server.folder,
            env=server.environment,
            stdout=full,
            stderr=subprocess.PIPE,
            text=True,
            timeout=60,
        )
    check_one_line_error(done, "standard output cannot be written", "No space left on device")


def test_u06_an_export_overwrites_nothing(new_server, tmp_path):
    server = new_server("sqlite")
    server.create_account()
    there, link = tmp_path / "there", tmp_path / "link"
    there.write_text("mine")
    link.symlink_to(there)
    nowhere = tmp_path / "nowhere"
    nowhere.symlink_to(tmp_path / "gone")
    database = server.database.path.read_bytes()
    for file in (there, link, nowhere, tmp_path, server.database.path):
        check_one_line_error(server.run("audit", "export", str(file)), str(file), "overwrites nothing", "another file")
    assert there.read_text() == "mine"
    assert link.is_symlink()
    assert not (tmp_path / "gone").exists()
    assert server.database.path.read_bytes() == database
    check_one_line_error(server.run("audit", "export", str(tmp_path / "no" / "trail")), "cannot be written", "folder")


def test_u06_half_an_export_never_has_the_name_of_a_whole_one(own_server, tmp_path):
    own_server.create_account()
    own_server.start()
    file = tmp_path / "trail"
    # The system ends it when the file gets longer than this, as kill -9 would.
    own_server.prefix = ("prlimit", "--fsize=100")
    assert own_server.run("audit", "export", str(file)).returncode != 0
    assert not file.exists()
    own_server.prefix = ()
    assert own_server.run("audit", "export", str(file)).returncode == 0
    assert "account.created" in file.read_text()
    assert list(tmp_path.glob("trail*")) == [file], "what was left over is taken away"


def test_u06_an_export_goes_into_a_pipe_or_a_device_as_it_is(new_server, tmp_path):
    server = new_server("sqlite")
    server.create_account()
    trail = server.run("audit", "export", "-").stdout
    assert trail.count("account.created") == 1
    # Under another name too standard output gets the trail and nothing else. Not /dev/stdout: it might be replaced.
    output = tmp_path / "stdout"
    output.symlink_to("/proc/self/fd/1")
    assert server.run("audit", "export", str(output)).stdout == trail
    assert output.is_symlink()
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    with subprocess.Popen(["cat", pipe], stdout=subprocess.PIPE, text=True) as reader:
        done = server.run("audit", "export", str(pipe))
        assert stat.S_ISFIFO(pipe.stat().st_mode), "the pipe was replaced by a file"
        assert (done.returncode, done.stdout, reader.communicate(timeout=30)[0]) == (0, "", trail)
    # A device of the test's own, which nobody else misses: a terminal.
    leader, follower = os.openpty()
    terminal = Path(os.ttyname(follower))
    done = server.run("audit", "export", str(terminal))
    assert (done.returncode, done.stdout) == (0, ""), done.stderr
    assert os.read(leader, 65536).decode().replace("\r\n", "\n") == trail
    os.close(leader)
    os.close(follower)


def test_u06_a_rotated_key_is_recorded_without_its_material(own_server):
    own_server.start()
    key = own_server.command("key", "rotate")["key_id"]
    (rotated,) = entries(own_server, "--subject", f"key:{key}")
    assert rotated["actor"]["id"] == me()
    assert rotated["after"].keys() <= {"purpose", "algorithm", "number", "active_at", "older_end_at"}
    made = [one for one in entries(own_server, "--action", "key.rotated") if one["actor"]["kind"] == "server"]
    assert len(made) == 2
