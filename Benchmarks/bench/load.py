"""One run of wrk against the server."""

import json
import subprocess
from dataclasses import asdict, dataclass

from .databases import ROOT
from .process import ServerProcess

THREADS = 1
"""One thread of wrk keeps both cores of a small machine busy, and leaves the server as much of them as it can."""


@dataclass
class Sample:
    """What one run came to."""

    requests: int
    """How many were answered; where one thing takes several requests, how many of those things were done."""
    seconds: float
    percentiles: list[list[float]]
    """Percent, and the milliseconds in which that many of the requests were answered."""
    failures: int
    """Answers of status 400 and above, answers that are not what was asked for, and connections that broke."""
    shed: int
    """Answers that asked to come again, where a queue is bounded: they are no failures."""
    exhausted: bool
    """Whether what can be sent once only was used up before the end."""
    cpu_seconds: float
    peak_megabytes: float

    @property
    def rate(self) -> float:
        return (self.requests - self.shed) / self.seconds

    @property
    def cpu_per_thousand(self) -> float:
        return self.cpu_seconds / self.requests * 1000 if self.requests else 0

    def within_ms(self, percent: float) -> float:
        """The milliseconds in which that many of the requests were answered."""
        return next(ms for wanted, ms in self.percentiles if wanted == percent)

    @property
    def p50_ms(self) -> float:
        return self.within_ms(50)

    @property
    def p99_ms(self) -> float:
        return self.within_ms(99)

    def as_json(self) -> dict[str, object]:
        return asdict(self) | {"requests_per_second": self.rate, "cpu_seconds_per_1000": self.cpu_per_thousand}


def run(
    server: ServerProcess, path: str, script: str, arguments: list[str], connections: int, seconds: float
) -> Sample:
    """Runs wrk; its folder is the scripts', so that they find each other."""
    url = f"http://127.0.0.1:{server.port}{path}"
    command = ["wrk", f"-t{THREADS}", f"-c{connections}", f"-d{seconds}s", "--timeout", "10s", "-s", script, url, "--"]
    server.forget_peak()
    before = server.cpu_seconds()
    ended = subprocess.run(
        command + arguments, cwd=ROOT / "Benchmarks" / "wrk", text=True, capture_output=True, check=False
    )
    cpu = server.cpu_seconds() - before
    lines = [line for line in ended.stdout.splitlines() if line.startswith("RESULT ")]
    if ended.returncode != 0 or not lines:
        raise SystemExit(f"bench: wrk failed.\n{ended.stdout}{ended.stderr}")
    result = json.loads(lines[-1].removeprefix("RESULT "))
    return Sample(
        requests=result["done"] if result["done"] >= 0 else result["requests"],
        seconds=result["duration"] / 1e6,
        percentiles=[[percent, microseconds / 1000] for percent, microseconds in result["percentiles"]],
        failures=result["refused"] + result["broken"] + result["wrong"] - result["shed"],
        shed=result["shed"],
        exhausted=result["exhausted"],
        cpu_seconds=cpu,
        peak_megabytes=server.peak_megabytes(),
    )
