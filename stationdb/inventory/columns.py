# Copyright: (c) 2026, Fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Values of many stations, packed by variable: what repeats is said once, and what few stations have takes no room for the others."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

Column = list[Any] | dict[str, Any]
"""A value for each row; or ``{"value": of every row}``, ``{"values": …, "index": which of them each row has}``, or
``{"values": …, "rows": numbers of the rows that have one}``."""


def pack(rows: Sequence[Mapping[str, Any]]) -> dict[str, Column]:
    """Columns by name, in the order in which the rows name them."""
    found: dict[str, tuple[list[int], list[Any]]] = {}
    for number, row in enumerate(rows):
        for name, value in row.items():
            column = found.get(name)
            if column is None:
                column = found[name] = ([], [])
            column[0].append(number)
            column[1].append(value)
    return {name: pack_column(numbers, values, len(rows)) for name, (numbers, values) in found.items()}


def pack_column(numbers: list[int], values: list[Any], count: int) -> Column:
    """One column of so many rows, some of which (by number) have a value."""
    if len(values) < count:
        return {"values": values, "rows": numbers}
    try:
        # True and 1 are equal, but not the same to a template.
        distinct = dict.fromkeys((type(value), value) for value in values)
    except TypeError:  # lists and objects, of which tuples are those that repeat
        return values
    if len(distinct) == 1:
        return {"value": values[0]}
    if len(distinct) > count // 2:
        return values
    places = {key: place for place, key in enumerate(distinct)}
    return {"values": [value for _type, value in distinct], "index": [places[type(value), value] for value in values]}
