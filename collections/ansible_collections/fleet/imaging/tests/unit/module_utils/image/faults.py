# Copyright: (c) 2026, Fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Acting in the middle of a capture or a restore, and telling what a disk is afterwards."""

from __future__ import annotations

import contextlib
import subprocess
import tempfile
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from ansible_collections.fleet.core.plugins.module_utils.progress import Report
from ansible_collections.fleet.imaging.plugins.module_utils.disk.device import Disk
from ansible_collections.fleet.imaging.plugins.module_utils.filesystem import probe
from ansible_collections.fleet.imaging.tests.unit.bench import Model
from ansible_collections.fleet.imaging.tests.unit.conftest import command
from ansible_collections.fleet.imaging.tests.unit.filesystems import contents, tree


def when(operation: str, fraction: float, act: Any) -> Any:
    """A reporter that acts once, when a fraction of an operation is done."""
    acted = threading.Event()

    def report(numbers: Report) -> None:
        if numbers["operation"] == operation and numbers["done"] >= fraction * numbers["total"] > 0 and not acted.is_set():
            acted.set()
            act()

    return report


@contextlib.contextmanager
def tmpfs(folder: Path, size: int) -> Iterator[Path]:
    folder.mkdir()
    command("mount", "-t", "tmpfs", "-o", f"size={size}", "tmpfs", folder)
    try:
        yield folder
    finally:
        subprocess.run(["umount", "--lazy", str(folder)], check=False)


def not_mountable(disk: Disk) -> bool:
    """Whether neither we nor blkid nor mount find a filesystem on the second partition."""
    device = disk.partition(2).path
    with tempfile.TemporaryDirectory() as folder:
        mount = subprocess.run(["mount", "-r", device, folder], capture_output=True, check=False).returncode
        if mount == 0:
            subprocess.run(["umount", folder], check=False)
    return probe(device).type == "raw" and mount != 0


def is_the_model(model: Model, disk: Disk, mounted: Any) -> bool:
    probe(disk.partition(2).path).check()
    with contents(model.kind, disk.partition(2).path, mounted) as folder:
        return tree(folder) == model.files
