#!/usr/bin/python

# Copyright: (c) 2026, Fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Verify a content store."""

from __future__ import annotations

DOCUMENTATION = r"""
module: content_verify
short_description: Verify a content store
version_added: "0.1.0"
author: Fleet contributors (@fleet)
description:
  - Reads every chunk and checks that it hashes to its name; checks that every manifest can be read, is signed by who may, and that all its
    chunks are there.
  - Fails when anything is wrong, unless it may repair.
  - Runs on the host of the store, or of a relay, and may run while the store is in use.
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
    description: Folder of the store.
    type: path
    default: /srv/fleet/content
  allowed_signers:
    description:
      - Who may sign manifests, as the text of an OpenSSH C(allowed_signers) file.
      - Without it, signatures are not looked at.
    type: str
  repair:
    description:
      - Move damaged chunks and manifests to the folder C(damaged) of the store, and write the list of manifests anew.
      - M(fleet.core.content_replicate) then fetches them again. At the centre, capture or publish them again.
      - With this, problems do not fail the task.
    type: bool
    default: false
seealso:
  - module: fleet.core.content_replicate
  - module: fleet.core.content_info
"""

EXAMPLES = r"""
- name: Verify the relay, and move aside what is damaged
  fleet.core.content_verify:
    allowed_signers: "{{ lookup('ansible.builtin.file', 'allowed_signers') }}"
    repair: true
  register: verdict

- name: Fetch again what was damaged
  fleet.core.content_replicate:
    sources: ["https://centre.example.org/content"]
    allowed_signers: "{{ lookup('ansible.builtin.file', 'allowed_signers') }}"
  when: verdict.problem_count > 0
"""

RETURN = r"""
manifests:
  description: Manifests that are sound.
  returned: always
  type: int
  sample: 12
chunks:
  description: Chunks that are sound.
  returned: always
  type: int
  sample: 10241
bytes:
  description: Bytes of these chunks as they are stored.
  returned: always
  type: int
  sample: 3221225472
problem_count:
  description: How much is wrong.
  returned: always
  type: int
  sample: 1
problems:
  description: What is wrong, the first 1000.
  returned: always
  type: list
  elements: dict
  contains:
    what:
      description: C(chunk), C(manifest) or C(index).
      type: str
      returned: always
      sample: chunk
    where:
      description: The chunk's digest, or the manifest's kind, name and version.
      type: str
      returned: always
      sample: image classroom 20261121T005800Z
    reason:
      description: What is wrong with it.
      type: str
      returned: always
      sample: 2 of its chunks are not in the store
moved:
  description: Files that were moved aside.
  returned: always
  type: list
  elements: str
"""

from pathlib import Path

from ansible.module_utils.basic import AnsibleModule

from ansible_collections.fleet.core.plugins.module_utils.content.store import ChunkStore
from ansible_collections.fleet.core.plugins.module_utils.content.verify import Verification
from ansible_collections.fleet.core.plugins.module_utils.errors import FleetError
from ansible_collections.fleet.core.plugins.module_utils.progress import Progress
from ansible_collections.fleet.core.plugins.module_utils.stop import stoppable

ARGUMENT_SPEC = {
    "path": {"type": "path", "default": "/srv/fleet/content"},
    "allowed_signers": {"type": "str"},
    "repair": {"type": "bool", "default": False},
}


def main() -> None:
    """Run the module."""
    module = AnsibleModule(argument_spec=ARGUMENT_SPEC, supports_check_mode=True)
    repair = module.params["repair"]
    try:
        with stoppable():
            verdict = Verification(
                ChunkStore(Path(module.params["path"])),
                allowed_signers=module.params["allowed_signers"],
                repair=repair and not module.check_mode,
                progress=Progress.from_module(module),
            ).run()
    except FleetError as error:
        module.fail_json(msg=str(error), **error.details)
    if not verdict.sound and not repair:
        first = verdict.problems[0]
        message = f"{module.params['path']} is not sound, {verdict.problem_count} problems; {first.what} {first.where}: {first.reason}"
        module.fail_json(msg=f"{message}. Run content_verify with repair, then content_replicate", **verdict.as_dict())
    module.exit_json(changed=bool(verdict.moved) or (module.check_mode and not verdict.sound), **verdict.as_dict())


if __name__ == "__main__":
    main()
