# Copyright: (c) 2026, Fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Putting many hosts into Ansible's inventory.

``set_variable`` and ``add_child`` take 150 µs a host of 15 variables and 5 groups, most of it for checks and copies that our stream does
not need. DirectFill does what they do once for all hosts that are in the same groups; SlowFill calls them. ``fill_for`` looks whether this
ansible-core's objects are still made as DirectFill believes, by filling a tiny inventory both ways, and falls back when they are not.
"""

from __future__ import annotations

import contextlib
import gc
from collections.abc import Iterator, Sequence
from typing import Any, Protocol

from ansible.inventory.data import InventoryData
from ansible.inventory.group import Group
from ansible.inventory.host import Host
from ansible.utils.path import basedir

MANY = 10_000
"""Hosts from which on Python's collector is told that they stay: it would go through all of them again and again."""


class Fill(Protocol):
    """A way to put hosts into an inventory."""

    def add(self, name: str, groups: Sequence[str], variables: dict[str, Any]) -> None:
        """Add a host to groups that exist. The variables become the inventory's own."""


class SlowFill:
    """Through the documented methods of an inventory."""

    def __init__(self, inventory: InventoryData) -> None:
        self._inventory = inventory

    def add(self, name: str, groups: Sequence[str], variables: dict[str, Any]) -> None:
        """See Fill."""
        inventory = self._inventory
        inventory.add_host(name)
        for key, value in variables.items():
            inventory.set_variable(name, key, value)
        for group in groups:
            inventory.add_child(group, name)


class DirectFill:
    """Straight into the inventory's hosts and groups. A host that another source has named already is added the slow way."""

    def __init__(self, inventory: InventoryData) -> None:
        self._inventory = inventory
        self._slow = SlowFill(inventory)
        self._hosts: dict[str, Host] = inventory.hosts
        source = inventory.current_source
        self._common = {"inventory_file": source, "inventory_dir": basedir(source) if source else None}
        self._combinations: dict[tuple[str, ...], tuple[list[Group], list[Any]]] = {}

    def add(self, name: str, groups: Sequence[str], variables: dict[str, Any]) -> None:
        """See Fill."""
        if name in self._hosts:
            self._slow.add(name, groups, variables)
            return
        known = self._combinations.get(tuple(groups))
        if known is None:
            known = self._combinations[tuple(groups)] = self._combination(groups)
        self._hosts[name] = host = Host(name)
        variables.update(self._common)
        host.vars = variables
        host.groups = known[0].copy()
        for append in known[1]:
            append(host)

    def _combination(self, names: Sequence[str]) -> tuple[list[Group], list[Any]]:
        """The groups of a host in these, ancestors included, and what adds a host to each."""
        groups = [self._inventory.groups[name] for name in names]
        first = Host("first of its kind")
        for group in groups:
            first.add_group(group)
            # Both are made again from the hosts when somebody asks.
            group.clear_hosts_cache()
            group._hosts = None
        self._inventory._groups_dict_cache = {}
        return first.groups, [group.hosts.append for group in groups]


def fill_for(inventory: InventoryData) -> Fill:
    """The fastest way that is right with this ansible-core."""
    return DirectFill(inventory) if direct_is_right() else SlowFill(inventory)


def direct_is_right() -> bool:
    """Whether both ways give equal objects."""
    try:
        return _contents(DirectFill) == _contents(SlowFill)
    except Exception:  # whatever a future ansible-core raises, the slow way is left
        return False


@contextlib.contextmanager
def undisturbed() -> Iterator[None]:
    """Without the cyclic collector: hosts and groups refer to each other, and none of them is garbage while an inventory is read."""
    gc.unfreeze()  # of an earlier reading, which may be garbage now
    working = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if working:
            gc.enable()


def keep(hosts: int) -> None:
    """After a large inventory: what is there now stays. Forks of ansible share its memory for longer, too."""
    if hosts >= MANY:
        gc.freeze()


def _contents(way: type[DirectFill] | type[SlowFill]) -> tuple[dict[str, Any], dict[str, Any]]:
    """Everything that an inventory of two hosts holds, without identities."""
    inventory = InventoryData()
    inventory.current_source = "/fleet/probe.stations.yml"
    for name in ("parent", "child", "other"):
        inventory.add_group(name)
    inventory.add_child("parent", "child")
    fill = way(inventory)
    fill.add("one", ("child", "other"), {"number": 1, "list": ["a"]})
    fill.add("two", ("child", "other"), {"number": 2, "map": {"a": 1}})
    for group in inventory.groups.values():
        group.host_names  # noqa: B018  # made when it is asked for
    hosts = {name: {**_plain(vars(host)), "_uuid": None} for name, host in inventory.hosts.items()}
    groups = {name: _plain(vars(group)) for name, group in inventory.groups.items()}
    return hosts, {**groups, "groups": inventory.get_groups_dict()}


def _plain(said: dict[str, Any]) -> dict[str, Any]:
    """Attributes with names in the place of hosts and groups."""
    return {
        name: sorted(map(str, value)) if isinstance(value, list) and name != "vars" else value
        for name, value in said.items()
        if name != "_hosts_cache"
    }
