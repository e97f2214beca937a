#!/usr/bin/python
# Copyright: (c) 2026, Fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Send wake-on-LAN packets."""

from __future__ import annotations

DOCUMENTATION = r"""
---
module: wake
short_description: Send magic packets, which wake machines that are switched off
version_added: "0.1.0"
description:
  - Sends wake-on-LAN packets from the host of the task. Routers seldom pass broadcasts on, so the task is best delegated to a host in the
    stations' subnet, as their boot server or relay.
  - Nobody answers a magic packet. The module returns what was sent, and does not know whether a machine woke.
options:
  macs:
    description: MAC addresses of network cards, in any notation.
    type: list
    elements: str
    required: true
  subnets:
    description:
      - IPv4 subnets as V(10.1.2.0/24), or broadcast addresses. The packet goes to the broadcast address of each, as this host's routes say.
    type: list
    elements: str
    default: []
  interfaces:
    description:
      - Network interfaces of this host; the packet goes to everybody at each of them.
      - Without O(subnets) and O(interfaces), all that are up and can broadcast.
    type: list
    elements: str
    default: []
  ports:
    description: UDP ports.
    type: list
    elements: int
    default: [9, 7]
  repeat:
    description: How often each packet is sent, since a network may lose some.
    type: int
    default: 3
  password:
    description: SecureOn password of six bytes, for cards that have one, as twelve hexadecimal digits.
    type: str
    default: ''
extends_documentation_fragment:
  - fleet.core.attributes
attributes:
  check_mode:
    support: full
  diff_mode:
    support: none
author:
  - Fleet contributors (@fleet)
"""

EXAMPLES = r"""
- name: Wake the stations of a room, from their boot server
  fleet.imaging.wake:
    macs: "{{ groups['room12'] | map('extract', hostvars, 'fleet_macs') | flatten }}"
  delegate_to: boot-lyon
  run_once: true

- name: Wake a station of another subnet, whose router passes directed broadcasts on
  fleet.imaging.wake:
    macs: "{{ fleet_macs }}"
    subnets: [10.1.2.0/24]
    password: "{{ fleet_secrets.wake_password }}"
  delegate_to: localhost
"""

RETURN = r"""
sent:
  description: What was sent, or in check mode would be.
  returned: always
  type: list
  elements: dict
  sample: [{mac: "52:54:00:77:00:01", address: 255.255.255.255, interface: eth0, port: 9, packets: 3}]
  contains:
    mac:
      description: The card.
      type: str
    address:
      description: Where the packets went.
      type: str
    interface:
      description: Through which interface; empty when the routes decided.
      type: str
    port:
      description: To which UDP port.
      type: int
    packets:
      description: How many.
      type: int
"""

from ansible.module_utils.basic import AnsibleModule

from ansible_collections.fleet.core.plugins.module_utils.errors import FleetError
from ansible_collections.fleet.imaging.plugins.module_utils.wake.destination import destinations
from ansible_collections.fleet.imaging.plugins.module_utils.wake.packet import cards, secure_on
from ansible_collections.fleet.imaging.plugins.module_utils.wake.sending import WakeCall

ARGUMENT_SPEC = {
    "macs": {"type": "list", "elements": "str", "required": True},
    "subnets": {"type": "list", "elements": "str", "default": []},
    "interfaces": {"type": "list", "elements": "str", "default": []},
    "ports": {"type": "list", "elements": "int", "default": [9, 7]},
    "repeat": {"type": "int", "default": 3},
    "password": {"type": "str", "default": "", "no_log": True},
}


def main() -> None:
    """Run the module."""
    module = AnsibleModule(argument_spec=ARGUMENT_SPEC, supports_check_mode=True)
    asked = module.params
    try:
        where = destinations(asked["subnets"], asked["interfaces"])
        call = WakeCall(cards(asked["macs"]), where, asked["ports"], asked["repeat"], secure_on(asked["password"]))
        sent = call.preview() if module.check_mode else call.run()
    except FleetError as error:
        module.fail_json(msg=str(error), **error.details)
    module.exit_json(changed=True, sent=sent)


if __name__ == "__main__":
    main()
