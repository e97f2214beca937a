# Copyright: (c) 2026, Fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What is on a disk, as a report: layout, filesystems, their state, how full they are."""

from __future__ import annotations

import os
from typing import Any, Optional

from ansible_collections.fleet.core.plugins.module_utils.errors import FleetError

from ..filesystem import AmbiguousFilesystem, Filesystem, probe
from . import usage
from .device import Disk, Partition
from .table import NoTable, PartitionTable, TableError


def describe(disk: Disk, used: bool = True) -> dict[str, Any]:
    """Everything about a disk that an admin asks for, as JSON. used: whether to count used bytes, which takes seconds per partition.

    A disk or partition that cannot be read is described with the reason in its place: a report never fails because of one of them.
    """
    table, problem = _table(disk)
    document = table.as_json() if table else None
    partitions = [_partition(partition, table, used) for partition in disk.partitions()]
    if document:  # so that the table of one station can be given to disk_layout for another
        found = {each["number"]: each["filesystem"] for each in partitions if each["filesystem"]}
        for row in document["partitions"]:
            if row["number"] in found:
                row["filesystem"] = found[row["number"]]
    return {
        "path": str(disk.path),
        "identity": str(disk.identity),
        "serial": disk.serial,
        "wwn": disk.wwn,
        "model": disk.model,
        "size": disk.size,
        "sector_size": disk.sector_size,
        "read_only": disk.read_only,
        "in_use": disk.in_use(),
        "table": document,
        "problem": problem,
        "partitions": partitions,
    }


def _table(disk: Disk) -> tuple[Optional[PartitionTable], str]:
    try:
        return PartitionTable.from_disk(disk), ""
    except NoTable:
        return None, ""
    except TableError as error:
        return None, str(error)


def _partition(partition: Partition, table: Optional[PartitionTable], used: bool) -> dict[str, Any]:
    entry = next((each for each in table.entries if each.number == partition.number), None) if table else None
    extended = bool(table and entry and table.is_extended(entry))
    report: dict[str, Any] = {
        "number": partition.number,
        "path": str(partition.path),
        "start": partition.start,
        "size": partition.size,
        "type": entry.type if entry else "",
        "uuid": entry.uuid if entry else "",
        "name": entry.name if entry else "",
        "filesystem": None,
        "state": {"clean": True, "reason": "", "detail": "", "remedy": ""},
        "mounted_at": [],
        "used": None,
    }
    if not extended:
        try:
            _describe_contents(report, partition, used)
        except FleetError as error:
            reason = "ambiguous" if isinstance(error, AmbiguousFilesystem) else "damaged"
            report["state"] = {"clean": False, "reason": reason, "detail": str(error), "remedy": error.remedy}
    return report


def _describe_contents(report: dict[str, Any], partition: Partition, used: bool) -> None:
    filesystem = probe(partition.path)
    report["filesystem"] = filesystem.as_meta()
    state = filesystem.state()
    report["state"] = {"clean": state.clean, "reason": state.reason, "detail": state.detail, "remedy": state.remedy}
    report["mounted_at"] = usage.mount_points(os.stat(partition.path).st_rdev)
    if used:
        report["used"] = _used_bytes(filesystem, report["mounted_at"], state.clean)


def _used_bytes(filesystem: Filesystem, mounted_at: list[str], clean: bool) -> Optional[int]:
    """Bytes in use: what the kernel says of a mounted filesystem, the used map of a clean one, nothing certain of any other."""
    if mounted_at:
        numbers = os.statvfs(mounted_at[0])
        return (numbers.f_blocks - numbers.f_bfree) * numbers.f_frsize
    return sum(length for _offset, length in filesystem.used()) if clean else None
