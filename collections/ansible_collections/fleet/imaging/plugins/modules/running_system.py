#!/usr/bin/python
# Copyright: (c) 2026, Fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which system a station runs; the work is done by the action plugin of the same name."""

from __future__ import annotations

DOCUMENTATION = r"""
---
module: running_system
short_description: Say which system a station runs, or wait until it runs the one that is wanted
version_added: "0.1.0"
description:
  - A station answers as the imaging environment, or as its own system, often at the same address. It counts as the imaging environment only
    when it has the SSH host key that was registered for it at its boot server, has one of O(markers) and nothing of its root on a disk.
  - A station is never unreachable here. One that does not answer has no RV(system), and fails when a system was O(wanted).
  - A station that starts the other system than was wanted fails at once.
  - In a virtual room, which has no boot server, the station's own connection is taken for both systems, and the root filesystem tells.
options:
  wanted:
    description: What to wait for; V(any) does not wait, and takes what there is.
    type: str
    choices: [any, imaging, own]
    default: any
  until:
    description: When to give up, in seconds since 1970, so that stations which wait for one another's turn do not add up.
    type: float
    default: 0
  boot_server:
    description: Inventory name of the station's boot server; empty for a virtual room.
    type: str
    default: ''
  config:
    description: What it was told of its site, as of M(fleet.imaging.boot_entry).
    type: str
    default: /etc/fleet/boot/boot.json
  macs:
    description: MAC addresses of the station's network cards, in any notation.
    type: list
    elements: str
    default: []
  imaging:
    description:
      - How the imaging environment is reached. Its address is where the boot server saw the card, or else that of the own system.
    type: dict
    default: {}
    suboptions:
      host:
        description: Address, in place of those.
        type: str
      user:
        description: User.
        type: str
        default: root
      port:
        description: Port of SSH.
        type: int
        default: 22
      private_key_file:
        description: The site's private SSH key on the control node.
        type: path
  own:
    description: Connection variables with which the own system is reached, those that it has not as null.
    type: dict
    required: true
  own_host_keys:
    description:
      - SSH host keys of the own system, when they are known. Nobody else is taken for it then; without them, the control node's
        known_hosts file counts.
    type: list
    elements: str
    default: []
  markers:
    description: JSON files of which the imaging environment has at least one.
    type: list
    elements: str
    default: [/etc/fleet/environment.json, /run/fleet/status.json]
  ended:
    description: A RV(boot_id) that has been told to end; an answer with it does not count.
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
seealso:
  - module: fleet.imaging.restart
  - module: fleet.imaging.boot_registration
"""

EXAMPLES = r"""
- name: Wait for the imaging environment, for ten minutes
  fleet.imaging.running_system:
    wanted: imaging
    until: "{{ now(fmt='%s') | int + 600 }}"
    boot_server: boot-lyon
    macs: "{{ fleet_macs }}"
    own: {ansible_host: 10.1.2.7, ansible_user: root}
"""

RETURN = r"""
system:
  description: V(imaging), V(own), or empty when nobody answered who can be trusted.
  returned: always
  type: str
  sample: imaging
why:
  description: Why there is none.
  returned: always
  type: str
  sample: it does not answer
boot_id:
  description: What this start of the system is called. Each start has another.
  returned: always
  type: str
  sample: 7d3c3c5c-9a55-4c5e-8e59-0f5d3e0d6a11
environment:
  description: What the imaging environment says of itself.
  returned: always
  type: dict
connection:
  description: The connection variables with which it answered, as far as they differ from O(own).
  returned: always
  type: dict
cards:
  description: As of M(fleet.imaging.boot_registration).
  returned: always
  type: list
  elements: dict
seconds:
  description: How long it took.
  returned: always
  type: float
  sample: 41.3
"""
