# Copyright: (c) 2026, Fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Who holds which software, as it is written: for four neighbours in the dictionary one number, which says what of them a station has.

What is met together is numbered together, so a station with 1,100 programs has some 340 such bundles. ``reports_held`` has a row for each;
the view ``reports_holding`` (models.Holding) unfolds them into versions again: a version is in eight bundles at most, whatever the fleet's
size, which ``reports_bundle`` lists, written with the version. docs/decisions/0022-storing-reports.md.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable

from django.db.backends.utils import CursorWrapper

WIDTH = 2
"""Bits of a version's id that tell it from its neighbours in a bundle. The migrations write the view for this width."""

_MEMBERS = 1 << WIDTH
_AT_ONCE = 500


def bundled(versions: Iterable[int]) -> set[int]:
    """The bundles of the ids of versions: the number of the four neighbours, then a bit for each of them that is there."""
    found: dict[int, int] = {}
    for each in versions:
        place = each >> WIDTH
        found[place] = found.get(place, 0) | 1 << (each & _MEMBERS - 1)
    return {place << _MEMBERS | bits for place, bits in found.items()}


def bundles_of(version: int) -> list[int]:
    """All bundles that a version may be in."""
    place, bit = version >> WIDTH << _MEMBERS, 1 << (version & _MEMBERS - 1)
    return [place | bits for bits in range(1 << _MEMBERS) if bits & bit]


def announce(cursor: CursorWrapper, versions: Iterable[int]) -> None:
    """List the bundles of versions that are new in the dictionary, in the transaction at hand."""
    ordered = sorted(versions)
    for first in range(0, len(ordered), _AT_ONCE):
        rows = ", ".join(f"({version:d}, {bundle:d})" for version in ordered[first : first + _AT_ONCE] for bundle in bundles_of(version))
        cursor.execute(f"INSERT INTO reports_bundle (software_version_id, bundle) VALUES {rows} ON CONFLICT DO NOTHING")  # numbers only


def write(cursor: CursorWrapper, pairs: Collection[tuple[int, int]]) -> None:
    """Write pairs of a bundle and a station's id, none of which is there, in the transaction at hand."""
    # In the index's order, so that neighbours go to the same page.
    ordered = sorted(pairs)
    if cursor.db.vendor == "postgresql":
        with cursor.copy("COPY reports_held (bundle, station_id) FROM STDIN") as copy:
            copy.write("".join([f"{bundle}\t{station}\n" for bundle, station in ordered]))
    else:
        cursor.executemany("INSERT INTO reports_held (bundle, station_id) VALUES (%s, %s)", ordered)


def remove(cursor: CursorWrapper, pairs: Collection[tuple[int, int]]) -> None:
    """Remove pairs of a bundle and a station's id."""
    if cursor.db.vendor == "postgresql":
        cursor.execute(
            "DELETE FROM reports_held held USING unnest(%s::int[], %s::int[]) lost (bundle, station) "
            "WHERE held.bundle = lost.bundle AND held.station_id = lost.station",
            [list(column) for column in zip(*pairs, strict=True)],
        )
    else:
        cursor.executemany("DELETE FROM reports_held WHERE bundle = %s AND station_id = %s", sorted(pairs))
