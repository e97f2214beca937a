#!/usr/bin/python

# Copyright: (c) 2026, Fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Remove what nothing keeps from a content store."""

from __future__ import annotations

DOCUMENTATION = r"""
module: content_prune
short_description: Remove what nothing keeps from a content store
version_added: "0.1.0"
author: Fleet contributors (@fleet)
description:
  - Removes the manifests that no rule keeps, then the chunks that no remaining manifest names, expired jobs, and leftovers.
  - A manifest stays when any of O(keep), O(last), O(days) keeps it. With none of these all manifests stay, and only unreferenced chunks go.
  - While a job is open for upload, chunks stay, because its station counts on those that it was told are here.
  - Runs on the host of the store, or of a relay; waits for a publication or replication to end.
extends_documentation_fragment:
  - fleet.core.attributes
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
  keep:
    description: Manifests to keep, as V(kind/name) for all versions or V(kind/name/version). Patterns as C(image/*/2026*) are allowed.
    type: list
    elements: str
  last:
    description: Keep so many newest versions of each name.
    type: int
  days:
    description: Keep what was created within so many days.
    type: float
  allow_empty:
    description: Allow that no manifest remains.
    type: bool
    default: false
  wait:
    description: Seconds to wait for others who hold the store.
    type: int
    default: 60
  web_user:
    description: Account of nginx's workers.
    type: str
    default: www-data
seealso:
  - module: fleet.core.content_replicate
"""

EXAMPLES = r"""
- name: Keep three versions of everything, and whatever is younger than a month
  fleet.core.content_prune:
    last: 3
    days: 30

- name: Keep on the relay what its stations are assigned
  fleet.core.content_prune:
    keep: [image/classroom/20261121T005800Z, package/libreoffice]
"""

RETURN = r"""
manifests:
  description: Manifests that were removed.
  returned: success
  type: list
  elements: str
  sample: [image classroom 20250110T071500Z]
chunks:
  description: Number of chunks that were removed.
  returned: success
  type: int
  sample: 311
bytes:
  description: Their bytes.
  returned: success
  type: int
  sample: 104857600
jobs:
  description: Expired jobs that were ended.
  returned: success
  type: list
  elements: str
stale:
  description: Number of temporary and damaged files that were removed.
  returned: success
  type: int
  sample: 0
waits_for:
  description: Open jobs because of which no chunk was removed.
  returned: success
  type: list
  elements: str
"""

from pathlib import Path

from ansible.module_utils.basic import AnsibleModule

from ansible_collections.fleet.core.plugins.module_utils.content.job import Jobs
from ansible_collections.fleet.core.plugins.module_utils.content.prune import Retention, prune
from ansible_collections.fleet.core.plugins.module_utils.content.store import ChunkStore
from ansible_collections.fleet.core.plugins.module_utils.errors import FleetError

ARGUMENT_SPEC = {
    "path": {"type": "path", "default": "/srv/fleet/content"},
    "keep": {"type": "list", "elements": "str"},
    "last": {"type": "int"},
    "days": {"type": "float"},
    "allow_empty": {"type": "bool", "default": False},
    "wait": {"type": "int", "default": 60},
    "web_user": {"type": "str", "default": "www-data"},
}


def main() -> None:
    """Run the module."""
    module = AnsibleModule(argument_spec=ARGUMENT_SPEC, supports_check_mode=True)
    given = module.params
    store = ChunkStore(Path(given["path"]))
    try:
        result = prune(
            store,
            Retention(given["keep"], given["last"], given["days"]),
            jobs=Jobs(store, given["web_user"]) if (store.root / "jobs").is_dir() else None,
            allow_empty=given["allow_empty"],
            dry_run=module.check_mode,
            wait=given["wait"],
        )
    except FleetError as error:
        module.fail_json(msg=str(error), **error.details)
    diff = {"before": "".join(f"{ref}\n" for ref in result.manifests), "after": ""}
    module.exit_json(changed=result.changed, diff=diff, **result.as_dict())


if __name__ == "__main__":
    main()
