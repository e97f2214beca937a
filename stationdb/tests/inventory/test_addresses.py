# Copyright: (c) 2026, Fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which addresses Ansible is sent to: not wherever somebody who may report wants its commands and passwords to go."""

from __future__ import annotations

import json
from typing import Any

import pytest

from stationdb.accounts.perimeter import Perimeter
from stationdb.inventory import addresses, stream
from stationdb.inventory.addresses import Which
from stationdb.inventory.selection import Selection
from stationdb.inventory.stream import InventoryStream
from stationdb.registry.models import Site, Station, Subnet

from .test_stream import ask, body, unpack

pytestmark = pytest.mark.django_db


@pytest.fixture
def sites() -> dict[str, Site]:
    """A centre with north, which has two agencies. The first has no subnets, the second one within its parent's."""
    centre = Site.objects.create(slug="centre", name="Centre")
    north = Site.objects.create(slug="north", name="North", parent=centre)
    one, two = (Site.objects.create(slug=slug, name=slug, parent=north) for slug in ("one", "two"))
    for site, network in ((north, "10.1.0.0/16"), (two, "10.1.2.0/24"), (centre, "2001:db8::/32")):
        Subnet.objects.create(site=site, network=network)
    return {"centre": centre, "north": north, "one": one, "two": two}


def hosts(which: Which = "subnets") -> tuple[dict[str, Any], list[str]]:
    """Each station's ansible_host, or None, and the warnings."""
    lines = [json.loads(line) for line in InventoryStream(Selection(Perimeter.everything()), addresses=which).lines()]
    found = {
        name: unpack(batch["columns"], number).get("ansible_host") for batch in lines[1:-1] for number, name in enumerate(batch["names"])
    }
    assert lines[-1]["stations"] == len(found)
    return found, [text for line in lines for text in line.get("warnings", [])]


def station(site: Site, reported: str = "", **more: Any) -> Station:
    return Station.objects.create(name=f"pc{Station.objects.count():02}", site=site, reported_address=reported, **more)


@pytest.mark.parametrize(
    ("slug", "reported", "counts"),
    [
        ("north", "10.1.9.9", True),
        ("one", "10.1.9.9", True),
        ("two", "10.1.2.9", True),
        ("two", "10.1.9.9", True),
        ("one", "10.1.2.9", False),
        ("north", "10.1.2.9", False),
        ("centre", "10.1.9.9", False),
        ("one", "198.51.100.7", False),
        ("two", "2001:DB8::7", True),
        ("two", "2001:db9::7", False),
        ("two", "::ffff:10.1.2.9", False),
    ],
)
def test_a_reported_address_counts_in_a_subnet_of_the_site_or_of_one_above_it(sites, slug, reported, counts):
    made = station(sites[slug], reported)
    found, warnings = hosts()
    assert found == {"pc00": reported.lower() if counts else None}
    assert [made.name in text and "reserve addresses" in text for text in warnings] == [True] * (not counts)


@pytest.mark.parametrize("reported", ["127.0.0.2", "0:0:0:0:0:0:0:1", "::ffff:127.0.0.1", "::1%lo", "0.0.0.0", "::", "224.0.0.1", "pc", ""])
@pytest.mark.parametrize("which", ["reserved", "subnets", "reported"])
def test_what_is_no_address_of_another_host_never_counts(sites, reported, which):
    for network in ("0.0.0.0/0", "::/0"):
        Subnet.objects.create(site=sites["centre"], network=network)
    station(sites["centre"], reported)
    assert hosts(which) == ({"pc00": None}, [])


def test_nor_does_what_is_reserved_for_another_station_or_is_the_servers_own(sites, monkeypatch):
    station(sites["two"], address="10.1.2.2")
    station(sites["two"], "10.1.2.2")
    station(sites["two"], "10.1.2.3")
    station(sites["two"], "10.1.2.4", address="10.1.2.5")
    monkeypatch.setattr(addresses, "own_addresses", lambda: frozenset(["10.1.2.3"]))
    found, warnings = hosts()
    assert found == {"pc00": "10.1.2.2", "pc01": None, "pc02": None, "pc03": "10.1.2.5"}
    assert warnings[0].startswith("2 stations have no ansible_host") and "pc01, pc02." in warnings[0]


def test_whoever_asks_chooses(sites):
    station(sites["one"], "198.51.100.7")
    station(sites["two"], "10.1.2.9")
    station(sites["two"], "10.1.2.9", address="10.1.2.8")
    assert hosts("reported") == ({"pc00": "198.51.100.7", "pc01": "10.1.2.9", "pc02": "10.1.2.8"}, [])
    assert hosts("reserved") == ({"pc00": None, "pc01": None, "pc02": "10.1.2.8"}, [])
    one = body(ask("?addresses=reported"))
    assert unpack(one[1]["columns"], 0)["ansible_host"] == "198.51.100.7"
    assert "warnings" in body(ask())[-2] and "warnings" not in body(ask("?addresses=reserved"))[-2]
    assert ask("?addresses=any").status_code == 422


def test_a_warning_is_one_however_many_batches_there_are(sites, monkeypatch):
    monkeypatch.setattr(stream, "BATCH", 4)
    for number in range(30):
        station(sites["one"], f"198.51.100.{number}")
    _found, warnings = hosts()
    assert len(warnings) == 1 and warnings[0].startswith("30 stations") and "pc09 …" in warnings[0] and "pc10" not in warnings[0]


def test_this_hosts_own_addresses_are_read_from_the_kernel(tmp_path, monkeypatch):
    assert "127.0.0.1" in addresses.own_addresses()
    monkeypatch.setattr(addresses, "_lines", lambda _path: ())
    assert addresses.own_addresses() == frozenset()
