# Copyright: (c) 2026, Fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Applications and runtimes of Flatpak, those of the whole station."""

from __future__ import annotations

from ..errors import ToolError
from .root import Root
from .row import Row

INSTALLATION = "/var/lib/flatpak"
COLUMNS = "application,version,branch,arch,origin"


def installed(root: Root) -> list[Row]:
    """Return what is installed; none without Flatpak."""
    if not root.has("flatpak") or not root.exists(INSTALLATION):
        return []
    return parse(root.tool("flatpak", "list", "--system", f"--columns={COLUMNS}"))


def parse(text: str) -> list[Row]:
    """Read the table of ``flatpak list``, which has tabs between its columns when nobody looks. Runtimes have a branch for a version."""
    rows: list[Row] = []
    for line in filter(str.strip, text.split("\n")):
        fields = [field.strip() for field in line.split("\t")]
        if len(fields) != 5:
            raise ToolError(f"flatpak printed what is no application: {line[:80]!r}")
        name, version, branch, arch, origin = fields
        rows.append({"name": name, "version": version or branch, "publisher": origin, "from": "flatpak", "arch": arch})
    return rows
