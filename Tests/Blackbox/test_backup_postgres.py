"""Backups of PostgreSQL and what is cut meanwhile: security.md row F12. A dump under load is in `test_backup.py`."""

import os
import re
import subprocess
from pathlib import Path
from urllib.parse import urlsplit

from toolkit.client import refusal
from toolkit.databases import ROOT, BaseBackup, Postgres, PostgresServer, postgres_program
from toolkit.person import Person
from toolkit.process import BINARY
from toolkit.waiting import eventually

WEB = ("--redirect-uri", "https://partner.example/callback", "--scope", "locks.read")


def commands_of_the_page() -> list[str]:
    """What docs/backup.md tells somebody with PostgreSQL to type."""
    section = (ROOT / "docs" / "backup.md").read_text().split("\n## PostgreSQL\n", 1)[1]
    lines = re.search(r"^```sh\n(.*?)^```", section, re.M | re.S).group(1).splitlines()
    return [line for line in lines if line and not line.startswith("#")]


def test_F12_the_commands_of_the_page_bring_a_dump_back(new_server, tmp_path):
    primary = PostgresServer()
    try:
        database = Postgres(primary.url)
        # The page's database is called latchkey; the one of that name here is empty.
        database.query("drop database latchkey", primary.superuser_url)
        database.query(f"alter database {database.name} rename to latchkey", primary.superuser_url)
        database.name, database.url = "latchkey", primary.url
        logs = {f"/from/node{number}/revocations": tmp_path / f"revocations{number}" for number in (1, 2)}
        for log in logs.values():
            log.touch(0o600)
        server = new_server(database=database, environment={"LATCHKEY_REVOCATION_LOG": str([*logs.values()][0])})
        seam = server.create_client("--partner", "seam", name="Seam")
        person = Person(server, server.create_account())
        server.start()
        kept, cut = person.connect(seam), person.connect(seam)
        programs = tmp_path / "bin"
        programs.mkdir()
        (programs / "latchkey").symlink_to(BINARY)
        place = {"PGHOST": primary.folder, "PGPORT": str(urlsplit(primary.url).port), "PGUSER": "postgres"}
        place["PATH"] = f"{programs}:{Path(postgres_program('psql')).parent}:{os.environ['PATH']}"
        place["LATCHKEY_DATABASE"] = database.url

        def type_in(line: str) -> None:
            for said, log in logs.items():
                line = line.replace(said, str(log))
            command, environment = ["bash", "-euc", line], server.environment | place
            done = subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, text=True, timeout=60)
            assert done.returncode == 0, f"{line}: {done.stderr}"

        dump, *restore = commands_of_the_page()
        type_in(dump)
        assert (tmp_path / "latchkey.dump").stat().st_mode & 0o077 == 0, "as private as the database"
        assert seam.revoke(cut.refresh).status_code == 200
        assert server.stop() == 0
        for line in restore:
            type_in(line)
        server.start()
        refusal(seam.refresh(cut.refresh), 400, "invalid_grant")
        assert seam.refreshed(kept.refresh).user_id == person.account.user_id
    finally:
        primary.stop()


