#!/usr/bin/python
# Copyright: (c) 2026, Fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Repair the boot loader of a restored system."""

from __future__ import annotations

DOCUMENTATION = r"""
---
module: boot_repair
short_description: Make the system restored to a disk start from it
version_added: "0.1.0"
description:
  - Works on a disk that nobody uses, from the imaging environment. Makes GRUB find what is on this disk - under a BIOS in the boot code and
    the BIOS boot partition (or the gap behind an MBR), under UEFI on the EFI system partition at the distribution's path and at the one
    that a firmware tries without a boot entry.
  - Identifiers in fstab, grub.cfg and the initramfs that are not on the disk are corrected when it is certain what they mean, and named
    otherwise.
  - On a station that was started by UEFI, the firmware gets a boot entry, and entries of the same name that lead nowhere go.
  - GRUB is made from the installed system's own modules; nothing of the installed system is run, except the tool that makes the initramfs,
    confined. Windows' boot configuration and loader are never touched.
  - A second run changes nothing on the disk. One that was cut is run again and goes on.
options:
  targets:
    description:
      - Firmwares under which the disk must start. V(auto) is what the disk and the installed system are made for; boot code that is not
        GRUB's is then left alone.
    type: list
    elements: str
    choices: [auto, bios, uefi]
    default: [auto]
extends_documentation_fragment:
  - fleet.core.attributes
  - fleet.imaging.options.installed
attributes:
  check_mode:
    support: full
  diff_mode:
    support: full
author:
  - Fleet contributors (@fleet)
seealso:
  - module: fleet.imaging.station_identity
  - module: fleet.imaging.image_restore
"""

EXAMPLES = r"""
- name: Make the restored system start
  fleet.imaging.boot_repair:
    disk_identity: "{{ fleet_disk_identity }}"
"""

RETURN = r"""
system:
  description: What the system calls itself.
  returned: success
  type: str
  sample: Debian GNU/Linux 12 (bookworm)
root:
  description: Where the system's root filesystem is.
  returned: success
  type: str
  sample: "3"
targets:
  description: Firmwares under which the disk starts; empty for a system without GRUB.
  returned: success
  type: list
  elements: str
  sample: [bios, uefi]
repaired:
  description: What was, or would be, changed.
  returned: success
  type: list
  elements: str
  sample: [/etc/fstab, GRUB for BIOS]
notes:
  description: What an admin should know; also given as warnings.
  returned: success
  type: list
  elements: str
  sample: ["Windows is on this disk: its boot configuration (BCD) and its loader were not touched"]
"""

from ansible.module_utils.basic import AnsibleModule

from ansible_collections.fleet.core.plugins.module_utils.errors import FleetError
from ansible_collections.fleet.core.plugins.module_utils.stop import stoppable
from ansible_collections.fleet.imaging.plugins.module_utils.boot.repair import repair
from ansible_collections.fleet.imaging.plugins.module_utils.installed.params import INSTALLED_SPEC, named_disk

ARGUMENT_SPEC = {
    **INSTALLED_SPEC,
    "targets": {"type": "list", "elements": "str", "choices": ["auto", "bios", "uefi"], "default": ["auto"]},
}


def main() -> None:
    """Run the module."""
    module = AnsibleModule(argument_spec=ARGUMENT_SPEC, supports_check_mode=True)
    asked = module.params
    try:
        with stoppable():
            disk = named_disk(asked)
            result = repair(disk, asked["root"], asked["targets"], check=module.check_mode, require=asked["require"])
    except FleetError as error:
        module.fail_json(msg=str(error), **error.details)
    for note in result.notes:
        module.warn(note)
    module.exit_json(**result.as_dict())


if __name__ == "__main__":
    main()
