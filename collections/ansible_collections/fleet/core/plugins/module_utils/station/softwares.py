# Copyright: (c) 2026, Fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The section softwares: what the package managers of the station have installed, each asked in its own way."""

from __future__ import annotations

from . import dpkg, flatpak, rpm, snap
from .root import Root
from .row import Row

MANAGERS = (dpkg, rpm, flatpak, snap)


def collect(root: Root) -> list[Row]:
    """Return name, version, publisher, from and arch of each installed package, sorted. One manager that fails fails the section."""
    rows = [row for manager in MANAGERS for row in manager.installed(root)]
    return sorted(rows, key=lambda row: [str(row.get(key, "")) for key in ("from", "name", "arch", "version")])
