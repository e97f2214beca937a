#!/usr/bin/python
# Copyright: (c) 2026, Fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Capture a station's disk as an image."""

from __future__ import annotations

DOCUMENTATION = r"""
---
module: image_capture
short_description: Capture a disk as an image in a content store
version_added: "0.1.0"
description:
  - Reads the partition table, the boot code and the used blocks of every partition, and stores what the content store lacks.
  - Runs in the imaging environment. A filesystem that is mounted, dirty, hibernated or encrypted is refused with the reason and the
    remedy, before anything is stored.
  - Bytes that no file uses are never stored, so deleted files do not leave the station.
  - With O(upload), the image becomes visible when M(fleet.core.content_publish) has verified it. A capture that was cut is run again;
    it sends only what is still missing.
options:
  image:
    description: Name of the image.
    type: str
    required: true
  version:
    description: Version of the image; that of the job when uploading.
    type: str
    required: true
  method:
    description:
      - V(blocks) stores used blocks; restores are exact, fast, and fetch only what differs.
      - V(files) stores the files of ext2, ext3, ext4 and XFS as archives, which restore to partitions of any size that holds them, and the
        used blocks of other filesystems. A version shares no chunks with the one before, and a partition is restored as a whole, or not at
        all when its files are as captured. Modification times lose what is finer than a second, and the flags of chattr(1) are lost.
    type: str
    choices: [blocks, files]
    default: blocks
  upload:
    description: The job that M(fleet.core.content_publish) opened for this capture.
    type: dict
    suboptions:
      url:
        description: Base URL of the content store, such as V(https://centre/content).
        type: str
        required: true
      job:
        description: Identifier of the job.
        type: str
        required: true
      token:
        description: The job's credential.
        type: str
        required: true
      resumed:
        description: Whether the job was open before, so that it may hold chunks of a capture that was cut.
        type: bool
        default: false
  contents:
    description:
      - V(later) reads and hashes everything, and uploads the manifest alone. M(fleet.core.content_publish) can then sign it
        (O(fleet.core.content_publish#module:state=signed)), and M(fleet.imaging.multicast_send) can send the image from this very disk.
      - The same capture with V(now) uploads the chunks afterwards. Needs O(upload) and O(method=blocks), because archives of files are on
        no disk.
    type: str
    choices: [now, later]
    default: now
  store:
    description: Folder of a content store that the station reaches directly, such as a USB disk.
    type: path
  signing_key:
    description: Private key that signs the manifest in O(store). Unsigned without it; stations then refuse to restore it.
    type: path
  parent:
    description: Version of the same image that this capture builds on; what the parent has is not asked for again.
    type: str
  leave_out:
    description: Numbers of partitions whose contents are not captured; they stay in the table.
    type: list
    elements: int
extends_documentation_fragment:
  - fleet.core.attributes
  - fleet.core.attributes.progress
  - fleet.imaging.options.disk
  - fleet.imaging.options.transfer
attributes:
  check_mode:
    support: full
  diff_mode:
    support: none
author:
  - Fleet contributors (@fleet)
seealso:
  - module: fleet.core.content_publish
  - module: fleet.imaging.image_restore
"""

