# Copyright: (c) 2026, Fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Stations in the station database: one or thousands at once, all or nothing."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from .client import Client, Refused, in_words
from .entity import Entity, Outcome

MANY = 5000
"""Stations in one request."""

FIELDS: dict[str, Any] = {
    "site": {"type": "str"},
    "kind": {"type": "str", "choices": ["stations", "models", "relays", "content_stores"]},
    "state": {"type": "str", "choices": ["new", "ready", "repair", "retired"]},
    "tag": {"type": "str"},
    "uuid": {"type": "str"},
    "serial": {"type": "str"},
    "macs": {"type": "list", "elements": "str"},
    "address": {"type": "str"},
    "model": {"type": "str"},
    "image": {"type": "str"},
    "disk_identity": {"type": "str"},
    "groups": {"type": "list", "elements": "str"},
    "variables": {"type": "dict"},
    "comment": {"type": "str"},
    "secrets": {"type": "dict", "no_log": True},
}
"""What can be said of a station, as a module's arguments."""


def ensure_stations(client: Client, wanted: Sequence[dict[str, Any]], *, check_mode: bool) -> Outcome:
    """Add stations, or change what differs; ``now`` has the result of each. Refused, and nothing done, when one of them is wrong.

    The server compares and checks, in check mode as well, so that what it says it would do is what it does.
    """
    rows = [{name: value for name, value in each.items() if value is not None} for each in wanted]
    results: list[dict[str, Any]] = []
    # More than one request is not all or nothing any more: look at all of them before the first is changed.
    for dry_run in [True] if check_mode else [True, False] if len(rows) > MANY else [False]:
        results = [result for part in _parts(rows) for result in _bulk(client, part, dry_run=dry_run)]
    return outcome_of(results)


def remove_stations(client: Client, names: Iterable[str], *, check_mode: bool) -> Outcome:
    """Remove stations with all they reported; those that are not there are fine."""
    stations, outcome = Entity(client, "/stations", "name"), Outcome(now={"stations": []})
    for name in names:
        removed = stations.remove(name, check_mode=check_mode).changed
        if removed:
            outcome.before[name] = "there"
        result: dict[str, Any] = {"name": name, "result": "removed" if removed else "unchanged", "changes": [], "errors": []}
        (outcome.now or {})["stations"].append(result)
    return outcome


def outcome_of(results: list[dict[str, Any]]) -> Outcome:
    """What the server says it did to stations, as what a module did."""
    outcome = Outcome(now={"stations": results})
    for result in results:
        for change in result["changes"]:
            key = f"{result['name']}.{change['field']}"
            outcome.before[key], outcome.after[key] = change["before"], change["after"]
        if result["result"] == "created":
            outcome.after[result["name"]] = "added"
    return outcome


def refuse(wrong: list[str]) -> None:
    """Refused, when something is wrong: the first twenty faults in words, all in the details."""
    if wrong:
        more = f" There are {len(wrong) - 20} more errors." if len(wrong) > 20 else ""
        raise Refused(" ".join(wrong[:20]) + more, errors=wrong)


def _parts(rows: Sequence[dict[str, Any]]) -> Iterable[Sequence[dict[str, Any]]]:
    return (rows[start : start + MANY] for start in range(0, len(rows), MANY))


def _bulk(client: Client, rows: Sequence[dict[str, Any]], *, dry_run: bool) -> list[dict[str, Any]]:
    said = client.post("/stations/bulk", {"stations": list(rows), "dry_run": dry_run})
    refuse([in_words({**error, "where": row["name"]}) for row in said["results"] for error in row["errors"]])
    results: list[dict[str, Any]] = said["results"]
    return results
