# Copyright: (c) 2026, Fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A partition table as a value: read from a disk or from a document of unknown origin, checked, fitted to a disk, applied.

The document is sfdisk's own JSON with ``number`` added to each partition, so that one on ``/dev/sda`` can be applied to ``/dev/nvme0n1``.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Optional

from ansible_collections.fleet.core.plugins.module_utils.errors import FleetError

from .device import Disk

GPT, DOS = "gpt", "dos"
MAX_PARTITIONS = 128
_DOS_LIMIT = 1 << 32
_ENTRY_BYTES = 128
_GUID = re.compile(r"[0-9A-F]{8}(-[0-9A-F]{4}){3}-[0-9A-F]{12}")
_DOS_ID = re.compile(r"0x[0-9a-f]{8}")
_DOS_TYPE = re.compile(r"[0-9a-f]{1,2}")
_ATTRS = re.compile(r"[A-Za-z0-9:, ]{0,200}")
_EXTENDED = ("5", "f", "85")


class TableError(FleetError):
    """A partition table is malformed, contradicts itself, or does not fit a disk."""


@dataclass(frozen=True)
class Entry:
    """One partition of a table. start and size are in sectors of the table."""

    number: int
    start: int
    size: int
    type: str
    uuid: str = ""
    name: str = ""
    attrs: str = ""
    bootable: bool = False

    @property
    def end(self) -> int:
        """The first sector behind the partition."""
        return self.start + self.size

    def as_json(self) -> dict[str, Any]:
        """The form of sfdisk --json, without what is empty."""
        optional = {"uuid": self.uuid, "name": self.name, "attrs": self.attrs, "bootable": self.bootable}
        return {
            "number": self.number,
            "start": self.start,
            "size": self.size,
            "type": self.type,
            **{key: value for key, value in optional.items() if value},
        }


