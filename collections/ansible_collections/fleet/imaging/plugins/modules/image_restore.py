#!/usr/bin/python
# Copyright: (c) 2026, Fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Restore an image to a station's disk."""

from __future__ import annotations

DOCUMENTATION = r"""
---
module: image_restore
short_description: Restore an image to a disk, fetching and writing only what differs
version_added: "0.1.0"
description:
  - Verifies the signature of an image's manifest, checks the disk, lays out the partition table, compares what the disk holds with
    the image, fetches the chunks that differ, verifies each before it is written, and reads back what was written.
  - Refuses a disk that is not the one named in O(erase), that is in use, too small, or has sectors of another size. Then nothing is
    changed.
  - A restore that was cut is run again; it fetches only what is still missing. Until it is complete, the partitions cannot be mounted.
  - Swap areas are made anew with their UUID and label.
options:
  mode:
    description:
      - V(delta) reads the disk and fetches only what differs.
      - V(full) fetches and writes everything.
      - V(table) lays out the partition table and writes no contents; what a partition of the same place holds stays.
      - V(backup) puts the image into the station's local backup, and touches no other partition. It is refused when there is neither a
        local backup nor room for one behind the last partition.
    type: str
    choices: [delta, full, table, backup]
    default: delta
  local:
    description:
      - Whether the image comes from the station's local backup, verified as ever. O(sources) are asked for what is missing or damaged
        there; without any, the backup is read and verified as a whole before anything is written.
      - O(version) may be V(latest) then, the newest version in the local backup.
    type: bool
    default: false
    version_added: "0.1.0"
extends_documentation_fragment:
  - fleet.core.attributes
  - fleet.core.attributes.progress
  - fleet.imaging.options.image
  - fleet.imaging.options.restore
  - fleet.imaging.options.disk
  - fleet.imaging.options.sources
  - fleet.imaging.options.transfer
  - fleet.imaging.options.backup
attributes:
  check_mode:
    support: full
  diff_mode:
    support: full
author:
  - Fleet contributors (@fleet)
seealso:
  - module: fleet.imaging.image_capture
  - module: fleet.imaging.disk_info
"""

EXAMPLES = r"""
- name: Bring a station back to the newest image of its room
  fleet.imaging.image_restore:
    image: room12
    version: 20261121T083000Z
    sources: [https://relay12.example.org/content, https://centre.example.org/content]
    ca_file: /etc/fleet/ca.pem
    allowed_signers: "{{ lookup('ansible.builtin.file', 'allowed_signers') }}"
    disk: /dev/sda
    erase: "serial:{{ station_disk_serial }}"

- name: Restore the second partition only, at 20 MB/s
  fleet.imaging.image_restore:
    image: room12
    version: 20261121T083000Z
    sources: [https://centre.example.org/content]
    allowed_signers: "{{ signers }}"
    disk: serial:S4EVNX0M
    erase: serial:S4EVNX0M
    partitions: [2]
    rate: 20000000

- name: Restore what the station has of it in its local backup, without any network
  fleet.imaging.image_restore:
    image: room12
    version: latest
    local: true
    sources: []
    allowed_signers: "{{ signers }}"
    disk: serial:S4EVNX0M
    erase: serial:S4EVNX0M
"""

RETURN = r"""
image:
  description: Name of the image.
  returned: success
  type: str
  sample: room12
version:
  description: Version of the image.
  returned: success
  type: str
  sample: 20261121T083000Z
disk:
  description: Path of the disk.
  returned: success
  type: str
  sample: /dev/sda
table_changed:
  description: Whether the partition table was, or would be, changed.
  returned: success
  type: bool
  sample: false
bytes_differing:
  description: Bytes in use that would be written, as far as can be known.
  returned: in check mode
  type: int
  sample: 41943040
partitions:
  description: Numbers of the partitions that were restored.
  returned: when something was restored
  type: list
  elements: int
  sample: [1, 2]
swap_made:
  description: Numbers of the partitions that were made into new swap areas.
  returned: when something was restored
  type: list
  elements: int
  sample: [3]
resized:
  description: Numbers of the partitions whose filesystem was fitted to another size.
  returned: when something was restored
  type: list
  elements: int
  sample: [2]
notes:
  description: What an admin should know, such as a filesystem that could not be grown.
  returned: when something was restored
  type: list
  elements: str
  sample: []
chunks:
  description: Chunks in use in the image.
  returned: when something was restored
  type: int
  sample: 2214
chunks_same:
  description: Chunks that the disk held already.
  returned: when something was restored
  type: int
  sample: 2172
chunks_written:
  description: Chunks that were written.
  returned: when something was restored
  type: int
  sample: 42
bytes_read:
  description: Bytes read from the disk to compare and to verify.
  returned: when something was restored
  type: int
  sample: 2321234567
bytes_fetched:
  description: Compressed bytes that came over the network.
  returned: when something was restored
  type: int
  sample: 12345678
bytes_written:
  description: Bytes written to the disk.
  returned: when something was restored
  type: int
  sample: 44040192
bytes_verified:
  description: Bytes in use found right on the disk, before or after the write.
  returned: when something was restored
  type: int
  sample: 2321234567
sources:
  description: Chunks by the content store that they came from.
  returned: when something was restored
  type: dict
  sample: {"https://relay12.example.org/content": 42}
verified:
  description: Whether all of the image was found right on the disk; false only when O(verify) was declined.
  returned: when something was restored
  type: bool
  sample: true
seconds:
  description: How long it took.
  returned: when something was restored
  type: float
  sample: 21.4
backup:
  description:
    - What became of the station's local backup. C(state) is V(kept), V(erased), V(complete) or V(failed), and in check mode V(absent) (it
      would be made), V(differs) or V(complete).
    - With V(failed), C(msg) tells why; the restore is none the worse for it.
  returned: when the disk has one, or had one
  type: dict
  sample:
    state: complete
    partition: 128
    chunks: 2214
    chunks_written: 42
    chunks_damaged: 0
    bytes_written: 12345678
    bytes_fetched: 0
    sources: {}
    pruned: [image room12 20261014T083000Z]
    free: 9123456789
    seconds: 11.2
signer:
  description: Who signed the image.
  returned: success
  type: str
  sample: centre
"""

import contextlib

from ansible.module_utils.basic import AnsibleModule

from ansible_collections.fleet.core.plugins.module_utils.errors import FleetError
from ansible_collections.fleet.core.plugins.module_utils.progress import Progress
from ansible_collections.fleet.core.plugins.module_utils.stop import stoppable
from ansible_collections.fleet.imaging.plugins.module_utils.image.request import RESTORE_SPEC, prepare

ARGUMENT_SPEC = {
    **RESTORE_SPEC,
    "mode": {"type": "str", "choices": ["delta", "full", "table", "backup"], "default": "delta"},
    "local": {"type": "bool", "default": False},
}


def main() -> None:
    module = AnsibleModule(argument_spec=ARGUMENT_SPEC, supports_check_mode=True, mutually_exclusive=[("ca", "ca_file")])
    params = module.params
    progress = Progress.from_module(module)
    try:
        with stoppable(), contextlib.ExitStack() as stack:
            prepared = prepare(params, stack, progress, check=module.check_mode)
            result = prepared.run(progress, check=module.check_mode)
    except FleetError as error:
        module.fail_json(msg=str(error), **error.details)
    module.exit_json(**result)


if __name__ == "__main__":
    main()