def test_F12_postgresql_as_of_a_point_in_time_brings_nothing_back_that_was_cut_later(new_server, tmp_path):
    primary = PostgresServer()
    keeping, backup = primary.stream_backup(), None
    try:
        database = Postgres(primary.url)
        server = new_server(database=database, environment={"LATCHKEY_REVOCATION_LOG": str(tmp_path / "revocations")})
        seam = server.create_client("--partner", "seam", name="Seam")
        careful = server.create_client(*WEB, "--refresh", "successor", name="Careful partner")
        person = Person(server, server.create_account())
        server.start()
        kept, rotating = person.connect(seam), person.connect(careful)
        backup = BaseBackup(primary)
        # What the base backup does not hold, and the log since does.
        later, cut = person.connect(seam), person.connect(seam)
        database.query("select pg_create_restore_point('before the cut')", primary.superuser_url)
        assert seam.revoke(cut.refresh).status_code == 200
        for _ in range(3):
            rotating = careful.refreshed(rotating.refresh)
        last = database.query("select pg_walfile_name(pg_switch_wal())", primary.superuser_url).strip()
        eventually((primary.log_backup / last).exists, 30)
        server.kill()
        primary.halt()

        backup.come_back("before the cut", primary.log_backup)
        server.database = database.at(backup.port)
        assert server.command("restore", "--in-place")["reapplied"] == {"connection.revoked": 1}
        server.start()
        refusal(seam.refresh(cut.refresh), 400, "invalid_grant")
        assert seam.introspect(cut.access) == {"active": False}
        for one in (kept, later):
            assert seam.refreshed(one.refresh).user_id == person.account.user_id
        assert careful.refreshed(rotating.refresh).user_id == person.account.user_id
    finally:
        keeping.terminate()
        keeping.wait(30)
        if backup is not None:
            backup.stop()
        primary.stop()


def test_F12_a_cut_from_a_shell_without_a_log_is_noted_by_the_nodes_and_outlives_the_restore(
    new_server, database, tmp_path
):
    shared = database("postgres")
    logs = [tmp_path / "r1", tmp_path / "r2"]
    first = new_server(database=shared, environment={"LATCHKEY_REVOCATION_LOG": str(logs[0])})
    second = new_server(database=shared, issuer=first.issuer, environment={"LATCHKEY_REVOCATION_LOG": str(logs[1])})
    # It has the URL, the issuer and the secret key, as an operator's own machine does.
    shell = new_server(database=shared, environment={"LATCHKEY_ISSUER": first.issuer})
    seam = first.create_client("--partner", "seam", name="Seam")
    person = Person(first, first.create_account())
    for node in (first, second):
        node.start()
    kept = person.connect(seam)
    earlier = {one["connection_id"] for one in shell.command("connection", "list")}
    cut = person.connect(seam)
    (cut_id,) = {one["connection_id"] for one in shell.command("connection", "list")} - earlier
    dump = tmp_path / "latchkey.dump"
    subprocess.run(
        [postgres_program("pg_dump"), "--format=custom", f"--file={dump}", shared.url], check=True, timeout=60
    )

    done = shell.run("connection", "revoke", cut_id)
    assert done.returncode == 0, done.stderr
    assert "no revocation log is kept here" in done.stderr
    # docs/backup.md promises half a minute.
    eventually(lambda: all(log.exists() and cut_id in log.read_text() for log in logs), 30)
    assert first.stop() == second.stop() == 0

    shared.query(f"drop database {shared.name}", shared.server_url)
    shared.query(f"create database {shared.name}", shared.server_url)
    subprocess.run(
        [postgres_program("pg_restore"), "--no-owner", f"--dbname={shared.url}", dump], check=True, timeout=60
    )
    named = [word for log in logs for word in ("--apply-revocations", str(log))]
    assert shell.command("restore", "--in-place", *named)["reapplied"]["connection.revoked"] == 1
    first.start()
    refusal(seam.refresh(cut.refresh), 400, "invalid_grant")
    assert seam.refreshed(kept.refresh).user_id == person.account.user_id


def test_F12_a_cut_from_a_shell_without_a_log_is_noted_by_a_node_that_is_told_to_stop_just_then(
    new_server, database, tmp_path
):
    shared, log = database("postgres"), tmp_path / "revocations"
    node = new_server(database=shared, environment={"LATCHKEY_REVOCATION_LOG": str(log)})
    shell = new_server(database=shared, environment={"LATCHKEY_ISSUER": node.issuer})
    seam = node.create_client("--partner", "seam", name="Seam")
    person = Person(node, node.create_account())
    node.start()
    person.connect(seam)
    (cut,) = [one["connection_id"] for one in shell.command("connection", "list")]
    shell.command("connection", "revoke", cut)
    # It looks for what others have ended four times a minute, and has not been at work for that long.
    assert not log.exists() or cut not in log.read_text()
    assert node.stop() == 0
    assert cut in log.read_text()
