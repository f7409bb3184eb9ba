"""Checks the dependency rule of ARCHITECTURE.md: each target imports only what its layer may see.

It also holds the protocol target to its promise of being pure: no waiting, no clock, no randomness.
Prints one line for each offence, as `file:line: what is wrong`, and ends with status 1 when there is one.
"""

import re
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent

# Modules that come with Swift and are free of the outside world.
PLAIN = {"Foundation", "FoundationEssentials", "Swift"}
# Modules that come with Swift and touch the system.
SYSTEM = PLAIN | {"Synchronization", "Dispatch", "FoundationNetworking", "Glibc", "Musl", "Darwin"}

# What a target may import. A target that is missing here fails, so that a new one is thought about.
MAY_IMPORT: dict[str, set[str]] = {
    "OAuth": PLAIN | {"Crypto", "CryptoExtras", "_CryptoExtras", "Yams"},
    "OAuthStore": SYSTEM | {"OAuth", "Crypto", "Logging"},
    "OAuthSQLite": SYSTEM | {"OAuth", "OAuthStore", "CSQLite", "GRDB", "GRDBSQLite"},
    "OAuthPostgres": SYSTEM | {"OAuth", "OAuthStore", "CPostgres"},
    "OAuthServer": SYSTEM
    | {
        "OAuth",
        "OAuthStore",
        "CArgon2",
        "CCrypt",
        "Hummingbird",
        "HummingbirdCore",
        "Crypto",
        "CryptoExtras",
        "_CryptoExtras",
        "Logging",
        "Mustache",
        "HTTPTypes",
        "NIOCore",
        "NIOHTTP1",
        "NIOPosix",
        "NIOHTTPTypes",
        "ServiceLifecycle",
        "AsyncHTTPClient",
        "Tracing",
    },
    "OAuthGuard": SYSTEM
    | {
        "OAuth",
        "Hummingbird",
        "HummingbirdCore",
        "AsyncHTTPClient",
        "NIOHTTP1",
        "Crypto",
        "Logging",
        "HTTPTypes",
        "NIOCore",
    },
    "SampleAPI": SYSTEM | {"OAuthGuard", "Hummingbird", "HummingbirdCore", "HTTPTypes", "Logging"},
    "SamplePartner": SYSTEM
    | {"Hummingbird", "HummingbirdCore", "AsyncHTTPClient", "NIOHTTP1", "HTTPTypes", "NIOCore", "Crypto", "Logging"},
}
# `latchkey` wires everything; the system libraries' module maps import nothing.
FREE = {"latchkey", "CArgon2", "CCrypt", "CPostgres", "CSQLite"}

IMPORT = re.compile(
    r"^\s*(?:@[\w()]+\s+)*(?:public|package|internal|fileprivate|private)?\s*"
    r"import\s+(?:struct|class|enum|protocol|func|var|let|typealias|actor)?\s*([A-Za-z_]\w*)"
)
IMPURE = {
    re.compile(r"\bawait\b"): "waits",
    re.compile(r"\basync\b"): "is asynchronous",
    re.compile(r"\bDate\(\)|\bDate\.now\b|\bContinuousClock\b|\bSuspendingClock\b"): "reads the clock",
    re.compile(r"\bUUID\(\)|\bSystemRandomNumberGenerator\b|\.random\("): "draws randomness",
}
STRING = re.compile(r'"(?:\\.|[^"\\])*"')


def code_lines(path: Path) -> list[str]:
    """The file's lines without comments and the insides of one-line strings."""
    lines = []
    for line in path.read_text(encoding="utf-8").splitlines():
        without_strings = STRING.sub('""', line)
        lines.append(without_strings.split("//", 1)[0])
    return lines


def offences_in(target: str, path: Path) -> list[str]:
    """What one file of a target does that its layer forbids."""
    where = path.relative_to(ROOT)
    found = []
    for number, line in enumerate(code_lines(path), start=1):
        match = IMPORT.match(line)
        if match and match.group(1) not in MAY_IMPORT[target]:
            found.append(f"{where}:{number}: {target} may not import {match.group(1)}")
        if target == "OAuth":
            found += [
                f"{where}:{number}: OAuth is pure, and this line {what}"
                for rule, what in IMPURE.items()
                if rule.search(line)
            ]
    return found


def main() -> int:
    offences = []
    files = 0
    for folder in sorted(path for path in (ROOT / "Sources").iterdir() if path.is_dir()):
        target = folder.name
        if target in FREE:
            continue
        if target not in MAY_IMPORT:
            offences.append(
                f"Sources/{target}: scripts/layers.py does not know this target; say there what it may import"
            )
            continue
        for path in sorted(folder.rglob("*.swift")):
            files += 1
            offences += offences_in(target, path)
    for offence in offences:
        print(offence)
    print(f"layers: {files} files, {len(offences)} offences")
    return 1 if offences else 0


if __name__ == "__main__":
    sys.exit(main())
