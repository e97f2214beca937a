# Copyright: (c) 2026, Fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Files of an EFI system partition, through mtools: no kernel has to mount a FAT filesystem of unknown origin, and some cannot."""

from __future__ import annotations

import os
import re
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Optional

from ansible_collections.fleet.core.plugins.module_utils.command import Completed, run
from ansible_collections.fleet.core.plugins.module_utils.errors import ToolError

from .volume import InstalledError, Volume

_LIMIT = 32 << 20
_ENTRIES = 5000
_FOLDERS = 1000
_SECONDS = 120
"""How long a tool may take: a damaged chain of clusters has no end."""

_CLUSTER = 32768
"""Bytes that a file may take more than it has: the largest cluster of a FAT."""

_NAME = re.compile(r"[\w .()+~#-]{1,200}")
_NEW = "FLEETNEW.TMP"


class Esp:
    """Paths begin without a slash and have no links; FAT does not tell upper from lower case."""

    def __init__(self, volume: Volume) -> None:
        self.volume = volume
        self._listed: Optional[list[tuple[str, int]]] = None
        self._folders = 0

    def _run(self, tool: str, *argv: str, ok: Optional[tuple[int, ...]] = (0,)) -> Completed:
        before = os.environ.get("MTOOLS_SKIP_CHECK")
        os.environ["MTOOLS_SKIP_CHECK"] = "1"
        try:
            return run([tool, "-i", str(self.volume.device), *argv], ok=ok, timeout=_SECONDS)
        finally:
            if before is None:
                del os.environ["MTOOLS_SKIP_CHECK"]
            else:
                os.environ["MTOOLS_SKIP_CHECK"] = before

    def _entries(self) -> list[tuple[str, int]]:
        """All files below EFI and loader, with their sizes in bytes (mdir's concise form lacks them, its long form the paths)."""
        if self._listed is None:
            self._folders = 0
            self._listed = [*self._below("EFI", 6), *self._below("loader", 3)]
        return self._listed

    def _below(self, folder: str, depth: int) -> list[tuple[str, int]]:
        self._folders += 1
        if self._folders > _FOLDERS:
            raise InstalledError(f"{self.volume.describe()} has more than {_FOLDERS} folders, or some that lead back to themselves")
        done = self._run("mdir", "-a", "-f", f"::/{folder}", ok=None)
        if done.rc != 0:
            return []
        found: list[tuple[str, int]] = []
        for line in done.stdout.splitlines():
            match = re.match(r"(\S{1,8}) {1,9}(\S{0,3}) +(<DIR>|\d+) +\d{4}-\d\d-\d\d +\d+:\d\d(?::\d\d)?[ap]?(?: +(\S.*))?\s*$", line)
            if not match or match.group(1).startswith("."):
                continue
            short = match.group(1) + (f".{match.group(2)}" if match.group(2) else "")
            name = (match.group(4) or short).strip()
            if not _NAME.fullmatch(name):
                continue
            path = f"{folder}/{name}"
            if match.group(3) != "<DIR>":
                found.append((path, int(match.group(3))))
            elif depth:
                found += self._below(path, depth - 1)
            if len(found) > _ENTRIES:
                raise InstalledError(f"{self.volume.describe()} has more than {_ENTRIES} files below {folder}")
        return found

    def files(self, *suffixes: str) -> list[str]:
        """Paths of files below EFI and loader, by the ends of their names, whatever their case; sorted."""
        return sorted(path for path, _size in self._entries() if not suffixes or path.lower().endswith(suffixes))

    def find(self, path: str) -> str:
        """The path as it is spelled there; empty when there is no such file."""
        return next((each for each, _size in self._entries() if each.lower() == path.lower()), "")

    def read(self, path: str) -> bytes:
        """A file's contents. Raises InstalledError when it is not there or longer than 32 MiB."""
        spelled = self.find(path)
        size = dict(self._entries()).get(spelled, -1)
        if not 0 <= size <= _LIMIT:
            raise InstalledError(f"{path} on {self.volume.describe()} is not there, or has more than {_LIMIT} bytes")
        with tempfile.TemporaryDirectory(prefix="fleet-esp-") as folder:
            copy = Path(folder) / "copy"
            self._run("mcopy", "-n", f"::/{spelled}", str(copy))
            return copy.read_bytes()

    def require_room(self, files: Mapping[str, bytes]) -> None:
        """Raise InstalledError unless there is room for all of these files, of which each is written beside the one it replaces."""
        said = re.search(r"^[ \t]*([0-9 ]{1,40}) bytes free", self._run("mdir", "::/").stdout, re.MULTILINE)
        free = int(said.group(1).replace(" ", "")) if said else 0
        there = {path.lower(): size for path, size in self._entries()}
        more = sum(max(0, len(data) - there.get(path.lower(), 0)) for path, data in files.items())
        needed = more + max((len(data) for data in files.values()), default=0) + len(files) * _CLUSTER
        if files and needed > free:
            raise InstalledError(
                f"{self.volume.describe()} is full: {needed} bytes are needed, {free} are free. Nothing was changed",
                remedy="Make room on the model's EFI system partition and capture it again",
            )

    def write(self, path: str, data: bytes) -> None:
        """Write a file under another name, then give it its own: a cut in between leaves it missing, never torn. Raises InstalledError."""
        spelled = self.find(path) or path
        folder, _slash, _name = spelled.rpartition("/")
        for parent in _parents(folder):
            self._run("mmd", "-D", "s", f"::/{parent}", ok=(0, 1))
        with tempfile.TemporaryDirectory(prefix="fleet-esp-") as temporary:
            copy = Path(temporary) / "copy"
            copy.write_bytes(data)
            try:
                self._run("mcopy", "-o", str(copy), f"::/{folder}/{_NEW}")
            except ToolError as error:
                self._run("mdel", f"::/{folder}/{_NEW}", ok=None)
                raise InstalledError(
                    f"/{path} cannot be written to {self.volume.describe()}: {error}. It is as it was",
                    remedy="Make room on the model's EFI system partition and capture it again",
                ) from error
        if self.find(path):
            self._run("mdel", f"::/{spelled}")
        self._run("mren", f"::/{folder}/{_NEW}", _last(spelled))
        self._listed = None
        self._sync()
        if self.read(path) != data:
            raise InstalledError(f"/{path} on {self.volume.describe()} does not hold what was written", remedy="Look at the disk's health")

    def _sync(self) -> None:
        descriptor = os.open(self.volume.device, os.O_RDONLY | os.O_CLOEXEC)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)


def _parents(folder: str) -> list[str]:
    parts = folder.split("/")
    return ["/".join(parts[: length + 1]) for length in range(len(parts))]


def _last(path: str) -> str:
    return path.rpartition("/")[2]
