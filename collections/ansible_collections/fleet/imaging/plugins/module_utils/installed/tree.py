# Copyright: (c) 2026, Fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Files of an installed system: read, and changed in one go, without ever leaving its root.

A restored disk may hold anything: links in /etc that point to the imaging environment's own files, FIFOs that never answer, files without
end. Links are followed as the installed system itself would follow them, inside its root. Nothing else changes the tree meanwhile (it is
mounted where nobody sees it), so a path that was resolved stays true.
"""

from __future__ import annotations

import errno
import os
import stat
from dataclasses import dataclass
from pathlib import Path
from typing import Optional

from ansible_collections.fleet.core.plugins.module_utils.errors import FleetError

MIB = 1 << 20
_LINKS = 40
"""As the kernel does (path_resolution(7))."""

_VOLATILE = ("run", "proc", "sys", "dev", "tmp")
_SUFFIX = ".fleet-new"
_ROOM = 2 * MIB
"""Bytes that a change may need besides the files themselves: folders, extents, the journal."""


class TreeError(FleetError):
    """A file of the installed system cannot be read or changed."""


@dataclass(frozen=True)
class Change:
    """What becomes of one file: new contents, or None when it goes. secret: its contents are never shown."""

    path: str
    before: Optional[bytes]
    after: Optional[bytes]
    mode: Optional[int] = None
    owner: Optional[tuple[int, int]] = None
    secret: bool = False

    def text(self, contents: Optional[bytes]) -> str:
        """Contents for a diff: what is secret, long or not text is said in a word."""
        if contents is None:
            return ""
        if self.secret:
            return "(secret)\n"
        if len(contents) > 65536 or b"\0" in contents:
            return f"({len(contents)} bytes)\n"
        return contents.decode(errors="replace")

    def diff(self) -> dict[str, str]:
        """The change as Ansible shows it."""
        header = f"/{self.path}"
        before, after = self.text(self.before), self.text(self.after)
        if before == after and self.after is not None:
            before, after = before + "(as it was)\n", after + "(changed)\n"
        return {"before_header": header, "after_header": header, "before": before, "after": after}


class Tree:
    """The files below a root. Paths are relative to it; a leading slash means the same.

    Changes are staged by write and remove; what is read afterwards is as staged. apply makes them.
    """

    def __init__(self, root: Path) -> None:
        self.root = root
        self._staged: dict[str, Change] = {}

    def resolve(self, path: str) -> str:
        """The path without links, as the installed system would see it; components that do not exist stay as given.

        Raises TreeError for a circle of links, and when something that is not a folder stands in the way.
        """
        pending = [part for part in path.split("/") if part not in ("", ".")][::-1]
        found: list[str] = []
        links = 0
        while pending:
            part = pending.pop()
            if part == "..":
                found = found[:-1]
                continue
            status = self._lstat("/".join([*found, part]))
            if status is None or not stat.S_ISLNK(status.st_mode):
                if pending and status is not None and not stat.S_ISDIR(status.st_mode):
                    raise TreeError(f"/{'/'.join([*found, part])} of the installed system is not a folder")
                found.append(part)
                continue
            links += 1
            if links > _LINKS:
                raise TreeError(f"/{path.lstrip('/')} of the installed system is a circle of links")
            target = os.readlink(self.root / "/".join([*found, part]))
            if target.startswith("/"):
                found = []
            pending += [each for each in target.split("/") if each not in ("", ".")][::-1]
        return "/".join(found)

    def _lstat(self, canonical: str) -> Optional[os.stat_result]:
        try:
            return os.lstat(self.root / canonical)
        except (FileNotFoundError, NotADirectoryError):
            return None
        except OSError as error:
            raise TreeError(f"/{canonical} of the installed system cannot be read: {error.strerror}") from error

    def stat(self, path: str) -> Optional[os.stat_result]:
        """What is at a path, links followed; None when nothing is."""
        return self._lstat(self.resolve(path))

    def is_folder(self, path: str) -> bool:
        status = self.stat(path)
        return status is not None and stat.S_ISDIR(status.st_mode)

    def is_file(self, path: str) -> bool:
        """Whether there is a regular file, or will be."""
        canonical = self.resolve(path)
        if canonical in self._staged:
            return self._staged[canonical].after is not None
        status = self._lstat(canonical)
        return status is not None and stat.S_ISREG(status.st_mode)

    def names(self, folder: str, limit: int = 10_000) -> list[str]:
        """Sorted names in a folder; none when it is not there. Raises TreeError when there are more than limit."""
        if not self.is_folder(folder):
            return []
        names = []
        for entry in os.scandir(self.root / self.resolve(folder)):
            names.append(entry.name)
            if len(names) > limit:
                raise TreeError(f"/{folder} of the installed system has more than {limit} entries")
        return sorted(names)

    def files(self, folder: str, suffix: str = "") -> list[str]:
        """Sorted paths of the regular files in a folder, by the end of their names; none when it is not there."""
        paths = [f"{folder}/{name}" for name in self.names(folder) if name.endswith(suffix) and not name.endswith(_SUFFIX)]
        return [path for path in paths if self.is_file(path)]

    def read(self, path: str, limit: int = MIB) -> Optional[bytes]:
        """A file's contents; None when there is none. Raises TreeError when it is no regular file or longer than limit bytes."""
        canonical = self.resolve(path)
        if canonical in self._staged:
            return self._staged[canonical].after
        return self._read(canonical, limit)

    def _read(self, canonical: str, limit: int) -> Optional[bytes]:
        status = self._lstat(canonical)
        if status is None:
            return None
        if not stat.S_ISREG(status.st_mode):
            raise TreeError(f"/{canonical} of the installed system is not a file", remedy="Correct the model and capture it again")
        if status.st_size > limit:
            raise TreeError(f"/{canonical} of the installed system has {status.st_size} bytes; {limit} are allowed")
        try:
            descriptor = os.open(self.root / canonical, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
            with open(descriptor, "rb") as file:
                return file.read(limit)
        except OSError as error:
            raise TreeError(f"/{canonical} of the installed system cannot be read: {error.strerror}") from error

    def text(self, path: str) -> str:
        """A file's text; empty when there is none. Bytes that are not UTF-8 survive being written back."""
        return (self.read(path) or b"").decode("utf-8", "surrogateescape")

    def write(
        self, path: str, data: bytes, mode: Optional[int] = None, owner: Optional[tuple[int, int]] = None, secret: bool = False
    ) -> None:
        """Stage new contents. mode and owner of a file that is there stay, unless given; a new one gets 0644 and root.

        A link that leads to nothing, or to where nothing survives a start, is replaced itself.
        """
        canonical = self._place(path)
        before = self._staged[canonical].before if canonical in self._staged else self._read_any(canonical)
        if self._is_same(canonical, before, data, mode, owner):
            self._staged.pop(canonical, None)
            return
        self._staged[canonical] = Change(canonical, before, data, mode, owner, secret or self._is_private(canonical))

    def _is_private(self, canonical: str) -> bool:
        """Whether not everybody may read the file: NetworkManager's connections have passwords in them."""
        status = self._lstat(canonical)
        return status is not None and stat.S_ISREG(status.st_mode) and not status.st_mode & stat.S_IROTH

    def _place(self, path: str) -> str:
        canonical = self.resolve(path)
        folder, _slash, name = path.strip("/").rpartition("/")
        itself = f"{self.resolve(folder)}/{name}".lstrip("/")
        if canonical != itself and (canonical.split("/", maxsplit=1)[0] in _VOLATILE or self._lstat(canonical) is None):
            return itself
        return canonical

    def _read_any(self, canonical: str) -> Optional[bytes]:
        status = self._lstat(canonical)
        return None if status is None or stat.S_ISLNK(status.st_mode) else self._read(canonical, 64 * MIB)

    def _is_same(self, canonical: str, before: Optional[bytes], data: bytes, mode: Optional[int], owner: Optional[tuple[int, int]]) -> bool:
        status = self._lstat(canonical)
        if before != data or status is None or stat.S_ISLNK(status.st_mode):
            return False
        return (mode is None or stat.S_IMODE(status.st_mode) == mode) and (owner is None or (status.st_uid, status.st_gid) == owner)

    def write_text(self, path: str, text: str, mode: Optional[int] = None, secret: bool = False) -> None:
        """As write, for text that read as text."""
        self.write(path, text.encode("utf-8", "surrogateescape"), mode, secret=secret)

    def remove(self, path: str, secret: bool = False) -> None:
        """Stage that a file or link goes; nothing happens when there is none. Folders stay."""
        folder, _slash, name = path.strip("/").rpartition("/")
        canonical = f"{self.resolve(folder)}/{name}".lstrip("/")
        status = self._lstat(canonical)
        if status is None or stat.S_ISDIR(status.st_mode):
            self._staged.pop(canonical, None)
            return
        before = self._read(canonical, 64 * MIB) if stat.S_ISREG(status.st_mode) else b"(not a file)\n"
        self._staged[canonical] = Change(canonical, before, None, secret=secret or self._is_private(canonical))

    def changes(self) -> list[Change]:
        """What is staged, in the order in which it was."""
        return list(self._staged.values())

    def apply(self) -> None:
        """Make the staged changes, each whole or not at all; a cut in the middle leaves files as they were or as they should be.

        Raises TreeError, before anything changed when there is not enough room.
        """
        self._require_room()
        for change in self.changes():
            try:
                if change.after is None:
                    (self.root / change.path).unlink()
                    _sync(self.root / change.path)
                else:
                    self._replace(change, change.after)
            except OSError as error:
                raise TreeError(f"/{change.path} of the installed system cannot be written: {error.strerror}. It is as it was") from error
            del self._staged[change.path]

    def _require_room(self) -> None:
        needed: dict[int, tuple[int, Path]] = {}
        for change in self.changes():
            folder = (self.root / change.path).parent
            while not folder.exists():
                folder = folder.parent
            device = os.stat(folder).st_dev
            needed[device] = (needed.get(device, (_ROOM, folder))[0] + len(change.after or b""), folder)
        for amount, folder in needed.values():
            numbers = os.statvfs(folder)
            if numbers.f_flag & os.ST_RDONLY:
                raise TreeError(
                    "The installed system's filesystem can only be read. Nothing was changed", remedy="Look at the disk's health"
                )
            if numbers.f_bfree * numbers.f_frsize < amount or (numbers.f_files > 0 and numbers.f_ffree < len(self._staged)):
                raise TreeError(
                    f"The filesystem with /{folder.relative_to(self.root)} of the installed system is full: {amount} bytes are needed,"
                    f" {numbers.f_bfree * numbers.f_frsize} are free. Nothing was changed",
                    remedy="Remove files from the model and capture it again, or give the station a larger disk",
                )

    def _replace(self, change: Change, data: bytes) -> None:
        target = self.root / change.path
        draft = target.with_name(target.name + _SUFFIX)
        old = self._lstat(change.path)
        old = None if old is None or not stat.S_ISREG(old.st_mode) else old
        mode = change.mode if change.mode is not None else stat.S_IMODE(old.st_mode) if old else 0o644
        owner = change.owner or ((old.st_uid, old.st_gid) if old else (0, 0))
        self._make_folder(target.parent)
        draft.unlink(missing_ok=True)
        descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
        try:
            with open(descriptor, "wb") as file:
                file.write(data)
                os.fchown(descriptor, *owner)
                os.fchmod(descriptor, mode)
                if old:
                    _copy_attributes(target, descriptor)
                file.flush()
                os.fsync(descriptor)
            draft.replace(target)
        except OSError:
            draft.unlink(missing_ok=True)
            raise
        _sync(target)

    def _make_folder(self, folder: Path) -> None:
        if not folder.is_dir():
            self._make_folder(folder.parent)
            folder.mkdir(mode=0o755)
            _sync(folder)


def _sync(path: Path) -> None:
    descriptor = os.open(path.parent, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _copy_attributes(source: Path, descriptor: int) -> None:
    """SELinux labels and such: without them a system that insists on labels does not start."""
    for name in os.listxattr(source, follow_symlinks=False):
        try:
            os.setxattr(descriptor, name, os.getxattr(source, name, follow_symlinks=False))
        except OSError as error:
            if error.errno not in (errno.ENOTSUP, errno.EPERM, errno.ENODATA):
                raise
