"""What the figures were measured on."""

import os
import re
import subprocess
from dataclasses import dataclass
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
        )


def output(*command: str) -> str:
    return subprocess.run(command, text=True, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, check=False).stdout
