# Copyright: (c) 2026, Fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Reading a table in CSV: its encoding, its delimiter, its columns, and each line with its number."""

from __future__ import annotations

import csv
import io
from collections.abc import Collection
from dataclasses import dataclass

from django.utils.translation import gettext as _

from .. import strict_json
from ..errors import Fault

MOST = 100_000
"""Lines that are read."""


@dataclass(frozen=True)
class Line:
    """Cells by column, and the number of the line in the file where they begin, from 1."""

    number: int
    cells: dict[str, str]


def read_lines(data: str | bytes, columns: Collection[str], passed_over: Collection[str] = ()) -> tuple[list[Line], list[Fault]]:
    """The lines of a table with the wanted columns among its own, and what is wrong with it.

    Commas or semicolons, UTF-8 with or without a byte order mark. Columns that are neither wanted nor passed over are faults.
    """
    try:
        text = data if isinstance(data, str) else _decoded(data)
        lines = _lines(text.removeprefix("\ufeff"))
    except _Unreadable as error:
        return [], [error.fault]
    if not lines:
        return [], [Fault(_("The table is empty."), "", _("Give a first line with the names of the columns."), None, 1)]
    number, header = lines[0]
    names = [name.strip().lower() for name in header]
    faults = _header_faults(names, number, columns, passed_over)
    found = []
    for number, cells in lines[1:]:
        if len(cells) != len(names):
            what = _("The line has %(found)s cells and the first line %(wanted)s.") % {"found": len(cells), "wanted": len(names)}
            faults.append(Fault(what, "", _("Put cells that contain the delimiter between quotation marks."), None, number))
        else:
            found.append(Line(number, {name: cell for name, cell in zip(names, cells, strict=True) if name in columns}))
    return ([], faults) if any(fault.line == lines[0][0] for fault in faults) else (found, faults)


class _Unreadable(Exception):
    """A table that cannot be read at all."""

    def __init__(self, what: str, remedy: str, line: int) -> None:
        super().__init__(what)
        self.fault = Fault(what, "", remedy, None, line)


def _decoded(data: bytes) -> str:
    if data.startswith((b"\xff\xfe", b"\xfe\xff")):
        raise _Unreadable(_("The file is UTF-16."), _("Save it as UTF-8 (in Excel: “CSV UTF-8”)."), 1)
    try:
        return data.decode("utf-8")
    except UnicodeDecodeError as error:
        what = _("The file is not UTF-8: byte %(byte)s cannot be read.") % {"byte": f"0x{data[error.start]:02x}"}
        raise _Unreadable(what, _("Save it as UTF-8 (in Excel: “CSV UTF-8”)."), data.count(b"\n", 0, error.start) + 1) from error


def _lines(text: str) -> list[tuple[int, list[str]]]:
    """Cells with the number of the line where each begins; blank lines are left out."""
    if not strict_json.storable(text):
        at = text.find("\0")
        what = _("The file contains a character that cannot be stored.")
        raise _Unreadable(what, _("Is it a table in CSV? Remove the character."), text.count("\n", 0, max(at, 0)) + 1)
    first = text.lstrip("\r\n").partition("\n")[0]
    delimiter = ";" if first.count(";") > first.count(",") else ","
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True)
    found = []
    begin = 1
    try:
        for cells in reader:
            if any(cells):
                found.append((begin, cells))
            begin = reader.line_num + 1
            if len(found) > MOST + 1:
                raise _Unreadable(_("The table has more than %(most)s lines.") % {"most": MOST}, _("Import it in parts."), begin)
    except csv.Error as error:
        what = _("The line cannot be read: %(error)s.") % {"error": error}
        raise _Unreadable(what, _("Close the quotation marks; write one within a cell twice."), begin) from error
    return found


def _header_faults(names: list[str], number: int, columns: Collection[str], passed_over: Collection[str]) -> list[Fault]:
    known = _("The columns are: %(names)s.") % {"names": ", ".join(columns)}
    unknown, twice = _("This column is not known."), _("The column is there twice.")
    faults = [Fault(unknown, name[:100], known, name[:100], number) for name in names if name not in {*columns, *passed_over}]
    repeated = sorted({name for name in names if names.count(name) > 1})
    faults += [Fault(twice, name, _("Remove one of the two."), name, number) for name in repeated]
    if "name" not in names:
        faults.append(Fault(_("The column name is missing."), "name", known, None, number))
    return faults
