# Copyright: (c) 2026, Fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Reading a partition table from a JSON document of unknown origin: only the shape is looked at here, the meaning in table.check."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, Optional

from .table import DOS, GPT, MAX_PARTITIONS, Entry, PartitionTable, TableError

_DEFAULT_LENGTH = 128


def parse(document: object, disk_sectors: Optional[int] = None) -> PartitionTable:
    """The table that a document describes; TableError when it is not of the shape that sfdisk --json and PartitionTable.as_json give."""
    table = _object(document, "The partition table")
    if "partitiontable" in table:
        table = _object(table["partitiontable"], "The partition table")
    if _text(table, "unit", "sectors") != "sectors":
        raise TableError("The partition table does not count in sectors")
    rows = table.get("partitions", [])
    if not isinstance(rows, list) or len(rows) > MAX_PARTITIONS:
        raise TableError(f"The partition table does not hold a list of at most {MAX_PARTITIONS} partitions")
    label = _text(table, "label")
    gpt = label == GPT
    return PartitionTable(
        label=label,
        id=_identifier(label, _text(table, "id")),
        sector_size=_number(table, "sectorsize", "The partition table", 512),
        entries=tuple(sorted((_entry(label, row, position) for position, row in enumerate(rows, 1)), key=lambda entry: entry.number)),
        first_lba=_number(table, "firstlba", "The partition table") if gpt else 0,
        last_lba=_number(table, "lastlba", "The partition table") if gpt else 0,
        table_length=_length(table) if gpt else 0,
        disk_sectors=_number(table, "disksectors", "The partition table", 0) if disk_sectors is None else disk_sectors,
    )


def contents(document: object) -> dict[int, Mapping[str, str]]:
    """The ``filesystem`` of each partition that has one, by number, of a document that parse accepted."""
    table = _object(document, "The partition table")
    table = _object(table.get("partitiontable", table), "The partition table")
    found: dict[int, Mapping[str, str]] = {}
    for position, row in enumerate(table.get("partitions", []), 1):
        if row.get("filesystem") is not None:
            number = _entry_number(row, position)
            meta = _object(row["filesystem"], f"Partition {number}: filesystem")
            found[number] = {key: _text(meta, key, "", f"Partition {number}: filesystem") for key in ("type", "uuid", "label")}
    return found


def _entry(label: str, document: object, position: int) -> Entry:
    row = _object(document, f"Entry {position} of the partition table")
    number = _entry_number(row, position)
    what = f"Partition {number}"
    bootable = row.get("bootable", False)
    if not isinstance(bootable, bool):
        raise TableError(f"{what}: bootable is not true or false")
    return Entry(
        number=number,
        start=_number(row, "start", what),
        size=_number(row, "size", what),
        type=_identifier(label, _text(row, "type", what=what)),
        uuid=_identifier(label, _text(row, "uuid", "", what)),
        name=_text(row, "name", "", what),
        attrs=_text(row, "attrs", "", what),
        bootable=bootable,
    )


def _entry_number(row: Mapping[str, Any], position: int) -> int:
    what = f"Entry {position} of the partition table"
    if "number" in row:
        return _number(row, "number", what)
    digits = re.search(r"([0-9]{1,3})$", _text(row, "node", what=what))
    if not digits:
        raise TableError(f"{what} has neither a number nor a node that ends in one")
    return int(digits.group(1))


def _length(table: Mapping[str, Any]) -> int:
    """sfdisk writes a length that is not the usual one as text, under another name than the rest suggests."""
    length = table.get("tablelength", table.get("table-length", _DEFAULT_LENGTH))
    if isinstance(length, str) and re.fullmatch(r"[0-9]{1,5}", length):
        length = int(length)
    return _number({"tablelength": length}, "tablelength", "The partition table")


def _identifier(label: str, text: str) -> str:
    return text.upper() if label == GPT else text.lower() if label == DOS else text


def _object(document: object, what: str) -> Mapping[str, Any]:
    if not isinstance(document, Mapping):
        raise TableError(f"{what} is not a JSON object")
    return document


def _number(row: Mapping[str, Any], key: str, what: str, default: Optional[int] = None) -> int:
    value = row.get(key, default)
    if isinstance(value, bool) or not isinstance(value, int) or not 0 <= value < 1 << 63:
        raise TableError(f"{what}: {key} is not a whole number in range")
    return value


def _text(row: Mapping[str, Any], key: str, default: Optional[str] = None, what: str = "The partition table") -> str:
    value = row.get(key, default)
    if not isinstance(value, str) or len(value) > 300:
        raise TableError(f"{what}: {key} is not a short text")
    return value
