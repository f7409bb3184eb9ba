"""Ports of loopback for the tests' own servers: `python3 ports.py COUNT` prints some, for the scripts."""

from __future__ import annotations

import fcntl
import os
import random
import socket
import sys
import tempfile
from pathlib import Path

FIRST = 10240


def free_port() -> int:
    """A port that nobody listens on and that nobody else is given soon, in this process or in another."""
    return free_ports(1)[0]


def free_ports(count: int) -> list[int]:
    """Ports one after the other, over all processes of this user, and never one of those the kernel hands out.

    One that the kernel picks is free only until it picks again: two servers get the same one, or a connection leaves
    from it while the server whose port it is, is being restarted.
    """
    last = int(Path("/proc/sys/net/ipv4/ip_local_port_range").read_text().split()[0]) - 1
    assert last > FIRST, f"the kernel hands out ports from {last + 1} on, the tests need some between {FIRST} and those"
    found: list[int] = []
    flags = os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC
    path = Path(tempfile.gettempdir()) / f"latchkey-test-port-{os.getuid()}"
    with os.fdopen(os.open(path, flags, 0o600), "r+") as counter:
        fcntl.flock(counter, fcntl.LOCK_EX)
        # Two folders for temporary files have a counter each: they begin far from each other.
        port = int(counter.read() or random.randrange(FIRST, last))
        for _ in range(last - FIRST + 1):
            port = port + 1 if FIRST <= port < last else FIRST
            if is_free(port):
                found.append(port)
            if len(found) == count:
                break
        counter.seek(0)
        counter.truncate()
        counter.write(str(port))
    assert len(found) == count, f"no {count} ports between {FIRST} and {last} are free"
    return found


def is_free(port: int) -> bool:
    with socket.socket() as probe:
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
        return True


if __name__ == "__main__":
    print(*free_ports(int(sys.argv[1])), sep="\n")
