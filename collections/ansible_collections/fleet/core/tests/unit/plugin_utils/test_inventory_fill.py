# Copyright: (c) 2026, Fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Both ways to fill an inventory give the same one; this fails when a new ansible-core keeps hosts and groups in another way."""

from __future__ import annotations

import gc
from typing import Any

import pytest
from ansible.inventory.data import InventoryData
from ansible.inventory.host import Host

from ansible_collections.fleet.core.plugins.plugin_utils import inventory_fill
from ansible_collections.fleet.core.plugins.plugin_utils.inventory_fill import (
    DirectFill,
    SlowFill,
    direct_is_right,
    fill_for,
    keep,
    undisturbed,
)


def inventory_of(way: type[DirectFill] | type[SlowFill]) -> InventoryData:
    """A tree of sites, groups, hosts that are in several, one that another source has named before, and what Ansible does afterwards."""
    inventory = InventoryData()
    inventory.add_group("mine")
    inventory.add_host("pc03", "mine")
    inventory.set_variable("pc03", "room", "other")
    inventory.set_variable("pc03", "kept", {"a": 1})
    inventory.current_source = "/etc/site.stations.yml"
    for name in ("site_a", "site_a1", "site_a11", "kiosks", "empty", "stations"):
        inventory.add_group(name)
    inventory.add_child("site_a", "site_a1")
    inventory.add_child("site_a1", "site_a11")
    inventory.set_variable("site_a", "from", "a")
    inventory.get_groups_dict()
    fill = way(inventory)
    for number in range(40):
        groups = (("site_a", "site_a1", "site_a11")[number % 3], "stations", *(("kiosks",) if number % 2 else ()))
        fill.add(f"pc{number:02d}", groups, {"room": f"r{number}", "list": [number], "nothing": None})
    fill.add("alone", (), {})
    inventory.reconcile_inventory()
    return inventory


def contents(inventory: InventoryData) -> dict[str, Any]:
    return {
        "hosts": {name: (host.vars, sorted(map(str, host.groups)), host.address, host.implicit) for name, host in inventory.hosts.items()},
        "groups": {
            name: ([host.name for host in group.get_hosts()], group.host_names, group.vars) for name, group in inventory.groups.items()
        },
        "tree": {name: (sorted(map(str, group.child_groups)), group.depth) for name, group in inventory.groups.items()},
        "dict": inventory.get_groups_dict(),
        "names": {name: host.get_magic_vars() for name, host in inventory.hosts.items()},
    }


def test_both_ways_give_the_same_inventory() -> None:
    direct, slow = contents(inventory_of(DirectFill)), contents(inventory_of(SlowFill))
    assert direct == slow
    assert direct["hosts"]["pc03"][0]["room"] == "r3" and "mine" in direct["hosts"]["pc03"][1]
    assert "pc01" in direct["dict"]["site_a"], "through the tree"
    assert direct["dict"]["ungrouped"] == ["alone"]


def test_hosts_can_be_added_and_removed_afterwards() -> None:
    inventory = inventory_of(DirectFill)
    inventory.add_host("later", "kiosks")
    inventory.add_child("kiosks", "pc01")
    inventory.remove_host(inventory.hosts["pc05"])
    names = [host.name for host in inventory.groups["kiosks"].get_hosts()]
    assert names.count("pc01") == 1 and "later" in names and "pc05" not in names
    assert len({host._uuid for host in inventory.hosts.values()}) == len(inventory.hosts)


def test_this_ansible_core_is_as_direct_filling_believes() -> None:
    assert direct_is_right(), "ansible-core changed how it keeps hosts and groups: see plugin_utils/inventory_fill.py"
    assert isinstance(fill_for(InventoryData()), DirectFill)


def test_another_ansible_core_is_filled_the_slow_way(monkeypatch: pytest.MonkeyPatch) -> None:
    class NewHost(Host):
        def __init__(self, name: str) -> None:
            super().__init__(name)
            self.facets: dict[str, str] = {}

        def set_variable(self, key: str, value: Any) -> None:
            self.facets[key] = value
            super().set_variable(key, value)

    monkeypatch.setattr("ansible.inventory.data.Host", NewHost)
    monkeypatch.setattr(inventory_fill, "Host", NewHost)
    assert not direct_is_right()
    assert isinstance(fill_for(InventoryData()), SlowFill)


def test_the_collector_works_as_before_afterwards(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(inventory_fill, "MANY", 5)
    assert gc.isenabled()
    with pytest.raises(RuntimeError), undisturbed():
        assert not gc.isenabled()
        raise RuntimeError
    assert gc.isenabled() and gc.get_freeze_count() == 0
    keep(4)
    assert gc.get_freeze_count() == 0
    keep(5)
    assert gc.get_freeze_count() > 0
    with undisturbed():
        assert gc.get_freeze_count() == 0, "what was read before may be garbage now"
