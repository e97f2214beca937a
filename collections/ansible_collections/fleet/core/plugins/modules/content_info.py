#!/usr/bin/python

# Copyright: (c) 2026, Fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Tell what a content store holds."""

from __future__ import annotations

DOCUMENTATION = r"""
module: content_info
short_description: Tell what a content store holds
version_added: "0.1.0"
author: Fleet contributors (@fleet)
description:
  - Lists images and packages with their versions, origin and size, and the jobs that are open for upload.
  - Runs on the host of the store, or of a relay.
extends_documentation_fragment:
  - fleet.core.attributes
attributes:
  check_mode:
    support: full
  diff_mode:
    support: none
options:
  path:
    description: Folder of the store.
    type: path
    default: /srv/fleet/content
  kind:
    description: Only manifests of this kind.
    type: str
    choices: [image, package]
  name:
    description: Only manifests of this name.
    type: str
  web_user:
    description: Account of nginx's workers.
    type: str
    default: www-data
seealso:
  - module: fleet.core.content_verify
  - module: fleet.core.content_prune
"""

EXAMPLES = r"""
- name: Which versions of the classroom image are there?
  fleet.core.content_info:
    kind: image
    name: classroom
  register: found
"""

RETURN = r"""
manifests:
  description: What is published, sorted by kind, name and version.
  returned: success
  type: list
  elements: dict
  contains:
    kind:
      description: C(image) or C(package).
      type: str
      returned: always
      sample: image
    name:
      description: Its name.
      type: str
      returned: always
      sample: classroom
    version:
      description: Its version.
      type: str
      returned: always
      sample: 20261121T005800Z
    signed:
      description: Whether a signature lies beside it (M(fleet.core.content_verify) checks it).
      type: bool
      returned: always
    error:
      description: Why it cannot be read.
      type: str
      returned: when it cannot be read
    created:
      description: When, in UTC.
      type: str
      returned: when it can be read
      sample: "2026-11-21T00:58:00Z"
    parent:
      description: The version it was captured over.
      type: str
      returned: when it can be read
    lineage:
      description: Its parent, its parent's parent and so on, as far as they are here.
      type: list
      elements: str
      returned: always
    streams:
      description: Number of partitions or files.
      type: int
      returned: when it can be read
      sample: 3
    size:
      description: Bytes of all streams.
      type: int
      returned: when it can be read
      sample: 34359738368
    used:
      description: Bytes in use.
      type: int
      returned: when it can be read
      sample: 4831838208
    chunks:
      description: Distinct chunks.
      type: int
      returned: when it can be read
      sample: 4608
    missing:
      description: Chunks of it that are not here.
      type: int
      returned: when it can be read
      sample: 0
    stored:
      description: Bytes of its chunks as they are stored, shared ones included.
      type: int
      returned: when it can be read
      sample: 1503238553
jobs:
  description: Open uploads, with id, kind, name, version, holder, opened, expires, expired.
  returned: success
  type: list
  elements: dict
chunks:
  description: Chunks in the store.
  returned: success
  type: int
  sample: 10241
bytes:
  description: Bytes of these chunks.
  returned: success
  type: int
  sample: 3221225472
free:
  description: Bytes that can still be written to the store's filesystem.
  returned: success
  type: int
  sample: 107374182400
"""

from pathlib import Path

from ansible.module_utils.basic import AnsibleModule

from ansible_collections.fleet.core.plugins.module_utils.content.info import describe
from ansible_collections.fleet.core.plugins.module_utils.content.job import Jobs
from ansible_collections.fleet.core.plugins.module_utils.content.store import ChunkStore
from ansible_collections.fleet.core.plugins.module_utils.errors import FleetError

ARGUMENT_SPEC = {
    "path": {"type": "path", "default": "/srv/fleet/content"},
    "kind": {"type": "str", "choices": ["image", "package"]},
    "name": {"type": "str"},
    "web_user": {"type": "str", "default": "www-data"},
}


def main() -> None:
    """Run the module."""
    module = AnsibleModule(argument_spec=ARGUMENT_SPEC, supports_check_mode=True)
    store = ChunkStore(Path(module.params["path"]))
    try:
        jobs = Jobs(store, module.params["web_user"]) if (store.root / "jobs").is_dir() else None
        found = describe(store, kind=module.params["kind"], name=module.params["name"], jobs=jobs)
    except FleetError as error:
        module.fail_json(msg=str(error), **error.details)
    module.exit_json(changed=False, **found)


if __name__ == "__main__":
    main()
