# Copyright: (c) 2026, Fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What comes from outside is one spelling of what it says, or is refused."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.fleet.core.plugins.module_utils.errors import InputError
from ansible_collections.fleet.imaging.plugins.module_utils.netboot import names
from ansible_collections.fleet.imaging.plugins.module_utils.netboot.reservations import pool, reservations

NOTATIONS = ["52:54:00:77:00:0a", "52-54-00-77-00-0A", "5254.0077.000a", "5254-0077-000a", "52540077000A", " 52:54:00:77:00:0a "]


@pytest.mark.parametrize("text", NOTATIONS)
def test_a_card_has_one_spelling_in_every_notation(text: str) -> None:
    assert names.card(text) == "52:54:00:77:00:0a"
    assert names.file_name(text) == "52-54-00-77-00-0a"


@pytest.mark.parametrize(
    "text",
    [
        "",
        "52:54:00:77:00",
        "52:54:00:77:00:0a:0b",
        "52:54:00:77:00:zz",
        "52:54-00:77-00:0a",
        "5:25400:77:00:0a",
        "00:00:00:00:00:00",
        "ff:ff:ff:ff:ff:ff",
        "01:00:5e:00:00:01",
        "../../etc/passwd",
        "52:54:00:77:00:0a\n",
        "52:54:00:77:00:0a/..",
        "５２:54:00:77:00:0a",
    ],
)
def test_what_is_no_card_is_refused(text: str) -> None:
    if text.strip() in NOTATIONS:
        assert names.card(text) == "52:54:00:77:00:0a"  # spaces around it do no harm
        return
    with pytest.raises(InputError, match="no MAC address"):
        names.card(text)


@given(st.text(max_size=40))
def test_a_file_name_never_leaves_its_folder(text: str) -> None:
    try:
        found = names.file_name(text)
    except InputError:
        return
    assert len(found) == 17 and set(found) <= set("0123456789abcdef-")


@given(st.text(max_size=40))
def test_an_argument_is_one_word_for_both_loaders(text: str) -> None:
    try:
        found = names.argument(text)
    except InputError:
        return
    assert not set(found) & set(" \t\n\r\"'\\$`|&<>(){}[]#*?!")


@pytest.mark.parametrize("text", ["", "/etc/passwd", "../x", "a/../b", "a//b", "a/", ".hidden", "a b", "a\nb", "a/$b"])
def test_a_path_that_leaves_what_is_served_is_refused(text: str) -> None:
    with pytest.raises(InputError, match="no path of a file that is served"):
        names.below(text)


@pytest.mark.parametrize("text", ["", "-pc", "pc 1", "pc..1", "../pc", "pc\n", "é", "a" * 65, "pc'", 'pc"; reboot'])
def test_a_station_has_the_name_of_a_host(text: str) -> None:
    with pytest.raises(InputError, match="no name of a station"):
        names.station(text)


def host(address: str, *macs: str) -> dict[str, object]:
    return {"ansible_host": address, "fleet_macs": list(macs)}


NETWORK = "10.77.0.1/255.255.255.0"


def test_stations_of_the_segment_have_their_address_reserved_for_all_their_cards() -> None:
    found = reservations(
        {
            "pc02": host("10.77.0.12", "52-54-00-77-00-02", "52:54:00:77:00:12"),
            "pc01": {"ansible_host": "10.77.0.11", "fleet_mac": "525400770001"},
            "elsewhere": host("10.78.0.11", "52:54:00:77:00:03"),
            "named": host("pc04.example", "52:54:00:77:00:04"),
            "blind": host("10.77.0.15"),
        },
        NETWORK,
        [{"name": "printer", "mac": "52:54:00:77:00:99", "address": "10.77.0.9"}],
    )
    assert [(each.name, each.address, each.macs) for each in found] == [
        ("printer", "10.77.0.9", ("52:54:00:77:00:99",)),
        ("pc01", "10.77.0.11", ("52:54:00:77:00:01",)),
        ("pc02", "10.77.0.12", ("52:54:00:77:00:02", "52:54:00:77:00:12")),
    ]


@pytest.mark.parametrize(
    ("hosts", "message"),
    [
        ({"a": host("10.77.0.11", "52:54:00:77:00:01"), "b": host("10.77.0.12", "5254.0077.0001")}, "a and b both have 52:54:00:77:00:01"),
        ({"a": host("10.77.0.11", "52:54:00:77:00:01"), "b": host("10.77.0.11", "52:54:00:77:00:02")}, "a and b both have 10.77.0.11"),
        ({"a": host("10.77.0.1", "52:54:00:77:00:01")}, "the boot server and a both have 10.77.0.1"),
        ({"a": host("10.77.0.11", "no card")}, "'no card' is no MAC address"),
    ],
)
def test_a_reservation_that_cannot_be_names_whose_it_is(hosts: dict[str, dict[str, object]], message: str) -> None:
    with pytest.raises(InputError, match=message):
        reservations(hosts, NETWORK)


def test_a_further_reservation_lies_in_the_segment() -> None:
    with pytest.raises(InputError, match="printer is reserved '10.78.0.9', which is not in 10.77.0.0/24"):
        reservations({}, NETWORK, [{"name": "printer", "mac": "52:54:00:77:00:99", "address": "10.78.0.9"}])


def test_a_pool_lies_in_the_segment_beside_the_server() -> None:
    assert pool("10.77.0.100 - 10.77.0.199", NETWORK) == ("10.77.0.100", "10.77.0.199")


@pytest.mark.parametrize(
    "text",
    [
        "10.77.0.100",
        "10.77.0.199-10.77.0.100",
        "10.78.0.1-10.78.0.9",
        "10.77.0.0-10.77.0.9",
        "10.77.0.1-10.77.0.9",
        "10.77.0.200-10.77.0.255",
        "a-b",
    ],
)
def test_a_pool_that_cannot_be_is_refused(text: str) -> None:
    with pytest.raises(InputError):
        pool(text, NETWORK)
