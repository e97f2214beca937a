# Copyright: (c) 2026, Fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""image_capture as Ansible runs it."""

from __future__ import annotations

from typing import Any

import pytest

from ansible_collections.fleet.core.plugins.module_utils.content.signature import verify
from ansible_collections.fleet.core.plugins.module_utils.content.store import ManifestRef
from ansible_collections.fleet.imaging.plugins.module_utils.disk.device import Disk
from ansible_collections.fleet.imaging.tests.unit.bench import LINUX, Bench, fingerprint, write
from ansible_collections.fleet.imaging.tests.unit.conftest import command
from ansible_collections.fleet.imaging.tests.unit.filesystems import MIB

REF = ManifestRef("image", "room", "1")


@pytest.fixture
def disk(loop_disk: Any) -> Disk:
    """A small model: ext4 and swap."""
    made: Disk = loop_disk(40 * MIB, f"label: gpt\nsize=30MiB, type={LINUX}\nsize=4MiB, type=S\n")
    command("mkfs.ext4", "-q", "-F", "-L", "root", made.partition(1).path)
    command("mkswap", made.partition(2).path)
    return made


def arguments(bench: Bench, disk: Disk, **more: Any) -> dict[str, Any]:
    return {
        "image": "room",
        "version": "1",
        "disk": str(disk.path),
        "store": str(bench.store.root),
        "signing_key": str(bench.key),
        "work_dir": str(bench.folder),
        **more,
    }


def test_a_disk_is_captured_to_a_store_and_signed(run: Any, bench: Bench, disk: Disk) -> None:
    result = run("image_capture", **arguments(bench, disk))
    assert result["changed"] and result["chunks_sent"] > 0
    assert [(each["number"], each["type"]) for each in result["partitions"]] == [(1, "ext4"), (2, "swap")]
    signature = bench.store.signature(REF)
    assert signature is not None and verify(bench.store.manifest_bytes(REF), signature, bench.allowed) == "fleet@centre"


def test_in_check_mode_nothing_is_stored(run: Any, bench: Bench, disk: Disk) -> None:
    before = fingerprint(disk)
    result = run("image_capture", check=True, **arguments(bench, disk))
    assert result["changed"] and [each["type"] for each in result["partitions"]] == ["ext4", "swap"]
    assert not list(bench.store.manifests()) and not list(bench.store.digests()) and fingerprint(disk) == before


def test_a_version_that_exists_is_refused(run: Any, bench: Bench, disk: Disk) -> None:
    run("image_capture", **arguments(bench, disk))
    first = bench.store.manifest_bytes(REF)
    for check in (True, False):
        result = run("image_capture", check=check, **arguments(bench, disk))
        assert result["failed"] and "image room 1 exists already" in result["msg"] and "another version" in result["msg"]
    assert bench.store.manifest_bytes(REF) == first


def test_a_second_version_builds_on_its_parent(run: Any, bench: Bench, disk: Disk) -> None:
    run("image_capture", **arguments(bench, disk))
    result = run("image_capture", **arguments(bench, disk, version="2", parent="1"))
    assert result["chunks_sent"] == 0 and bench.manifest("2").parent == "1"


def test_partitions_can_be_left_out(run: Any, bench: Bench, disk: Disk) -> None:
    result = run("image_capture", **arguments(bench, disk, leave_out=[1]))
    assert [each["number"] for each in result["partitions"]] == [2]
    assert "has no partition 9" in run("image_capture", **arguments(bench, disk, version="2", leave_out=[9]))["msg"]


def test_ansible_itself_ends_with_an_error_that_names_disk_reason_and_remedy(ansible: Any, bench: Bench, disk: Disk) -> None:
    write(disk.partition(1).path, 0, b"\xeb\x58\x90-FVE-FS-" + bytes(499) + b"\x55\xaa")
    code, result = ansible("image_capture", **arguments(bench, disk))
    assert code != 0 and result["changed"] is False
    for word in (str(disk.path), str(disk.partition(1).path), "encrypted", "BitLocker", "manage-bde"):
        assert word in result["msg"]
    assert result["partitions"][0]["reason"] == "encrypted"
    assert not list(bench.store.manifests())


@pytest.mark.parametrize(
    "changes", [{"store": None}, {"method": "song"}, {"image": "../x"}, {"parent": "../../x"}, {"disk": "serial:none"}, {"disk": "sda"}]
)
def test_arguments_that_make_no_sense_are_refused(changes: dict[str, Any], run: Any, bench: Bench, disk: Disk) -> None:
    given = {key: value for key, value in {**arguments(bench, disk), **changes}.items() if value is not None}
    assert run("image_capture", **given)["failed"]
    assert not list(bench.store.manifests())
