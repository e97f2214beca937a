# Copyright: (c) 2026, Fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Repartitioning like a model: a table for a disk, with chosen partitions kept, and new empty filesystems in the others."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any, Optional

from ansible_collections.fleet.core.plugins.module_utils.errors import InputError

from ..filesystem import FilesystemError, probe
from ..filesystem.make import check_meta, make_like
from . import reserved
from .device import Disk
from .document import contents
from .identity import DiskIdentity
from .partitions import partition_of
from .table import NoTable, PartitionTable, TableError

MIB = 1 << 20

_ROOM = {"xfs": 300 * MIB, "btrfs": 128 * MIB}
"""Bytes below which a filesystem of the type cannot be made; others need _LITTLE_ROOM."""

_LITTLE_ROOM = 16 * MIB


@dataclass(frozen=True)
class LayoutPlan:
    """A layout that may be applied: the disk is the one that was named, nobody uses it, the table fits."""

    disk: Disk
    before: str
    table: PartitionTable
    rewrite: bool
    format: Mapping[int, Mapping[str, str]]

    @classmethod
    def build(
        cls,
        disk: Disk,
        erase: DiskIdentity,
        document: Mapping[str, Any],
        *,
        keep: Collection[int] = (),
        make: bool = False,
        grow: bool = True,
        keep_backup: bool = True,
    ) -> LayoutPlan:
        """Check everything, change nothing. Raises WrongDisk, DiskInUse, TableError, FilesystemError, InputError.

        document: a table as PartitionTable.from_json takes it; ``filesystem`` in a partition says what make puts there (see make_like).
        keep: numbers of the disk's partitions that stay as they are. grow: whether the last partition takes a larger disk's room.
        keep_backup: whether the station's local backup stays as well; one that the document has is the other station's, and never counts.
        """
        disk.require(erase)
        if disk.read_only:
            raise InputError(f"{disk.describe()} is read-only. Nothing was changed", remedy="Remove its write protection")
        disk.refuse_if_in_use()
        model = reserved.without(PartitionTable.from_json(document))
        filesystems = _contents(model, document)
        entries, before = [], "no partition table\n"
        behind, current = None, None
        try:
            current = PartitionTable.from_disk(disk)
        except NoTable as error:
            if keep:
                raise TableError(f"{disk.describe()} has no partition table, so no partition can be kept. Nothing was changed") from error
        except TableError as error:
            if keep:
                raise
            before = f"({error})\n"
        if current:
            before = current.as_text()
            own = reserved.find(current) if keep_backup else None
            entries = [current.entry(number) for number in keep if not own or number != own.number]
            if own:
                others = {entry.number for entry in [*model.entries, *entries]}
                behind = reserved.kept(own, model, others).entry
        swaps = [number for number, meta in filesystems.items() if meta["type"] == "swap"]
        minimums = {entry.number: _room(filesystems.get(entry.number)) for entry in model.entries}
        table = model.fitted(disk.size, disk.sector_size, grow, minimums=minimums, movable=swaps, keep=entries, behind=behind)
        rewrite = not table.matches(disk)
        wanted = {number: meta for number, meta in filesystems.items() if make and number not in keep}
        return cls(
            disk,
            before,
            table,
            rewrite,
            {number: meta for number, meta in wanted.items() if rewrite or not _holds(disk, table, number, meta)},
        )

    @property
    def changed(self) -> bool:
        """Whether applying it changes anything."""
        return self.rewrite or bool(self.format)

    def preview(self) -> dict[str, Any]:
        """What applying it does, as the module's result."""
        after = self.table.as_text()
        return {
            "changed": self.changed,
            "disk": str(self.disk.path),
            "table": self.table.as_json(),
            "formatted": sorted(self.format),
            "diff": {
                "before_header": str(self.disk.path),
                "after_header": str(self.disk.path),
                "before": self.before,
                "after": after + "".join(f"{number}: new {meta['type']} {meta['uuid']}\n" for number, meta in sorted(self.format.items())),
            },
        }

    def run(self) -> dict[str, Any]:
        """Write the table and make the filesystems; the module's result."""
        if self.rewrite:
            self.table.apply(self.disk)
        for number, meta in sorted(self.format.items()):
            make_like(partition_of(self.disk, self.table, number).path, meta)
        return self.preview()


def _contents(model: PartitionTable, document: Mapping[str, Any]) -> dict[int, Mapping[str, str]]:
    """What each partition of a document is to hold. Raw contents cannot be made, and are left out."""
    can_hold = {entry.number for entry in model.entries if not model.is_extended(entry)}
    found = {number: meta for number, meta in contents(document).items() if meta["type"] != "raw" and number in can_hold}
    for meta in found.values():
        check_meta(meta["type"], meta["uuid"], meta["label"])
    return found


def _room(meta: Optional[Mapping[str, str]]) -> int:
    return _ROOM.get(meta["type"], _LITTLE_ROOM) if meta else _LITTLE_ROOM


def _holds(disk: Disk, table: PartitionTable, number: int, meta: Mapping[str, str]) -> bool:
    """Whether a partition holds the filesystem already: same type, UUID and label."""
    try:
        filesystem = probe(partition_of(disk, table, number).path)
    except FilesystemError:
        return False
    same_uuid = not meta["uuid"] or filesystem.uuid.lower() == meta["uuid"].lower()
    return filesystem.type == meta["type"] and filesystem.label == meta["label"] and same_uuid
