# Copyright: (c) 2026, Fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A station that installs itself."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from ansible_collections.fleet.imaging.plugins.module_utils.installer.request import Installation

AUTHORITY = "-----BEGIN CERTIFICATE-----\nMIIB0zCC\n-----END CERTIFICATE-----\n"
KEY = 'ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIJ0aVJ7c0xPDZsXKD7xKR5XBC1kkPYaSVGEZYOYK0gHl Zoé d\'Été "admin"'
HASH = "$6$saltsalt$abcdefghijklmnopqrstuvwxyz./0123456789"

STATION: dict[str, Any] = {
    "system": "debian-12",
    "hostname": "pc07",
    "mac": "52-54-00-77-00-01",
    "disk_identity": "serial:FLEET 07",
    "boot_server": "http://10.77.0.1",
    "authority": AUTHORITY,
    "ssh_keys": [KEY],
    "locale": "fr_FR.UTF-8",
    "keyboard": "fr",
    "time_zone": "Europe/Paris",
}

Asked = Callable[..., Installation]


@pytest.fixture
def asked() -> Asked:
    """Call it with options that differ."""
    return lambda **options: Installation.parse({"medium": "installers/ubuntu.iso", **STATION, **options})
