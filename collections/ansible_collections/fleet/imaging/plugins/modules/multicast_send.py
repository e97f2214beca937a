#!/usr/bin/python
# Copyright: (c) 2026, Fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Send an image to several stations at once."""

from __future__ import annotations

DOCUMENTATION = r"""
---
module: multicast_send
short_description: Send an image to several stations at once, each chunk once
version_added: "0.1.0"
description:
  - Holds one multicast session. It waits for stations that run M(fleet.imaging.multicast_receive), sends the chunks that any of them lacks,
    each once, repairs what got lost, and leaves who cannot keep up to unicast.
  - Runs on whatever has the image, as a content store's folder (the centre, a relay) or as its disk (a station).
  - M(fleet.imaging.image_clone) starts it together with the receivers. It changes nothing on its host.
options:
  store:
    description: Folder of the content store that has the image.
    type: path
  disk:
    description:
      - Disk that has the image, as a path or an identity. Chunks that have changed there since are left to unicast.
      - The image's manifest is fetched from O(sources).
    type: str
  sources:
    description: Base URLs of content stores, nearest first; needed with O(disk).
    type: list
    elements: str
    default: []
  ca:
    description: Certificates of the authority of the content stores, as text; those of the system by default.
    type: str
    default: ""
  stations:
    description: Names of the stations that are expected. Others that know the secret may come as well.
    type: list
    elements: str
    default: []
  start:
    description: When the session begins.
    type: dict
    default: {}
    suboptions:
      count:
        description: Stations that begin it at once; V(0) means all that are expected.
        type: int
        default: 0
      minimum:
        description: Stations that suffice after O(start.wait) seconds; V(0) means that it goes on waiting.
        type: int
        default: 0
      wait:
        description: Seconds until O(start.minimum) suffices.
        type: float
        default: 0
      give_up:
        description: Seconds after which a session that could not begin ends with an error that names who is missing.
        type: float
        default: 3600
  control:
    description:
      - File that is made on the sender while the session waits, with O(start) as JSON. What is written there meanwhile counts, such as
        V({"count":1}) to begin with who is there.
    type: path
  rate:
    description: Ceiling in bytes a second; V(0) for none but what the network passes.
    type: int
    default: 0
extends_documentation_fragment:
  - fleet.core.attributes
  - fleet.core.attributes.progress
  - fleet.imaging.options.image
  - fleet.imaging.options.session
attributes:
  check_mode:
    support: full
    details: Checks that the image is there and signed, and sends nothing.
  diff_mode:
    support: none
author:
  - Fleet contributors (@fleet)
seealso:
  - module: fleet.imaging.multicast_receive
  - module: fleet.imaging.image_clone
"""

EXAMPLES = r"""
- name: Send an image to whoever comes within ten minutes, once three are there
  fleet.imaging.multicast_send:
    image: room12
    version: 20261121T083000Z
    store: /srv/fleet/content
    allowed_signers: "{{ signers }}"
    address: 10.12.0.2
    secret: "{{ session_secret }}"
    start:
      count: 3
      give_up: 600
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
port:
  description: Port of the session.
  returned: when a session was held
  type: int
  sample: 7700
stations:
  description: What became of each station, as the sender knows it.
  returned: when a session was held
  type: dict
  sample: {"pc01": {"state": "complete", "complete": true, "bytes": 412345678, "seconds": 41.2, "reason": ""}}
packets:
  description: Packets that were sent.
  returned: when a session was held
  type: int
  sample: 291200
packets_repaired:
  description: Packets that were sent again because somebody missed them.
  returned: when a session was held
  type: int
  sample: 312
bytes_sent:
  description: Bytes of all packets.
  returned: when a session was held
  type: int
  sample: 419345678
bytes_unique:
  description: Bytes of all chunks that somebody lacked, each counted once.
  returned: when a session was held
  type: int
  sample: 412345678
chunks_unreadable:
  description: Chunks that the source could not give; the stations that lacked them got them by unicast.
  returned: when a session was held
  type: int
  sample: 0
"""

import contextlib
from pathlib import Path
from typing import Any

from ansible.module_utils.basic import AnsibleModule

from ansible_collections.fleet.core.plugins.module_utils.content.authority import authority
from ansible_collections.fleet.core.plugins.module_utils.content.fetch import Fetcher
from ansible_collections.fleet.core.plugins.module_utils.content.signed import fetch_manifest
from ansible_collections.fleet.core.plugins.module_utils.content.store import ChunkStore, ManifestRef
from ansible_collections.fleet.core.plugins.module_utils.errors import FleetError
from ansible_collections.fleet.core.plugins.module_utils.progress import Progress
from ansible_collections.fleet.core.plugins.module_utils.stop import stoppable
from ansible_collections.fleet.imaging.plugins.module_utils.clone.control import Control, policy, session_id
from ansible_collections.fleet.imaging.plugins.module_utils.clone.params import SESSION_SPEC, secret, settings
from ansible_collections.fleet.imaging.plugins.module_utils.clone.sender import Sending, manifest_of
from ansible_collections.fleet.imaging.plugins.module_utils.clone.source import DiskSource, StoreSource
from ansible_collections.fleet.imaging.plugins.module_utils.disk.device import Disk
from ansible_collections.fleet.imaging.plugins.module_utils.image.request import IMAGE_SPEC
from ansible_collections.fleet.imaging.plugins.module_utils.multicast.interface import Source, StartPolicy

START_SPEC = {
    "count": {"type": "int", "default": 0},
    "minimum": {"type": "int", "default": 0},
    "wait": {"type": "float", "default": 0},
    "give_up": {"type": "float", "default": 3600},
}
ARGUMENT_SPEC = {
    **IMAGE_SPEC,
    "store": {"type": "path"},
    "disk": {"type": "str"},
    "sources": {"type": "list", "elements": "str", "default": []},
    "ca": {"type": "str", "default": ""},
    "stations": {"type": "list", "elements": "str", "default": []},
    "start": {"type": "dict", "default": {}, "options": START_SPEC},
    "control": {"type": "path"},
    "rate": {"type": "int", "default": 0},
    **SESSION_SPEC,
}


def main() -> None:
    module = AnsibleModule(
        argument_spec=ARGUMENT_SPEC,
        supports_check_mode=True,
        mutually_exclusive=[("store", "disk")],
        required_one_of=[("store", "disk")],
    )
    params = module.params
    ref = ManifestRef("image", params["image"], params["version"])
    try:
        with stoppable(), contextlib.ExitStack() as stack:
            how, key = settings(params, rate=params["rate"]), secret(params)
            if params["store"]:
                store = ChunkStore(Path(params["store"]))
                signed = manifest_of(store, ref, params["allowed_signers"])
                source: Source = StoreSource(store, signed.manifest)
            else:
                fetcher: Fetcher[Any] = Fetcher(params["sources"], ca_file=stack.enter_context(authority(params["ca"])))
                signed = fetch_manifest(fetcher, ref, params["allowed_signers"])
                source = DiskSource(Disk.open(params["disk"]), signed.manifest, stack)
            result: dict[str, Any] = {"changed": False, "image": ref.name, "version": ref.version}
            if not module.check_mode:
                path = Path(params["control"]) if params["control"] else None
                control = Control(policy(params["start"] or {}, StartPolicy()), path, session_id(key), params["stations"])
                result = Sending(how, key, signed, source, params["stations"], control).run(Progress.from_module(module))
    except FleetError as error:
        module.fail_json(msg=str(error), **error.details)
    module.exit_json(**result)


if __name__ == "__main__":
    main()
