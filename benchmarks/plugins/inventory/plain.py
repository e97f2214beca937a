# Copyright: (c) 2026, Fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The peer of the benchmark of the inventory: a plain plugin, as one is usually written, fed from memory."""

from __future__ import annotations

DOCUMENTATION = r"""
name: plain
short_description: Hosts from memory through set_variable
author: Fleet contributors (@fleet)
description:
  - Adds hosts, variables and groups that were loaded into memory before.
options:
  plugin:
    description: Always V(plain).
    type: str
    required: true
    choices: [plain]
  source:
    description: A file that marshal wrote; nothing is added without one.
    type: str
    default: ""
  loading:
    description: Where to write how many CPU seconds the loading took, which is not the plugin's work.
    type: str
    default: ""
"""

import gc
import marshal
import time
from pathlib import Path

from ansible.plugins.inventory import BaseInventoryPlugin


class InventoryModule(BaseInventoryPlugin):
    """The plugin."""

    NAME = "plain"

    def parse(self, inventory, loader, path, cache=True):
        """Fill the inventory."""
        super().parse(inventory, loader, path, cache)
        self._read_config_data(path)
        if not self.get_option("source"):
            return
        before = time.process_time()
        groups, hosts = marshal.loads(Path(self.get_option("source")).read_bytes())
        gc.freeze()  # what it is fed with shall cost it nothing
        Path(self.get_option("loading")).write_text(str(time.process_time() - before))
        for name, variables, _children in groups:
            inventory.add_group(name)
            for key, value in variables.items():
                inventory.set_variable(name, key, value)
        for name, _variables, children in groups:
            for child in children:
                inventory.add_child(name, child)
        for name, variables, members in hosts:
            inventory.add_host(name)
            for key, value in variables.items():
                inventory.set_variable(name, key, value)
            for group in members:
                inventory.add_child(group, name)
