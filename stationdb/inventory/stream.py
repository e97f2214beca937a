# Copyright: (c) 2026, Fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The inventory as lines of JSON, a batch of stations at a time: it takes the memory of one batch, however many stations there are."""

from __future__ import annotations

import contextlib
import hashlib
import itertools
import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from django.db import connection, transaction

from .addresses import Which, warning
from .columns import pack
from .groups import Combination, GroupTable
from .selection import Selection
from .variables import HostVariables, rows

FORMAT = 1
BATCH = 2000
"""Stations in a line: enough for dictionaries to pay, few enough for some hundred KB."""


@dataclass(frozen=True)
class InventoryStream:
    """The lines of a selection's inventory; each ends with a line feed.

    The first says the format and the groups, the last how many stations there were, and the SHA-256 of all lines before it: without it the
    stream was cut.
    """

    selection: Selection
    secrets: bool = False
    addresses: Which = "subnets"

    def lines(self) -> Iterator[bytes]:
        """All lines. Errors in the selection are raised before the first; Missing, CriteriaError."""
        digest = hashlib.sha256()
        count = 0
        with _snapshot():
            for line, stations in self._content():
                digest.update(line)
                count += stations
                yield line
        yield _line({"stations": count, "etag": digest.hexdigest()})

    def _content(self) -> Iterator[tuple[bytes, int]]:
        """Lines, and the number of stations in each."""
        stations = self.selection.stations()
        groups = GroupTable(self.selection, stations)
        variables = HostVariables(self.selection.perimeter, secrets=self.secrets, addresses=self.addresses)
        header = {"fleet_inventory": FORMAT, "groups": groups.describe()}
        yield _line({**header, "warnings": groups.warnings} if groups.warnings else header), 0
        known: dict[Combination, int] = {}
        found = iter(rows(stations, BATCH))
        while batch := list(itertools.islice(found, BATCH)):
            before = len(known)
            numbers = [known.setdefault(combination, len(known)) for combination in groups.combinations(batch)]
            said = {
                "names": [row.name for row in batch],
                "groups": numbers,
                "combinations": list(itertools.islice(known, before, None)),
                "columns": pack(variables.of(batch)),
            }
            yield _line(said), len(batch)
        if variables.unreachable:
            # Known only now, and as a batch of none, because the last line is not part of the digest.
            empty: dict[str, Any] = {"names": [], "groups": [], "combinations": [], "columns": {}}
            yield _line({**empty, "warnings": [warning(variables.unreachable)]}), 0


def _line(said: dict[str, Any]) -> bytes:
    return json.dumps(said, ensure_ascii=False, separators=(",", ":")).encode() + b"\n"


@contextlib.contextmanager
def _snapshot() -> Iterator[None]:
    """One state of the database for all queries, so that no station is in a group that was made after the first line.

    SQLite has that as long as the query over the stations is open, and a transaction of ours would keep writers waiting.
    """
    if connection.vendor != "postgresql" or connection.in_atomic_block:
        yield
        return
    with transaction.atomic():
        with connection.cursor() as cursor:
            cursor.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY")
        yield
