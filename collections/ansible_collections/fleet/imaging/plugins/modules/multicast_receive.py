#!/usr/bin/python
# Copyright: (c) 2026, Fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Restore an image to a station's disk together with other stations."""

from __future__ import annotations

DOCUMENTATION = r"""
---
module: multicast_receive
short_description: Restore an image to a disk together with other stations
version_added: "0.1.0"
description:
  - Does what M(fleet.imaging.image_restore) does, with the same checks and refusals, but takes the chunks that the disk lacks from a
    session of M(fleet.imaging.multicast_send), in the order in which they arrive. Until it begins, no partition is written to.
  - What the session leaves (for a station that is slow, deaf, late or that lost its sender) is fetched from O(sources).
  - Archives of files and filesystems that must be shrunk are always fetched from O(sources).
  - M(fleet.imaging.image_clone) starts it together with the sender.
options:
  station:
    description: Name of this station, as its sender expects it.
    type: str
    required: true
  transport:
    description:
      - V(auto) fetches by unicast what the session leaves.
      - V(multicast) fails instead.
    type: str
    choices: [auto, multicast]
    default: auto
  mode:
    description:
      - Whether the disk is read first and only what differs is received (V(delta)), or everything (V(full)).
      - V(backup) receives what the station's local backup and its disk lack into the local backup, and touches no other partition.
    type: str
    choices: [delta, full, backup]
    default: delta
extends_documentation_fragment:
  - fleet.core.attributes
  - fleet.core.attributes.progress
  - fleet.imaging.options.image
  - fleet.imaging.options.restore
  - fleet.imaging.options.disk
  - fleet.imaging.options.sources
  - fleet.imaging.options.transfer
  - fleet.imaging.options.backup
  - fleet.imaging.options.session
attributes:
  check_mode:
    support: full
  diff_mode:
    support: full
author:
  - Fleet contributors (@fleet)
seealso:
  - module: fleet.imaging.image_restore
    description: Describes the rest of what is returned.
  - module: fleet.imaging.multicast_send
  - module: fleet.imaging.image_clone
"""

EXAMPLES = r"""
- name: Take part in a session
  fleet.imaging.multicast_receive:
    image: room12
    version: 20261121T083000Z
    station: "{{ inventory_hostname }}"
    address: 10.12.0.2
    secret: "{{ session_secret }}"
    sources: [https://relay12.example.org/content, https://centre.example.org/content]
    allowed_signers: "{{ signers }}"
    disk: /dev/sda
    erase: "serial:{{ station_disk_serial }}"
"""

RETURN = r"""
session:
  description: How it went with the session. C(state) is V(complete), V(unicast) when something was left to unicast, or V(failed).
  returned: when a session was joined
  type: dict
  sample: {"state": "complete", "complete": true, "reason": "", "chunks": 412, "bytes": 312345678, "seconds": 28.1, "damaged": 0, "lost": 0}
sources:
  description: Chunks by where they came from, C(multicast) or the URL of a content store.
  returned: when something was restored
  type: dict
  sample: {"multicast": 412}
backup:
  description: What became of the station's local backup, as of M(fleet.imaging.image_restore).
  returned: when the disk has one, or had one
  type: dict
  sample: {"state": "complete", "partition": 128, "chunks": 412, "chunks_written": 412, "bytes_written": 312345678}
verified:
  description: Whether all of the image was found right on the disk; false only when O(verify) was declined.
  returned: when something was restored
  type: bool
  sample: true
seconds:
  description: How long it took, waiting for the others included.
  returned: when something was restored
  type: float
  sample: 41.4
"""

import contextlib

from ansible.module_utils.basic import AnsibleModule

from ansible_collections.fleet.core.plugins.module_utils.errors import FleetError
from ansible_collections.fleet.core.plugins.module_utils.progress import Progress
from ansible_collections.fleet.core.plugins.module_utils.stop import stoppable
from ansible_collections.fleet.imaging.plugins.module_utils.clone.params import SESSION_SPEC, secret, settings
from ansible_collections.fleet.imaging.plugins.module_utils.clone.receiver import Membership, SessionReceiver
from ansible_collections.fleet.imaging.plugins.module_utils.image.request import RESTORE_SPEC, prepare

ARGUMENT_SPEC = {
    **RESTORE_SPEC,
    "station": {"type": "str", "required": True},
    "transport": {"type": "str", "choices": ["auto", "multicast"], "default": "auto"},
    "mode": {"type": "str", "choices": ["delta", "full", "backup"], "default": "delta"},
    **SESSION_SPEC,
}


def main() -> None:
    module = AnsibleModule(argument_spec=ARGUMENT_SPEC, supports_check_mode=True, mutually_exclusive=[("ca", "ca_file")])
    params = module.params
    progress = Progress.from_module(module)
    try:
        with stoppable(), contextlib.ExitStack() as stack:
            prepared = prepare(params, stack, progress, check=module.check_mode)
            join = Membership(settings(params), secret(params), prepared.signed, params["station"])
            session = SessionReceiver(join, prepared.supply if params["transport"] == "auto" else None, progress)
            result = prepared.run(progress, session, check=module.check_mode)
    except FleetError as error:
        module.fail_json(msg=str(error), **error.details)
    module.exit_json(**result, **session.as_dict())


if __name__ == "__main__":
    main()
