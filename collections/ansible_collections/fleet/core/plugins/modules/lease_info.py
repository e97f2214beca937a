#!/usr/bin/python

# Copyright: (c) 2026, Fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Tell which network cards a DHCP or boot server has seen."""

from __future__ import annotations

DOCUMENTATION = r"""
module: lease_info
short_description: Tell which network cards a DHCP or boot server has seen
version_added: "0.1.0"
author: Fleet contributors (@fleet)
description:
  - Reads leases of dnsmasq, of the ISC server and of Kea, and logs of DHCP and boot servers. Each card is told once, as it was seen last.
  - Lines that cannot be read are told and passed over, because servers write to these files at any time.
extends_documentation_fragment:
  - fleet.core.attributes
attributes:
  check_mode:
    support: full
  diff_mode:
    support: none
options:
  paths:
    description: Files on the host.
    type: list
    elements: path
    required: true
  format:
    description: What they are; V(auto) looks at their first lines.
    type: str
    choices: [auto, dnsmasq, isc, kea, log]
    default: auto
seealso:
  - module: fleet.core.register_info
"""

EXAMPLES = r"""
- name: Who is there?
  fleet.core.lease_info:
    paths: [/var/lib/misc/dnsmasq.leases]
  register: seen
"""

RETURN = r"""
sightings:
  description: Cards, in the order of their MAC addresses. What the file does not say is empty.
  returned: success
  type: list
  elements: dict
  sample: [{mac: "52:54:00:12:34:56", address: 10.69.2.117, hostname: desktop-4711, seen: "2026-11-21T12:00:00Z"}]
skipped:
  description: Lines that could not be read, at most 100 of each file.
  returned: success
  type: dict
  sample: {/var/lib/misc/dnsmasq.leases: [{line: 3, reason: has no address, text: "1700000000 52:54:00:12:34:56"}]}
"""

from dataclasses import asdict
from pathlib import Path

from ansible.module_utils.basic import AnsibleModule

from ansible_collections.fleet.core.plugins.module_utils.errors import FleetError
from ansible_collections.fleet.core.plugins.module_utils.lease.reader import FORMATS, read_files

ARGUMENT_SPEC = {
    "paths": {"type": "list", "elements": "path", "required": True},
    "format": {"type": "str", "choices": ["auto", *FORMATS], "default": "auto"},
}


def main() -> None:
    """Run the module."""
    module = AnsibleModule(argument_spec=ARGUMENT_SPEC, supports_check_mode=True)
    try:
        found = read_files(map(Path, module.params["paths"]), module.params["format"])
    except FleetError as error:
        module.fail_json(msg=str(error), **error.details)
    skipped = {path: [asdict(line) for line in lines[:100]] for path, lines in found.skipped.items()}
    module.exit_json(changed=False, sightings=[asdict(each) for each in found.sightings], skipped=skipped)


if __name__ == "__main__":
    main()
