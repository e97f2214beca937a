# Copyright: (c) 2026, Fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Boot entries in the firmware of a station that was started by UEFI (efibootmgr(8))."""

from __future__ import annotations

import re
from collections.abc import Collection
from dataclasses import dataclass
from pathlib import Path
from typing import Optional

from ansible_collections.fleet.core.plugins.module_utils.command import available, run
from ansible_collections.fleet.core.plugins.module_utils.errors import FleetError

from ..disk.device import Disk
from ..disk.table import NoTable, PartitionTable
from ..installed.volume import part_uuid

VARIABLES = Path("/sys/firmware/efi/efivars")
_LINE = re.compile(r"Boot([0-9A-Fa-f]{4})(\*?)\s+(.*?)\t(.*)")
_HARD_DISK = re.compile(r"HD\((\d+),GPT,([0-9a-fA-F-]{36}),[^)]*\)/(?:File\()?([^)\t]*)\)?")


@dataclass(frozen=True)
class BootEntry:
    """An entry that leads to a file on a partition. loader: with backslashes, as firmware writes it."""

    number: str
    label: str
    partition: int
    uuid: str
    loader: str


def parse(text: str) -> list[BootEntry]:
    """The entries for partitions in what efibootmgr -v prints; those for networks and for the firmware itself are left out."""
    found = []
    for line in text.splitlines():
        match = _LINE.match(line)
        place = _HARD_DISK.search(match.group(4)) if match else None
        if match and place:
            found.append(BootEntry(match.group(1), match.group(3), int(place.group(1)), place.group(2).lower(), place.group(3)))
    return found


def usable() -> bool:
    """Whether this host was started by UEFI and can change its entries."""
    return VARIABLES.is_dir() and any(VARIABLES.iterdir()) and available("efibootmgr")


@dataclass(frozen=True)
class EntryPlan:
    """The entry that should be there, and those with its label that lead to a partition that this machine does not have."""

    disk: Disk
    label: str
    partition: int
    loader: str
    stale: tuple[str, ...]
    is_there: bool

    @property
    def changed(self) -> bool:
        return bool(self.stale) or not self.is_there

    def run(self) -> None:
        """Tell the firmware. The new entry comes first in its order, as a new installation's does."""
        for number in self.stale:
            run(["efibootmgr", "--quiet", "--bootnum", number, "--delete-bootnum"])
        if not self.is_there:
            place = ["--disk", str(self.disk.path), "--part", str(self.partition)]
            run(["efibootmgr", "--quiet", "--create", *place, "--label", self.label, "--loader", self.loader])


def uuids() -> Optional[set[str]]:
    """What the partitions of all disks of this host are called; None when that cannot be known, for a disk's table cannot be read."""
    found: set[str] = set()
    for disk in Disk.all():
        try:
            table = PartitionTable.from_disk(disk)
        except NoTable:
            continue
        except FleetError:
            return None
        found |= {part_uuid(table, entry.number).lower() for entry in table.entries}
    return found


def plan(disk: Disk, listed: str, label: str, partition: int, uuid: str, path: str, there: Optional[Collection[str]]) -> EntryPlan:
    """What to tell the firmware, from what efibootmgr -v printed. path: of the loader on the ESP, with slashes. there: uuids()."""
    loader = "\\" + path.replace("/", "\\")
    same = [entry for entry in parse(listed) if entry.label.lower() == label.lower()]
    right = [entry for entry in same if (entry.partition, entry.uuid, entry.loader.lower()) == (partition, uuid.lower(), loader.lower())]
    stale = () if there is None else tuple(entry.number for entry in same if entry.uuid not in {uuid.lower(), *there})
    return EntryPlan(disk, label, partition, loader, stale, bool(right))
