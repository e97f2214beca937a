# Copyright: (c) 2026, Fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A station's report on its way into the station database."""

from __future__ import annotations

import urllib.parse
from collections.abc import Iterable, Mapping
from typing import Any

from .client import Client, NotFound
from .entity import Outcome

Rows = list[dict[str, Any]]


def send_report(client: Client, station: str, sections: Mapping[str, Rows], document: bytes, *, check_mode: bool) -> Outcome:
    """Send a document, whose sections are these, and say which differ from what the station database knows of the station.

    It is sent even if none does, because it says that the station is alive. A worker of the server takes it in soon.
    """
    known = _known(client, station, sections)
    different = [kind for kind in sorted(sections) if _set(sections[kind]) != _set(known.get(kind, []))]
    outcome = Outcome({kind: _lines(known.get(kind, [])) for kind in different}, {kind: _lines(sections[kind]) for kind in different})
    outcome.now = {"sections": different}
    if not check_mode:
        query = {"station": station}
        answer = client.request("POST", "/reports", data=document, content_type="application/xml", query=query)
        outcome.now["id"] = answer.body["id"]
    return outcome


def _known(client: Client, station: str, kinds: Iterable[str]) -> dict[str, Rows]:
    path = f"/stations/{urllib.parse.quote(station, safe='')}/sections"
    try:
        there = set(client.get(path))
        return {kind: client.get(f"{path}/{kind}")["rows"] for kind in kinds if kind in there}
    except NotFound:  # it reports for the first time
        return {}


def _set(rows: Rows) -> set[frozenset[tuple[str, str]]]:
    """Rows without their order and the types of their values: a document has texts only, and says nothing of what is empty."""
    return {frozenset((name, str(value)) for name, value in row.items() if value not in (None, "")) for row in rows}


def _lines(rows: Rows) -> list[str]:
    """Rows for a diff."""
    return sorted(", ".join(f"{name}={row[name]}" for name in sorted(row)) for row in rows)
