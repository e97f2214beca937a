# Copyright: (c) 2026, Fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Backing up: after a restore, and by itself (a delivery), when an image goes to the local backup and no system partition is touched."""

from __future__ import annotations

import dataclasses
import time
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Callable

from ansible_collections.fleet.core.plugins.module_utils.content.fetch import FetchReport, Supply
from ansible_collections.fleet.core.plugins.module_utils.content.manifest import Manifest
from ansible_collections.fleet.core.plugins.module_utils.content.signed import SignedManifest
from ansible_collections.fleet.core.plugins.module_utils.content.store import StoreError
from ansible_collections.fleet.core.plugins.module_utils.errors import FleetError, InputError
from ansible_collections.fleet.core.plugins.module_utils.progress import Progress

from ..disk import reserved
from ..disk.device import Disk
from ..disk.identity import DiskIdentity
from ..disk.reserved import NoRoom, Reserved
from ..disk.table import NoTable, PartitionTable
from .fill import Filling, Sending
from .keeping import Keeping
from .survey import lacking
from .volume import apply, opened

KEEP, WRITE, ERASE = "keep", "write", "erase"
"""What becomes of a station's local backup in a restore."""

COMPLETE, FAILED, KEPT, ERASED, DIFFERS, ABSENT = "complete", "failed", "kept", "erased", "differs", "absent"
"""What became of it, in results; the last two in check mode."""

_MARGIN = 64 << 20
"""Bytes for the filesystem's journal and inodes, besides an eighth of the chunks."""


def default_size(manifest: Manifest) -> int:
    """Bytes of a new partition that holds an image however badly it compresses."""
    lengths = {chunk.digest: chunk.length for stream in manifest.streams for chunk in stream.chunks() if not chunk.is_zero}
    return sum(lengths.values()) * 9 // 8 + _MARGIN


@dataclass(frozen=True)
class BackupOptions:
    """What a restore's parameters say of the local backup."""

    what: str = KEEP
    size: str = ""
    keeping: Keeping = field(default_factory=Keeping)

    @classmethod
    def from_params(cls, params: Mapping[str, Any]) -> BackupOptions:
        """Read the module's parameters; InputError when they contradict one another."""
        last, days = params["backup_keep"], params["backup_days"]
        if (last is not None and last < 1) or (days is not None and days < 0):
            raise InputError("backup_keep is a number of versions from 1 on, backup_days a number of days")
        return cls(params["backup"], params["backup_size"], Keeping(last, days))


class Unicast:
    """Who has what is not on the disk, when there is no session: the content stores (fill.Sending)."""

    def __init__(self, supply: Supply) -> None:
        self._supply = supply

    def receive(self, wanted: Iterable[Any], begin: Callable[[], None], consume: Callable[[Any, memoryview], None]) -> FetchReport:
        """See fill.Sending."""
        begin()
        items = list(wanted)
        return self._supply.chunks(items, consume) if items else FetchReport()


def fill(disk: Disk, signed: SignedManifest, sending: Sending, progress: Progress, keeping: Keeping, *, verify: bool) -> dict[str, Any]:
    """Put an image into the disk's local backup; what a result says of it. FleetError when that failed."""
    started = time.monotonic()
    try:
        filled = opened(disk, lambda store: Filling(store, signed, disk, progress, keeping, verify=verify).run(sending), writable=True)
    except OSError as error:
        raise StoreError(f"The local backup of {disk.describe()} failed: {error}", remedy="Look at the disk's SMART state") from error
    return {"state": COMPLETE, "changed": filled.changed, **filled.as_dict(), "seconds": round(time.monotonic() - started, 2)}


def after_restore(
    disk: Disk, signed: SignedManifest, supply: Supply, progress: Progress, keeping: Keeping, *, verify: bool
) -> dict[str, Any]:
    """As fill, of a disk that was just restored: whatever fails, the restore did not."""
    try:
        return fill(disk, signed, Unicast(supply), progress, keeping, verify=verify)
    except FleetError as error:
        return {"state": FAILED, "changed": True, "msg": str(error)}


