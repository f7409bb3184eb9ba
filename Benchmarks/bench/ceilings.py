"""What the machine, the libraries and the databases do by themselves: what the figures are held against."""

import ctypes
import ctypes.util
import json
import os
import re
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from . import load
from .bodies import Bodies
from .databases import Postgres, SQLite
from .machine import output
from .process import ServerProcess, free_port

ALGORITHMS = {
    "ES256": ("ecdsap256", r"256 bits ecdsa \(nistp256\)"),
    "EdDSA": ("ed25519", r"253 bits EdDSA \(Ed25519\)"),
    "RS256": ("rsa2048", r"rsa\s+2048 bits"),
}
"""How `openssl speed` calls each algorithm, and the line of its answer."""
STATIC_SIZE = 400
"""Bytes of nginx's file: about those of the fixed answer."""
TEMPORARY = ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
"""What nginx wants a folder for, which must not be the system's."""
CORES = len(os.sched_getaffinity(0))
READ = """
    select c.connection_id, c.client_id, c.account_id, c.scope, c.resources, c.nonce, c.generation, c.created_at,
        c.last_used_at, c.revoked_at, a.disabled_at
    from connections c join accounts a on a.account_id = c.account_id where c.connection_id =
"""
"""The keyed read of a refresh."""


@dataclass
class Ceiling:
    """A rate that somebody else sets."""

    name: str
    title: str
    rate: float


def signatures(seconds: int = 1) -> list[Ceiling]:
    """What `openssl speed` makes of each algorithm, on one core."""
    said = output("openssl", "speed", "-seconds", str(seconds), *[name for name, _ in ALGORITHMS.values()])
    found = []
    for algorithm, (_, line) in ALGORITHMS.items():
        match = re.search(line + r"\s+\S+s\s+\S+s\s+([\d.]+)\s+([\d.]+)", said)
        if not match:
            raise SystemExit(f"bench: 'openssl speed' did not say how many {algorithm} signatures it makes:\n{said}")
        signs, verifies = map(float, match.groups())
        found.append(Ceiling(f"sign-{algorithm}", f"{algorithm} signatures, one core, `openssl speed`", signs))
        found.append(Ceiling(f"verify-{algorithm}", f"{algorithm} verifications, one core, `openssl speed`", verifies))
    return found


def flushes(seconds: float = 1) -> Ceiling:
    """How often a 4 KB append to a file is made durable."""
    with tempfile.TemporaryFile() as file:
        page = b"\0" * 4096
        count = 0
        start = time.perf_counter()
        while time.perf_counter() - start < seconds:
            os.write(file.fileno(), page)
            os.fdatasync(file.fileno())
            count += 1
        return Ceiling("flush", "4 KB appends, each with `fdatasync`", count / (time.perf_counter() - start))


def static_files(connections: list[int], seconds: int) -> list[Ceiling]:
    """What nginx makes of a small file."""
    nginx = shutil.which("nginx") or "/usr/sbin/nginx"
    folder = Path(tempfile.mkdtemp(prefix="latchkey-bench."))
    port = free_port()
    try:
        (folder / "answer.json").write_bytes(b"a" * STATIC_SIZE)
        (folder / "nginx.conf").write_text(
            f"{'user root;' if os.geteuid() == 0 else ''}\n"
            "worker_processes auto;\nerror_log stderr;\npid nginx.pid;\ndaemon off;\n"
            "events { worker_connections 2048; }\n"
            "http {\n    access_log off;\n    keepalive_requests 100000000;\n    open_file_cache max=10;\n"
            + "".join(f"    {kind}_temp_path {kind};\n" for kind in TEMPORARY)
            + f"    server {{ listen 127.0.0.1:{port}; root {folder}; }}\n}}\n"
        )
        command = [nginx, "-p", folder, "-c", folder / "nginx.conf", "-e", "stderr"]
        with ServerProcess(command, port, folder / "nginx.log", stop=signal.SIGQUIT) as server:
            server.wait_until_ready(path="/answer.json")
            return [
                Ceiling(
                    f"nginx-{count}",
                    f"nginx, a static file of {STATIC_SIZE} bytes, {count} connection{'s' if count > 1 else ''}",
                    load.run(server, "/answer.json", "get.lua", [], count, seconds).rate,
                )
                for count in connections
            ]
    finally:
        shutil.rmtree(folder)


