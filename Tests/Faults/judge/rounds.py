"""How often a fault is made: much in `make faults`, a little in `make test`, as much as one likes by hand."""

import os


def rounds(name: str, full: int, smoke: int = 1) -> int:
    """The number of rounds for a fault: `LATCHKEY_FAULT_<NAME>` when it is set, else by the kind of run."""
    if named := os.environ.get(f"LATCHKEY_FAULT_{name}"):
        return int(named)
    return full if os.environ.get("LATCHKEY_FAULT_REPORT") else smoke
