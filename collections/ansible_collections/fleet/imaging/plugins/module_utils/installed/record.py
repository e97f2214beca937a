# Copyright: (c) 2026, Fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What was done to a system, remembered in the system itself: so that a second run knows that it is this station already.

It is a file on a disk that is not trusted: at worst it makes a run do too much or too little for this one station.
"""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, field
from typing import Any

from .tree import Tree, TreeError

PATH = "etc/fleet/identity.json"
_TABLES = ("host_keys", "hooks", "groups")


@dataclass
class Record:
    """station and seed: who it is. host_keys: public keys by kind. hooks: digest of each that ended well, by file name.

    groups: UUIDs that volume groups got for this station, by name. initramfs: whether it must be made again.
    """

    station: str = ""
    seed: str = ""
    host_keys: dict[str, str] = field(default_factory=dict)
    hooks: dict[str, str] = field(default_factory=dict)
    groups: dict[str, str] = field(default_factory=dict)
    initramfs: bool = False

    @classmethod
    def of(cls, tree: Tree) -> Record:
        """The record in a system; an empty one when there is none, or one that cannot be read."""
        try:
            said: Any = json.loads(tree.text(PATH) or "{}")
            keys, hooks, groups = ({str(key): str(value) for key, value in said.get(name, {}).items()} for name in _TABLES)
            return cls(str(said.get("station", "")), str(said.get("seed", "")), keys, hooks, groups, said.get("initramfs") is True)
        except (ValueError, AttributeError, RecursionError, TreeError):
            return cls()

    def stage(self, tree: Tree) -> None:
        """Put the record into the system."""
        tree.write_text(PATH, json.dumps(asdict(self), indent=2, sort_keys=True) + "\n", mode=0o600, secret=True)
