# Copyright: (c) 2026, Fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the modules that change an installed system share of their parameters."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ..disk.device import Disk

INSTALLED_SPEC: dict[str, Any] = {
    "disk": {"type": "str"},
    "disk_identity": {"type": "str", "required": True},
    "root": {"type": "str", "default": ""},
    "require": {"type": "bool", "default": True},
}
"""Which disk, and which system on it (doc fragment fleet.imaging.options.installed)."""


def named_disk(params: Mapping[str, Any]) -> Disk:
    """The disk that may be changed; FleetError when it is not the one that was named."""
    disk = Disk.open(params["disk"] or params["disk_identity"])
    disk.require(params["disk_identity"])
    return disk
