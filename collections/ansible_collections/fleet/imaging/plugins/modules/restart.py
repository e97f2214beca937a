#!/usr/bin/python
# Copyright: (c) 2026, Fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Restart a station."""

from __future__ import annotations

DOCUMENTATION = r"""
---
module: restart
short_description: Restart a station, from the network if asked
version_added: "0.1.0"
description:
  - Restarts the system that runs on a station, Linux or Windows, and returns at once. Another system than this may come up, with another
    host key, so nothing is waited for; M(fleet.imaging.running_system) does that.
  - What runs is ended as by any restart. What users had not saved is lost.
options:
  network:
    description:
      - Let the station's firmware start from the network this once, when its order does not begin with the network anyhow.
      - On UEFI, by the entry for one of O(macs) (Linux), or by the only entry that is named as one for the network (Windows). When it is
        not sure which one that is, the order stays as it is, and RV(note) says so. A BIOS has no such entries.
    type: bool
    default: false
  macs:
    description: MAC addresses of the station's network cards, in any notation.
    type: list
    elements: str
    default: []
  delay:
    description: Seconds until the restart, in which the task can end.
    type: int
    default: 2
  command:
    description: Program with its arguments that restarts a Linux system, when the usual one is not right.
    type: list
    elements: str
    default: []
extends_documentation_fragment:
  - fleet.core.attributes
attributes:
  check_mode:
    support: full
  diff_mode:
    support: none
author:
  - Fleet contributors (@fleet)
seealso:
  - module: fleet.imaging.running_system
"""

EXAMPLES = r"""
- name: Restart into the imaging environment
  fleet.imaging.restart:
    network: true
    macs: "{{ fleet_macs }}"
"""

RETURN = r"""
boot_id:
  description: What the start of the system that ends now was called, as M(fleet.imaging.running_system) has it.
  returned: success
  type: str
  sample: 7d3c3c5c-9a55-4c5e-8e59-0f5d3e0d6a11
boot_entry:
  description: The firmware's entry that starts next; empty when its order was left alone.
  returned: success
  type: str
  sample: "0003"
note:
  description: Why.
  returned: success
  type: str
  sample: "The firmware starts from the network next time: UEFI PXEv4 (MAC:525400770001)"
"""

from ansible.module_utils.basic import AnsibleModule

from ansible_collections.fleet.core.plugins.module_utils.errors import FleetError
from ansible_collections.fleet.imaging.plugins.module_utils.restart import detached, firmware
from ansible_collections.fleet.imaging.plugins.module_utils.restart.choice import Choice
from ansible_collections.fleet.imaging.plugins.module_utils.wake.packet import cards

ARGUMENT_SPEC = {
    "network": {"type": "bool", "default": False},
    "macs": {"type": "list", "elements": "str", "default": []},
    "delay": {"type": "int", "default": 2},
    "command": {"type": "list", "elements": "str", "default": []},
}


def main() -> None:
    """Run the module."""
    module = AnsibleModule(argument_spec=ARGUMENT_SPEC, supports_check_mode=True)
    asked = module.params
    try:
        ends, choice = detached.boot_id(), Choice("", "")
        if asked["network"]:
            choice = firmware.prepare(cards(asked["macs"]), check=module.check_mode)
        if not module.check_mode:
            detached.restart(asked["delay"], asked["command"])
    except FleetError as error:
        module.fail_json(msg=str(error), **error.details)
    module.exit_json(changed=True, boot_id=ends, boot_entry=choice.number, note=choice.note)


if __name__ == "__main__":
    main()
