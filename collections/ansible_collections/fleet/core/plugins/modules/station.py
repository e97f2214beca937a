#!/usr/bin/python

# Copyright: (c) 2026, Fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Stations in the station database."""

from __future__ import annotations

DOCUMENTATION = r"""
module: station
short_description: Stations in the station database
version_added: "0.1.0"
author: Fleet contributors (@fleet)
description:
  - Makes sure that a station, or many at once, are in the station database as they should be, or are not there.
  - What is not given stays as it is. Many stations are added and changed in one transaction, all or nothing.
  - The station database compares and checks, in check mode as well.
extends_documentation_fragment:
  - fleet.core.attributes
  - fleet.core.stationdb
attributes:
  check_mode:
    support: full
  diff_mode:
    support: full
    details: Secret values are never shown, only that they change.
options:
  name:
    description: Host name of the station, which is its name in the inventory. Give either this or O(stations).
    type: str
  site:
    description: Short name of its site; a new station needs one.
    type: str
  kind:
    description: What the machine is for Fleet, and its group in the inventory.
    type: str
    choices: [stations, models, relays, content_stores]
  state:
    description:
      - Where the station is in its life; V(present) leaves that as it is, and makes new stations V(ready).
      - V(absent) removes the station with everything it reported. To keep that, make it V(retired).
    type: str
    choices: [present, new, ready, repair, retired, absent]
    default: present
  tag:
    description: Free text, such as the TAG of OCS.
    type: str
  uuid:
    description: SMBIOS UUID; empty for none.
    type: str
  serial:
    description: Serial number.
    type: str
  macs:
    description: MAC addresses in any usual spelling; the list replaces those there are.
    type: list
    elements: str
  address:
    description: Reserved address, which the inventory uses before the one that is reported; empty for none.
    type: str
  model:
    description: Name of the station whose image it is meant to have; empty for none.
    type: str
  image:
    description: Assigned image, as V(name/version); empty for none.
    type: str
  disk_identity:
    description: Disk that may be written, as M(fleet.imaging.disk_info) names it.
    type: str
  groups:
    description: Static groups; the list replaces those it is in, as far as the token's user sees them.
    type: list
    elements: str
  variables:
    description: Host variables in the inventory; they replace those there are. They are never templated.
    type: dict
  comment:
    description: Free text.
    type: str
  secrets:
    description:
      - Secret values by name, such as a licence key; null removes one, and what is not named stays. They are stored encrypted.
    type: dict
  stations:
    description: Many stations at once, each with a name and the options above.
    type: list
    elements: dict
    suboptions:
      name:
        description: Host name.
        type: str
        required: true
      site:
        description: Short name of its site.
        type: str
      kind:
        description: What the machine is for Fleet.
        type: str
        choices: [stations, models, relays, content_stores]
      state:
        description: Where the station is in its life.
        type: str
        choices: [new, ready, repair, retired]
      tag:
        description: Free text.
        type: str
      uuid:
        description: SMBIOS UUID.
        type: str
      serial:
        description: Serial number.
        type: str
      macs:
        description: MAC addresses.
        type: list
        elements: str
      address:
        description: Reserved address.
        type: str
      model:
        description: Name of the station whose image it is meant to have.
        type: str
      image:
        description: Assigned image.
        type: str
      disk_identity:
        description: Disk that may be written.
        type: str
      groups:
        description: Static groups.
        type: list
        elements: str
      variables:
        description: Host variables.
        type: dict
      comment:
        description: Free text.
        type: str
      secrets:
        description: Secret values by name.
        type: dict
seealso:
  - module: fleet.core.station_import
  - module: fleet.core.site
  - plugin: fleet.core.stations
    plugin_type: inventory
"""

EXAMPLES = r"""
- name: A new station
  fleet.core.station:
    url: https://stations.example
    name: lyo-b204-07
    site: lyon
    macs: ["52:54:00:12:34:56"]
    address: 10.69.2.7
    groups: [kiosks]
    secrets:
      licence_key: "{{ lyon_licence_key }}"
  delegate_to: localhost

- name: A room of stations that are taken out of service, for a look at what would change
  fleet.core.station:
    url: https://stations.example
    stations: "{{ groups['room_b204'] | map('community.general.dict_kv', 'name') | map('combine', {'state': 'retired'}) | list }}"
  delegate_to: localhost
  run_once: true
  check_mode: true
  diff: true
"""

RETURN = r"""
stations:
  description: What became of each station, or would in check mode.
  returned: success
  type: list
  elements: dict
  contains:
    name:
      description: Its name.
      type: str
      returned: always
      sample: lyo-b204-07
    result:
      description: C(created), C(changed), C(unchanged) or C(removed).
      type: str
      returned: always
      sample: changed
    changes:
      description: Fields with their values before and after.
      type: list
      elements: dict
      returned: always
      sample: [{field: tag, before: "", after: ALPHA}]
"""

from ansible.module_utils.basic import AnsibleModule, env_fallback

from ansible_collections.fleet.core.plugins.module_utils.errors import FleetError
from ansible_collections.fleet.core.plugins.module_utils.stationdb import access
from ansible_collections.fleet.core.plugins.module_utils.stationdb.client import Client
from ansible_collections.fleet.core.plugins.module_utils.stationdb.entity import given
from ansible_collections.fleet.core.plugins.module_utils.stationdb.station import FIELDS, ensure_stations, remove_stations

ARGUMENT_SPEC = {
    **access.argument_spec(env_fallback),
    **FIELDS,
    "name": {"type": "str"},
    "state": {"type": "str", "choices": ["present", "new", "ready", "repair", "retired", "absent"], "default": "present"},
    "stations": {"type": "list", "elements": "dict", "options": {**FIELDS, "name": {"type": "str", "required": True}}},
}


def main() -> None:
    """Run the module."""
    module = AnsibleModule(
        argument_spec=ARGUMENT_SPEC,
        required_one_of=[("name", "stations")],
        mutually_exclusive=[("name", "stations"), *((field, "stations") for field in FIELDS if field != "state")],
        supports_check_mode=True,
    )
    state = module.params["state"]
    one = {"name": module.params["name"], **given(module.params, FIELDS), "state": None if state == "present" else state}
    wanted = module.params["stations"] if module.params["name"] is None else [one]
    try:
        with Client(access.Access.of_module(module.params)) as client:
            if state == "absent":
                done = remove_stations(client, [each["name"] for each in wanted], check_mode=module.check_mode)
            else:
                wanted = [{"state": one["state"], **given(each, each)} for each in wanted]
                done = ensure_stations(client, wanted, check_mode=module.check_mode)
    except FleetError as error:
        module.fail_json(msg=str(error), **error.details)
    module.exit_json(**done.as_dict())


if __name__ == "__main__":
    main()
