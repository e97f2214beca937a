# Copyright: (c) 2026, Fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Addresses that a DHCP server reserves for the stations of an inventory."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import Any

from ansible.errors import AnsibleFilterError

from ansible_collections.fleet.core.plugins.module_utils.errors import FleetError
from ansible_collections.fleet.imaging.plugins.module_utils.netboot import reservations

DOCUMENTATION = r"""
name: dhcp_reservations
short_description: Addresses that a DHCP server reserves for the stations of an inventory
version_added: "0.1.0"
author: Fleet contributors (@fleet)
description:
  - Takes the cards (C(fleet_macs), or C(fleet_mac)) and the address (C(ansible_host)) of each host. Hosts without a card, and those that
    do not stand in the server's network, have no reservation. Two hosts with one card or one address are refused, both named.
options:
  _input:
    description: Names of hosts.
    type: list
    elements: str
    required: true
  hostvars:
    description: Variables of hosts, by name.
    type: dict
    required: true
  network:
    description: The server's address and mask, as V(10.77.0.1/255.255.255.0).
    type: str
    required: true
  further:
    description: Reservations beside them, each with C(name), C(mac) and C(address).
    type: list
    elements: dict
    default: []
"""

EXAMPLES = r"""
- name: See who gets which address
  ansible.builtin.debug:
    msg: "{{ groups['stations'] | fleet.imaging.dhcp_reservations(hostvars, '10.77.0.1/24') }}"
"""

RETURN = r"""
_value:
  description: Reservations, in the order of addresses.
  type: list
  elements: dict
  sample: [{name: pc01, macs: ["52:54:00:77:00:01"], address: 10.77.0.11}]
"""


def dhcp_reservations(
    hosts: Sequence[str], hostvars: Mapping[str, Mapping[str, Any]], network: str, further: Sequence[Mapping[str, Any]] = ()
) -> list[dict[str, Any]]:
    """Make reservations; AnsibleFilterError names what is wrong, and whose."""
    try:
        known = {str(name): hostvars[name] for name in hosts}
        said = {
            name: {key: host[key] for key in ("fleet_macs", "fleet_mac", "ansible_host") if key in host} for name, host in known.items()
        }
        return [{**asdict(each), "macs": list(each.macs)} for each in reservations.reservations(said, network, further)]
    except FleetError as error:
        raise AnsibleFilterError(str(error)) from error
    except (KeyError, TypeError, AttributeError) as error:
        raise AnsibleFilterError(f"These are no hosts and reservations: {error!r}") from error


class FilterModule:
    """What Ansible asks for."""

    def filters(self) -> dict[str, Any]:
        """Filters by name."""
        return {"dhcp_reservations": dhcp_reservations}
