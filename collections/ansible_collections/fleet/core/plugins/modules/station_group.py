#!/usr/bin/python

# Copyright: (c) 2026, Fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Groups in the station database."""

from __future__ import annotations

DOCUMENTATION = r"""
module: station_group
short_description: Groups in the station database
version_added: "0.1.0"
author: Fleet contributors (@fleet)
description:
  - Makes sure that a group is in the station database as it should be, or is not there.
  - A group is static, with the stations that are named, or dynamic, with those that meet O(criteria).
  - What is not given stays as it is.
extends_documentation_fragment:
  - fleet.core.attributes
  - fleet.core.stationdb
attributes:
  check_mode:
    support: full
  diff_mode:
    support: full
options:
  name:
    description: Name, with lowercase letters, digits and underscores. It is a group of the inventory.
    type: str
    required: true
  description:
    description: What it is for.
    type: str
  site:
    description: Short name of the site whose stations, and those of the sites below, can be in it; empty for all sites.
    type: str
  criteria:
    description: Criteria of a dynamic group, as C(ram < 8 GiB and tag = ALPHA); empty for a static one.
    type: str
  variables:
    description: Variables of the group in the inventory; they replace those there are.
    type: dict
  stations:
    description: Names of the stations in a static group; the list replaces those there are, as far as the token's user sees them.
    type: list
    elements: str
  add:
    description: Names of stations to add to a static group.
    type: list
    elements: str
    default: []
  remove:
    description: Names of stations to take out of a static group.
    type: list
    elements: str
    default: []
  state:
    description: Whether there should be such a group. Stations stay when their group is removed.
    type: str
    choices: [present, absent]
    default: present
seealso:
  - module: fleet.core.station
  - plugin: fleet.core.stations
    plugin_type: inventory
"""

EXAMPLES = r"""
- name: Stations with little memory
  fleet.core.station_group:
    url: https://stations.example
    name: small
    criteria: ram < 8 GiB
  delegate_to: localhost

- name: One more kiosk
  fleet.core.station_group:
    url: https://stations.example
    name: kiosks
    add: [lyo-b204-07]
  delegate_to: localhost
"""

RETURN = r"""
group:
  description: The group as it is now, or would be in check mode.
  returned: when O(state=present)
  type: dict
  sample:
    name: kiosks
    description: Stations in the halls
    site: null
    criteria: ""
    dynamic: false
    variables: {}
    stations: [lyo-b204-07]
"""

from ansible.module_utils.basic import AnsibleModule, env_fallback

from ansible_collections.fleet.core.plugins.module_utils.errors import FleetError
from ansible_collections.fleet.core.plugins.module_utils.stationdb import access
from ansible_collections.fleet.core.plugins.module_utils.stationdb.client import Client
from ansible_collections.fleet.core.plugins.module_utils.stationdb.entity import given
from ansible_collections.fleet.core.plugins.module_utils.stationdb.group import FIELDS, ensure_group, remove_group

ARGUMENT_SPEC = {
    **access.argument_spec(env_fallback),
    **FIELDS,
    "name": {"type": "str", "required": True},
    "add": {"type": "list", "elements": "str", "default": []},
    "remove": {"type": "list", "elements": "str", "default": []},
    "state": {"type": "str", "choices": ["present", "absent"], "default": "present"},
}


def main() -> None:
    """Run the module."""
    module = AnsibleModule(argument_spec=ARGUMENT_SPEC, supports_check_mode=True)
    name, lists = module.params["name"], {each: module.params[each] for each in ("add", "remove")}
    try:
        with Client(access.Access.of_module(module.params)) as client:
            if module.params["state"] == "absent":
                done = remove_group(client, name, check_mode=module.check_mode)
            else:
                done = ensure_group(client, name, given(module.params, FIELDS), **lists, check_mode=module.check_mode)
    except FleetError as error:
        module.fail_json(msg=str(error), **error.details)
    module.exit_json(**done.as_dict("group"))


if __name__ == "__main__":
    main()
