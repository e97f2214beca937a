#!/usr/bin/python

# Copyright: (c) 2026, Fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A port of a station, on the host's loopback."""

from __future__ import annotations

DOCUMENTATION = r"""
module: room_port
short_description: Reach a port of a station of a virtual room from the host
version_added: "0.1.0"
author: Fleet contributors (@fleet)
description:
  - Stations of a room have a network of their own, which the host has no address in. This makes one TCP port of a station reachable on
    the host's loopback, for a browser, or for a controller that asks the station database.
  - A small process passes on what comes. It ends when the room is removed.
extends_documentation_fragment:
  - fleet.core.attributes
attributes:
  check_mode:
    support: full
  diff_mode:
    support: none
options:
  path:
    description: Folder of the room.
    type: path
    required: true
  station:
    description: Name of the station, or V(central).
    type: str
    required: true
  port:
    description: Port of the station.
    type: int
    required: true
  local_port:
    description: Port of the host's loopback; V(0) takes one that is free, or keeps the one there is.
    type: int
    default: 0
  state:
    description: Whether it is reachable.
    type: str
    choices: [present, absent]
    default: present
seealso:
  - module: fleet.lab.room
"""

EXAMPLES = r"""
- name: Let a browser on this host see the site
  fleet.lab.room_port:
    path: /var/tmp/room
    station: central
    port: 443
    local_port: 8443
"""

RETURN = r"""
local_port:
  description: The port of the host's loopback.
  returned: when O(state=present)
  type: int
  sample: 8443
"""

from ansible.module_utils.basic import AnsibleModule

from ansible_collections.fleet.core.plugins.module_utils.errors import FleetError
from ansible_collections.fleet.lab.plugins.module_utils.room.port import apply

ARGUMENT_SPEC = {
    "path": {"type": "path", "required": True},
    "station": {"type": "str", "required": True},
    "port": {"type": "int", "required": True},
    "local_port": {"type": "int", "default": 0},
    "state": {"type": "str", "choices": ["present", "absent"], "default": "present"},
}


def main() -> None:
    """Do what the task says."""
    module = AnsibleModule(argument_spec=ARGUMENT_SPEC, supports_check_mode=True)
    try:
        result = apply(module.params, check=module.check_mode)
    except FleetError as error:
        module.fail_json(msg=str(error), **error.details)
    module.exit_json(**result)


if __name__ == "__main__":
    main()
