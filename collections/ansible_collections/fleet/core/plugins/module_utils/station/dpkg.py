# Copyright: (c) 2026, Fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Packages of Debian and its family: the status file, which is the database itself (deb-status is stable since 1995)."""

from __future__ import annotations

from .root import Root
from .row import Row

STATUS = "/var/lib/dpkg/status"


def installed(root: Root) -> list[Row]:
    """Return the packages that are unpacked and configured; none where there is no dpkg."""
    return parse(root.need(STATUS)) if root.exists(STATUS) else []


def parse(text: str) -> list[Row]:
    """Read the stanzas of a status file; what lacks a name or is not installed is left out."""
    rows: list[Row] = []
    for stanza in text.split("\n\n"):
        # Continuation lines begin with a space; the fields that matter have one line.
        fields = dict(line.split(": ", 1) for line in stanza.split("\n") if ": " in line and not line.startswith((" ", "\t")))
        if fields.get("Status", "").split(" ")[-1] == "installed" and "Package" in fields:
            rows.append(
                {
                    "name": fields["Package"],
                    "version": fields.get("Version", ""),
                    "publisher": fields.get("Maintainer", "").partition("<")[0].strip(' "'),
                    "from": "deb",
                    "arch": fields.get("Architecture", ""),
                }
            )
    return rows
