#!/usr/bin/python

# Copyright: (c) 2026, Fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Import stations from a table."""

from __future__ import annotations

DOCUMENTATION = r"""
module: station_import
short_description: Import stations from a table
version_added: "0.1.0"
author: Fleet contributors (@fleet)
description:
  - Adds and changes stations from a CSV of a spreadsheet, with commas or semicolons, in UTF-8, with the names of its columns first.
  - "Columns: C(name), C(site), C(kind), C(state), C(tag), C(uuid), C(serial), C(macs), C(address), C(model), C(image), C(disk_identity),
    C(groups), C(variables), C(comment). Those that are left out stay as they are."
  - All or nothing. In check mode the differences are told, and every bad line, by the station database itself.
extends_documentation_fragment:
  - fleet.core.attributes
  - fleet.core.stationdb
attributes:
  check_mode:
    support: full
  diff_mode:
    support: full
options:
  src:
    description: The file, where the module runs.
    type: path
  content:
    description: The table itself.
    type: str
seealso:
  - module: fleet.core.station
"""

EXAMPLES = r"""
- name: What would this list change?
  fleet.core.station_import:
    url: https://stations.example
    src: purchase-2026-11.csv
  delegate_to: localhost
  check_mode: true
  diff: true
"""

RETURN = r"""
stations:
  description: Lines that add or change a station, or would in check mode.
  returned: success
  type: list
  elements: dict
  sample: [{line: 2, name: pc01, result: changed, changes: [{field: tag, before: "", after: ALPHA}]}]
created:
  description: Stations that were added.
  returned: success
  type: int
  sample: 12
updated:
  description: Stations that were changed.
  returned: success
  type: int
  sample: 3
unchanged:
  description: Lines that say what is known.
  returned: success
  type: int
  sample: 85
errors:
  description: What is wrong, by line and column.
  returned: failure
  type: list
  elements: str
"""

from pathlib import Path

from ansible.module_utils.basic import AnsibleModule, env_fallback

from ansible_collections.fleet.core.plugins.module_utils.errors import FleetError, InputError
from ansible_collections.fleet.core.plugins.module_utils.stationdb import access
from ansible_collections.fleet.core.plugins.module_utils.stationdb.client import Client
from ansible_collections.fleet.core.plugins.module_utils.stationdb.table import import_table

ARGUMENT_SPEC = {**access.argument_spec(env_fallback), "src": {"type": "path"}, "content": {"type": "str"}}


def main() -> None:
    """Run the module."""
    module = AnsibleModule(
        argument_spec=ARGUMENT_SPEC, required_one_of=[("src", "content")], mutually_exclusive=[("src", "content")], supports_check_mode=True
    )
    source = module.params["src"]
    try:
        try:
            table = Path(source).read_bytes() if source else module.params["content"].encode()
        except OSError as error:
            raise InputError(f"{source} cannot be read: {error.strerror}", remedy="Name a file where the module runs") from error
        with Client(access.Access.of_module(module.params)) as client:
            done = import_table(client, table, check_mode=module.check_mode)
    except FleetError as error:
        module.fail_json(msg=str(error), **error.details)
    module.exit_json(**done.as_dict())


if __name__ == "__main__":
    main()
