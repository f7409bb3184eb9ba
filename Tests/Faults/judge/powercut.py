"""A power cut for SQLite: what the disk holds when everything that was never flushed is gone.

`kill -9` leaves the operating system's cache in place, so it says nothing of flushes. Here strace records each change
of the database's files and each flush of them, with their times. From that, the files are made as a disk would have
them when the power goes out at a given moment: what was flushed is there; of what was written since, nothing or a part.
"""

from __future__ import annotations

import random
import re
import shutil
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from toolkit.databases import SQLite
from toolkit.process import Latchkey

from .strace import Strace

FILES = ("", "-wal")
"""What belongs to a database on the disk; its `-shm` is memory that is made anew."""
CALLS = ("pwrite64", "ftruncate", "fdatasync", "fsync", "openat", "unlink")
SECTOR = 512
LINE = re.compile(r"^(\d+\.\d+) (\w+)\((.*)\) += (-?\d+).*?( \(INJECTED\))? <(\d+\.\d+)>$")
WRITE = re.compile(r'^\d+<(.*?)>, "(.*)", (\d+), (\d+)$')
FILE = re.compile(r"^\d+<(.*?)>(?:, (\d+))?$")


@dataclass(frozen=True)
class Change:
    """One finished call on one file: a write, a cut to a length, or a flush."""

    moment: float
    path: str
    kind: str
    place: int = 0
    content: bytes = b""


class Recorder(Strace):
    """Records what a server does to its database's files, from a moment at which all of it is flushed."""

    def __init__(self, server: Latchkey, folder: Path, *words: str):
        # -ff: a file for each thread, so that no line is broken up; -y: paths for descriptors; -xx: bytes as they are.
        super().__init__(
            server, folder / "calls", "-ff", "-ttt", "-T", "-y", "-xx", "-s", "1048576", *words, calls=CALLS
        )
        self.folder = folder
        self.database = server.database.path
        self.first: dict[str, bytes] = {}

    def __enter__(self) -> Recorder:
        super().__enter__()
        self.first = {str(path): path.read_bytes() for path in self._paths() if path.exists()}
        return self

    def _paths(self) -> list[Path]:
        return [self.database.with_name(self.database.name + end) for end in FILES]

    @cached_property
    def changes(self) -> list[Change]:
        """What was done to the files until the recording ended, in the order in which it was finished."""
        found = []
        for file in self.folder.glob("calls.*"):
            for line in file.read_text().splitlines():
                if change := _change(line):
                    found.append(change)
        ours = {str(path) for path in self._paths()}
        return sorted((change for change in found if change.path in ours), key=lambda change: change.moment)

    def disk_at(self, moment: float, folder: Path, chance: random.Random | None = None) -> SQLite:
        """The database as the disk has it when the power goes out at `moment`.

        Of what was not flushed nothing is there; with `chance`, any of its sectors may be there.
        """
        folder.mkdir(mode=0o700)
        disk = {path: bytearray(content) for path, content in self.first.items()}
        waiting: dict[str, list[Change]] = {path: [] for path in map(str, self._paths())}
        for change in self.changes:
            if change.moment > moment:
                break
            if change.kind == "flush":
                for written in waiting[change.path]:
                    _apply(disk, written)
                waiting[change.path].clear()
            else:
                waiting[change.path].append(change)
        if chance:
            for written in (one for of_a_file in waiting.values() for one in of_a_file if one.kind == "write"):
                _apply_some(disk, written, chance)
        database = SQLite(folder)
        for end, path in zip(FILES, map(str, self._paths()), strict=True):
            if path in disk:
                database.path.with_name(database.path.name + end).write_bytes(disk[path])
        key = self.database.with_name(self.database.name + ".key")
        shutil.copy2(key, folder / key.name)
        return database


def _change(line: str) -> Change | None:
    found = LINE.match(line)
    if not found or found[4].startswith("-"):
        return None
    moment, call, arguments = float(found[1]) + float(found[6]), found[2], found[3]
    if call == "pwrite64" and (write := WRITE.match(arguments)):
        content = bytes.fromhex(write[2].replace("\\x", ""))
        assert len(content) == int(write[3]), "strace cut a write short"
        return Change(moment, _path(write[1]), "write", int(write[4]), content)
    if call in ("fdatasync", "fsync", "ftruncate") and (file := FILE.match(arguments)):
        if call == "ftruncate":
            return Change(moment, _path(file[1]), "cut", int(file[2]))
        # A flush that strace answered in the kernel's place has reached no disk.
        return None if found[5] else Change(moment, _path(file[1]), "flush")
    return None


def _path(text: str) -> str:
    """A path as strace prints it, its bytes perhaps in hexadecimal."""
    return bytes.fromhex(text.replace("\\x", "")).decode() if text.startswith("\\x") else text


def _apply(disk: dict[str, bytearray], change: Change) -> None:
    file = disk.setdefault(change.path, bytearray())
    end = change.place + len(change.content)
    if change.kind == "cut":
        del file[change.place :]
        end = change.place
    if len(file) < end:
        file.extend(bytes(end - len(file)))
    file[change.place : change.place + len(change.content)] = change.content


def _apply_some(disk: dict[str, bytearray], change: Change, chance: random.Random) -> None:
    for start in range(0, len(change.content), SECTOR):
        if chance.random() < 0.5:
            piece = change.content[start : start + SECTOR]
            _apply(disk, Change(change.moment, change.path, "write", change.place + start, piece))
