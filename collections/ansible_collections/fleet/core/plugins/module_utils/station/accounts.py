# Copyright: (c) 2026, Fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The sections local_users and local_groups: the station's own accounts, without those of a directory."""

from __future__ import annotations

from .root import Root
from .row import Row


def users(root: Root) -> list[Row]:
    """Return the accounts of /etc/passwd."""
    rows: list[Row] = []
    for line in root.need("/etc/passwd").splitlines():
        fields = line.split(":")
        if len(fields) == 7 and not line.startswith(("#", "+", "-")):
            login, _password, number, _group, gecos, home, shell = fields
            rows.append({"login": login, "id": number, "name": gecos.partition(",")[0], "home": home, "shell": shell})
    return rows


def groups(root: Root) -> list[Row]:
    """Return the groups of /etc/group."""
    rows: list[Row] = []
    for line in root.need("/etc/group").splitlines():
        fields = line.split(":")
        if len(fields) == 4 and not line.startswith(("#", "+", "-")):
            name, _password, number, members = fields
            rows.append({"name": name, "id": number, "members": members})
    return rows
