# Copyright: (c) 2026, Fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The tables that a firmware leaves of the machine (DMTF DSP0134, SMBIOS 2.0 to 3.7), read from their bytes.

A structure becomes the fields that ``dmidecode`` would print of it, in its words, so that whoever reads one reads the other.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Callable, Optional

from . import smbios_words as words


@dataclass(frozen=True)
class Structure:
    """One structure: what it is of, and its fields in dmidecode's words. Fields without a value are left out."""

    type: int
    handle: int
    fields: dict[str, str]

    def get(self, name: str) -> str:
        """Return a field's text; empty when there is none."""
        return self.fields.get(name, "")


@dataclass(frozen=True)
class _Raw:
    """A structure's formatted area and its strings."""

    data: bytes
    strings: list[str]
    version: tuple[int, int]

    def number(self, offset: int, size: int) -> Optional[int]:
        part = self.data[offset : offset + size]
        return int.from_bytes(part, "little") if len(part) == size else None

    def string(self, offset: int) -> str:
        index = self.number(offset, 1) or 0
        return self.strings[index - 1] if 0 < index <= len(self.strings) else ""


Field = tuple[str, Callable[[_Raw], Optional[str]]]
MEGABYTE_FLAG, SIZE_IS_EXTENDED, UNKNOWN_WORD = 0x8000, 0x7FFF, 0xFFFF


def structures(table: bytes, version: tuple[int, int] = (3, 0)) -> list[Structure]:
    """Return what a table (/sys/firmware/dmi/tables/DMI) holds. A table that ends in the middle gives what came before; never an error."""
    found = []
    for raw in _split(table, version):
        kind, handle = raw.data[0], int.from_bytes(raw.data[2:4], "little")
        fields = {name: value for name, read in _FIELDS.get(kind, ()) for value in [read(raw)] if value}
        found.append(Structure(kind, handle, fields))
    return found


def entry_version(entry_point: bytes) -> tuple[int, int]:
    """Return the version that an entry point (/sys/firmware/dmi/tables/smbios_entry_point) states; 2.6 when it is none of either kind."""
    if entry_point[:5] == b"_SM3_" and len(entry_point) > 8:
        return entry_point[7], entry_point[8]
    if entry_point[:4] == b"_SM_" and len(entry_point) > 7:
        return entry_point[6], entry_point[7]
    return 2, 6


def _split(table: bytes, version: tuple[int, int]) -> Iterator[_Raw]:
    position = 0
    while position + 4 <= len(table):
        length = table[position + 1]
        if length < 4 or position + length > len(table):
            return
        data = table[position : position + length]
        end = table.find(b"\0\0", position + length)
        texts = table[position + length : end if end >= 0 else len(table)]
        yield _Raw(data, [part.decode("ascii", "replace") for part in texts.split(b"\0")] if texts else [], version)
        if data[0] == words.END_OF_TABLE or end < 0:
            return
        position = end + 2


def _text(name: str, offset: int) -> Field:
    return name, lambda raw: raw.string(offset)


def _word(name: str, offset: int, meanings: dict[int, str], mask: int = 0xFF) -> Field:
    def read(raw: _Raw) -> Optional[str]:
        code = raw.number(offset, 1)
        return None if code is None else meanings.get(code & mask)

    return name, read


def _amount(name: str, offset: int, unit: str) -> Field:
    """Return a field of two bytes in which 0 means unknown."""

    def read(raw: _Raw) -> Optional[str]:
        value = raw.number(offset, 2)
        return f"{value} {unit}" if value else None

    return name, read


def _uuid(raw: _Raw) -> Optional[str]:
    data = raw.data[8:24]
    if len(data) < 16 or data in (b"\0" * 16, b"\xff" * 16):
        return None
    # Since 2.6 the first three parts are little-endian on the wire.
    order = "<" if raw.version >= (2, 6) else ">"
    time_low, time_mid, time_high = struct.unpack(order + "IHH", data[:8])
    return f"{time_low:08x}-{time_mid:04x}-{time_high:04x}-{data[8:10].hex()}-{data[10:].hex()}"


def _module_size(raw: _Raw) -> Optional[str]:
    size = raw.number(0x0C, 2)
    if size is None or size == UNKNOWN_WORD:
        return None
    if size == 0:
        return "No Module Installed"
    if size == SIZE_IS_EXTENDED:
        extended = raw.number(0x1C, 4)
        return None if extended is None else f"{extended & 0x7FFFFFFF} MB"
    return f"{size & ~MEGABYTE_FLAG} kB" if size & MEGABYTE_FLAG else f"{size} MB"


def _module_speed(offset: int, extended: int) -> Callable[[_Raw], Optional[str]]:
    def read(raw: _Raw) -> Optional[str]:
        speed = raw.number(offset, 2)
        if speed == UNKNOWN_WORD:
            speed = raw.number(extended, 4)
        return f"{speed} MT/s" if speed else None

    return read


