# Copyright: (c) 2026, Fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Inventory from the station database."""

from __future__ import annotations

DOCUMENTATION = r"""
name: stations
short_description: Stations of the station database
version_added: "0.1.0"
author: Fleet contributors (@fleet)
description:
  - Reads sites, groups and stations from the station database (C(stationdb serve)). Files are named C(*.stations.yml).
  - "Groups: C(site_<short name>) for each site, nested as the sites are; every static and dynamic group; and C(stations), C(models),
    C(relays), C(content_stores) for what a station is. Variables of sites and groups are group variables."
  - "Host variables: C(ansible_host) (see O(addresses)), C(fleet_site), C(fleet_state), C(fleet_tag),
    C(fleet_serial), C(fleet_uuid), C(fleet_macs), C(fleet_manufacturer), C(fleet_product), C(fleet_os), C(fleet_os_version),
    C(fleet_architecture), C(fleet_model), C(fleet_image) (name/version), C(fleet_disk_identity), C(fleet_content_sources) (nearest first),
    and the station's own."
  - What comes from the database is never templated.
  - Connection variables (C(ansible_...)) from the database are left out, because they may decide what runs on the controller, except
    C(ansible_host), C(ansible_port), C(ansible_user) and those in O(connection_variables). A station with the name of a group, or of the
    controller itself (C(localhost)), is left out. A warning names what was left out.
  - Only the stations that the token's user may see are read, and filters are part of the query, so that a site of a large database costs
    little. C(--limit) cannot do that.
extends_documentation_fragment:
  - constructed
  - inventory_cache
options:
  plugin:
    description: Always V(fleet.core.stations).
    type: str
    required: true
    choices: [fleet.core.stations]
  url:
    description: Address of the station database, as V(https://stations.example). V(http://) is for loopback only.
    type: str
    required: true
    env:
      - name: FLEET_STATIONDB_URL
  token:
    description:
      - The token, made by C(stationdb token issue). Keep it out of files that others read, and rather use the environment or O(token_file).
    type: str
    env:
      - name: FLEET_STATIONDB_TOKEN
  token_file:
    description: A file with the token, that only its owner may read; a relative path starts at the folder of the inventory file.
    type: str
    env:
      - name: FLEET_STATIONDB_TOKEN_FILE
  ca_file:
    description:
      - Certificates of the authority that issued the server's certificate; the system's authorities when it is not given. A relative path
        starts at the folder of the inventory file.
    type: str
    env:
      - name: FLEET_STATIONDB_CA_FILE
  validate_certs:
    description: Check the server's certificate. V(false) is for trials.
    type: bool
    default: true
  timeout:
    description: Seconds without a byte after which the server is given up.
    type: int
    default: 60
  sites:
    description: Only stations of these sites (short names) and of those below them.
    type: list
    elements: str
    default: []
  in_groups:
    description: Only stations that are in one of these groups, static, dynamic, or a kind such as V(models).
    type: list
    elements: str
    default: []
  criteria:
    description: Only stations that meet these criteria, as C(ram < 8 GiB and tag = ALPHA).
    type: str
    default: ""
  states:
    description: Only stations in these states; all but retired ones when it is empty.
    type: list
    elements: str
    choices: [new, ready, repair, retired]
    default: []
  addresses:
    description:
      - Which addresses become C(ansible_host). A reserved address always does. What a station reports is not more trustworthy than whoever
        may report for it, and Ansible sends the site's commands and passwords there.
      - V(reserved) takes reserved addresses only; without one Ansible looks the station's name up (DNS).
      - V(subnets) also takes the address that a station reports, if the longest subnet with it is one of its site, or of a site above it,
        and if it is neither the reserved address of another station nor the station database's own. A warning names the stations whose
        address does not count.
      - V(reported) also takes any other address that a station reports.
    type: str
    choices: [reserved, subnets, reported]
    default: subnets
  secrets:
    description:
      - Read secret values such as licence keys as well, into the variable C(fleet_secrets). Needs the right C(stations.secrets), and is
        never cached.
    type: bool
    default: false
  connection_variables:
    description: Names of further C(ansible_...) variables that the station database may set on this controller.
    type: list
    elements: str
    default: []
  revalidate:
    description:
      - With O(cache), ask the station database each time whether the cached inventory is still right, which it tells in a few bytes.
      - With V(false) it is not asked for O(cache_timeout) seconds.
    type: bool
    default: true
  use_stale:
    description:
      - With O(cache), use the cached inventory with a warning when the station database cannot be reached.
    type: bool
    default: false
seealso:
  - module: fleet.core.station
"""

