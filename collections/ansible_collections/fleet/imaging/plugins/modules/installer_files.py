#!/usr/bin/python
# Copyright: (c) 2026, Fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Put a distribution's installer onto the boot server, checked."""

from __future__ import annotations

DOCUMENTATION = r"""
---
module: installer_files
short_description: The installer's kernel and initial RAM disk on the boot server
version_added: "0.1.0"
description:
  - Runs on the boot server. Fetches the installer of Debian or Ubuntu into C(installers/) below C(http/) and C(tftp/), when it is not
    there already. Nothing is used that is not covered by a signature of the distribution - Debian's C(InRelease), Ubuntu's
    C(SHA256SUMS.gpg) -, and a station finds either all of a file or none of it.
options:
  system:
    description: Which installer.
    type: str
    choices: [debian-12, ubuntu-22.04, ubuntu-24.04]
    required: true
  source:
    description:
      - For Debian, a mirror that has C(dists/…/installer-amd64), or the folder C(/usr/lib/debian-installer/images/12/amd64/text) of the
        package debian-installer-12-netboot-amd64, which apt has checked.
      - For Ubuntu, the address of the release's folder with its media, such as V(https://releases.ubuntu.com/24.04).
    type: str
    required: true
  keyring:
    description: Keyring of who may sign. Default is the distribution's archive keyring below C(/usr/share/keyrings).
    type: path
  served:
    description: The folder with C(http/) and C(tftp/).
    type: path
    default: /srv/fleet-boot
extends_documentation_fragment:
  - fleet.core.attributes
attributes:
  check_mode:
    support: full
    details: Lists and signatures are fetched, files are not.
  diff_mode:
    support: none
author:
  - Fleet contributors (@fleet)
seealso:
  - module: fleet.imaging.installer_answers
"""

EXAMPLES = r"""
- name: Have Debian's installer
  fleet.imaging.installer_files:
    system: debian-12
    source: http://deb.debian.org/debian
  register: installer
"""

RETURN = r"""
kernel:
  description: The kernel, from the root of what is served, as M(fleet.imaging.boot_entry) wants it.
  returned: success
  type: str
  sample: installers/debian-12/linux
initrd:
  description: Its initial RAM disk.
  returned: success
  type: str
  sample: installers/debian-12/initrd.gz
medium:
  description: Ubuntu's medium, over HTTP; empty for Debian.
  returned: success
  type: str
  sample: installers/ubuntu-24.04/medium.iso
"""

from pathlib import Path

from ansible.module_utils.basic import AnsibleModule

from ansible_collections.fleet.core.plugins.module_utils.errors import FleetError
from ansible_collections.fleet.imaging.plugins.module_utils.installer.images import KEYRINGS, provide
from ansible_collections.fleet.imaging.plugins.module_utils.installer.systems import SYSTEMS

ARGUMENT_SPEC = {
    "system": {"type": "str", "choices": list(SYSTEMS), "required": True},
    "source": {"type": "str", "required": True},
    "keyring": {"type": "path", "no_log": False},
    "served": {"type": "path", "default": "/srv/fleet-boot"},
}


def main() -> None:
    """Run the module."""
    module = AnsibleModule(argument_spec=ARGUMENT_SPEC, supports_check_mode=True)
    asked = module.params
    system = SYSTEMS[asked["system"]]
    keyring = Path(asked["keyring"]) if asked["keyring"] else KEYRINGS[system.family]
    try:
        result = provide(system, asked["source"], keyring, Path(asked["served"]), check=module.check_mode)
    except FleetError as error:
        module.fail_json(msg=str(error), **error.details)
    module.exit_json(**result.as_dict())


if __name__ == "__main__":
    main()
