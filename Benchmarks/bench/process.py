"""A server process: started, watched through /proc, stopped."""

import http.client
import os
import signal
import socket
import subprocess
import threading
import time
from pathlib import Path

TICKS = os.sysconf("SC_CLK_TCK")


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


class ServerProcess:
    """A server on a port of loopback. Used as a context, it is stopped at the end."""

    def __init__(
        self,
        command: list[str | Path],
        port: int,
        log: Path,
        environment: dict[str, str] | None = None,
        stop: signal.Signals = signal.SIGTERM,
    ):
        self.port = port
        self.stop = stop
        self.log = log
        self.started = time.perf_counter()
        with log.open("ab") as output:
            self.process = subprocess.Popen(
                command, cwd=log.parent, stdin=subprocess.DEVNULL, stdout=output, stderr=output, env=environment
            )
        self.pid = self.process.pid

    def __enter__(self) -> "ServerProcess":
        return self

    def __exit__(self, *_: object) -> None:
        self.process.send_signal(self.stop)
        try:
            self.process.wait(20)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()

    def wait_until_ready(self, deadline: float = 30, path: str = "/readyz") -> float:
        """Polls until it answers 200; says how many seconds that took since the start of the process."""
        request = f"GET {path} HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n\r\n".encode()
        while time.perf_counter() - self.started < deadline:
            if self.process.poll() is not None:
                break
            try:
                with socket.create_connection(("127.0.0.1", self.port), 1) as connection:
                    connection.sendall(request)
                    if connection.recv(64).startswith(b"HTTP/1.1 200"):
                        return time.perf_counter() - self.started
            except OSError:
                pass
            time.sleep(0.002)
        tail = "\n".join(self.log.read_text(errors="replace").splitlines()[-5:])
        raise SystemExit(f"bench: the server did not become ready. Its log ends with:\n{tail}")

    def ask(
        self, method: str, path: str, body: str | None = None, headers: dict[str, str] | None = None
    ) -> tuple[int, http.client.HTTPMessage, str]:
        """One request, on a connection of its own."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=10)
        try:
            kind = {"Content-Type": "application/x-www-form-urlencoded"} if body is not None else {}
            connection.request(method, path, body, kind | (headers or {}))
            response = connection.getresponse()
            return response.status, response.headers, response.read().decode()
        finally:
            connection.close()

    def cpu_seconds(self) -> float:
        """User and system time so far, of all threads."""
        fields = Path(f"/proc/{self.pid}/stat").read_text().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / TICKS

    def wait_until_idle(self, deadline: float = 20) -> None:
        """Waits until it has worked off what those have left who no longer wait for an answer."""
        end = time.monotonic() + deadline
        before = self.cpu_seconds()
        while time.monotonic() < end:
            time.sleep(0.2)
            now = self.cpu_seconds()
            if now - before <= 2 / TICKS:
                return
            before = now

    def forget_peak(self) -> None:
        """Starts the peak of the resident memory anew."""
        Path(f"/proc/{self.pid}/clear_refs").write_text("5")

    def peak_megabytes(self) -> float:
        return self._status("VmHWM")

    def resident_megabytes(self) -> float:
        return self._status("VmRSS")

    def own_megabytes(self) -> float:
        """The part of the resident memory that no file holds: the rest the system can take back at any time."""
        return self._status("RssAnon")

    def watch(self) -> "MemoryWatch":
        """Notes the resident memory once a second until it is stopped."""
        return MemoryWatch(self)

    def _status(self, name: str) -> float:
        for line in Path(f"/proc/{self.pid}/status").read_text().splitlines():
            if line.startswith(name + ":"):
                return int(line.split()[1]) / 1024
        raise SystemExit(f"bench: /proc does not say {name}")


class MemoryWatch:
    """The resident memory of a server over time. Used as a context, it notes once a second."""

    def __init__(self, server: ServerProcess):
        self.points: list[list[float]] = []
        """Seconds since the beginning, and megabytes."""
        self._server = server
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)

    def __enter__(self) -> "MemoryWatch":
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        self._thread.join()

    def _run(self) -> None:
        start = time.monotonic()
        while not self._over.wait(1):
            self.points.append([round(time.monotonic() - start, 1), round(self._server.resident_megabytes(), 1)])
