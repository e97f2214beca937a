# Copyright: (c) 2026, Fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The local backup as admins meet it: made with a restore, kept by every later one, filled by itself, and restored from."""

from __future__ import annotations

from typing import Any

import pytest

from ansible_collections.fleet.imaging.plugins.module_utils.backup.volume import listed
from ansible_collections.fleet.imaging.plugins.module_utils.disk.device import Disk
from ansible_collections.fleet.imaging.plugins.module_utils.disk.reserved import find_on
from ansible_collections.fleet.imaging.tests.unit.bench import LINUX, Bench, write
from ansible_collections.fleet.imaging.tests.unit.conftest import command
from ansible_collections.fleet.imaging.tests.unit.filesystems import MIB

SIZE = 96 * MIB
BACKUP = 32 * MIB


@pytest.fixture
def model(loop_disk: Any, bench: Bench) -> Disk:
    """A model with 5 MiB that do not compress, captured as version 1."""
    made: Disk = loop_disk(48 * MIB, f"label: gpt\nsize=40MiB, type={LINUX}\nsize=4MiB, type=S\n")
    write(made.path, 0, b"boot code")
    fill(made, 5)
    command("mkswap", made.partition(2).path)
    bench.capture(made)
    return made


def fill(disk: Disk, amount: int, seed: int = 1) -> None:
    """Make the model's filesystem, with so many MiB in it."""
    command("mkfs.ext4", "-q", "-F", "-L", "root", disk.partition(1).path)
    command(
        "sh",
        "-c",
        f"openssl enc -aes-128-ctr -K {seed:032x} -iv 0 </dev/zero 2>/dev/null | head -c {amount}M >/tmp/backup-noise-$$;"
        f" debugfs -w -R 'write /tmp/backup-noise-$$ noise' {disk.partition(1).path} 2>/dev/null; rm /tmp/backup-noise-$$",
    )


@pytest.fixture
def disk(model: Disk, loop_disk: Any) -> Disk:
    """A station's, full of garbage."""
    made: Disk = loop_disk(SIZE, fill=0xFF)
    return made


def arguments(bench: Bench, disk: Disk, **more: Any) -> dict[str, Any]:
    return {
        "image": "room",
        "version": "1",
        "disk": str(disk.path),
        "erase": f"size:{disk.size}",
        "sources": [bench.web.url],
        "allowed_signers": bench.allowed,
        "work_dir": str(bench.folder),
        "grow": False,
        "backup_size": str(BACKUP),
        **more,
    }


def test_given_backup_write_then_the_disk_is_restored_and_holds_the_image_without_a_second_transfer(
    run: Any, bench: Bench, disk: Disk
) -> None:
    result = run("image_restore", **arguments(bench, disk, backup="write"))

    backup = result["backup"]
    assert result["verified"] and backup["state"] == "complete" and backup["partition"] == 128, result
    assert backup["chunks"] == backup["chunks_written"] == len(bench.manifest().digests()) and backup["bytes_fetched"] == 0
    assert len(bench.web.requests()) == backup["chunks"]
    entry = find_on(disk)
    assert entry and entry.size * 512 >= BACKUP and entry.attrs == "RequiredPartition GUID:62,63"
    assert [(each["version"], each["error"]) for each in listed(disk)] == [("1", "")]

    again = run("image_restore", **arguments(bench, disk, backup="write"))
    assert not again["changed"] and again["backup"]["state"] == "complete" and again["backup"]["chunks_written"] == 0


def test_given_a_backup_then_a_station_is_restored_from_it_without_any_source(run: Any, bench: Bench, disk: Disk) -> None:
    run("image_restore", **arguments(bench, disk, backup="write"))
    bench.web.stop()
    write(disk.partition(1).path, 0, bytes(20 * MIB))

    local = arguments(bench, disk, local=True, sources=[], version="latest")
    checked = run("image_restore", check=True, **local)
    assert checked["changed"] and checked["version"] == "1"
    result = run("image_restore", **local)

    assert result["verified"] and result["version"] == "1" and result["bytes_fetched"] == 0 and set(result["sources"]) == {"backup"}
    assert result["backup"]["state"] == "kept" and not run("image_restore", **local)["changed"]
