# Copyright: (c) 2026, Fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Snaps, by the description that lies in each."""

from __future__ import annotations

import re

from .root import Root
from .row import Row

FOLDERS = ("/snap", "/var/lib/snapd/snap")


def installed(root: Root) -> list[Row]:
    """Return the snaps that are active; none without snapd."""
    rows: list[Row] = []
    for folder in FOLDERS:
        for name in root.names(folder):
            description = root.text(f"{folder}/{name}/current/meta/snap.yaml")
            if description:
                rows.append(parse(name, description))
        if rows:
            break
    return rows


def parse(name: str, text: str) -> Row:
    """Read name, version and architectures of a snap.yaml, which are scalars and a list at its top level."""
    found = {key: value.strip("'\" ") for key, value in re.findall(r"^(name|version):[ \t]*(.*?)\s*$", text, re.MULTILINE)}
    arches = re.search(r"^architectures:[ \t]*(?:\[(.*?)\]|((?:\n[ \t]*-.*)+))", text, re.MULTILINE)
    names = re.findall(r"[\w-]*\w", (arches[1] or arches[2] or "").replace("- ", " ")) if arches else []
    return {"name": found.get("name") or name, "version": found.get("version", ""), "from": "snap", "arch": names[0] if names else ""}
