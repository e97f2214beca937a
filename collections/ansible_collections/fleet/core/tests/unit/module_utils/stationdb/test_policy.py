# Copyright: (c) 2026, Fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a controller accepts from the station database."""

from __future__ import annotations

from typing import Any

import pytest

from ansible_collections.fleet.core.plugins.module_utils.stationdb.inventory import Batch
from ansible_collections.fleet.core.plugins.module_utils.stationdb.policy import Policy


def batch(*rows: dict[str, Any], names: tuple[str, ...] = ()) -> Batch:
    names = names or tuple(f"pc{number}" for number in range(len(rows)))
    return Batch(list(names), [0] * len(names), list(rows), frozenset(name for row in rows for name in row))


@pytest.mark.parametrize(
    "name",
    [
        "ansible_connection",
        "ansible_ssh_common_args",
        "ansible_become_pass",
        "ansible_python_interpreter",
        "ansible_group_priority",
        "groups",
        "hostvars",
        "omit",
        "inventory_dir",
        "a-b",
        "1a",
        "",
        "class",
        "é",
        "a b",
    ],
)
def test_names_that_decide_what_runs_here_or_mean_something_else_stay_out(name: str) -> None:
    policy = Policy()
    assert not policy.accepts(name)
    assert [name] in policy.refused.values()
    assert policy.variables({name: 1, "fine": 2}) == {"fine": 2}


@pytest.mark.parametrize("name", ["room", "fleet_site", "_x", "ansible_host", "ansible_port", "ansible_user", "Ansible_x"])
def test_other_names_are_fine(name: str) -> None:
    assert Policy().accepts(name)


def test_what_the_controllers_admin_allows_is_accepted() -> None:
    assert Policy(["ansible_connection"]).accepts("ansible_connection")


@pytest.mark.parametrize(
    ("name", "value", "fine"),
    [
        ("ansible_host", "10.1.2.3", True),
        ("ansible_host", "2001:db8::1", True),
        ("ansible_host", "::1", True),
        ("ansible_host", "-oProxyCommand=x", False),
        ("ansible_host", "evil.example", False),
        ("ansible_host", "10.1.2.3\n", False),
        ("ansible_host", None, False),
        ("ansible_port", 22, True),
        ("ansible_port", True, False),
        ("ansible_port", "22", False),
        ("ansible_port", 70000, False),
        ("ansible_user", "root", True),
        ("ansible_user", "EXAMPLE\\admin", True),
        ("ansible_user", "-oProxyCommand=x", False),
        ("ansible_user", 'a"b', False),
        ("ansible_user", "{{ x }}", False),
    ],
)
def test_values_of_connection_variables_are_checked(name: str, value: Any, fine: bool) -> None:
    policy = Policy()
    rows = batch({name: value, "other": 1}, {"other": 2})
    assert policy.clean(rows) == [True, True]
    assert (name in rows.variables[0]) == fine
    assert bool(policy.refused) != fine
    assert (policy.variables({name: value}) == {name: value}) == fine


@pytest.mark.parametrize("name", ["localhost", "127.0.0.1", "::1", "-x", "a/b", "pc 1", "{{ x }}", "", "pc1\n"])
def test_names_that_are_no_hosts_are_left_out(name: str) -> None:
    assert Policy().clean(batch({}, {}, names=("fine-01.example", name))) == [True, False]


def test_group_names() -> None:
    assert Policy().groups(["site_lyon", "all!", "Kiosks", "a-b", ""]) == [True, False, False, False, False]
