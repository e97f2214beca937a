# Copyright: (c) 2026, Fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What an image's manifest says of its disk, checked before anything believes it.

The manifest's meta is ``{"engine": ..., "disk": {"size", "sector_size", "model"}, "table": <PartitionTable>}``; a stream's meta is
``{"target": "bootcode"}`` or ``{"target": "partition", "number": N, "engine": ..., "filesystem": {"type", "uuid", "label", "size", ...}}``.
An image of files may hold partitions of blocks. An archive of files also has ``"archive": "fsarchiver"`` and ``"tree"``, the digest of
its files.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Optional

from ansible_collections.fleet.core.plugins.module_utils.content.manifest import Manifest, ManifestError, Stream

from ..disk.bootcode import ranges
from ..disk.table import PartitionTable, TableError
from ..engine import fsarchiver
from ..engine.files import ARCHIVED

BOOTCODE = "bootcode"
_TYPES = ("ext2", "ext3", "ext4", "xfs", "btrfs", "vfat", "exfat", "ntfs", "swap", "raw")


@dataclass(frozen=True)
class PartitionContent:
    """A partition's stream and what the model had there."""

    number: int
    stream: Stream
    filesystem: Mapping[str, Any]

    @property
    def is_swap(self) -> bool:
        """Whether it is made anew instead of being restored."""
        return bool(self.filesystem["type"] == "swap")

    @property
    def minimum_size(self) -> int:
        """Bytes below which the contents do not fit."""
        return 0 if self.is_swap else int(self.filesystem["minimum_size"])


@dataclass(frozen=True)
class ImageDescription:
    """An image of a disk."""

    manifest: Manifest
    engine: str
    table: PartitionTable
    partitions: tuple[PartitionContent, ...]
    bootcode: Optional[Stream]

    @classmethod
    def of(cls, manifest: Manifest) -> ImageDescription:
        """Read a manifest; ManifestError when it does not describe a disk that could exist."""
        if manifest.kind != "image":
            raise ManifestError(f"{manifest.name} {manifest.version} is a {manifest.kind}, not an image")
        engine = manifest.meta.get("engine")
        if engine not in ("blocks", "files"):
            raise ManifestError(f"image {manifest.name} {manifest.version} was made by the unknown engine {engine!r:.40}")
        try:
            table = PartitionTable.from_json(manifest.meta.get("table"))
        except TableError as error:
            raise ManifestError(f"image {manifest.name} {manifest.version}: {error}") from error
        partitions, bootcode = [], None
        for stream in manifest.streams:
            if stream.meta.get("target") == BOOTCODE:
                if bootcode is not None:
                    raise ManifestError(f"image {manifest.name} {manifest.version} has two streams of boot code")
                bootcode = _checked_bootcode(stream, table)
            else:
                partitions.append(_partition(stream, table, engine))
        if len({each.number for each in partitions}) != len(partitions):
            raise ManifestError(f"image {manifest.name} {manifest.version} has two streams for one partition")
        return cls(manifest, engine, table, tuple(sorted(partitions, key=lambda each: each.number)), bootcode)

    def content(self, number: int) -> PartitionContent:
        """The contents of a partition; ManifestError when the image has none for it."""
        for each in self.partitions:
            if each.number == number:
                return each
        has = ", ".join(str(each.number) for each in self.partitions)
        raise ManifestError(f"image {self.manifest.name} {self.manifest.version} has no contents for partition {number}; it has {has}")


def _partition(stream: Stream, table: PartitionTable, engine: str) -> PartitionContent:
    number, filesystem = stream.meta.get("number"), stream.meta.get("filesystem")
    if (
        stream.meta.get("target") != "partition"
        or not isinstance(number, int)
        or isinstance(number, bool)
        or not isinstance(filesystem, Mapping)
    ):
        raise ManifestError(f"stream {stream.name} does not say which partition it belongs to")
    try:
        entry = table.entry(number)
    except TableError as error:
        raise ManifestError(f"stream {stream.name}: {error}") from error
    if table.is_extended(entry):
        raise ManifestError(f"stream {stream.name} would lie over the logical partitions in partition {number}")
    size = entry.size * table.sector_size
    if filesystem.get("type") not in _TYPES:
        raise ManifestError(f"stream {stream.name} holds the unknown filesystem {filesystem.get('type')!r:.40}")
    for key in ("uuid", "label"):
        if not isinstance(filesystem.get(key), str) or not filesystem[key].isprintable() or filesystem[key].startswith("-"):
            raise ManifestError(f"stream {stream.name}: the filesystem's {key} is not printable text")
    for key in ("size", "minimum_size"):
        value = filesystem.get(key)
        if not isinstance(value, int) or isinstance(value, bool) or not 0 <= value <= size:
            raise ManifestError(f"stream {stream.name}: the filesystem's {key} is not a number of bytes within its partition")
    own = stream.meta.get("engine", "blocks")
    if own not in ("blocks", engine):
        raise ManifestError(f"stream {stream.name} was made by the unknown engine {own!r:.40}")
    if own == "files":
        _check_archive(stream, filesystem)
    elif stream.size != size:
        raise ManifestError(f"stream {stream.name} has {stream.size} bytes, its partition {size}")
    return PartitionContent(number, stream, filesystem)


def _check_archive(stream: Stream, filesystem: Mapping[str, Any]) -> None:
    tree, ratio = stream.meta.get("tree"), filesystem.get("bytes_per_inode", 0)
    if stream.meta.get("archive") != fsarchiver.NAME or filesystem["type"] not in ARCHIVED:
        raise ManifestError(f"stream {stream.name} is no archive of files that this Fleet can restore", remedy="Upgrade Fleet on this host")
    if not isinstance(tree, str) or not re.fullmatch(r"[0-9a-f]{64}", tree):
        raise ManifestError(f"stream {stream.name} has no digest of its files")
    if not isinstance(ratio, int) or not (ratio == 0 or 1 << 10 <= ratio <= 64 << 20):
        raise ManifestError(f"stream {stream.name} has the impossible number of {ratio!r:.40} bytes for each inode")


def _checked_bootcode(stream: Stream, table: PartitionTable) -> Stream:
    """Boot code may lie where boot code lies, and nowhere else on the disk: least of all over the partition table."""
    allowed = ranges(table)
    for offset, length in stream.extents:
        if not any(start <= offset and offset + length <= start + size for start, size in allowed):
            raise ManifestError(f"boot code at byte {offset} would lie over the partition table or a partition")
    return stream