EXAMPLES = r"""
# site.stations.yml: everything that the token's user may see
plugin: fleet.core.stations
url: https://stations.example
token_file: ~/.config/fleet/token

---
# lyon.stations.yml: one site and what is below it, without what is in repair
plugin: fleet.core.stations
url: https://stations.example
ca_file: authority.pem
sites: [lyon]
states: [ready]

---
# old.stations.yml: who needs the new office suite; more groups by the system
plugin: fleet.core.stations
url: https://stations.example
criteria: software "libreoffice" < 24.2 and not group(servers)
keyed_groups:
  - key: fleet_os
    prefix: os
cache: true
cache_plugin: ansible.builtin.jsonfile
cache_connection: ~/.cache/fleet/inventory
use_stale: true
"""

import hashlib
import os

from ansible.errors import AnsibleParserError
from ansible.plugins.inventory import BaseInventoryPlugin, Cacheable, Constructable

from ansible_collections.fleet.core.plugins.module_utils.errors import FleetError, InputError
from ansible_collections.fleet.core.plugins.module_utils.stationdb.access import Access
from ansible_collections.fleet.core.plugins.module_utils.stationdb.client import Client, Unreachable
from ansible_collections.fleet.core.plugins.module_utils.stationdb.inventory import InventoryReader
from ansible_collections.fleet.core.plugins.module_utils.stationdb.policy import Policy
from ansible_collections.fleet.core.plugins.plugin_utils.inventory_fill import fill_for, keep, undisturbed

FILTERS = {"sites": "site", "in_groups": "group", "states": "state", "criteria": "criteria", "addresses": "addresses", "secrets": "secrets"}
"""Options, and what they are called in the query."""


