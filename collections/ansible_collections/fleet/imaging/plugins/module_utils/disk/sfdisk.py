# Copyright: (c) 2026, Fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Reading and writing partition tables with sfdisk(8) and wipefs(8)."""

from __future__ import annotations

import json
from typing import Any

from ansible_collections.fleet.core.plugins.module_utils.command import run
from ansible_collections.fleet.core.plugins.module_utils.errors import ToolError

from . import nodes
from .device import Disk
from .table import DOS, GPT, Entry, NoTable, PartitionTable, TableError


def read(disk: Disk) -> dict[str, Any]:
    """sfdisk's JSON of the table on a disk; raises NoTable when there is none."""
    done = run(["sfdisk", "--json", str(disk.path)], ok=None)
    if done.rc != 0:
        if "does not contain a recognized partition table" in done.stderr:
            raise NoTable(f"{disk.path} has no partition table")
        raise TableError(f"The partition table of {disk.path} cannot be read: {done.stderr.strip()}")
    try:
        document = json.loads(done.stdout)
    except ValueError as error:
        raise ToolError(f"sfdisk --json {disk.path} did not print JSON: {error}") from error
    if not isinstance(document, dict):
        raise ToolError(f"sfdisk --json {disk.path} did not print an object")
    return document


def script(table: PartitionTable) -> str:
    """The dump that makes sfdisk write exactly this table (sfdisk(8), "Script Headers" and "Named-fields format")."""
    lines = [f"label: {table.label}", f"label-id: {table.id}", "unit: sectors", f"sector-size: {table.sector_size}"]
    if table.label == GPT:
        lines += [f"first-lba: {table.first_lba}", f"last-lba: {table.last_lba}", f"table-length: {table.table_length}"]
    return "\n".join([*lines, "", *(_line(entry) for entry in table.entries)]) + "\n"


def _line(entry: Entry) -> str:
    fields = [f"start={entry.start}", f"size={entry.size}", f"type={entry.type}"]
    fields += [f"uuid={entry.uuid}"] if entry.uuid else []
    fields += [f'name="{_quoted(entry.name)}"'] if entry.name else []
    fields += [f'attrs="{entry.attrs}"'] if entry.attrs else []
    fields += ["bootable"] if entry.bootable else []
    return f"{entry.number} : {', '.join(fields)}"


def _quoted(name: str) -> str:
    return "".join(chr(byte) if chr(byte).isalnum() and byte < 128 else f"\\x{byte:02x}" for byte in name.encode())


def write(disk: Disk, table: PartitionTable) -> None:
    """Write a table, remove what older tables left, make the partitions appear; read back and compare.

    Contents of partitions are never touched. Raises DiskInUse, TableError (table does not fit, or read back differently), ToolError.
    """
    disk.refuse_if_in_use()
    sectors = disk.size // disk.sector_size
    if table.sector_size != disk.sector_size or table.disk_sectors != sectors:
        raise TableError(
            f"The table was not fitted to {disk.describe()}: it is for {table.disk_sectors} sectors of {table.sector_size} bytes"
        )
    argv = ["sfdisk", "--quiet", "--no-reread", "--no-tell-kernel", "--wipe", "never", "--wipe-partitions", "never", str(disk.path)]
    run(argv, stdin=script(table))
    _erase_leftovers(disk, table)
    disk.refresh()
    _compare(disk, table)


def _erase_leftovers(disk: Disk, table: PartitionTable) -> None:
    """Erase signatures of an older kind of table or of a filesystem on the whole disk, which would make the disk ambiguous.

    Those inside a partition belong to its contents and stay, except a stray GPT, which would win over an MBR.
    """
    done = run(["wipefs", "--json", "--no-act", str(disk.path)])
    found = json.loads(done.stdout)["signatures"] if done.stdout.strip() else []
    own = {GPT: ("gpt", "PMBR"), DOS: ("dos",)}[table.label]
    for signature in found:
        offset = int(signature["offset"], 16)
        sector = offset // disk.sector_size
        inside = any(entry.start <= sector < entry.end for entry in table.entries)
        stray_gpt = table.label == DOS and signature["type"] == "gpt"
        if signature["type"] not in own and (stray_gpt or not inside):
            run(["wipefs", "--quiet", "--force", "--offset", str(offset), str(disk.path)])


def _compare(disk: Disk, table: PartitionTable) -> None:
    written = PartitionTable.from_disk(disk)
    if not written.same_layout(table):
        raise TableError(f"{disk.path} read back another table than was written:\n{written.as_text()}instead of:\n{table.as_text()}")
    wanted = {
        (entry.number, entry.start * table.sector_size, entry.size * table.sector_size)
        for entry in table.entries
        if not table.is_extended(entry)
    }
    containers = {entry.number for entry in table.entries if table.is_extended(entry)}
    shown = {(part.number, part.start, part.size) for part in disk.partitions() if part.number not in containers}
    if wanted != shown:
        raise TableError(
            f"The kernel shows other partitions of {disk.path} than were written: {sorted(shown)} instead of {sorted(wanted)}",
            remedy="Something holds an old partition: reboot the station into the imaging environment and repeat",
        )
    missing = [part.path for part in disk.partitions() if not nodes.is_node_of(part.path, nodes.device_number(part.path.name))]
    if missing:
        raise TableError(f"{missing[0]} has no usable device node")
