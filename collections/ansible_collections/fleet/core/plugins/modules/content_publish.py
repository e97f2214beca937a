#!/usr/bin/python

# Copyright: (c) 2026, Fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Open a store for one upload, sign or publish what was uploaded, or abort."""

from __future__ import annotations

DOCUMENTATION = r"""
module: content_publish
short_description: Open a content store for one upload, sign or publish what was uploaded, or abort
version_added: "0.1.0"
author: Fleet contributors (@fleet)
description:
  - Runs on the host of the store, as root, before and after a station uploads.
  - O(state=opened) gives a job and a token with which a station may add to that job's quarantine, and to nothing else.
  - O(state=published) verifies every chunk and the manifest in quarantine, makes them part of the store, and signs the manifest.
    Interrupted at any moment, it can be run again.
  - O(state=signed) signs the manifest that a station uploaded before its chunks, for stations that get the chunks from that station itself.
    The manifest is served below RV(signed_path), is not listed, and belongs to the job. What is published in the end must be what was
    signed.
  - O(state=aborted) closes the job and forgets what was uploaded.
extends_documentation_fragment:
  - fleet.core.attributes
  - fleet.core.attributes.progress
attributes:
  check_mode:
    support: full
  diff_mode:
    support: full
options:
  path:
    description: Folder of the store.
    type: path
    default: /srv/fleet/content
  state:
    description: What to do.
    type: str
    choices: [opened, signed, published, aborted]
    required: true
  kind:
    description: What will be uploaded. Required with O(state=opened).
    type: str
    choices: [image, package]
  name:
    description: Its name. Required with O(state=opened). There is one open job for a name at a time.
    type: str
  version:
    description: Its version. Default is the time, as V(20261121T005800Z).
    type: str
  holder:
    description: Who uploads, which is told to others who want to upload under the same name meanwhile.
    type: str
    default: ""
  lifetime:
    description: Seconds until the job expires.
    type: int
    default: 43200
  resume:
    description:
      - Take over the job that is open for this name, if there is one. What it received needs not be sent again; its old token ends.
      - Only with O(state=opened).
    type: bool
    default: false
  job:
    description: The job. Required unless O(state=opened).
    type: str
  signing_key:
    description: Private key that signs the manifest. Only with O(state=signed) and O(state=published).
    type: path
    default: /etc/fleet/content/signing_key
  web_user:
    description: Account of nginx's workers.
    type: str
    default: www-data
notes:
  - The token is in the result, because the next task needs it. Write C(no_log=true) on the task with O(state=opened), and hand the token to
    a parameter that is not logged either.
seealso:
  - module: fleet.core.content_info
"""

EXAMPLES = r"""
- name: Open a job for the upload
  fleet.core.content_publish:
    state: opened
    kind: image
    name: classroom
    holder: "{{ inventory_hostname }}"
  delegate_to: centre
  register: upload
  no_log: true

- name: Capture the disk into the job's quarantine
  fleet.imaging.image_capture:
    url: https://centre.example.org/content
    job: "{{ upload.job }}"
    token: "{{ upload.token }}"

- name: Publish the image
  fleet.core.content_publish:
    state: published
    job: "{{ upload.job }}"
  delegate_to: centre
"""

RETURN = r"""
job:
  description: Id of the job, which is also the user name of its credential.
  returned: when it exists
  type: str
  sample: 504d8602fe411f81
token:
  description: Password of the job's credential. Secret.
  returned: with state=opened, not in check mode
  type: str
upload_path:
  description: Where the job may upload, below the URL of the store.
  returned: with state=opened, not in check mode
  type: str
  sample: upload/504d8602fe411f81
signed_path:
  description: Where the signed manifest is served until the job ends, below the URL of the store; a source of it and nothing else.
  returned: with state=signed
  type: str
  sample: signed/504d8602fe411f81
kind:
  description: What it is.
  returned: when the job exists
  type: str
  sample: image
name:
  description: Its name.
  returned: when the job exists
  type: str
  sample: classroom
version:
  description: Its version.
  returned: when the job exists
  type: str
  sample: 20261121T005800Z
expires:
  description: When the job ends, in UTC.
  returned: with state=opened, not in check mode
  type: str
  sample: "2026-11-21T12:58:00Z"
resumed:
  description: Whether an earlier job was taken over.
  returned: with state=opened, not in check mode
  type: bool
chunks:
  description: Distinct chunks of the manifest.
  returned: with state=published, not in check mode
  type: int
  sample: 4608
chunks_added:
  description: Those that the store did not have.
  returned: with state=published, not in check mode
  type: int
  sample: 120
bytes_added:
  description: Bytes of these as they are stored.
  returned: with state=published, not in check mode
  type: int
  sample: 40265318
dropped:
  description: Files that were uploaded although the manifest does not name them.
  returned: with state=published, not in check mode
  type: list
  elements: str
"""

from pathlib import Path

from ansible.module_utils.basic import AnsibleModule

from ansible_collections.fleet.core.plugins.module_utils.content.job import Jobs
from ansible_collections.fleet.core.plugins.module_utils.content.store import ChunkStore
from ansible_collections.fleet.core.plugins.module_utils.content.task import PublishTask
from ansible_collections.fleet.core.plugins.module_utils.errors import FleetError
from ansible_collections.fleet.core.plugins.module_utils.progress import Progress
from ansible_collections.fleet.core.plugins.module_utils.stop import stoppable

ARGUMENT_SPEC = {
    "path": {"type": "path", "default": "/srv/fleet/content"},
    "state": {"type": "str", "choices": ["opened", "signed", "published", "aborted"], "required": True},
    "kind": {"type": "str", "choices": ["image", "package"]},
    "name": {"type": "str"},
    "version": {"type": "str"},
    "holder": {"type": "str", "default": ""},
    "lifetime": {"type": "int", "default": 43200},
    "resume": {"type": "bool", "default": False},
    "job": {"type": "str"},
    "signing_key": {"type": "path", "default": "/etc/fleet/content/signing_key", "no_log": False},
    "web_user": {"type": "str", "default": "www-data"},
}


def main() -> None:
    """Run the module."""
    module = AnsibleModule(
        argument_spec=ARGUMENT_SPEC,
        supports_check_mode=True,
        required_if=[("state", "opened", ["kind", "name"]), *(("state", state, ["job"]) for state in ("signed", "published", "aborted"))],
    )
    store = ChunkStore(Path(module.params["path"]))
    try:
        with stoppable():
            task = PublishTask(store, Jobs(store, module.params["web_user"]), module.check_mode)
            if module.params["state"] == "opened":
                result = task.open(**{key: module.params[key] for key in ("kind", "name", "version", "holder", "lifetime", "resume")})
            elif module.params["state"] == "signed":
                result = task.sign(module.params["job"], Path(module.params["signing_key"]))
            elif module.params["state"] == "published":
                result = task.publish(module.params["job"], Path(module.params["signing_key"]), Progress.from_module(module))
            else:
                result = task.abort(module.params["job"])
    except FleetError as error:
        module.fail_json(msg=str(error), **error.details)
    module.exit_json(**result)


if __name__ == "__main__":
    main()
