# Copyright: (c) 2026, Fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Stations from a table of a spreadsheet."""

from __future__ import annotations

from typing import Any

from .client import Client, in_words
from .entity import Outcome
from .station import outcome_of, refuse


def import_table(client: Client, table: bytes, *, check_mode: bool) -> Outcome:
    """Add and change the stations of a CSV, all or nothing. Refused, with every bad line, when there are any, in check mode as well."""
    path = "/stations.csv"
    answer = client.request("POST", path, data=table, content_type="text/csv; charset=utf-8", query={"dry_run": check_mode})
    said: dict[str, Any] = answer.body
    refuse([in_words(error) for error in said["errors"]])
    outcome = outcome_of(said["stations"])
    outcome.now = {**(outcome.now or {}), **{name: said[name] for name in ("created", "unchanged")}, "updated": said["changed"]}
    return outcome
