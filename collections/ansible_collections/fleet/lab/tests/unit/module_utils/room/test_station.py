# Copyright: (c) 2026, Fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What is asked for is checked before anything is made."""

from __future__ import annotations

from typing import Any

import pytest

from ansible_collections.fleet.core.plugins.module_utils.errors import InputError
from ansible_collections.fleet.lab.plugins.module_utils.room.station import Station, parse_size


@pytest.mark.parametrize(
    ("text", "size"), [("400M", 400 << 20), ("4G", 4 << 30), ("4GiB", 4 << 30), (1 << 20, 1 << 20), ("0", 0), (" 2T ", 2 << 40)]
)
def test_disk_sizes(text: str, size: int) -> None:
    assert parse_size(text, "Station a") == size


@pytest.mark.parametrize("text", ["", "-1", "4 apples", "1.5G", "100", "1048577", "17T", "99999999999999999999T", "0x10", "G", "४G"])
def test_nonsense_is_no_disk_size(text: str) -> None:
    with pytest.raises(InputError, match=r"Station a: .* is not a disk size"):
        parse_size(text, "Station a")


@pytest.mark.parametrize(
    ("request_", "said"),
    [
        ({}, "not a station's name"),
        ({"name": "../up"}, "not a station's name"),
        ({"name": "a b"}, "not a station's name"),
        ({"name": "A"}, "not a station's name"),
        ({"name": "-a"}, "not a station's name"),
        ({"name": "a\n"}, "not a station's name"),
        ({"name": "a" * 33}, "not a station's name"),
        ({"name": "a", "rate": "fast"}, "Station a: 'fast' is not a rate"),
        ({"name": "a", "rate": "0mbit"}, "is not a rate"),
        ({"name": "a", "rate": "1mbit; reboot"}, "is not a rate"),
        ({"name": "a", "loss": 100}, "a loss of 100.0 % is impossible"),
        ({"name": "a", "loss": -1}, "is impossible"),
        ({"name": "a", "loss": float("nan")}, "is impossible"),
        ({"name": "a", "boot": "cdrom"}, "unknown"),
        ({"name": "a", "role": "boss"}, "unknown"),
        ({"name": "a", "system": True}, "needs a disk of at least 600M"),
        ({"name": "a", "system": True, "disk": "500M"}, "needs a disk of at least 600M"),
    ],
)
def test_impossible_requests_name_the_station_and_the_reason(request_: dict[str, Any], said: str) -> None:
    with pytest.raises(InputError, match=said):
        Station.asked(request_)


def test_a_station_survives_being_written_down() -> None:
    station = Station.asked({"name": "pc-1", "disk": "1G", "rate": "100mbit", "loss": 2.5})
    assert Station.from_json(station.as_json()) == station
    assert station.disk_identity == "size:1073741824"
    assert Station("bare").disk_identity == ""
