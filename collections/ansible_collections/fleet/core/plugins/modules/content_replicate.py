#!/usr/bin/python

# Copyright: (c) 2026, Fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Fill a relay."""

from __future__ import annotations

DOCUMENTATION = r"""
module: content_replicate
short_description: Fill a relay from another content store
version_added: "0.1.0"
author: Fleet contributors (@fleet)
description:
  - Fetches the manifests that a relay is to hold, and the chunks that it lacks. Each manifest is verified against O(allowed_signers) before
    anything of it is used, each chunk against its name, and a manifest is listed only when all its chunks are here.
  - What was fetched is never fetched again, however the run ended.
  - Runs on the host of the relay.
extends_documentation_fragment:
  - fleet.core.attributes
  - fleet.core.attributes.progress
attributes:
  check_mode:
    support: full
  diff_mode:
    support: none
options:
  path:
    description: Folder of the relay's store.
    type: path
    default: /srv/fleet/content
  sources:
    description: URLs of stores that have it, nearest first. When one fails, the next is asked.
    type: list
    elements: str
    required: true
  manifests:
    description:
      - What to replicate, as V(kind/name) for all versions or V(kind/name/version). Patterns as C(image/*/2026*) are allowed.
      - Without it, everything that the source lists.
      - When all of it is named with its version, without a pattern, and is complete here, no source is asked.
    type: list
    elements: str
  allowed_signers:
    description: Who may sign manifests, as the text of an OpenSSH C(allowed_signers) file.
    type: str
    required: true
  ca_file:
    description: Certificate of the authority behind the sources' certificates. Default is what the host trusts.
    type: path
  ca:
    description: The same as text, for a host that has no such file.
    type: str
    default: ""
  connections:
    description: Connections at once.
    type: int
    default: 4
  rate:
    description: Bytes a second over all connections. 0 means no limit.
    type: int
    default: 0
  window:
    description:
      - Local time in which to work, as V(20:00-06:00). When it is closed, or closes, the task ends without an error and tells what is left.
    type: str
seealso:
  - module: fleet.core.content_prune
  - module: fleet.core.content_verify
"""

EXAMPLES = r"""
- name: Bring the classroom image to the branch at night, with a tenth of its line
  fleet.core.content_replicate:
    sources: ["https://centre.example.org/content"]
    manifests: [image/classroom]
    allowed_signers: "{{ lookup('ansible.builtin.file', 'allowed_signers') }}"
    ca_file: /etc/fleet/ca.pem
    rate: 1250000
    window: 20:00-06:00
"""

RETURN = r"""
manifests:
  description: What was listed or completed now.
  returned: always
  type: list
  elements: str
  sample: [image classroom 20261121T005800Z]
present:
  description: How many were complete already.
  returned: always
  type: int
  sample: 3
chunks:
  description: Chunks that came.
  returned: always
  type: int
  sample: 120
bytes:
  description: Their bytes on the network.
  returned: always
  type: int
  sample: 40265318
sources:
  description: Chunks by source.
  returned: always
  type: dict
  sample: {"https://centre.example.org/content": 120}
left_manifests:
  description: What is not complete yet.
  returned: always
  type: list
  elements: str
left_chunks:
  description: Chunks that the begun ones lack.
  returned: always
  type: int
  sample: 0
left_bytes:
  description: Their bytes, uncompressed.
  returned: always
  type: int
  sample: 0
window_closed:
  description: Whether it ended because its window is closed.
  returned: always
  type: bool
failed:
  description: Why some manifests were not replicated. The task fails then, after it did the others.
  returned: on failure
  type: dict
"""

import contextlib
from pathlib import Path

from ansible.module_utils.basic import AnsibleModule

from ansible_collections.fleet.core.plugins.module_utils.content.authority import authority
from ansible_collections.fleet.core.plugins.module_utils.content.chunk import Chunk
from ansible_collections.fleet.core.plugins.module_utils.content.fetch import Fetcher
from ansible_collections.fleet.core.plugins.module_utils.content.replicate import Replication, Window
from ansible_collections.fleet.core.plugins.module_utils.content.store import ChunkStore
from ansible_collections.fleet.core.plugins.module_utils.errors import FleetError
from ansible_collections.fleet.core.plugins.module_utils.progress import Progress
from ansible_collections.fleet.core.plugins.module_utils.stop import stoppable

ARGUMENT_SPEC = {
    "path": {"type": "path", "default": "/srv/fleet/content"},
    "sources": {"type": "list", "elements": "str", "required": True},
    "manifests": {"type": "list", "elements": "str"},
    "allowed_signers": {"type": "str", "required": True},
    "ca_file": {"type": "path"},
    "ca": {"type": "str", "default": ""},
    "connections": {"type": "int", "default": 4},
    "rate": {"type": "int", "default": 0},
    "window": {"type": "str"},
}


def main() -> None:
    """Run the module."""
    module = AnsibleModule(argument_spec=ARGUMENT_SPEC, supports_check_mode=True)
    given = module.params
    try:
        with stoppable(), contextlib.ExitStack() as stack:
            ca_file = Path(given["ca_file"]) if given["ca_file"] else stack.enter_context(authority(given["ca"]))
            fetcher: Fetcher[Chunk] = Fetcher(given["sources"], ca_file=ca_file, connections=given["connections"], rate=given["rate"])
            result = Replication(
                ChunkStore(Path(given["path"])),
                fetcher,
                given["allowed_signers"],
                window=Window.parse(given["window"]) if given["window"] else None,
                dry_run=module.check_mode,
                progress=Progress.from_module(module),
            ).run(given["manifests"])
    except FleetError as error:
        module.fail_json(msg=str(error), **error.details)
    changed = bool(result.manifests or result.chunks or (module.check_mode and result.left_manifests))
    module.exit_json(changed=changed, **result.as_dict())


if __name__ == "__main__":
    main()
