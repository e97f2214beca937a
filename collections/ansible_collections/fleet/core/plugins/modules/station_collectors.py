#!/usr/bin/python

# Copyright: (c) 2026, Fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Install the collectors of station facts on a station."""

from __future__ import annotations

DOCUMENTATION = r"""
module: station_collectors
short_description: Install the collectors of station facts on a station
version_added: "0.1.0"
author: Fleet contributors (@fleet)
description:
  - Writes what M(fleet.core.station_facts) runs into a folder of the station, so that it can gather by itself, C(python3 -I FOLDER gather).
  - One task instead of one for each file; the module carries the files, nothing is downloaded.
  - The role P(fleet.core.reporting#role) uses it, and adds timers, keys and the place to report to.
extends_documentation_fragment:
  - fleet.core.attributes
attributes:
  check_mode:
    support: full
  diff_mode:
    support: full
options:
  path:
    description: Folder that belongs to this module alone; other files in it are removed.
    type: path
    default: /usr/local/lib/fleet-report
  state:
    description: V(absent) removes the folder.
    type: str
    choices: [present, absent]
    default: present
seealso:
  - module: fleet.core.station_facts
"""

EXAMPLES = r"""
- name: Install the collectors
  fleet.core.station_collectors:
  become: true
"""

RETURN = r"""
written:
  description: Files that are written, by their path in the folder.
  returned: success
  type: list
  elements: str
  sample: [fleet_report/station/monitors.py]
removed:
  description: Files that are removed.
  returned: success
  type: list
  elements: str
  sample: []
"""

from pathlib import Path

from ansible.module_utils.basic import AnsibleModule

from ansible_collections.fleet.core.plugins.module_utils.errors import FleetError
from ansible_collections.fleet.core.plugins.module_utils.station.install import Plan

ARGUMENT_SPEC = {
    "path": {"type": "path", "default": "/usr/local/lib/fleet-report"},
    "state": {"type": "str", "choices": ["present", "absent"], "default": "present"},
}


def main() -> None:
    """Run the module."""
    module = AnsibleModule(argument_spec=ARGUMENT_SPEC, supports_check_mode=True)
    try:
        plan = Plan.build(Path(module.params["path"]), present=module.params["state"] == "present")
        if plan.changed and not module.check_mode:
            plan.run()
    except FleetError as error:
        module.fail_json(msg=str(error), **error.details)
    written = sorted(plan.write)
    diff = {"before": "".join(f"{name}\n" for name in plan.remove), "after": "".join(f"{name}\n" for name in written)}
    module.exit_json(changed=plan.changed, written=written, removed=plan.remove, diff=diff)


if __name__ == "__main__":
    main()
