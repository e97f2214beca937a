# Copyright: (c) 2026, Fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A partition is where the table on the disk says, also when the kernel remembers an older table."""

from __future__ import annotations

import os
from typing import Any

import pytest

from ansible_collections.fleet.imaging.plugins.module_utils.disk.device import Disk
from ansible_collections.fleet.imaging.plugins.module_utils.disk.layout import LayoutPlan
from ansible_collections.fleet.imaging.plugins.module_utils.disk.partitions import partition_of
from ansible_collections.fleet.imaging.plugins.module_utils.disk.table import PartitionTable
from ansible_collections.fleet.imaging.tests.unit.conftest import command

MIB = 1 << 20
OLD = "label: dos\nstart=1M, size=20M, type=83\nstart=21M, size=20M, type=83\n"
NEW = "label: dos\nstart=1M, size=40M, type=83\nstart=41M, size=20M, type=83\n"


@pytest.fixture
def moved(loop_disk: Any) -> Disk:
    """A disk whose second partition was moved behind the kernel's back; its old place belongs to the first now, and holds something."""
    disk: Disk = loop_disk(64 * MIB, OLD)
    command("sfdisk", "--quiet", "--no-reread", "--no-tell-kernel", disk.path, stdin=NEW)
    with disk.path.open("r+b") as file:
        file.seek(21 * MIB)
        file.write(b"precious" * 1024)
        os.fsync(file.fileno())
    assert disk.partition(2).start == 21 * MIB
    return disk


def test_the_kernel_is_told_of_the_newer_table(moved: Disk) -> None:
    found = partition_of(moved, PartitionTable.from_disk(moved), 2)
    assert (found.start, found.size) == (41 * MIB, 20 * MIB)


def test_a_new_filesystem_is_made_where_the_table_says(moved: Disk) -> None:
    table = PartitionTable.from_disk(moved)
    document = table.as_json()
    document["partitions"][1]["filesystem"] = {"type": "ext4", "uuid": "", "label": "new"}
    plan = LayoutPlan.build(moved, moved.identity, document, make=True)
    assert not plan.rewrite
    assert plan.run()["formatted"] == [2]
    with moved.path.open("rb") as file:
        file.seek(21 * MIB)
        assert file.read(8192) == b"precious" * 1024
    assert moved.partition(2).start == 41 * MIB