class InventoryModule(BaseInventoryPlugin, Constructable, Cacheable):
    """The plugin."""

    NAME = "fleet.core.stations"

    def verify_file(self, path):
        """Accept *.stations.yml."""
        return super().verify_file(path) and path.endswith((".stations.yml", ".stations.yaml"))

    def parse(self, inventory, loader, path, cache=True):
        """Fill the inventory."""
        super().parse(inventory, loader, path, cache)
        self._read_config_data(path)
        try:
            with undisturbed():
                count = self._fill(path, cache)
                keep(count)
        except FleetError as error:
            raise AnsibleParserError(f"{path}: {error}") from error

    def _fill(self, path, cache):
        access, query = self._access(path), self._query()
        if not self.get_option("cache"):
            with Client(access) as client, client.lines("/inventory", query) as lines:
                return self._read(lines)
        if self.get_option("secrets"):
            raise InputError("An inventory with secret values is never cached", remedy="Set cache or secrets to false")
        key = self.get_cache_key(path)
        mark = hashlib.sha256(repr((access.url, sorted(query.items()), access.token)).encode()).hexdigest()
        kept = self._kept(key, mark) if cache else None
        if kept is None or self.get_option("revalidate"):
            kept = self._fetched(access, query, mark, kept)
            self._cache[key] = kept
        return self._read(iter(kept["text"].encode().splitlines()))

    def _kept(self, key, mark):
        """What is in the cache for the same question of the same user, if anything can be read."""
        try:
            kept = self._cache.get(key)
        except Exception as error:  # what a plugin raises for a damaged file is not said anywhere
            self.display.warning(f"The cached inventory cannot be read, and is fetched again. {error}")
            return None
        right = isinstance(kept, dict) and kept.get("mark") == mark and isinstance(kept.get("text"), str)
        return kept if right else None

    def _fetched(self, access, query, mark, kept):
        """What to cache: what there was if it is still right, or all that can be had."""
        try:
            with Client(access) as client, client.lines("/inventory", query, kept["etag"] if kept else "") as lines:
                if lines is None:
                    return kept
                text = b"\n".join(lines).decode()
        except Unreachable as error:
            if kept is None or not self.get_option("use_stale"):
                raise
            self.display.warning(f"The inventory may be out of date, it comes from the cache. {error}")
            return kept
        reader = InventoryReader(iter(text.encode().splitlines()))
        for _batch in reader.batches():
            pass
        return {"mark": mark, "etag": reader.etag, "text": text}

    def _read(self, lines):
        """Put a stream into the inventory, once it has come whole; the number of stations."""
        policy = Policy(self.get_option("connection_variables"))
        reader = InventoryReader(lines, policy.accepts)
        batches = list(reader.batches())
        for warning in reader.warnings:
            self.display.warning(warning)
        accepted = self._groups(reader, policy)
        combinations = [tuple(reader.groups[number].name for number in numbers if accepted[number]) for numbers in reader.combinations]
        fill, hosts = fill_for(self.inventory), []
        for batch in batches:
            for name, number, variables, wanted in zip(batch.names, batch.combinations, batch.variables, policy.clean(batch)):
                if not wanted:
                    continue
                if name in self.inventory.groups:
                    policy.refuse(name, "is the name of a group and of a station; rename one")
                    continue
                fill.add(name, combinations[number], variables)
                hosts.append(name)
        self._construct(hosts)
        for reason, names in policy.refused.items():
            self.display.warning(f"Left out of the inventory: {', '.join(names[:10])}{' …' if len(names) > 10 else ''} ({reason})")
        return len(hosts)

    def _groups(self, reader, policy):
        """Add the groups; which of them, by number, there are."""
        accepted = policy.groups(group.name for group in reader.groups)
        wanted = [group for group, fine in zip(reader.groups, accepted) if fine]
        for group in wanted:
            self.inventory.add_group(group.name)
            for name, value in policy.variables(group.variables).items():
                self.inventory.set_variable(group.name, name, value)
        for group in wanted:
            for child in group.children:
                self.inventory.add_child(group.name, child)
        return accepted

    def _construct(self, names):
        """Variables and groups that the file composes."""
        compose, groups, keyed = (self.get_option(name) for name in ("compose", "groups", "keyed_groups"))
        if not (compose or groups or keyed):
            return
        strict = self.get_option("strict")
        for name in names:
            host = self.inventory.hosts[name]
            self._set_composite_vars(compose, host.get_vars(), name, strict)
            variables = host.get_vars()
            self._add_host_to_composed_groups(groups, variables, name, strict, fetch_hostvars=False)
            self._add_host_to_keyed_groups(keyed, variables, name, strict, fetch_hostvars=False)

    def _access(self, path):
        token_file, ca_file = (self._near(path, self.get_option(name)) for name in ("token_file", "ca_file"))
        token = self.get_option("token")
        checks = {"ca_file": ca_file, "validate_certs": self.get_option("validate_certs"), "timeout": self.get_option("timeout")}
        return Access.of(self.get_option("url"), str(token) if token else None, token_file, **checks)

    def _query(self):
        return {asked: self.get_option(option) for option, asked in FILTERS.items() if self.get_option(option)}

    @staticmethod
    def _near(path, named):
        """A path that starts at the folder of the inventory file."""
        return os.path.join(os.path.dirname(os.path.abspath(path)), os.path.expanduser(named)) if named else None
