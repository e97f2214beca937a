# Copyright: (c) 2026, Fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The line that shows a disk."""

from __future__ import annotations

import pytest
from ansible.errors import AnsibleFilterError

from ansible_collections.fleet.imaging.plugins.filter.disk_bar import disk_bar

GIB = 1 << 30


def partition(start: int, size: int, used: int | None) -> dict[str, object]:
    return {"start": start, "size": size, "used": used, "filesystem": {"type": "ext4"}}


def test_each_partition_is_as_wide_as_its_share_and_as_dark_as_it_is_full() -> None:
    disk = {"size": 4 * GIB, "partitions": [partition(0, 2 * GIB, GIB), partition(2 * GIB, GIB, None)]}
    assert disk_bar(disk, width=8) == "▕██░░│▒  ▏"


def test_a_tiny_partition_is_seen_and_what_holds_something_is_not_empty() -> None:
    disk = {"size": 1000 * GIB, "partitions": [partition(1 << 20, 64 << 20, 1), partition(200 * GIB, 800 * GIB, 0)]}
    assert disk_bar(disk, width=10) == "▕█ │░░░░░░░▏"
    assert disk_bar({"size": 10, "partitions": [partition(0, 10, 1)]}, width=5) == "▕█░░░░▏"


def test_the_extended_partition_is_not_drawn_over_its_logical_ones() -> None:
    extended = {"start": 0, "size": 10, "used": None, "filesystem": None}
    assert disk_bar({"size": 10, "partitions": [partition(0, 10, 10), extended]}, width=4) == "▕████▏"


def test_what_is_not_a_disk_is_refused() -> None:
    with pytest.raises(AnsibleFilterError, match="disk_info"):
        disk_bar({"size": 0, "partitions": [partition(0, 1, 1)]})
