# Copyright: (c) 2026, Fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Disks that fail. There is no device-mapper here, so loop devices fail through the file behind them."""

from __future__ import annotations

import contextlib
import fcntl
import os
from pathlib import Path
from typing import Any

import pytest

from ansible_collections.fleet.core.plugins.module_utils.content.sink import LocalSink
from ansible_collections.fleet.core.plugins.module_utils.progress import Progress
from ansible_collections.fleet.imaging.plugins.module_utils.disk.device import Disk
from ansible_collections.fleet.imaging.plugins.module_utils.engine.blockio import BlockFile, DiskIOError
from ansible_collections.fleet.imaging.plugins.module_utils.engine.registry import engine_named
from ansible_collections.fleet.imaging.plugins.module_utils.engine.stream_writer import VerificationFailed
from ansible_collections.fleet.imaging.plugins.module_utils.image.capture import ImageCapture
from ansible_collections.fleet.imaging.tests.unit.bench import LINUX, Bench, backing_file, small_model
from ansible_collections.fleet.imaging.tests.unit.conftest import command, release
from ansible_collections.fleet.imaging.tests.unit.filesystems import MIB
from ansible_collections.fleet.imaging.tests.unit.module_utils.image.faults import is_the_model, not_mountable, tmpfs, when

LOOP_SET_CAPACITY = 0x4C07


def test_given_a_disk_that_cannot_be_read_then_device_and_offset_are_named_and_there_is_no_image(bench: Bench, loop_disk: Any) -> None:
    """Read errors: the file behind the loop device is truncated, and reading behind its end is an I/O error."""
    disk = loop_disk(20 * MIB, f"label: gpt\nsize=16MiB, type={LINUX}\n")
    plan = ImageCapture.plan(disk, engine_named("blocks", bench.folder), "room", "1")
    os.truncate(backing_file(disk), 9 * MIB)
    with contextlib.closing(LocalSink(bench.store, bench.key)) as sink, pytest.raises(DiskIOError) as caught:
        plan.run(sink, Progress())
    assert "cannot read at byte" in str(caught.value) and "SMART" in str(caught.value)
    assert caught.value.details["device"] == str(disk.partition(1).path)
    assert 7 * MIB <= caught.value.details["offset"] < 16 * MIB
    assert not list(bench.store.manifests())


def test_given_a_disk_that_cannot_be_written_then_device_and_offset_are_named_and_it_is_not_done(
    bench: Bench, loop_disk: Any, mounted: Any, tmp_path: Path
) -> None:
    """Write errors: the file behind the loop device is sparse, on a tmpfs that is soon full."""
    model = small_model(loop_disk, mounted)
    bench.capture(model.disk)
    with tmpfs(tmp_path / "small", 8 * MIB) as folder:
        with (folder / "disk.img").open("wb") as file:
            file.truncate(model.disk.size)
        path = command("losetup", "--find", "--show", folder / "disk.img").strip()
        try:
            target = Disk.open(path)
            with pytest.raises(DiskIOError, match="cannot write at byte.*SMART") as caught:
                bench.restore(target)
            assert caught.value.details["device"].startswith(path) and caught.value.details["offset"] >= 0
            assert not_mountable(target)
        finally:
            release(path)


@pytest.mark.usefixtures("every_report")
def test_given_a_disk_that_is_unplugged_then_it_is_an_error_and_not_done(bench: Bench, loop_disk: Any, mounted: Any) -> None:
    """Unplugged: in the middle of the restore the file behind the loop device is emptied and the device told so.

    The driver puts what is written later into that file, so the disk says an I/O error or it says nothing and has not got the bytes.
    """
    model = small_model(loop_disk, mounted)
    bench.capture(model.disk)
    target = loop_disk(model.disk.size)

    def unplug() -> None:
        os.truncate(backing_file(target), 0)
        with target.path.open("rb") as device:
            fcntl.ioctl(device, LOOP_SET_CAPACITY)

    with pytest.raises((DiskIOError, VerificationFailed), match=str(target.path)):
        bench.restore(target, reporter=when("restore", 0.5, unplug))


@pytest.mark.parametrize("where", ["middle", "superblock"])
def test_given_a_disk_that_reads_other_bytes_than_were_written_then_it_is_not_mountable_and_not_done(
    where: str, bench: Bench, loop_disk: Any, mounted: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Silent corruption: a bit flips on the way to the disk, after the chunk was verified."""
    model = small_model(loop_disk, mounted)
    bench.capture(model.disk)
    target = loop_disk(model.disk.size)
    device, truly = target.path, BlockFile.write

    def flip(self: BlockFile, offset: int, view: memoryview) -> None:
        data = bytearray(view)
        hit = 4096 <= offset < 12 * MIB if where == "middle" else offset < 4096
        if str(self.path) == f"{device}p2" and hit and any(data):
            data[-1] ^= 1
        truly(self, offset, memoryview(data))

    with monkeypatch.context() as patch:
        patch.setattr(BlockFile, "write", flip)
        with pytest.raises(VerificationFailed, match=f"{device}p2 does not hold what was written at byte [0-9]+.*must not be used"):
            bench.restore(target)
    assert not_mountable(target)
    assert bench.restore(target).verified
    assert is_the_model(model, target, mounted)


def test_given_verification_was_declined_then_the_result_says_so(bench: Bench, loop_disk: Any, mounted: Any) -> None:
    model = small_model(loop_disk, mounted)
    bench.capture(model.disk)
    assert bench.restore(loop_disk(model.disk.size), verify=False).as_dict()["verified"] is False