def preview(disk: Disk, manifest: Manifest, progress: Progress) -> dict[str, Any]:
    """What would be put into a local backup that is there; not a byte of it changes."""
    wanted = opened(disk, lambda store: lacking(store, manifest, progress, thorough=False), touch=False)
    return {"state": DIFFERS if wanted else COMPLETE, "changed": bool(wanted), "chunks_lacking": len(wanted)}


@dataclass(frozen=True)
class Delivery:
    """An image that may go to a station's local backup, and nowhere else."""

    disk: Disk
    signed: SignedManifest
    before: PartitionTable
    table: PartitionTable
    reserved: Reserved
    options: BackupOptions
    verify: bool

    @classmethod
    def plan(cls, disk: Disk, identity: DiskIdentity, signed: SignedManifest, options: BackupOptions, *, verify: bool) -> Delivery:
        """Find the partition, or room for one behind all others; FleetError with the reason and the remedy, and nothing was changed."""
        disk.require(identity)
        if disk.read_only:
            raise InputError(f"{disk.describe()} is read-only. Nothing was changed")
        try:
            before = PartitionTable.from_disk(disk)
        except NoTable as error:
            remedy = "Restore the station with mode simple or complete"
            raise NoRoom(f"{disk.describe()} has no partition table, and no local backup. Nothing was changed", remedy=remedy) from error
        own = reserved.find(before)
        if own:
            return cls(disk, signed, before, before, Reserved(own, new=False), options, verify)
        disk.refuse_if_in_use()
        size, room = reserved.bytes_of(options.size, disk, default_size(signed.manifest)), reserved.room_at_end(before)
        others = reserved.without(before)
        if size > room:
            raise NoRoom(
                f"{disk.describe()} has no local backup, and no room for one: {size} bytes are needed behind the last partition, {room} are"
                " there. Nothing was changed",
                remedy="Mode simple or complete makes room by restoring the station; or give a smaller backup_size",
                needed=size,
                available=room,
            )
        place = reserved.made(size, others, before.last_lba, [entry.number for entry in others.entries])
        entries = tuple(sorted([*others.entries, place.entry], key=lambda entry: entry.number))
        return cls(disk, signed, before, dataclasses.replace(others, entries=entries), place, options, verify)

    def table_diff(self) -> dict[str, str]:
        """The disk's table as it is and as it will be, for --diff."""
        return {"before": self.before.as_text(), "after": self.table.as_text()}

    def preview(self, progress: Progress) -> dict[str, Any]:
        """What would be done."""
        if self.reserved.new:
            backup: dict[str, Any] = {"state": ABSENT, "changed": True, "size": self.reserved.size(self.table)}
        else:
            backup = preview(self.disk, self.signed.manifest, progress)
        return {**self._about(backup), "bytes_differing": 0}

    def run(self, sending: Sending, progress: Progress) -> dict[str, Any]:
        """Make the partition when there is none, then the backup."""
        started = time.monotonic()
        if self.reserved.new:
            apply(self.table, self.reserved, self.disk)
        backup = fill(self.disk, self.signed, sending, progress, self.options.keeping, verify=self.verify)
        return {
            **self._about(backup),
            "bytes_fetched": backup["bytes_fetched"],
            "bytes_written": backup["bytes_written"],
            "sources": backup["sources"],
            "verified": self.verify,
            "seconds": round(time.monotonic() - started, 2),
        }

    def _about(self, backup: Mapping[str, Any]) -> dict[str, Any]:
        return {
            "changed": self.reserved.new or backup["changed"],
            "image": self.signed.manifest.name,
            "version": self.signed.manifest.version,
            "disk": str(self.disk.path),
            "table_changed": self.reserved.new,
            "backup": {"partition": self.reserved.entry.number, **{key: value for key, value in backup.items() if key != "changed"}},
        }
