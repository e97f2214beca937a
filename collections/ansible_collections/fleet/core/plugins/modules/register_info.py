#!/usr/bin/python

# Copyright: (c) 2026, Fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Tell which network cards are no station's yet."""

from __future__ import annotations

DOCUMENTATION = r"""
module: register_info
short_description: Tell which network cards are no station's yet
version_added: "0.1.0"
author: Fleet contributors (@fleet)
description:
  - Compares cards that were seen (M(fleet.core.lease_info)) with the stations that the token's user sees.
  - For each that is unknown, tells the site in whose subnet it was seen, and an address there that no station has and nobody was seen with.
  - What becomes of them is done by M(fleet.core.station).
extends_documentation_fragment:
  - fleet.core.attributes
  - fleet.core.stationdb
attributes:
  check_mode:
    support: full
  diff_mode:
    support: none
options:
  sightings:
    description: Cards, as RV(fleet.core.lease_info#module:sightings) tells them, with C(mac), C(address), C(hostname) and C(seen).
    type: list
    elements: dict
    required: true
  ranges:
    description:
      - Ranges of addresses to reserve, as V(10.69.2.50-10.69.2.99); those that lie in a subnet are used there.
      - Where none does, the whole subnet is used.
    type: list
    elements: str
    default: []
  skip:
    description: Addresses at the beginning of a subnet that are never reserved; where O(ranges) has none in it.
    type: int
    default: 10
  reserve:
    description: Whether to look for addresses at all.
    type: bool
    default: true
seealso:
  - module: fleet.core.lease_info
  - module: fleet.core.station
"""

EXAMPLES = r"""
- name: Who is new?
  fleet.core.register_info:
    url: https://stations.example
    sightings: "{{ seen.sightings }}"
  delegate_to: localhost
  register: new
"""

RETURN = r"""
unknown:
  description: Cards that no station has, with their site, and the address to reserve.
  returned: success
  type: list
  elements: dict
  sample:
    - mac: "52:54:00:12:34:56"
      hostname: desktop-4711
      seen: "2026-11-21T12:00:00Z"
      address: 10.69.2.117
      site: lyon
      reserve: 10.69.2.11
outside:
  description: Unknown cards that were seen without an address, or in no site's subnet.
  returned: success
  type: list
  elements: dict
full:
  description: Unknown cards for which no address is free.
  returned: success
  type: list
  elements: dict
known:
  description: Stations by card.
  returned: success
  type: dict
  sample: {"52:54:00:aa:bb:cc": lyo-b204-01}
names:
  description: Names of stations that are in use, by site.
  returned: success
  type: dict
  sample: {lyon: [lyo-b204-01]}
"""

from dataclasses import asdict

from ansible.module_utils.basic import AnsibleModule, env_fallback

from ansible_collections.fleet.core.plugins.module_utils.errors import FleetError
from ansible_collections.fleet.core.plugins.module_utils.stationdb import access
from ansible_collections.fleet.core.plugins.module_utils.stationdb.client import Client
from ansible_collections.fleet.core.plugins.module_utils.stationdb.register import Registry, plan, sighting

ARGUMENT_SPEC = {
    **access.argument_spec(env_fallback),
    "sightings": {"type": "list", "elements": "dict", "required": True},
    "ranges": {"type": "list", "elements": "str", "default": []},
    "skip": {"type": "int", "default": 10},
    "reserve": {"type": "bool", "default": True},
}


def main() -> None:
    """Run the module."""
    module = AnsibleModule(argument_spec=ARGUMENT_SPEC, supports_check_mode=True)
    given = module.params
    try:
        sightings = [sighting(each) for each in given["sightings"]]
        with Client(access.Access.of_module(given)) as client:
            registry = Registry.read(client)
        found = plan(registry, sightings, ranges=given["ranges"], skip=given["skip"], reserve=given["reserve"])
    except FleetError as error:
        module.fail_json(msg=str(error), **error.details)
    module.exit_json(changed=False, **asdict(found))


if __name__ == "__main__":
    main()
