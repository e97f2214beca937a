# Copyright: (c) 2026, Fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What on a disk can hold files or swap: its partitions, and logical volumes in them, by the names that a system's files use."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Optional

from ansible_collections.fleet.core.plugins.module_utils.errors import FleetError

from ..disk.device import Disk
from ..disk.partitions import partition_of
from ..disk.reserved import is_reserved
from ..disk.table import DOS, PartitionTable
from ..filesystem import AmbiguousFilesystem, Filesystem, probe, read_signature
from .fstab import Mount

ESP = "C12A7328-F81F-11D2-BA4B-00A0C93EC93B"
BIOS_BOOT = "21686148-6449-6E6F-744E-656564454649"
ESP_OF_MBR = "ef"

POSIX = ("ext2", "ext3", "ext4", "xfs", "btrfs")
"""Filesystems that a Linux system's root can be on."""


class InstalledError(FleetError):
    """There is no system on the disk, or not one that can be worked on."""


class NoSystem(InstalledError):
    """There is no Linux system on the disk."""


@dataclass(frozen=True)
class Volume:
    """A partition (name is its number) or a logical volume (name is ``group/volume``, number 0), and what is on it.

    is_physical: whether LVM keeps its volumes there.
    """

    name: str
    device: Path
    number: int
    filesystem: Filesystem
    part_type: str = ""
    part_uuid: str = ""
    part_name: str = ""
    is_physical: bool = False

    @property
    def type(self) -> str:
        return self.filesystem.type

    @property
    def uuid(self) -> str:
        return self.filesystem.uuid

    @property
    def is_esp(self) -> bool:
        return self.part_type in (ESP, ESP_OF_MBR) and self.type == "vfat"

    def describe(self) -> str:
        """The volume in a few words for messages."""
        return f"{'partition ' + self.name if self.number else self.name} ({self.type or 'unknown contents'} {self.uuid})"

    def is_meant(self, mount: Mount) -> bool:
        """Whether a line of fstab names this volume. A name such as /dev/sda2 is of no use: the disk may have another one now."""
        if mount.key in ("UUID", "LABEL", "PARTUUID", "PARTLABEL"):
            own = {"UUID": self.uuid, "LABEL": self.filesystem.label, "PARTUUID": self.part_uuid, "PARTLABEL": self.part_name}[mount.key]
            return bool(own) and own.lower() == mount.value.lower()
        link = re.fullmatch(r"/dev/disk/by-(uuid|label|partuuid|partlabel)/(\S+)", mount.value)
        if link:
            return self.is_meant(Mount(mount.line, f"{link.group(1)}={link.group(2)}", mount.where, mount.type, mount.options))
        if self.number:
            return False
        group, _slash, volume = self.name.partition("/")
        mapped = f"{group.replace('-', '--')}-{volume.replace('-', '--')}"
        return mount.value in (f"/dev/{self.name}", f"/dev/mapper/{mapped}")


def part_uuid(table: PartitionTable, number: int) -> str:
    """What the kernel calls a partition: its GUID, or for an MBR the signature of the disk and the number (block/partitions/msdos.c)."""
    return f"{table.id[2:]}-{number:02x}" if table.label == DOS else table.entry(number).uuid.lower()


def partitions(disk: Disk, table: PartitionTable) -> list[Volume]:
    """The partitions that can be told what they hold, by number. What carries several signatures is left out: it is nobody's root."""
    found = []
    for entry in table.entries:
        if table.is_extended(entry) or is_reserved(entry):
            continue
        device = partition_of(disk, table, entry.number).path
        try:
            filesystem = probe(device)
        except AmbiguousFilesystem:
            continue
        found.append(
            Volume(
                str(entry.number),
                device,
                entry.number,
                filesystem,
                entry.type if table.label == DOS else entry.type.upper(),
                part_uuid(table, entry.number),
                entry.name,
                read_signature(device).type == "LVM2_member",
            )
        )
    return found


def named(volumes: Iterable[Volume], mount: Mount) -> Optional[Volume]:
    """The volume that a line of fstab names; None when it is none of them, or several."""
    found = [volume for volume in volumes if volume.is_meant(mount)]
    return found[0] if len(found) == 1 else None
