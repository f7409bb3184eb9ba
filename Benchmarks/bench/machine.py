"""What the figures were measured on."""

import os
import re
import subprocess
from dataclasses import asdict, dataclass
from pathlib import Path

from .databases import ROOT


@dataclass
class Machine:
    """The machine and its load before the measurement."""

    processor: str
    cores: int
    memory_gigabytes: float
    kernel: str
    load_before: float
    swift: str
    commit: str
    signatures_per_second: float
    """What `openssl speed` makes of ECDSA P-256 on one core: the other ceiling."""

    @classmethod
    def look(cls) -> "Machine":
        cpu = Path("/proc/cpuinfo").read_text()
        model = re.search(r"model name\s*: (.*)", cpu)
        memory = re.search(r"MemTotal:\s+(\d+)", Path("/proc/meminfo").read_text())
        version = re.search(r"Swift version (\S+)", output("swift", "--version"))
        return cls(
            processor=model.group(1) if model else "unknown",
            cores=len(os.sched_getaffinity(0)),
            memory_gigabytes=round(int(memory.group(1)) / 1024 / 1024, 1) if memory else 0,
            kernel=os.uname().release,
            load_before=round(os.getloadavg()[0], 2),
            swift=version.group(1) if version else "unknown",
            commit=output("git", "-C", str(ROOT), "rev-parse", "--short", "HEAD").strip() or "not committed",
            signatures_per_second=signatures(),
        )

    def as_json(self) -> dict[str, object]:
        return asdict(self)


def signatures() -> float:
    """ECDSA P-256 signatures a second on one core."""
    said = output("openssl", "speed", "-seconds", "3", "ecdsap256")
    line = re.search(r"256 bits ecdsa \(nistp256\)\s+\S+\s+\S+\s+([\d.]+)", said)
    if not line:
        raise SystemExit(f"bench: 'openssl speed' did not say how many signatures it makes:\n{said}")
    return float(line.group(1))


def output(*command: str) -> str:
    return subprocess.run(command, text=True, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, check=False).stdout