@dataclass(frozen=True)
class PartitionTable:
    """A checked GPT or MBR (dos) table.

    first_lba, last_lba and table_length are of GPT only, and 0 for MBR; disk_sectors is 0 when unknown.
    """

    label: str
    id: str
    sector_size: int
    entries: tuple[Entry, ...]
    first_lba: int = 0
    last_lba: int = 0
    table_length: int = 0
    disk_sectors: int = 0

    def __post_init__(self) -> None:
        check(self)

    @classmethod
    def from_disk(cls, disk: Disk) -> PartitionTable:
        """The table on a disk now; raises NoTable when there is none, TableError when it is damaged or of an unknown kind."""
        from . import sfdisk

        return cls.from_json(sfdisk.read(disk), disk_sectors=disk.size // disk.sector_size)

    @classmethod
    def from_json(cls, document: object, disk_sectors: Optional[int] = None) -> PartitionTable:
        """Read a document: sfdisk's JSON or what as_json gave. Whatever is wrong with it raises TableError that names the entry."""
        from . import document as reader

        return reader.parse(document, disk_sectors)

    def as_json(self) -> dict[str, Any]:
        """A JSON object from which from_json makes an equal table."""
        table: dict[str, Any] = {"label": self.label, "id": self.id, "unit": "sectors", "sectorsize": self.sector_size}
        if self.label == GPT:
            table.update(firstlba=self.first_lba, lastlba=self.last_lba, tablelength=self.table_length)
        if self.disk_sectors:
            table["disksectors"] = self.disk_sectors
        table["partitions"] = [entry.as_json() for entry in self.entries]
        return table

    def entry(self, number: int) -> Entry:
        """The partition of this number; raises TableError when there is none."""
        for entry in self.entries:
            if entry.number == number:
                return entry
        raise TableError(
            f"The partition table has no partition {number}; it has {', '.join(str(each.number) for each in self.entries) or 'none'}"
        )

    def is_extended(self, entry: Entry) -> bool:
        """Whether an entry of an MBR is the container of logical partitions, which has no contents of its own."""
        return self.label == DOS and entry.type in _EXTENDED

    def is_logical(self, entry: Entry) -> bool:
        """Whether an entry of an MBR lives inside the extended partition."""
        return self.label == DOS and entry.number > 4

    def fitted(
        self,
        disk_size: int,
        sector_size: int,
        grow_last: bool = True,
        *,
        minimums: Optional[Mapping[int, int]] = None,
        movable: Collection[int] = (),
        keep: Sequence[Entry] = (),
        behind: Optional[Entry] = None,
    ) -> PartitionTable:
        """This table for a disk of disk_size bytes; see fit.py for the rules. Raises DiskTooSmall or TableError."""
        from .fit import fit

        return fit(self, disk_size, sector_size, grow_last, minimums or {}, movable, keep, behind)

    def apply(self, disk: Disk) -> None:
        """Write this table to a disk, make the partitions appear, read both back and compare. Raises when anything differs."""
        from . import sfdisk

        sfdisk.write(disk, self)

    def matches(self, disk: Disk) -> bool:
        """Whether the disk has exactly this table already."""
        try:
            return PartitionTable.from_disk(disk).same_layout(self)
        except TableError:
            return False

    def same_layout(self, other: PartitionTable) -> bool:
        """Equal in everything that is written to a disk."""
        return self._written() == other._written()

    def _written(self) -> tuple[object, ...]:
        return (self.label, self.id, self.sector_size, self.entries, self.first_lba, self.last_lba, self.table_length)

    def as_text(self) -> str:
        """The table as lines for a diff."""
        head = [f"label {self.label}", f"id {self.id}", f"sector size {self.sector_size}"]
        if self.label == GPT:
            head.append(f"usable sectors {self.first_lba}–{self.last_lba}")
        rows = []
        for entry in self.entries:
            mib = entry.size * self.sector_size / (1 << 20)
            tail = " ".join(
                filter(None, [entry.uuid, repr(entry.name) if entry.name else "", entry.attrs, "bootable" if entry.bootable else ""])
            )
            rows.append(f"{entry.number}: start {entry.start} size {entry.size} ({mib:.1f} MiB) type {entry.type} {tail}".rstrip())
        return "\n".join([*head, *rows]) + "\n"


class NoTable(TableError):
    """The disk has no partition table."""


def array_sectors(table_length: int, sector_size: int) -> int:
    """Sectors of a GPT's array of entries, which lies once before and once behind the partitions (UEFI 2.10, 5.3)."""
    return -(-table_length * _ENTRY_BYTES // sector_size)


def check(table: PartitionTable) -> None:
    """Raise TableError when a table contradicts itself, naming the entry."""
    if table.label not in (GPT, DOS):
        raise TableError(f"Partition table of kind {table.label!r} is not supported", remedy="GPT and MBR (dos) are")
    if table.sector_size not in (512, 4096):
        raise TableError(f"Partition table with sectors of {table.sector_size!r} bytes", remedy="512 and 4096 are known")
    if not (_GUID if table.label == GPT else _DOS_ID).fullmatch(table.id):
        raise TableError(f"Partition table has the malformed disk id {table.id!r}")
    if len(table.entries) > MAX_PARTITIONS:
        raise TableError(f"Partition table with {len(table.entries)} partitions; {MAX_PARTITIONS} are allowed")
    if table.label == GPT:
        _check_gpt_bounds(table)
    numbers: set[int] = set()
    uuids: set[str] = set()
    for entry in table.entries:
        _check_entry(table, entry)
        if entry.number in numbers:
            raise TableError(f"Partition {entry.number} is there twice")
        if entry.uuid and entry.uuid in uuids:
            raise TableError(f"Partition {entry.number} has the UUID {entry.uuid} of another one")
        numbers.add(entry.number)
        uuids.add(entry.uuid)
    if list(table.entries) != sorted(table.entries, key=lambda entry: entry.number):
        raise TableError("Partitions are not in the order of their numbers")
    _check_overlaps(table)


def _check_gpt_bounds(table: PartitionTable) -> None:
    if not 1 <= table.table_length <= MAX_PARTITIONS:
        raise TableError(f"GPT with room for {table.table_length} partitions; 1 to {MAX_PARTITIONS} are supported")
    array = array_sectors(table.table_length, table.sector_size)
    if not 2 + array <= table.first_lba <= table.last_lba < 1 << 63:
        raise TableError(f"GPT with usable sectors {table.first_lba} to {table.last_lba}; the first is at least {2 + array}")
    if table.disk_sectors and table.last_lba > table.disk_sectors - 2 - array:
        raise TableError(f"GPT whose last usable sector {table.last_lba} lies outside the disk of {table.disk_sectors} sectors")


def _check_entry(table: PartitionTable, entry: Entry) -> None:
    what = f"Partition {entry.number}"
    if table.label == GPT:
        first, last, highest, kind = table.first_lba, table.last_lba, table.table_length, _GUID
    else:
        first, last, highest, kind = 1, min(table.disk_sectors or _DOS_LIMIT, _DOS_LIMIT) - 1, 64, _DOS_TYPE
        if entry.uuid or entry.name or entry.attrs:
            raise TableError(f"{what}: an MBR has no UUID, name or attributes for a partition")
    if not 1 <= entry.number <= highest:
        raise TableError(f"{what}: numbers go from 1 to {highest}")
    if entry.size < 1 or entry.start < first or entry.end - 1 > last:
        raise TableError(f"{what}: sectors {entry.start} to {entry.end - 1} are outside the usable ones, {first} to {last}")
    if not kind.fullmatch(entry.type):
        raise TableError(f"{what} has the malformed type {entry.type!r}")
    if table.label == GPT and not _GUID.fullmatch(entry.uuid):
        raise TableError(f"{what} has the malformed UUID {entry.uuid!r}")
    if not _ATTRS.fullmatch(entry.attrs):
        raise TableError(f"{what} has the malformed attributes {entry.attrs!r}")
    if not entry.name.isprintable() or len(entry.name.encode("utf-16-le", "surrogatepass")) > 72:
        raise TableError(f"{what} has a name that is too long or not printable: {entry.name!r}")


def _check_overlaps(table: PartitionTable) -> None:
    extended = [entry for entry in table.entries if table.is_extended(entry) and not table.is_logical(entry)]
    logical = [entry for entry in table.entries if table.is_logical(entry)]
    if len(extended) > 1:
        raise TableError(f"Partitions {extended[0].number} and {extended[1].number} are both extended; an MBR has at most one")
    for entry in logical:
        if not extended:
            raise TableError(f"Partition {entry.number} is logical but there is no extended partition")
        if table.is_extended(entry):
            raise TableError(f"Partition {entry.number} is extended inside the extended partition")
        if entry.start <= extended[0].start or entry.end > extended[0].end:
            raise TableError(f"Partition {entry.number} is logical but lies outside the extended partition {extended[0].number}")
    primary = [entry for entry in table.entries if not table.is_logical(entry)]
    for group, gap in ((primary, 0), (logical, 1)):  # a logical partition is preceded by at least one sector that describes it
        ordered = sorted(group, key=lambda entry: entry.start)
        for before, after in zip(ordered, ordered[1:]):
            if before.end + gap > after.start:
                raise TableError(f"Partitions {before.number} and {after.number} overlap at sector {after.start}")
