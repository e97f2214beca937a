# Copyright: (c) 2026, Fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Restores that are cut: no sound-looking half of a disk, and the next run does only the rest."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from typing import Any

import pytest

from ansible_collections.fleet.core.plugins.module_utils.content.fetch import FetchError
from ansible_collections.fleet.imaging.plugins.module_utils.filesystem import probe
from ansible_collections.fleet.imaging.tests.unit.bench import Bench, WebServer, small_model
from ansible_collections.fleet.imaging.tests.unit.filesystems import MIB
from ansible_collections.fleet.imaging.tests.unit.module_utils.image.faults import is_the_model, not_mountable, when

KILLED = """
import os, signal, sys
from pathlib import Path
from ansible_collections.fleet.core.plugins.module_utils import progress
from ansible_collections.fleet.imaging.plugins.module_utils.disk.device import Disk
from ansible_collections.fleet.imaging.tests.unit.bench import Bench, WebServer
progress.INTERVAL = 0
folder, port, disk, fraction = Path(sys.argv[1]), int(sys.argv[2]), sys.argv[3], float(sys.argv[4])
web = WebServer(folder / "web", folder / "store", port)
bench = Bench(folder, None, web, folder / "signing_key", (folder / "allowed").read_text())
def report(numbers):
    if numbers["operation"] == "restore" and numbers["done"] >= fraction * numbers["total"] > 0:
        os.kill(os.getpid(), signal.SIGKILL)
bench.restore(Disk.open(disk), reporter=report)
"""


@pytest.mark.parametrize("fraction", [0.1, 0.5, 0.9])
def test_given_a_restore_that_was_killed_then_nothing_is_mountable_and_the_next_one_fetches_only_what_is_missing(
    fraction: float, bench: Bench, loop_disk: Any, mounted: Any
) -> None:
    model = small_model(loop_disk, mounted, 36 * MIB)
    captured = bench.capture(model.disk)
    target = loop_disk(model.disk.size, fill=0xFF)
    (bench.folder / "allowed").write_text(bench.allowed)
    argv = [sys.executable, "-c", KILLED, str(bench.folder), str(bench.web.port), str(target.path), str(fraction)]
    killed = subprocess.run(argv, env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}, capture_output=True, check=False)
    assert killed.returncode == -signal.SIGKILL, killed.stderr
    asked = len(bench.web.requests())
    assert not_mountable(target)

    again = bench.restore(target)

    chunks = captured.counts["chunks"]
    assert again.verified and not again.table_changed
    assert len(bench.web.requests()) - asked <= chunks - asked + 6  # what was on its way, and the first chunk, once more
    assert again.count.same >= fraction * chunks - 6
    assert is_the_model(model, target, mounted)


@pytest.mark.usefixtures("every_report")
def test_given_a_store_that_goes_away_then_the_rest_comes_from_the_next_one(bench: Bench, loop_disk: Any, mounted: Any) -> None:
    model = small_model(loop_disk, mounted, 36 * MIB)
    bench.capture(model.disk)
    target = loop_disk(model.disk.size)
    centre = WebServer(bench.folder / "centre", bench.store.root)
    centre.start()
    try:
        restored = bench.restore(target, sources=[bench.web.url, centre.url], reporter=when("restore", 0.2, bench.web.stop))
    finally:
        centre.stop()
    assert restored.verified and set(restored.count.sources) == {bench.web.url, centre.url}
    assert is_the_model(model, target, mounted)


@pytest.mark.usefixtures("every_report")
def test_given_the_only_store_goes_away_then_it_is_named_and_the_next_run_fetches_only_the_rest(
    bench: Bench, loop_disk: Any, mounted: Any
) -> None:
    model = small_model(loop_disk, mounted, 36 * MIB)
    captured = bench.capture(model.disk)
    target = loop_disk(model.disk.size)
    with pytest.raises(FetchError, match=f"(?s)could not be fetched .*{bench.web.url}.*running again fetches only what is missing"):
        bench.restore(target, reporter=when("restore", 0.5, bench.web.stop))
    assert not_mountable(target)

    bench.web.start()
    again = bench.restore(target)

    assert again.verified and sum(again.count.sources.values()) < captured.counts["chunks"] * 0.7
    assert is_the_model(model, target, mounted)


def test_given_a_restore_then_nobody_can_mount_what_is_half_written(bench: Bench, loop_disk: Any, mounted: Any, every_report: None) -> None:
    model = small_model(loop_disk, mounted)
    bench.capture(model.disk)
    target = loop_disk(model.disk.size)
    seen: list[str] = []
    bench.restore(target, reporter=when("verify", 0.9, lambda: seen.append(probe(target.partition(2).path).type)))
    assert seen == ["raw"]
