# Copyright: (c) 2026, Fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Writing SMBIOS tables, for tests: structures of any content, as a firmware would lay them out."""

from __future__ import annotations

from pathlib import Path

# DSP0134, 5.2.2: the header by which dmidecode finds the table in a dump.
DUMP_TABLE_OFFSET = 32


def structure(kind: int, handle: int, area: bytes, strings: list[str]) -> bytes:
    """Return one structure; area is what follows the four bytes of its header."""
    texts = b"".join(text.encode() + b"\0" for text in strings) or b"\0"
    return bytes([kind, 4 + len(area)]) + handle.to_bytes(2, "little") + area + texts + b"\0"


def entry_point(length: int, version: tuple[int, int] = (3, 3)) -> bytes:
    """Return an entry point of 64 bits (``_SM3_``) for a table of so many bytes."""
    head = bytearray(b"_SM3_\0\x18" + bytes([*version, 0, 1, 0]) + length.to_bytes(4, "little") + DUMP_TABLE_OFFSET.to_bytes(8, "little"))
    head[5] = -sum(head) % 256
    return bytes(head)


def dump(path: Path, table: bytes, version: tuple[int, int] = (3, 3)) -> Path:
    """Write a file that ``dmidecode --from-dump`` reads."""
    path.write_bytes(entry_point(len(table), version).ljust(DUMP_TABLE_OFFSET, b"\0") + table)
    return path
