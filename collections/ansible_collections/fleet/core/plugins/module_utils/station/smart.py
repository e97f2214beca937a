# Copyright: (c) 2026, Fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The section smart: what disks say of their health, by smartctl where it is installed."""

from __future__ import annotations

import json
from typing import Any

from ..errors import ToolError
from .block import disks
from .root import Root
from .row import Row

_REALLOCATED = 5
_COMMAND_LINE, _OPEN_FAILED = 1, 2
"""Bits of smartctl's exit code after which there is no answer; the others tell of the disk's health."""


def collect(root: Root) -> list[Row]:
    """Return a row for each disk that has SMART; none without smartctl."""
    if not root.has("smartctl"):
        return []
    rows = [_row(disk.path, _ask(root, disk.path)) for disk in disks(root) if disk.type == "disk"]
    return [row for row in rows if len(row) > 1]


def _ask(root: Root, path: str) -> dict[str, Any]:
    # A disk that sleeps is left asleep (exit code 2, which says nothing of its health).
    text = root.tool("smartctl", "--json", "--info", "--health", "--attributes", "--nocheck=standby", path, ok=None)
    try:
        answer = json.loads(text)
    except ValueError as error:
        raise ToolError(f"smartctl did not print JSON for {path}: {text[:80]!r}") from error
    status = answer.get("smartctl", {}).get("exit_status", 0) if isinstance(answer, dict) else _COMMAND_LINE
    return {} if status & (_COMMAND_LINE | _OPEN_FAILED) else answer


def _row(path: str, answer: dict[str, Any]) -> Row:
    nvme = answer.get("nvme_smart_health_information_log", {})
    table = {each.get("id"): each for each in answer.get("ata_smart_attributes", {}).get("table", [])}
    passed = answer.get("smart_status", {}).get("passed")
    texts = [f"{each.get('name', number)}={each.get('raw', {}).get('value', '')}" for number, each in table.items()]
    texts = texts or [f"{name}={value}" for name, value in nvme.items() if isinstance(value, (int, str))]
    numbers = {
        "temperature": answer.get("temperature", {}).get("current"),
        "power_on_hours": answer.get("power_on_time", {}).get("hours"),
        "reallocated": table.get(_REALLOCATED, {}).get("raw", {}).get("value", nvme.get("media_errors")),
    }
    row: Row = {"device": path}
    if passed is not None:
        row["passed"] = int(bool(passed))
    row.update({name: value for name, value in numbers.items() if isinstance(value, int)})
    if texts and len(row) > 1:
        row.update({"attributes": ", ".join(texts), "model": answer.get("model_name", ""), "serial": answer.get("serial_number", "")})
    return row
