# Copyright: (c) 2026, Fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""How much of the spool each sender has, so that none of them fills it for the others.

A sender is a station's SSH key, or else an address. ``senders/<sender>/`` has a second name (a hard link) of each of its documents in
``incoming/`` and ``waiting/``: what a sender has is counted without a look at what the others have, by processes that know nothing of each
other. A name whose document is gone has one link only and is forgotten. Standard library only, as spool.py.
"""

from __future__ import annotations

import contextlib
import errno
import os
import re
from collections.abc import Container, Iterator
from pathlib import Path

from .errors import TooMuch

DOCUMENTS = int(os.environ.get("STATIONDB_SENDER_DOCUMENTS", "1000"))
"""Documents of one sender that may lie in the spool."""

BYTES = int(os.environ.get("STATIONDB_SENDER_BYTES", str(256 << 20)))
"""Bytes of one sender's documents that may lie in the spool, as they were sent."""

_NO_LINKS = (errno.EPERM, errno.EOPNOTSUPP, errno.ENOSYS)
"""A file system without hard links: there senders have no bounds."""

_ODD = re.compile(r"[^A-Za-z0-9.:_-]|^\.+")


def sender_of(way: str, station: str, address: str) -> str:
    """Whose share a document counts for, as a file's name; blank for the administrator's own (local)."""
    if way == "local":
        return ""
    name = f"ssh-{station.lower()}" if way == "ssh" else address or "unknown"
    return _ODD.sub("_", name)[:200]


class Senders:
    """The shares of one spool."""

    def __init__(self, root: Path) -> None:
        self.root = root

    def check(self, sender: str, size: int) -> None:
        """TooMuch when a document of so many bytes is beyond the sender's share."""
        if not sender:
            return
        documents, total = self._has(self.root / sender)
        if documents >= DOCUMENTS or (documents and total + size > BYTES):
            raise TooMuch(
                f"{documents} reports ({total >> 20} MiB) of this sender are in the spool already; more are taken when these are.",
                "Send again later. `stationdb spool` shows who has how many; reports of stations that no site wants wait for a subnet.",
            )

    def add(self, sender: str, path: Path, name: str) -> None:
        """Count a file that becomes the document of this name."""
        for _attempt in range(10) if sender else ():
            try:
                os.link(path, self.root / sender / name)
                return
            except FileNotFoundError:  # the sender's first, or a worker finished its last at this moment
                (self.root / sender).mkdir(mode=0o700, parents=True, exist_ok=True)
            except OSError as error:
                if error.errno in _NO_LINKS:
                    return
                raise

    def done(self, sender: str, name: str) -> None:
        """A document left the spool."""
        if sender:
            self._forget(self.root / sender / name)

    def sweep(self, there: Container[str]) -> None:
        """Forget what killed processes left: names of documents that are not there."""
        for folder in self._folders():
            for path in list(folder.iterdir()):
                if path.name not in there:
                    self._forget(path)

    def most(self, count: int = 10) -> list[tuple[str, int, int]]:
        """Those who have the most: sender, documents, bytes."""
        found = [(folder.name, *self._has(folder)) for folder in self._folders()]
        return sorted((each for each in found if each[1]), key=lambda each: (-each[1], each[0]))[:count]

    def _folders(self) -> Iterator[Path]:
        with contextlib.suppress(FileNotFoundError):
            yield from sorted(path for path in self.root.iterdir() if path.is_dir())

    def _has(self, folder: Path) -> tuple[int, int]:
        documents = total = 0
        with contextlib.suppress(FileNotFoundError), os.scandir(folder) as entries:
            for entry in entries:
                with contextlib.suppress(FileNotFoundError):
                    status = entry.stat()
                    if status.st_nlink > 1:
                        documents += 1
                        total += status.st_size
        return documents, total

    @staticmethod
    def _forget(path: Path) -> None:
        path.unlink(missing_ok=True)
        with contextlib.suppress(OSError):  # not its last
            path.parent.rmdir()
