# Copyright: (c) 2026, Fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Rows of software that were read before are not parsed again.

Nine tenths of a document are rows of software, and nearly all came before, from another station or from the same one yesterday. In a
document without comments, CDATA, entities of its own or processing instructions, ``<`` begins a tag and nothing else, so the run of these
rows can be cut out as text. Each row is a flat element (that is checked once for each row's bytes, which are then parsed by lxml); the rest
of the document, with a mark where the run was, is parsed by lxml as always. Whatever is not exactly so goes the plain way, whole.
Both ways give the same: stationdb/tests/reports/test_repeated.py. Why: docs/decisions/0022-storing-reports.md.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from lxml import etree

from ..sections import SOFTWARES
from .canonical import MOST_ROWS, Title, clean_text, too_many

_MOST_REMEMBERED = 100_000
"""Rows, of some 400 bytes each."""

_PROLOG = re.compile(
    rb"""\s*(?:<\?xml\s+version=(?:"1\.0"|'1\.0')(?:\s+encoding=(?:"[Uu][Tt][Ff]-8"|'[Uu][Tt][Ff]-8'))?(?:\s+standalone=(?:"yes"|'yes'))?\s*\?>)?"""
)


@dataclass
class Memory:
    """What a worker remembers between documents."""

    titles: dict[tuple[str, str, str, str], Title] = field(default_factory=dict)
    rows: dict[bytes, Title | None] = field(default_factory=dict)
    """By a row's bytes without the date of installation; None for a row that names nothing."""

    def title(self, row: Mapping[str, object]) -> Title | None:
        """The one object for a row of the canonical report; None when it has no name."""
        name = clean_text(str(row.get("name") or ""), 255)
        if not name:
            return None
        source, version, arch = (clean_text(str(row.get(key) or "")) for key in ("from", "version", "arch"))
        made = Title(name, source.lower(), version, arch, clean_text(str(row.get("publisher") or ""), 255))
        return self.titles.setdefault(made.key, made)

    def forget(self) -> None:
        """Begin anew when it has grown too large. Between batches only: within one, a title is one object."""
        if len(self.rows) > _MOST_REMEMBERED or len(self.titles) > _MOST_REMEMBERED:
            self.rows.clear()
            self.titles.clear()


@dataclass(frozen=True)
class Shape:
    """How a format writes its rows of software."""

    begin: bytes
    """What the run begins with or follows."""
    end: bytes
    """What the run ends with or precedes."""
    inclusive: bool
    """Whether begin and end belong to the run."""
    row_end: bytes
    row: re.Pattern[bytes]
    """A flat row without its end."""
    date: re.Pattern[bytes]
    """A date of installation, which differs between stations, as plain as dates are."""
    undated: bytes
    """What stands for it instead."""
    mark: bytes
    """What stands for the run in the rest."""
    read: Callable[[etree._Element], Mapping[str, str]]
    """The canonical row of a row's element."""


@dataclass(frozen=True)
class Cut:
    """A document in two: the rest, with a mark where the run of rows was, and the run."""

    rest: bytes
    run: bytes
    digest: bytes
    """Of the run's bytes."""
    shape: Shape

    def titles(self, memory: Memory) -> list[Title] | None:
        """What the run names; None when its rows are not all flat. ReportError when there are too many."""
        rows = self.shape.date.sub(self.shape.undated, self.run).split(self.shape.row_end)
        if rows.pop().strip():
            return None
        if len(rows) > MOST_ROWS:
            raise too_many(SOFTWARES)
        return _titles(rows, self.shape, memory)


def cut(document: bytes, shape: Shape) -> Cut | None:
    """Cut the run of rows out; None when the document is not so plain that this can be done as text."""
    first, last = document.find(shape.begin), document.rfind(shape.end)
    if first < 0 or last < 0:
        return None
    if shape.inclusive:
        last += len(shape.end)
    else:
        first += len(shape.begin)
    if last <= first:
        return None
    before, after = document[:first], document[last:]
    prolog = _PROLOG.match(before)
    begins = prolog.end() if prolog else 0
    # The run needs no such look: a flat row has neither.
    if (
        b"<!" in before
        or b"<!" in after
        or b"<?" in after
        or before.find(b"<?", begins) >= 0
        or b"fleet-cut" in before
        or b"fleet-cut" in after
    ):
        return None
    run = document[first:last]
    return Cut(before + shape.mark + after, run, hashlib.sha256(run).digest()[:16], shape)


def _titles(rows: list[bytes], shape: Shape, memory: Memory) -> list[Title] | None:
    """What the rows name; None when one of them is not flat."""
    known = memory.rows
    try:
        found = list(map(known.__getitem__, rows))
    except KeyError:
        for row in rows:
            if row not in known:
                element = _element(row, shape)
                if element is None:
                    return None
                known[row] = memory.title(shape.read(element))
        found = list(map(known.__getitem__, rows))
    return [title for title in found if title is not None]


def _element(row: bytes, shape: Shape) -> etree._Element | None:
    if not shape.row.fullmatch(row):
        return None
    try:
        return etree.fromstring(row + shape.row_end, etree.XMLParser(resolve_entities=False, no_network=True))
    except etree.XMLSyntaxError:
        return None
