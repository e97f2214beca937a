#!/usr/bin/python
# Copyright: (c) 2026, Fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Read what a station registered at its boot server."""

from __future__ import annotations

DOCUMENTATION = r"""
---
module: boot_registration
short_description: Read the host key that a station's imaging environment registered at its boot server
version_added: "0.1.0"
description:
  - Runs on a boot server. Reads which SSH host key the imaging environment of a station registered there with its token, what the station
    is to start next, and where this host's neighbour table saw it. Tokens are not shown. Changes nothing.
options:
  macs:
    description: MAC addresses of the station's network cards, in any notation.
    type: list
    elements: str
    required: true
  known:
    description: Host keys, as C(ssh-ed25519 AAAA...), that are of no interest any more. Another one is waited for.
    type: list
    elements: str
    default: []
  timeout:
    description: Seconds to wait for it. Without one, the module returns what there is.
    type: float
    default: 0
  config:
    description: What the boot server was told of its site, as of M(fleet.imaging.boot_entry).
    type: path
    default: /etc/fleet/boot/boot.json
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
- name: See what the station registered
  fleet.imaging.boot_registration:
    macs: "{{ fleet_macs }}"
  delegate_to: "{{ boot_server }}"
"""

RETURN = r"""
cards:
  description: What is known of each card.
  returned: success
  type: list
  elements: dict
  sample:
    - mac: "52:54:00:77:00:01"
      host_key: ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIJ0aVJ7c0xPDZsXKD7xKR5XBC1kkPYaSVGEZYOYK0gHl
      addresses: [10.77.0.11]
      entry: disk
      expires: 1795300000
      is_expired: false
      was_used: true
"""

from pathlib import Path

from ansible.module_utils.basic import AnsibleModule

from ansible_collections.fleet.core.plugins.module_utils.errors import FleetError
from ansible_collections.fleet.imaging.plugins.module_utils.netboot import site
from ansible_collections.fleet.imaging.plugins.module_utils.restart import registration
from ansible_collections.fleet.imaging.plugins.module_utils.wake.packet import cards

ARGUMENT_SPEC = {
    "macs": {"type": "list", "elements": "str", "required": True},
    "known": {"type": "list", "elements": "str", "default": []},
    "timeout": {"type": "float", "default": 0},
    "config": {"type": "path", "default": site.CONFIG},
}


def main() -> None:
    """Run the module."""
    module = AnsibleModule(argument_spec=ARGUMENT_SPEC, supports_check_mode=True)
    asked = module.params
    try:
        state = site.load(Path(asked["config"])).state
        found = registration.wait(state, cards(asked["macs"]), asked["known"], asked["timeout"])
    except FleetError as error:
        module.fail_json(msg=str(error), **error.details)
    module.exit_json(changed=False, cards=registration.as_dicts(found))


if __name__ == "__main__":
    main()
