# Copyright: (c) 2026, Fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The filesystem of a local backup: made once, with the partition; afterwards only ever mounted, and refused when it is not sound.

Mounts are in a mount namespace of the thread that does the work, and die with it.
"""

from __future__ import annotations

import contextlib
import dataclasses
import os
from pathlib import Path
from typing import Any, Callable, TypeVar

from ansible_collections.fleet.core.plugins.module_utils.command import run
from ansible_collections.fleet.core.plugins.module_utils.content.manifest import SIZE_LIMIT
from ansible_collections.fleet.core.plugins.module_utils.content.store import CHUNK_LIMIT, ChunkStore
from ansible_collections.fleet.core.plugins.module_utils.errors import FleetError, ToolError

from ..disk.device import Disk, DiskInUse
from ..disk.partitions import partition_of
from ..disk.reserved import NAME, UNFINISHED, NoBackup, Reserved, find
from ..disk.table import PartitionTable
from ..filesystem import read_signature
from ..filesystem.mounted import privately, read_only
from ..filesystem.mountpoint import finally_do, mount_point, unmount

KIND, LABEL = "ext4", "fleet-backup"

_OPTIONS = "noatime,nodev,nosuid,noexec,nosymfollow,errors=remount-ro"
"""Whoever had the disk may have left anything there: a link out of the store is not followed, and no error of it panics the kernel."""

Result = TypeVar("Result")


class BackupDamaged(FleetError):
    """The partition of the local backup does not hold a sound store."""


def apply(table: PartitionTable, reserved: Reserved, disk: Disk) -> None:
    """Write a table that has the backup's partition; a new one has its name only once there is an empty store in it."""
    if not reserved.new:
        table.apply(disk)
        return
    draft = dataclasses.replace(reserved.entry, name=UNFINISHED)
    entries = tuple(draft if entry.number == draft.number else entry for entry in table.entries)
    dataclasses.replace(table, entries=entries).apply(disk)
    device = partition_of(disk, table, draft.number).path
    run(["wipefs", "--all", "--force", "--quiet", str(device)])
    run(
        ["mkfs.ext4", "-q", "-F", "-m", "0", "-L", LABEL, str(device)],
        remedy="Give a larger backup_size",
    )
    _mounted(device, f"rw,{_OPTIONS}", lambda point: ChunkStore(point).create())
    table.apply(disk)


def opened(disk: Disk, work: Callable[[ChunkStore], Result], *, writable: bool = False, touch: bool = True) -> Result:
    """Let work have the store of a disk's local backup, which it may change when writable.

    touch: whether the filesystem's journal may be replayed; without it not a byte of the disk changes. Raises NoBackup, BackupDamaged,
    DiskInUse.
    """
    table = PartitionTable.from_disk(disk)
    entry = find(table)
    if entry is None:
        raise NoBackup(f"{disk.describe()} has no local backup", remedy="One is made by mode simple or complete of a clone")
    partition = partition_of(disk, table, entry.number)
    reasons = partition.in_use()
    if reasons:
        raise DiskInUse(f"The local backup is in use: {'; '.join(reasons)}", remedy="Unmount it, or wait for who uses it", reasons=reasons)
    _require_filesystem(partition.path, entry.number)
    if touch:
        _settle(partition.path, entry.number, disk)
    mode = "rw" if writable else "ro" if touch else read_only(KIND)

    def at(point: Path) -> Result:
        store = ChunkStore(point)
        if not (point / "chunks").is_dir() or not (point / "manifests").is_dir():
            raise BackupDamaged(f"{partition.path} is named {NAME}, but holds no content store", remedy=_remedy(entry.number, disk))
        _require_files(point, entry.number, disk)
        return work(store)

    return _mounted(partition.path, f"{mode},{_OPTIONS}", at)


def listed(disk: Disk) -> list[dict[str, Any]]:
    """The versions in a disk's local backup, for a report: never fails, and changes nothing."""

    def look(store: ChunkStore) -> list[dict[str, Any]]:
        found = []
        for ref in store.manifests():
            about = {"image": ref.name, "version": ref.version, "created": "", "error": ""}
            try:
                manifest = store.load(ref)
                missing = sum(1 for name in manifest.digests() if not store.has(name))
                about.update(created=manifest.created, error=f"{missing} of its chunks are not there" if missing else "")
            except (FleetError, OSError) as error:
                about["error"] = str(error)
            found.append(about)
        return sorted(found, key=lambda each: (each["created"], each["image"], each["version"]))

    try:
        return opened(disk, look, touch=False)
    except NoBackup:
        return []
    except (FleetError, OSError) as error:
        with contextlib.suppress(FleetError):
            if find(PartitionTable.from_disk(disk)):
                return [{"image": "", "version": "", "created": "", "error": str(error)}]
        return []


def _mounted(device: Path, options: str, work: Callable[[Path], Result]) -> Result:
    def inside() -> Result:
        with mount_point("fleet-backup-") as point:
            try:
                run(["mount", "-t", KIND, "-o", options, str(device), str(point)])
            except ToolError as error:
                raise BackupDamaged(f"The local backup on {device} cannot be mounted: {error}", remedy=f"Run e2fsck -f {device}") from error
            with finally_do(lambda: unmount(point)):
                return work(point)

    return privately(inside)


def _require_filesystem(device: Path, number: int) -> None:
    signature = read_signature(device)
    if (signature.type, signature.label) != (KIND, LABEL):
        holds = f"{signature.type} {signature.label!r}" if signature.type else "no filesystem"
        raise BackupDamaged(
            f"Partition {number} is named {NAME}, but {device} holds {holds}. It was left as it is",
            remedy="Look what it is. If it can go, delete the partition with sfdisk --delete; the next backup makes a new one",
        )


def _require_files(point: Path, number: int, disk: Disk) -> None:
    """Refuse what no store has: who opens a named pipe waits for ever, and a sparse file has any size."""
    folders = [str(point)]
    while folders:
        try:
            with os.scandir(folders.pop()) as entries:
                for entry in entries:
                    limit = 2 * CHUNK_LIMIT if entry.name.endswith(".zst") else SIZE_LIMIT
                    if entry.is_dir(follow_symlinks=False):
                        folders.append(entry.path)
                    elif not entry.is_file(follow_symlinks=False) or entry.stat(follow_symlinks=False).st_size > limit:
                        raise BackupDamaged(
                            f"The local backup of {disk.describe()} holds {os.path.relpath(entry.path, point)!r:.200}, which no store has",
                            remedy=f"Find out who wrote there. {_remedy(number, disk)}",
                        )
        except OSError as error:
            raise BackupDamaged(
                f"The local backup of {disk.describe()} cannot be read: {error.strerror}", remedy=_remedy(number, disk)
            ) from error


def _settle(device: Path, number: int, disk: Disk) -> None:
    """Replay the journal, and mend what can be mended without a loss."""
    done = run(["e2fsck", "-p", str(device)], ok=None)
    if done.rc not in (0, 1):
        said = (done.stdout + done.stderr).strip().replace("\n", "; ")[-500:]
        raise BackupDamaged(f"The filesystem of the local backup on {device} is damaged: {said}", remedy=_remedy(number, disk))


def _remedy(number: int, disk: Disk) -> str:
    return (
        f"Mend it by hand (e2fsck -f), or delete it with sfdisk --delete {disk.path} {number}; the next backup makes a new one."
        " It was left as it is"
    )
