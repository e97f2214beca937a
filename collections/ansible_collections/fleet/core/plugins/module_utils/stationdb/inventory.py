# Copyright: (c) 2026, Fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The stream of the inventory: lines of JSON into hosts. The format is described in docs/station-database/inventory.md."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, Callable

from ..errors import FleetError

FORMAT = 1


class StreamError(FleetError):
    """The stream was cut, or is of a format that we do not know."""


@dataclass(frozen=True)
class StreamGroup:
    """A group: its variables, and the names of the groups below it."""

    name: str
    variables: dict[str, Any] = field(default_factory=dict)
    children: tuple[str, ...] = ()


@dataclass(frozen=True)
class Batch:
    """Some stations: for each its name, the number of its combination of groups, and its variables.

    Values that several stations share are one object: who changes one changes all.
    """

    names: list[str]
    combinations: list[int]
    variables: list[dict[str, Any]]
    columns: frozenset[str]
    """Names of the variables that at least one of them has."""


class InventoryReader:
    """Groups first, then batches. Combinations grow as batches come; each is the numbers of its groups.

    Variables of stations whose names are not accepted are skipped.
    """

    def __init__(self, lines: Iterator[bytes], accepts: Callable[[str], bool] = lambda _name: True) -> None:
        self._lines = lines
        self._accepts = accepts
        header = self._next("groups")
        if header.get("fleet_inventory") != FORMAT:
            said = header.get("fleet_inventory")
            raise StreamError(
                f"The station database sends its inventory in format {said!r}, and this collection reads format {FORMAT}",
                remedy="Bring the collection fleet.core and the station database to the same version",
            )
        self.warnings: list[str] = [str(each) for each in header.get("warnings", [])]
        self.combinations: list[tuple[int, ...]] = []
        self.etag = ""
        self.count = 0
        with _understanding("groups"):
            self.groups = [_group(each) for each in header["groups"]]

    def batches(self) -> Iterator[Batch]:
        """All stations; StreamError, possibly at the end, when some are missing."""
        while True:
            line = self._next("the next stations")
            if "stations" in line:
                break
            with _understanding("a batch of stations"):
                batch = self._batch(line)
            self.count += len(batch.names)
            self.warnings += [str(each) for each in line.get("warnings", [])]
            yield batch
        if line["stations"] != self.count:
            raise StreamError(f"The inventory should have {line['stations']} stations, and {self.count} came", remedy="Run it again")
        self.etag = str(line.get("etag", ""))

    def _batch(self, line: dict[str, Any]) -> Batch:
        names: list[str] = line["names"]
        count, groups = len(names), len(self.groups)
        for combination in line["combinations"]:
            if not all(0 <= number < groups for number in combination):
                raise IndexError(combination)
            self.combinations.append(tuple(combination))
        if not all(0 <= number < len(self.combinations) for number in line["groups"]) or len(line["groups"]) != count:
            raise IndexError("groups")
        keys, columns, partial = [], [], []
        for name, column in line["columns"].items():
            if not self._accepts(name):
                continue
            if isinstance(column, dict) and "rows" in column:
                partial.append((name, column))
            else:
                keys.append(name)
                columns.append(_unpacked(column, count))
        variables = [dict(zip(keys, row)) for row in zip(*columns)] if columns else [{} for _name in names]
        for name, column in partial:
            if len(column["rows"]) != len(column["values"]):
                raise ValueError(name)
            for number, value in zip(column["rows"], column["values"]):
                variables[number][name] = value
        return Batch(names, line["groups"], variables, frozenset((*keys, *(name for name, _column in partial))))

    def _next(self, what: str) -> dict[str, Any]:
        line = next(self._lines, None)
        if line is None:
            raise StreamError(
                f"The inventory ended before {what}, after {getattr(self, 'count', 0)} stations",
                remedy="See the log of the station database, and run it again",
            )
        with _understanding("a line"):
            return dict(json.loads(line))


def _group(said: dict[str, Any]) -> StreamGroup:
    return StreamGroup(str(said["name"]), dict(said.get("variables", {})), tuple(said.get("children", ())))


def _unpacked(column: Any, count: int) -> list[Any]:
    """A value for each row."""
    if isinstance(column, dict):
        if "value" in column:
            return [column["value"]] * count
        column = list(map(column["values"].__getitem__, column["index"]))
    if not isinstance(column, list) or len(column) != count:
        raise ValueError("column")
    return column


class _understanding:  # reads as a sentence: with _understanding("groups")
    """Turn what a malformed line raises into one error."""

    def __init__(self, what: str) -> None:
        self._what = what

    def __enter__(self) -> None:
        return None

    def __exit__(self, kind: Any, error: Any, trace: Any) -> None:
        if isinstance(error, (KeyError, IndexError, TypeError, ValueError, AttributeError)):
            raise StreamError(
                f"The inventory's stream is damaged: {self._what} cannot be read ({type(error).__name__}: {error})",
                remedy="See the log of the station database and of what is between; a proxy must pass the answer on unchanged",
            ) from error
