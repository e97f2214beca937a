# Copyright: (c) 2026, Fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A capture ends with a whole image or with none."""

from __future__ import annotations

import contextlib
import subprocess
import threading
from pathlib import Path
from typing import Any

import pytest

from ansible_collections.fleet.core.plugins.module_utils.content.sink import LocalSink
from ansible_collections.fleet.core.plugins.module_utils.content.store import ChunkStore, ManifestRef, StoreError
from ansible_collections.fleet.core.plugins.module_utils.progress import Progress
from ansible_collections.fleet.imaging.plugins.module_utils.disk.device import Disk
from ansible_collections.fleet.imaging.plugins.module_utils.engine.blocks import BlocksEngine, ChangedMeanwhile
from ansible_collections.fleet.imaging.plugins.module_utils.engine.registry import engine_named
from ansible_collections.fleet.imaging.plugins.module_utils.filesystem import probe
from ansible_collections.fleet.imaging.plugins.module_utils.image.capture import ImageCapture
from ansible_collections.fleet.imaging.tests.unit.bench import LINUX, Bench, small_model, write
from ansible_collections.fleet.imaging.tests.unit.filesystems import MIB
from ansible_collections.fleet.imaging.tests.unit.module_utils.image.faults import tmpfs, when


def test_given_a_full_store_then_it_says_so_and_the_next_capture_sends_only_the_rest(
    bench: Bench, loop_disk: Any, mounted: Any, tmp_path: Path
) -> None:
    model = small_model(loop_disk, mounted)
    with tmpfs(tmp_path / "small", 16 * MIB) as folder:
        (folder / "ballast").write_bytes(bytes(12 * MIB))
        bench.store = ChunkStore(folder / "store")
        with pytest.raises(StoreError, match="No space left on device.*content_prune"):
            bench.capture(model.disk)
        assert not list(bench.store.manifests())
        (folder / "ballast").unlink()
        again = bench.capture(model.disk)
        assert again.counts["chunks_known"] > 0
        for name in bench.manifest().digests():
            bench.store.read(name)


def test_given_two_captures_of_one_version_then_the_second_is_refused_and_the_first_is_whole(
    bench: Bench, loop_disk: Any, mounted: Any
) -> None:
    model, other = small_model(loop_disk, mounted), loop_disk(12 * MIB, f"label: gpt\nsize=8MiB, type={LINUX}\n")
    write(other.partition(1).path, 0, b"other contents")
    results: list[object] = []
    both_captured = threading.Barrier(2)

    def capture(disk: Disk) -> None:
        plan = ImageCapture.plan(disk, engine_named("blocks", bench.folder), "room", "1")
        with contextlib.closing(LocalSink(bench.store, bench.key)) as sink:
            finish = sink.finish

            def together(manifest: bytes) -> None:
                both_captured.wait()
                finish(manifest)

            sink.finish = together  # type: ignore[method-assign]
            try:
                results.append(plan.run(sink, Progress()).manifest)
            except StoreError as error:
                results.append(error)

    threads = [threading.Thread(target=capture, args=(disk,)) for disk in (model.disk, other)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    refused = [each for each in results if isinstance(each, StoreError)]
    kept = [each for each in results if not isinstance(each, StoreError)]
    assert len(refused) == len(kept) == 1 and "exists already" in str(refused[0]) and "another version" in str(refused[0])
    assert bench.manifest() == kept[0]
    assert bench.restore(loop_disk(model.disk.size)).verified  # which verifies the signature as well


def test_given_a_version_that_exists_then_it_is_refused_before_the_disk_is_read(bench: Bench, loop_disk: Any) -> None:
    from ansible_collections.fleet.imaging.plugins.module_utils.image.destination import FolderDestination

    bench.capture(loop_disk(4 * MIB, "label: gpt\n"))
    destination = FolderDestination(bench.store.root, bench.key)
    destination.require_new("room", "2")
    with pytest.raises(StoreError, match="image room 1 exists already"):
        destination.require_new("room", "1")
    assert [*bench.store.manifests()] == [ManifestRef("image", "room", "1")]


def test_while_a_partition_is_captured_nobody_can_mount_it(
    bench: Bench, loop_disk: Any, mounted: Any, tmp_path: Path, every_report: None
) -> None:
    model = small_model(loop_disk, mounted)
    codes: list[int] = []

    def mount() -> None:
        codes.append(subprocess.run(["mount", str(model.device), str(tmp_path)], capture_output=True, check=False).returncode)
        subprocess.run(["umount", str(tmp_path)], capture_output=True, check=False)

    bench.capture(model.disk, progress=Progress(when("capture partition 2", 0.3, mount)))
    assert codes and codes[0] != 0


def test_given_a_filesystem_that_was_used_meanwhile_then_there_is_no_image(bench: Bench, loop_disk: Any, mounted: Any) -> None:
    model = small_model(loop_disk, mounted)
    source = BlocksEngine(bench.folder).source(2, probe(model.device), Progress())
    said = f"{model.device} was changed while it was captured.*nothing mounts it"
    with pytest.raises(ChangedMeanwhile, match=said), source, mounted(model.device, "ext4") as folder:
        (folder / "new").touch()
