# Copyright: (c) 2026, Fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Packages of Red Hat, Fedora, SUSE and their family, by rpm."""

from __future__ import annotations

from ..errors import ToolError
from .root import Root
from .row import Row

DATABASES = ("/var/lib/rpm", "/usr/lib/sysimage/rpm")
FORMAT = "%{NAME}\\t%|EPOCH?{%{EPOCH}:}|%{VERSION}-%{RELEASE}\\t%{VENDOR}\\t%{ARCH}\\n"


def installed(root: Root) -> list[Row]:
    """Return the packages; none where rpm is a mere tool without a database (as on Debian)."""
    if not root.has("rpm") or not any(root.names(folder) for folder in DATABASES):
        return []
    return parse(root.tool("rpm", "--query", "--all", "--queryformat", FORMAT))


def parse(text: str) -> list[Row]:
    """Read what rpm prints in our format. Imported signing keys appear as packages in it, and are left out."""
    rows: list[Row] = []
    for line in filter(None, text.split("\n")):
        fields = line.split("\t")
        if len(fields) != 4:
            raise ToolError(f"rpm printed what is no package: {line[:80]!r}")
        name, version, vendor, arch = ("" if value == "(none)" else value for value in fields)
        if name != "gpg-pubkey":
            rows.append({"name": name, "version": version, "publisher": vendor, "from": "rpm", "arch": arch})
    return rows