def _handle(raw: _Raw) -> Optional[str]:
    handle = raw.number(4, 2)
    return None if handle is None else f"0x{handle:04X}"


def _cores(offset: int, extended: int) -> Callable[[_Raw], Optional[str]]:
    def read(raw: _Raw) -> Optional[str]:
        count = raw.number(offset, 1)
        if count == 0xFF:
            count = raw.number(extended, 2) or count
        return str(count) if count else None

    return read


def _status(raw: _Raw) -> Optional[str]:
    status = raw.number(0x18, 1)
    if status is None:
        return None
    return "Unpopulated" if not status & 0x40 else f"Populated, {words.PROCESSOR_STATUS.get(status & 7, 'Unknown')}"


def _capacity(raw: _Raw) -> Optional[str]:
    capacity = raw.number(0x0A, 2)
    return f"{capacity * (raw.number(0x15, 1) or 1)} mWh" if capacity else None


def _smart_battery_date(raw: _Raw) -> Optional[str]:
    date = raw.number(0x12, 2) if raw.number(6, 1) == 0 else None
    return f"{1980 + (date >> 9)}-{date >> 5 & 0x0F:02d}-{date & 0x1F:02d}" if date else None


def _smart_battery_serial(raw: _Raw) -> Optional[str]:
    serial = raw.number(0x10, 2) if raw.number(7, 1) == 0 else None
    return f"{serial:04X}" if serial is not None else None


_FIELDS: dict[int, list[Field]] = {
    words.BIOS: [_text("Vendor", 4), _text("Version", 5), _text("Release Date", 8)],
    words.SYSTEM: [
        _text("Manufacturer", 4),
        _text("Product Name", 5),
        _text("Version", 6),
        _text("Serial Number", 7),
        ("UUID", _uuid),
        _text("SKU Number", 0x19),
        _text("Family", 0x1A),
    ],
    words.BASEBOARD: [
        _text("Manufacturer", 4),
        _text("Product Name", 5),
        _text("Version", 6),
        _text("Serial Number", 7),
        _text("Asset Tag", 8),
        _word("Type", 0x0D, words.BOARD_TYPES),
    ],
    words.CHASSIS: [
        _text("Manufacturer", 4),
        _word("Type", 5, words.CHASSIS_TYPES, 0x7F),
        _text("Version", 6),
        _text("Serial Number", 7),
        _text("Asset Tag", 8),
    ],
    words.PROCESSOR: [
        _text("Socket Designation", 4),
        _text("Manufacturer", 7),
        ("ID", lambda raw: raw.data[8:16].hex(" ").upper() if len(raw.data) >= 16 else None),
        _text("Version", 0x10),
        _amount("External Clock", 0x12, "MHz"),
        _amount("Max Speed", 0x14, "MHz"),
        _amount("Current Speed", 0x16, "MHz"),
        ("Status", _status),
        _text("Serial Number", 0x20),
        ("Core Count", _cores(0x23, 0x2A)),
        ("Core Enabled", _cores(0x24, 0x2C)),
        ("Thread Count", _cores(0x25, 0x2E)),
    ],
    words.PORT: [
        _text("Internal Reference Designator", 4),
        _word("Internal Connector Type", 5, words.CONNECTORS),
        _text("External Reference Designator", 6),
        _word("External Connector Type", 7, words.CONNECTORS),
        _word("Port Type", 8, words.PORT_TYPES),
    ],
    words.SLOT: [
        _text("Designation", 4),
        _word("Type", 5, words.SLOT_TYPES),
        _word("Data Bus Width", 6, words.SLOT_WIDTHS),
        _word("Current Usage", 7, words.SLOT_USAGE),
    ],
    words.MEMORY_ARRAY: [
        _word("Use", 5, words.ARRAY_USES),
        _word("Error Correction Type", 6, words.ARRAY_CORRECTION),
    ],
    words.MEMORY: [
        ("Array Handle", _handle),
        ("Size", _module_size),
        _word("Form Factor", 0x0E, words.FORM_FACTORS),
        _text("Locator", 0x10),
        _text("Bank Locator", 0x11),
        _word("Type", 0x12, words.MEMORY_TYPES),
        ("Speed", _module_speed(0x15, 0x54)),
        _text("Manufacturer", 0x17),
        _text("Serial Number", 0x18),
        _text("Asset Tag", 0x19),
        _text("Part Number", 0x1A),
        ("Configured Memory Speed", _module_speed(0x20, 0x58)),
    ],
    words.BATTERY: [
        _text("Location", 4),
        _text("Manufacturer", 5),
        _text("Manufacture Date", 6),
        _text("Serial Number", 7),
        _text("Name", 8),
        _word("Chemistry", 9, words.CHEMISTRIES),
        ("Design Capacity", _capacity),
        _amount("Design Voltage", 0x0C, "mV"),
        ("SBDS Serial Number", _smart_battery_serial),
        ("SBDS Manufacture Date", _smart_battery_date),
        _text("SBDS Chemistry", 0x14),
    ],
}
