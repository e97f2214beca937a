# Copyright: (c) 2026, Fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Both ends of a session are in the same group, and sessions side by side are not."""

from __future__ import annotations

import ipaddress
from typing import Any

import pytest

from ansible_collections.fleet.imaging.plugins.module_utils.clone.params import settings


def given(address: str, secret: str, group: str | None = None) -> dict[str, Any]:
    more = {"ports": "7700-7731", "interface": "", "ttl": 1, "mtu": 1500, "patience": 30.0}
    return {"address": address, "secret": secret, "group": group, **more}


@pytest.mark.parametrize(("address", "network"), [("10.0.0.1", "239.255.77.0/24"), ("fd77::1", "ff12::4d00/120")])
def test_sessions_have_groups_of_their_own_that_both_ends_know(address: str, network: str) -> None:
    groups = [settings(given(address, f"{number:064x}")).group for number in range(64)]
    assert groups == [settings(given(address, f"{number:064X}")).group for number in range(64)]
    assert len(set(groups)) > 32
    assert all(ipaddress.ip_address(group) in ipaddress.ip_network(network) for group in groups)


def test_a_group_that_is_set_counts() -> None:
    assert settings(given("10.0.0.1", "ab" * 32, "239.1.2.3")).group == "239.1.2.3"
