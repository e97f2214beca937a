# Copyright: (c) 2026, Fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Stations from a table: what would change is shown first, and one bad line keeps all of it out."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from django.db import transaction
from django.utils.translation import gettext as _

from .. import strict_json
from ..accounts.perimeter import Perimeter
from ..errors import Fault, Faulty
from .csv_lines import Line, read_lines
from .describe import REPORTED
from .table import COLUMNS, original
from .upsert import Change, Result, RowFault, UpsertPlan

LEFT_WHEN_EMPTY = ("site", "kind", "state")
"""Columns whose empty cells say nothing; those of others empty the field."""

KEPT_AS_WRITTEN = ("tag", "serial", "disk_identity", "comment")
"""Columns whose cells may begin or end with a space."""


@dataclass(frozen=True)
class StationChange:
    """A line that adds or changes a station: the number of the line, from 1, and the fields with what they were and will be."""

    line: int
    name: str
    result: Result
    changes: Sequence[Change]


class ImportPlan:
    """A table that was read, compared with what there is. Build it in the transaction in which it is applied."""

    def __init__(self, lines: Sequence[Line], plan: UpsertPlan, errors: list[Fault]) -> None:
        self.changes = [
            StationChange(line.number, row.name, row.result, row.changes)
            for line, row in zip(lines, plan.rows, strict=True)
            if row.result in ("created", "changed")
        ]
        self.errors = sorted(errors, key=lambda fault: fault.line or 0)
        """What is wrong: line, column (``where``), value, and the remedy."""
        self._plan = plan

    @classmethod
    def read(cls, data: str | bytes, perimeter: Perimeter) -> ImportPlan:
        """A plan for a table. Its errors say what is wrong with it, up to a table that cannot be read at all."""
        lines, errors = read_lines(data, COLUMNS, REPORTED)
        wanted: list[tuple[Line, dict[str, Any]]] = []
        for line in lines:
            given, faults = _given(line)
            errors += faults
            if not faults:
                wanted.append((line, given))
        plan = UpsertPlan.build([given for _line, given in wanted], perimeter)
        errors += [_at(line, fault) for (line, _cells), row in zip(wanted, plan.rows, strict=True) for fault in row.faults]
        return cls([line for line, _cells in wanted], plan, errors)

    def count(self, result: Result) -> int:
        """Lines with this result."""
        return self._plan.count(result)

    @transaction.atomic
    def apply(self) -> int:
        """Do all of it; returns the number of stations added or changed. Faulty, and nothing is done, when something is wrong."""
        if self.errors:
            raise Faulty(self.errors)
        self._plan.apply()
        return len(self.changes)


def _at(line: Line, fault: RowFault) -> Fault:
    """A row's fault in its line and column, with the value that stands there."""
    value = line.cells.get(fault.field) if fault.value is None or isinstance(fault.value, list | dict) else str(fault.value)
    return Fault(str(fault.what), fault.field, str(fault.remedy), (value or "")[:100], line.number)


def _given(line: Line) -> tuple[dict[str, Any], list[Fault]]:
    """What a line gives of a station."""
    given: dict[str, Any] = {}
    faults = []
    for column, written in line.cells.items():
        cell = original(written)
        if column in LEFT_WHEN_EMPTY and not cell.strip():
            continue
        if column in ("macs", "groups"):
            given[column] = cell.split()
        elif column == "variables":
            try:
                given[column] = strict_json.loads(cell) if cell.strip() else {}
            except strict_json.JSONError as error:
                faults.append(Fault(str(error), column, error.remedy, cell[:100], line.number))
        else:
            given[column] = cell if column in KEPT_AS_WRITTEN else cell.strip()
    if not given.get("name"):
        faults.append(Fault(_("The line names no station."), "name", _("Give its host name, or remove the line."), "", line.number))
    return given, faults
