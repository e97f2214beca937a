#!/usr/bin/python
# Copyright: (c) 2026, Fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Build the imaging environment."""

from __future__ import annotations

DOCUMENTATION = r"""
---
module: imaging_environment
short_description: Build the imaging environment
version_added: "0.1.0"
description:
  - Builds the Debian that stations run from memory while they are imaged. The same files start it over the network, from a USB key, a CD or
    a partition of the disk, on a BIOS and on UEFI with Secure Boot.
  - What has no secrets of a site is built once and kept in O(cache). It takes one to three minutes, and more when packages are downloaded.
  - O(authorized_keys) and O(ca) are put in front of it, which takes seconds.
  - The host is a Debian with the packages C(mmdebstrap), C(squashfs-tools), C(xorriso), C(mtools), C(grub-common) and C(zstd).
options:
  path:
    description: Folder that gets the files. It is made when it is not there.
    type: path
    required: true
  cache:
    description: Folder for what was built, and the packages that it was built from.
    type: path
    default: /var/cache/fleet
  authorized_keys:
    description: Lines of an C(authorized_keys) file, the public keys of who signs in on stations as root. There is no password.
    type: str
    required: true
  ca:
    description:
      - Certificate (PEM) of the authority of the boot service's certificate. Stations register their host keys with that service only.
      - Without it stations trust no boot service.
    type: str
    default: ""
  language:
    description: Language of the medium's menu, and of what is started from there.
    type: str
    choices: [en, fr]
    default: en
  arguments:
    description: Words that the medium's menu adds to the kernel's command line. Everybody can read them.
    type: str
    default: ""
  packages:
    description:
      - Further Debian packages in the root, such as V(parted), V(gpart) or V(testdisk) to repartition and to rescue by hand.
    type: list
    elements: str
    default: []
  firmware:
    description:
      - Debian packages with firmware for network cards and disks, such as V(firmware-realtek) or V(firmware-bnx2).
      - Most are in the component C(non-free-firmware), which the package sources of the host must have then.
    type: list
    elements: str
    default: []
  medium:
    description: Whether C(imaging.iso) is made.
    type: bool
    default: true
  renew:
    description: Whether it is built of today's packages although it is in O(cache) already. Every such task changes something.
    type: bool
    default: false
extends_documentation_fragment:
  - fleet.core.attributes
attributes:
  check_mode:
    support: full
  diff_mode:
    support: full
author:
  - Fleet contributors (@fleet)
seealso:
  - module: fleet.imaging.boot_entry
"""

EXAMPLES = r"""
- name: Build the imaging environment
  fleet.imaging.imaging_environment:
    path: /srv/fleet-boot/http/environment
    authorized_keys: "{{ lookup('ansible.builtin.file', '~/.ssh/id_ed25519.pub') }}"
    ca: "{{ lookup('ansible.builtin.file', 'ca.pem') }}"
    packages: [parted, gpart, testdisk]
"""

RETURN = r"""
path:
  description: The folder with C(vmlinuz), C(initrd.img), C(root.img), C(imaging.iso) and C(environment.json).
  returned: success
  type: str
  sample: /srv/fleet-boot/http/environment
kernel:
  description: Release of the kernel. Blank in check mode when it was not built yet.
  returned: success
  type: str
  sample: 6.1.0-56-amd64
files:
  description: Size in bytes and SHA-256 of each file.
  returned: success
  type: dict
  sample: {"vmlinuz": {"size": 8247232, "sha256": "26f2e57c99338feaf71c46fa4babdc7e1a6c115943002d109fdb746667104f5f"}}
packages:
  description: The packages in it with their versions.
  returned: success
  type: dict
  sample: {"partclone": "0.3.23+repack-1"}
transferred:
  description: Bytes that a station gets over the network, which are kernel, initrd and root.
  returned: success
  type: int
  sample: 113461111
"""

from pathlib import Path

from ansible.module_utils.basic import AnsibleModule

from ansible_collections.fleet.core.plugins.module_utils.errors import FleetError
from ansible_collections.fleet.core.plugins.module_utils.progress import Progress
from ansible_collections.fleet.core.plugins.module_utils.stop import stoppable
from ansible_collections.fleet.imaging.plugins.module_utils.environment.delivery import Site, build, preview
from ansible_collections.fleet.imaging.plugins.module_utils.environment.image import Options

ARGUMENT_SPEC = {
    "path": {"type": "path", "required": True},
    "cache": {"type": "path", "default": "/var/cache/fleet"},
    "authorized_keys": {"type": "str", "required": True, "no_log": False},
    "ca": {"type": "str", "default": ""},
    "language": {"type": "str", "choices": ["en", "fr"], "default": "en"},
    "arguments": {"type": "str", "default": ""},
    "packages": {"type": "list", "elements": "str", "default": []},
    "firmware": {"type": "list", "elements": "str", "default": []},
    "medium": {"type": "bool", "default": True},
    "renew": {"type": "bool", "default": False},
}


def main() -> None:
    """Run the module."""
    module = AnsibleModule(argument_spec=ARGUMENT_SPEC, supports_check_mode=True)
    asked = module.params
    try:
        with stoppable():
            site = Site(asked["authorized_keys"], asked["ca"], asked["language"], asked["arguments"])
            options = Options(tuple(asked["packages"]), tuple(asked["firmware"]))
            places = {"cache": Path(asked["cache"]), "folder": Path(asked["path"])}
            how = {"with_medium": asked["medium"], "renew": asked["renew"]}
            if module.check_mode:
                result = preview(options, site, **places, **how)
            else:
                result = build(options, site, Progress.from_module(module), **places, **how)
    except FleetError as error:
        module.fail_json(msg=str(error), **error.details)
    module.exit_json(**result)


if __name__ == "__main__":
    main()
