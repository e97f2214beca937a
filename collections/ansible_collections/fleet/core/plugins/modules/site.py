#!/usr/bin/python

# Copyright: (c) 2026, Fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Sites in the station database."""

from __future__ import annotations

DOCUMENTATION = r"""
module: site
short_description: Sites in the station database
version_added: "0.1.0"
author: Fleet contributors (@fleet)
description:
  - Makes sure that a site is in the station database as it should be, or is not there.
  - What is not given stays as it is.
extends_documentation_fragment:
  - fleet.core.attributes
  - fleet.core.stationdb
attributes:
  check_mode:
    support: full
  diff_mode:
    support: full
options:
  slug:
    description: Short name, with lowercase letters, digits and underscores. Its group in the inventory is C(site_<slug>).
    type: str
    required: true
  name:
    description: Name for people; a new site without one is named by its O(slug).
    type: str
  parent:
    description: Short name of the site it is part of; empty for a site at the top.
    type: str
  time_zone:
    description: Time zone, as V(Europe/Paris); empty is the parent's.
    type: str
  relay:
    description: Name of the station that keeps content for the site; empty for none.
    type: str
  content_url:
    description: Address of the relay's content, as V(https://relay.lyon.example/content); empty is the parent's.
    type: str
  subnets:
    description: Subnets of the site; the list replaces those there are.
    type: list
    elements: str
  variables:
    description: Variables of the site's group in the inventory; they replace those there are.
    type: dict
  state:
    description: Whether there should be such a site. One with stations, groups or other sites in it is not removed.
    type: str
    choices: [present, absent]
    default: present
seealso:
  - module: fleet.core.station
  - plugin: fleet.core.stations
    plugin_type: inventory
"""

EXAMPLES = r"""
- name: A site with its relay
  fleet.core.site:
    url: https://stations.example
    slug: lyon
    name: Lyon, rue de la République
    parent: france
    time_zone: Europe/Paris
    subnets: [10.69.0.0/16]
    content_url: https://relay.lyon.example/content
  delegate_to: localhost
"""

RETURN = r"""
site:
  description: The site as it is now, or would be in check mode.
  returned: when O(state=present)
  type: dict
  sample:
    slug: lyon
    name: Lyon, rue de la République
    parent: france
    time_zone: Europe/Paris
    relay: null
    content_url: https://relay.lyon.example/content
    variables: {}
    subnets: [10.69.0.0/16]
    group: site_lyon
    stations: 12
"""

from ansible.module_utils.basic import AnsibleModule, env_fallback

from ansible_collections.fleet.core.plugins.module_utils.errors import FleetError
from ansible_collections.fleet.core.plugins.module_utils.stationdb import access
from ansible_collections.fleet.core.plugins.module_utils.stationdb.client import Client
from ansible_collections.fleet.core.plugins.module_utils.stationdb.entity import given
from ansible_collections.fleet.core.plugins.module_utils.stationdb.site import FIELDS, ensure_site, remove_site

ARGUMENT_SPEC = {
    **access.argument_spec(env_fallback),
    **FIELDS,
    "slug": {"type": "str", "required": True},
    "state": {"type": "str", "choices": ["present", "absent"], "default": "present"},
}


def main() -> None:
    """Run the module."""
    module = AnsibleModule(argument_spec=ARGUMENT_SPEC, supports_check_mode=True)
    slug = module.params["slug"]
    try:
        with Client(access.Access.of_module(module.params)) as client:
            if module.params["state"] == "absent":
                done = remove_site(client, slug, check_mode=module.check_mode)
            else:
                done = ensure_site(client, slug, given(module.params, FIELDS), check_mode=module.check_mode)
    except FleetError as error:
        module.fail_json(msg=str(error), **error.details)
    module.exit_json(**done.as_dict("site"))


if __name__ == "__main__":
    main()
