# Copyright: (c) 2026, Fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Networks of IPv6 in criteria, however an address is written."""

from __future__ import annotations

import ipaddress
import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from stationdb.criteria.network import spellings_in
from stationdb.registry.models import Site, Station

# Groups that are often zero, so that "::" stands in all places.
GROUPS = st.lists(st.sampled_from([0, 0, 0, 1, 0x10, 0x2001, 0xDB8, 0xFFFF]), min_size=8, max_size=8)
NUMBERS = GROUPS.map(lambda groups: sum(group << 16 * (7 - place) for place, group in enumerate(groups))) | st.integers(0, 2**128 - 1)


@settings(deadline=None)
@given(NUMBERS, NUMBERS, st.integers(0, 127))
def test_the_texts_of_a_network_are_those_of_its_addresses(one, other, length):
    network = ipaddress.IPv6Network((one, length), strict=False)
    wanted = re.compile(spellings_in(network), re.IGNORECASE)
    inside = int(network.network_address) | other & int(network.hostmask)
    for number in (one, other, inside, int(network.network_address), int(network.broadcast_address)):
        address = ipaddress.IPv6Address(number)
        for text in (address.compressed, address.exploded, address.compressed.upper()):
            assert bool(wanted.search(text)) == (address in network), (text, network)


@pytest.mark.parametrize(
    "text", ["", "::", "10.1.2.3", "2001:db8", "2001:db8:::1", "2001:db8::1%eth0", "x2001:db8::1", "2001:db8::1\n2001:db9::1"]
)
def test_what_is_no_address_is_in_no_network(text):
    assert not re.search(spellings_in(ipaddress.ip_network("2001:db8::/32")), text)


@pytest.mark.parametrize(
    ("network", "names"),
    [
        ("2001:db8::/32", "pc1 pc2 pc3"),
        ("2001:db8:0:7::/64", "pc1 pc3"),
        ("2001:db8:7::/48", "pc2"),
        ("2001:db8::7:0:0:0:0/65", "pc1 pc3"),
        ("2001:db8::7:8000:0:0:0/65", ""),
        ("2000::/3", "pc1 pc2 pc3"),
        ("fe80::/10", "pc4"),
        ("::/0", "pc1 pc2 pc3 pc4"),
        ("::/1", "pc1 pc2 pc3"),
        ("(2001:db8:7::/48, fe80::/10)", "pc2 pc4"),
        ("(10.0.0.0/8, fe80::/10)", "pc4 pc5"),
    ],
)
def test_stations_of_a_network_are_found(found, network, names):
    Station.objects.all().delete()
    site = Site.objects.get(slug="root")
    Station.objects.create(name="pc1", site=site, address="2001:db8:0:7::1")
    Station.objects.create(name="pc2", site=site, reported_address="2001:DB8:7::1")
    Station.objects.create(name="pc3", site=site, reported_address="2001:db8:0:7:1:2:3:4")
    Station.objects.create(name="pc4", site=site, reported_address="fe80::5054:ff:fe12:3456")
    Station.objects.create(name="pc5", site=site, address="10.1.2.3", reported_address="x")
    assert found(f"address in {network}") == set(names.split())
