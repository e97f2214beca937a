#!/usr/bin/python

# Copyright: (c) 2026, Fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Gather the hardware and software of a Linux station without any agent."""

from __future__ import annotations

DOCUMENTATION = r"""
module: station_facts
short_description: Gather the hardware and software of a Linux station without any agent
version_added: "0.1.0"
author: Fleet contributors (@fleet)
description:
  - Tells what M(ansible.builtin.setup) does not, such as memory modules, monitors by their EDID, printers, batteries, PCI and USB devices,
    slots, ports, local accounts, SMART, and the software of dpkg, rpm, Flatpak and snap.
  - Reads C(/sys), C(/proc) and the package databases. The tools C(ip), C(lsblk), C(sfdisk), C(smartctl), C(dmidecode), C(rpm), C(flatpak)
    and C(lpstat) are used where they are installed, and only C(lsblk) is missed where it is not.
  - Names and units are those of GLPI's inventory format, C(MiB), C(MHz) and C(mWh). What the station does not know is left out, and so is
    what makers leave in fields that they did not fill.
  - Without becoming root, serial numbers, SMART and some names of filesystems are not readable, and therefore not there.
  - The role P(fleet.core.reporting#role) installs the same collectors on a station that shall report by itself.
extends_documentation_fragment:
  - fleet.core.attributes
attributes:
  check_mode:
    support: full
  diff_mode:
    support: none
options:
  sections:
    description: Sections to gather, each in some milliseconds except V(softwares), V(storages), V(partitions) and V(smart). Left out, all.
    type: list
    elements: str
    choices:
      - hardware
      - bios
      - operatingsystem
      - cpus
      - memories
      - storages
      - drives
      - partitions
      - networks
      - monitors
      - videos
      - sounds
      - printers
      - batteries
      - usbdevices
      - controllers
      - slots
      - ports
      - inputs
      - modems
      - local_users
      - local_groups
      - users
      - virtualmachines
      - antivirus
      - licenseinfos
      - softwares
      - smart
seealso:
  - module: ansible.builtin.setup
  - module: ansible.builtin.package_facts
"""

EXAMPLES = r"""
- name: Which monitors stand on the desks?
  fleet.core.station_facts:
    sections: [monitors]
  become: true

- name: Stop where a disk is about to fail
  fleet.core.station_facts:
    sections: [smart]
  become: true
  failed_when: ansible_facts.fleet_station.smart | default([]) | selectattr('passed', 'eq', 0) | length > 0
"""

RETURN = r"""
ansible_facts:
  description: Facts of the station.
  returned: success
  type: dict
  contains:
    fleet_station:
      description:
        - Rows by section. Sections without rows, and those that could not be gathered, are not there.
        - C(hardware), C(bios) and C(operatingsystem) have one row.
      type: dict
      returned: always
      sample:
        hardware: [{name: pc01, uuid: 4C4C4544-0034-4710-8052-B4C04F4A4B32, chassis_type: Desktop, vmsystem: Physical, memory: 15931}]
        memories: [{numslots: 1, caption: DIMM1, capacity: 8192, type: DDR4, speed: 2133 MT/s, manufacturer: SK Hynix}]
        monitors: [{name: DELL U2518D, manufacturer: Dell, model: DEL413A, serial: 0WG2J89OAZRL, year: 2018, size: "25.0"}]
        softwares: [{name: bash, version: 5.2.15-2+b2, publisher: Matthias Klose, from: deb, arch: amd64}]
failed_sections:
  description: What could not be gathered and why, by section; each is a warning as well.
  returned: success
  type: dict
  sample: {storages: "ToolError: lsblk is not installed on this host"}
"""

from ansible.module_utils.basic import AnsibleModule

from ansible_collections.fleet.core.plugins.module_utils.errors import FleetError
from ansible_collections.fleet.core.plugins.module_utils.station.report import COLLECTORS, gather
from ansible_collections.fleet.core.plugins.module_utils.station.root import Root

ARGUMENT_SPEC = {"sections": {"type": "list", "elements": "str", "choices": list(COLLECTORS)}}


def main() -> None:
    """Run the module."""
    module = AnsibleModule(argument_spec=ARGUMENT_SPEC, supports_check_mode=True)
    try:
        report = gather(Root(), module.params["sections"])
    except FleetError as error:
        module.fail_json(msg=str(error), **error.details)
    for section, reason in report.warnings.items():
        module.warn(f"The section {section} could not be gathered. {reason}")
    module.exit_json(changed=False, ansible_facts={"fleet_station": report.sections}, failed_sections=report.warnings)


if __name__ == "__main__":
    main()
