#!/usr/bin/python

# Copyright: (c) 2026, Fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Send a station's report to the station database."""

from __future__ import annotations

DOCUMENTATION = r"""
module: report
short_description: Send a station's report to the station database
version_added: "0.1.0"
author: Fleet contributors (@fleet)
description:
  - Sends what M(fleet.core.station_facts) found on a station, for stations that do not report by themselves (role C(fleet.core.reporting)).
  - A report is sent each time, because it says that the station is alive; changed are the sections that differ from what is known.
  - The station database takes it in soon after.
extends_documentation_fragment:
  - fleet.core.attributes
  - fleet.core.stationdb
attributes:
  check_mode:
    support: full
  diff_mode:
    support: full
options:
  station:
    description: Name of the station.
    type: str
    required: true
  sections:
    description: Rows by section, as in C(ansible_facts.fleet_station).
    type: dict
    required: true
  failed_sections:
    description: Why sections could not be gathered; what is known of them stays.
    type: dict
    default: {}
  tag:
    description: Free text, such as the TAG of OCS; it does not replace the station's own.
    type: str
    default: ""
seealso:
  - module: fleet.core.station_facts
"""

EXAMPLES = r"""
- name: Look at the station
  fleet.core.station_facts:
  register: found

- name: Tell the centre
  fleet.core.report:
    url: https://stations.example
    station: "{{ inventory_hostname }}"
    sections: "{{ found.ansible_facts.fleet_station }}"
    failed_sections: "{{ found.failed_sections }}"
  delegate_to: localhost
"""

RETURN = r"""
sections:
  description: Sections that differ from what the station database knew.
  returned: success
  type: list
  elements: str
  sample: [memories, softwares]
id:
  description: Number of the report.
  returned: when it was sent
  type: str
  sample: 18ea11cc145c67c6726c40a7f93c1927
"""

from ansible.module_utils.basic import AnsibleModule, env_fallback

from ansible_collections.fleet.core.plugins.module_utils.errors import FleetError
from ansible_collections.fleet.core.plugins.module_utils.station.document import write
from ansible_collections.fleet.core.plugins.module_utils.station.report import Report
from ansible_collections.fleet.core.plugins.module_utils.stationdb import access
from ansible_collections.fleet.core.plugins.module_utils.stationdb.client import Client
from ansible_collections.fleet.core.plugins.module_utils.stationdb.report import send_report

ARGUMENT_SPEC = {
    **access.argument_spec(env_fallback),
    "station": {"type": "str", "required": True},
    "sections": {"type": "dict", "required": True},
    "failed_sections": {"type": "dict", "default": {}},
    "tag": {"type": "str", "default": ""},
}


def main() -> None:
    """Run the module."""
    module = AnsibleModule(argument_spec=ARGUMENT_SPEC, supports_check_mode=True)
    given = module.params
    try:
        report = Report(given["sections"], given["failed_sections"])
        document = write(report, given["station"], tag=given["tag"])
        with Client(access.Access.of_module(given)) as client:
            done = send_report(client, given["station"], report.sections, document, check_mode=module.check_mode)
    except FleetError as error:
        module.fail_json(msg=str(error), **error.details)
    module.exit_json(**done.as_dict())


if __name__ == "__main__":
    main()
