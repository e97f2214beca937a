# Copyright: (c) 2026, Fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Pools of addresses, checked."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from ansible.errors import AnsibleFilterError

from ansible_collections.fleet.core.plugins.module_utils.errors import FleetError
from ansible_collections.fleet.imaging.plugins.module_utils.netboot import reservations

DOCUMENTATION = r"""
name: dhcp_pools
short_description: First and last addresses of pools
version_added: "0.1.0"
author: Fleet contributors (@fleet)
description:
  - Takes pools as an admin writes them, and refuses one that does not lie in the server's network or holds the server itself.
options:
  _input:
    description: Pools, as V(10.77.0.100-10.77.0.199); empty for none.
    type: list
    elements: str
    required: true
  network:
    description: The server's address and mask, as V(10.77.0.1/255.255.255.0).
    type: str
    required: true
"""

EXAMPLES = r"""
- name: See where a pool begins
  ansible.builtin.debug:
    msg: "{{ (['10.77.0.100-10.77.0.199'] | fleet.imaging.dhcp_pools('10.77.0.1/24')) | first | first }}"
"""

RETURN = r"""
_value:
  description: For each pool its first and last address; nothing for an empty one.
  type: list
  elements: list
  sample: [[10.77.0.100, 10.77.0.199], []]
"""


def dhcp_pools(pools: Sequence[str], network: str) -> list[list[str]]:
    """Check pools; AnsibleFilterError names the one that cannot be."""
    try:
        return [list(reservations.pool(each, network)) if each else [] for each in pools]
    except FleetError as error:
        raise AnsibleFilterError(str(error)) from error


class FilterModule:
    """What Ansible asks for."""

    def filters(self) -> dict[str, Any]:
        """Filters by name."""
        return {"dhcp_pools": dhcp_pools}
