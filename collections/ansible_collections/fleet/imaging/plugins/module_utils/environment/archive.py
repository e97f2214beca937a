# Copyright: (c) 2026, Fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Archives of the kernel's initial RAM file system, written the same way each time: sorted, without times, everything root's.

Format: cpio "newc", as the kernel's Documentation/driver-api/early-userspace/buffer-format.rst describes it.
"""

from __future__ import annotations

import stat
from dataclasses import dataclass
from pathlib import Path

from .recipe import EPOCH


@dataclass(frozen=True)
class Node:
    """One entry: type and permissions as in st_mode, and a file's contents, a link's target, or a device's numbers."""

    mode: int
    data: bytes = b""
    device: tuple[int, int] = (0, 0)

    @classmethod
    def file(cls, data: bytes, mode: int = 0o644) -> Node:
        """Return a regular file."""
        return cls(stat.S_IFREG | mode, data)

    @classmethod
    def folder(cls, mode: int = 0o755) -> Node:
        """Return a folder."""
        return cls(stat.S_IFDIR | mode)

    @classmethod
    def link(cls, target: str) -> Node:
        """Return a symbolic link."""
        return cls(stat.S_IFLNK | 0o777, target.encode())

    @classmethod
    def character(cls, major: int, minor: int, mode: int = 0o600) -> Node:
        """Return a character device."""
        return cls(stat.S_IFCHR | mode, device=(major, minor))


def pack(nodes: dict[str, Node]) -> bytes:
    """Return the archive of nodes by path (relative, no leading slash); the folders above each are added."""
    complete = dict(nodes)
    for name in nodes:
        for above in list(Path(name).parents)[:-1]:
            complete.setdefault(str(above), Node.folder())
    parts = [_entry(number, name, node) for number, (name, node) in enumerate(sorted(complete.items()), start=1)]
    parts.append(_entry(0, "TRAILER!!!", Node(0)))
    whole = b"".join(parts)
    return whole + bytes(-len(whole) % 512)  # what follows begins at a multiple of four, as the kernel wants it


def _entry(number: int, name: str, node: Node) -> bytes:
    encoded = name.encode() + b"\0"
    time = EPOCH if node.mode else 0
    links = 2 if stat.S_ISDIR(node.mode) else 1
    fields = (number, node.mode, 0, 0, links, time, len(node.data), 0, 0, *node.device, len(encoded), 0)
    header = b"070701" + b"".join(b"%08X" % field for field in fields) + encoded
    return header + bytes(-len(header) % 4) + node.data + bytes(-len(node.data) % 4)
