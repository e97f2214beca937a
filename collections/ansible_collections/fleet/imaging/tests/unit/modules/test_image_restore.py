# Copyright: (c) 2026, Fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""image_restore as Ansible runs it."""

from __future__ import annotations

from typing import Any

import pytest

from ansible_collections.fleet.core.plugins.module_utils.content.store import ManifestRef
from ansible_collections.fleet.imaging.plugins.module_utils.disk.device import Disk
from ansible_collections.fleet.imaging.plugins.module_utils.filesystem import probe
from ansible_collections.fleet.imaging.tests.unit.bench import LINUX, Bench, fingerprint, read, write
from ansible_collections.fleet.imaging.tests.unit.conftest import command
from ansible_collections.fleet.imaging.tests.unit.filesystems import MIB

SIZE = 40 * MIB


@pytest.fixture
def disk(loop_disk: Any, bench: Bench) -> Disk:
    """A disk full of garbage, for which there is an image."""
    model = loop_disk(SIZE, f"label: gpt\nsize=30MiB, type={LINUX}\nsize=4MiB, type=S\n")
    write(model.path, 0, b"boot code")
    command("mkfs.ext4", "-q", "-F", "-L", "root", model.partition(1).path)
    command("mkswap", model.partition(2).path)
    bench.capture(model)
    made: Disk = loop_disk(SIZE, fill=0xFF)
    return made


def arguments(bench: Bench, disk: Disk, **more: Any) -> dict[str, Any]:
    return {
        "image": "room",
        "version": "1",
        "disk": str(disk.path),
        "erase": f"size:{SIZE}",
        "sources": [bench.web.url],
        "allowed_signers": bench.allowed,
        "work_dir": str(bench.folder),
        **more,
    }


def test_a_disk_is_restored_and_a_second_time_nothing_changes(run: Any, bench: Bench, disk: Disk) -> None:
    result = run("image_restore", **arguments(bench, disk))
    assert result["changed"] and result["verified"] and result["table_changed"] and result["swap_made"] == [2]
    assert result["signer"] == "fleet@centre" and result["sources"] == {
        bench.web.url: result["chunks_written"] - result_zeros(result, bench)
    }
    assert probe(disk.partition(1).path).label == "root"

    again = run("image_restore", **arguments(bench, disk))

    assert not again["changed"] and again["verified"] and again["bytes_written"] == again["bytes_fetched"] == 0
    assert again["diff"]["before"] == again["diff"]["after"]


def result_zeros(result: dict[str, Any], bench: Bench) -> int:
    """Chunks that are written without being fetched: zeros, and those that are in several places."""
    chunks = [chunk for stream in bench.manifest().streams for chunk in stream.chunks()]
    return len(chunks) - len(bench.manifest().digests())


def test_in_check_mode_nothing_is_written_and_the_diff_says_what_would_be(run: Any, bench: Bench, disk: Disk) -> None:
    before = fingerprint(disk)
    result = run("image_restore", check=True, **arguments(bench, disk))
    assert result["changed"] and result["table_changed"] and result["bytes_differing"] == bench.manifest().used - 440
    assert "no partition table" in result["diff"]["before"] and "label gpt" in result["diff"]["after"]
    assert fingerprint(disk) == before

    run("image_restore", **arguments(bench, disk))
    result = run("image_restore", check=True, **arguments(bench, disk))
    assert not result["changed"] and result["bytes_differing"] == 0
    write(disk.partition(1).path, 0, bytes(4096))
    result = run("image_restore", check=True, **arguments(bench, disk))
    assert result["changed"] and 0 < result["bytes_differing"] <= MIB


def test_boot_code_alone_differs_then_the_preview_counts_it(run: Any, bench: Bench, disk: Disk) -> None:
    run("image_restore", **arguments(bench, disk))
    write(disk.path, 0, b"another loader")
    assert run("image_restore", check=True, **arguments(bench, disk))["bytes_differing"] == 440
    result = run("image_restore", **arguments(bench, disk))
    assert result["chunks_written"] == 1 and result["verified"]


def test_in_full_mode_everything_is_written(run: Any, bench: Bench, disk: Disk) -> None:
    run("image_restore", **arguments(bench, disk))
    result = run("image_restore", **arguments(bench, disk, mode="full"))
    assert result["changed"] and result["chunks_written"] == result["chunks"] and result["verified"]


def test_in_table_mode_the_table_is_all_that_is_written(run: Any, bench: Bench, disk: Disk) -> None:
    result = run("image_restore", **arguments(bench, disk, mode="table"))
    assert result["changed"] and result["table_changed"] and result["chunks"] == 0 and result["swap_made"] == [] == result["partitions"]
    assert read(disk.partition(1).path, 0, MIB) == b"\xff" * MIB
    assert not run("image_restore", **arguments(bench, disk, mode="table"))["changed"]


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"erase": "serial:S4EVNX0M"}, "is not the disk that was named: asked for serial:S4EVNX0M"),
        ({"erase": "size:1000000"}, "is not the disk that was named: asked for size:1000000"),
        ({"erase": "yes"}, "is not a disk identity"),
        ({"erase": ""}, "is not a disk identity"),
        ({"version": "2"}, "manifests/image/room/2.json could not be fetched"),
        ({"image": "../../room"}, "name '../../room' is not acceptable"),
        ({"version": "1/../2"}, "version '1/../2' is not acceptable"),
        ({"allowed_signers": ""}, "must not be used"),
        ({"partitions": [1]}, "has no partition table"),
        ({"partitions": [1], "mode": "table"}, "partitions are restored into the table that the disk has"),
        ({"ca": "x", "ca_file": "/x"}, "mutually exclusive"),
        ({"partitions": [1], "keep": [2]}, "exclude each other"),
        ({"sources": ["ftp://x"]}, "is not the URL"),
        ({"sources": []}, "no content store is given"),
        ({"disk": "serial:none"}, "No disk of this host is serial:none"),
    ],
)
def test_what_must_not_be_done_fails_and_changes_nothing(changes: dict[str, Any], said: str, run: Any, bench: Bench, disk: Disk) -> None:
    before = fingerprint(disk)
    for check in (True, False):
        result = run("image_restore", check=check, **{**arguments(bench, disk), **changes})
        assert result["failed"] and said in result["msg"]
    assert fingerprint(disk) == before


def test_ansible_itself_ends_with_an_error_and_the_disk_is_as_before(ansible: Any, bench: Bench, disk: Disk) -> None:
    path = bench.store.root / ManifestRef("image", "room", "1").path()
    path.write_bytes(path.read_bytes().replace(b'"root"', b'"toor"'))
    before = fingerprint(disk)
    code, result = ansible("image_restore", **arguments(bench, disk))
    assert code != 0 and "image room 1 must not be used" in result["msg"] and "does not hold" in result["msg"]
    assert fingerprint(disk) == before


def test_ansible_itself_restores(ansible: Any, bench: Bench, disk: Disk) -> None:
    code, result = ansible("image_restore", **arguments(bench, disk))
    assert code == 0 and result["changed"] and result["verified"] and result["chunks_written"] == result["chunks"]