EXAMPLES = r"""
- name: Open a job on the content store
  fleet.core.content_publish:
    store: /srv/fleet/content
    kind: image
    name: room12
    holder: pc01
    state: opened
  delegate_to: centre
  no_log: true
  register: job

- name: Capture the model
  fleet.imaging.image_capture:
    image: room12
    version: "{{ job.version }}"
    disk: serial:S4EVNX0M
    ca_file: /etc/fleet/ca.pem
    upload:
      url: https://centre.example.org/content
      job: "{{ job.job }}"
      token: "{{ job.token }}"

- name: Capture to a content store on a USB disk
  fleet.imaging.image_capture:
    image: room12
    version: before-summer
    disk: /dev/sda
    store: /mnt/usb/content
    signing_key: /mnt/usb/signing_key
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
partitions:
  description: What was, or would be, captured.
  returned: success
  type: list
  elements: dict
  contains:
    number:
      description: Number of the partition.
      type: int
      sample: 2
    type:
      description: Type of its filesystem.
      type: str
      sample: ext4
    used:
      description: Bytes in use; not in check mode.
      type: int
      sample: 2321234567
chunks:
  description: Chunks in use.
  returned: when something was captured
  type: int
  sample: 2214
chunks_known:
  description: Chunks that the content store had already; all, and none was asked for, with O(contents=later).
  returned: when something was captured
  type: int
  sample: 2172
chunks_sent:
  description: Chunks that were stored.
  returned: when something was captured
  type: int
  sample: 42
bytes_used:
  description: Bytes in use on the disk.
  returned: when something was captured
  type: int
  sample: 2321234567
bytes_sent:
  description: Compressed bytes that were stored.
  returned: when something was captured
  type: int
  sample: 12345678
seconds:
  description: How long it took.
  returned: when something was captured
  type: float
  sample: 31.7
"""

import contextlib
from pathlib import Path

from ansible.module_utils.basic import AnsibleModule

from ansible_collections.fleet.core.plugins.module_utils.errors import FleetError
from ansible_collections.fleet.core.plugins.module_utils.progress import Progress
from ansible_collections.fleet.core.plugins.module_utils.stop import stoppable
from ansible_collections.fleet.imaging.plugins.module_utils.disk.device import Disk
from ansible_collections.fleet.imaging.plugins.module_utils.engine.registry import engine_named
from ansible_collections.fleet.imaging.plugins.module_utils.image.capture import ImageCapture
from ansible_collections.fleet.imaging.plugins.module_utils.image.destination import Destination

ARGUMENT_SPEC = {
    "image": {"type": "str", "required": True},
    "version": {"type": "str", "required": True},
    "disk": {"type": "str", "required": True},
    "method": {"type": "str", "choices": ["blocks", "files"], "default": "blocks"},
    "upload": {
        "type": "dict",
        "options": {
            "url": {"type": "str", "required": True},
            "job": {"type": "str", "required": True},
            "token": {"type": "str", "required": True, "no_log": True},
            "resumed": {"type": "bool", "default": False},
        },
    },
    "contents": {"type": "str", "choices": ["now", "later"], "default": "now"},
    "store": {"type": "path"},
    "signing_key": {"type": "path", "no_log": False},
    "parent": {"type": "str"},
    "leave_out": {"type": "list", "elements": "int"},
    "ca_file": {"type": "path"},
    "connections": {"type": "int", "default": 4},
    "rate": {"type": "int", "default": 0},
    "work_dir": {"type": "path", "default": "/var/tmp"},
}


def main() -> None:
    module = AnsibleModule(
        argument_spec=ARGUMENT_SPEC,
        supports_check_mode=True,
        mutually_exclusive=[("upload", "store"), ("upload", "signing_key")],
        required_one_of=[("upload", "store")],
        required_if=[("contents", "later", ["upload"])],
    )
    params = module.params
    progress = Progress.from_module(module)
    try:
        with stoppable():
            destination = Destination.from_params(params)
            destination.require_new(params["image"], params["version"])
            engine = engine_named(params["method"], Path(params["work_dir"]))
            plan = ImageCapture.plan(
                Disk.open(params["disk"]),
                engine,
                params["image"],
                params["version"],
                parent=destination.parent(params["image"], params["parent"]) if params["parent"] else None,
                leave_out=params["leave_out"] or (),
            )
            if module.check_mode:
                result = plan.preview()
            else:
                with contextlib.closing(destination.open(plan.parent)) as sink:
                    result = plan.run(sink, progress).as_dict()
    except FleetError as error:
        module.fail_json(msg=str(error), **error.details)
    module.exit_json(**result)


if __name__ == "__main__":
    main()