class Argon2:
    """The reference library, with the parameters that the server uses."""

    MEMORY, PASSES, LANES, LENGTH = 19 * 1024, 2, 1, 32

    def __init__(self) -> None:
        name = ctypes.util.find_library("argon2")
        if name is None:
            raise SystemExit("bench: there is no libargon2 on this machine. Install the package libargon2-1.")
        self.hash = ctypes.CDLL(name).argon2id_hash_raw

    def rate(self, seconds: float) -> float:
        """Hashes a second on all cores."""
        with ThreadPoolExecutor(CORES) as threads:
            return sum(threads.map(lambda _: self._one_core(seconds), range(CORES)))

    def _one_core(self, seconds: float) -> float:
        password, salt = b"correct horse battery staple", os.urandom(16)
        result = ctypes.create_string_buffer(self.LENGTH)
        size = ctypes.c_size_t
        count = 0
        start = time.perf_counter()
        while time.perf_counter() - start < seconds:
            # ctypes lets the other threads run meanwhile.
            failed = self.hash(
                self.PASSES, self.MEMORY, self.LANES, password, size(len(password)), salt, size(len(salt)), result,
                size(self.LENGTH),
            )  # fmt: skip
            if failed:
                raise SystemExit(f"bench: libargon2 says error {failed}")
            count += 1
        return count / (time.perf_counter() - start)


def of_sqlite(database: SQLite, bodies: Bodies, seconds: int) -> list[Ceiling]:
    """SQLite through its C interface, in a process of its own."""
    said = subprocess.run(
        bodies.command("sqlite-ceiling", "--seconds", str(seconds), f"{READ} ?1"),
        check=True, text=True, stdout=subprocess.PIPE,
    )  # fmt: skip
    rates = json.loads(said.stdout)
    return [
        Ceiling("read", f"the same keyed read, {CORES} threads, SQLite's C interface", rates["reads"]),
        Ceiling("write", "durable commits of one row, one after the other, SQLite's C interface", rates["commits"]),
    ]


def of_postgres(database: Postgres, bodies: Bodies, seconds: int) -> list[Ceiling]:
    """PostgreSQL by pgbench, with prepared statements over the same kind of socket."""
    key = database.query("select connection_id from connections limit 1")
    database.query("create table if not exists bench_writes (number bigserial primary key, note text)")
    read = bodies.folder / "read.sql"
    read.write_text(" ".join(f"{READ} :key;".split()) + "\n")
    write = bodies.folder / "write.sql"
    write.write_text("insert into bench_writes (note) values ('what a small row holds, about as much as a code');\n")
    return [
        Ceiling("read-16", "the same keyed read, pgbench, 16 connections", _pgbench(database, read, 16, seconds, key)),
        Ceiling("read-64", "the same keyed read, pgbench, 64 connections", _pgbench(database, read, 64, seconds, key)),
        Ceiling("write-1", "durable commits of one row, pgbench, 1 connection", _pgbench(database, write, 1, seconds)),
        Ceiling(
            "write-64", "durable commits of one row, pgbench, 64 connections", _pgbench(database, write, 64, seconds)
        ),
    ]


def _pgbench(database: Postgres, script: Path, clients: int, seconds: int, key: str = "") -> float:
    command = ["pgbench", "--no-vacuum", "--protocol=prepared", f"--file={script}", f"--client={clients}"]
    command += [f"--time={seconds}", *([f"--define=key={key}"] if key else []), database.url]
    ended = subprocess.run(command, text=True, capture_output=True, check=False)
    match = re.search(r"tps = ([\d.]+)", ended.stdout)
    if not match:
        raise SystemExit(f"bench: pgbench did not say a rate:\n{ended.stdout}{ended.stderr}")
    return float(match.group(1))


OF_DATABASE: dict[str, Callable[..., list[Ceiling]]] = {"sqlite": of_sqlite, "postgres": of_postgres}
