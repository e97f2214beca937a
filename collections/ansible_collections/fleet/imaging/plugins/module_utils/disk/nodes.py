# Copyright: (c) 2026, Fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Device nodes of partitions: keep /dev in step with what the kernel knows.

Some kernels read no partition tables by themselves, and containers have no udev: there partx and mknod do the work.
"""

from __future__ import annotations

import os
import re
import stat
from pathlib import Path

from ansible_collections.fleet.core.plugins.module_utils.command import run

SYS_BLOCK = Path("/sys/class/block")
DEV = Path("/dev")
UDEV = Path("/run/udev/control")

_EVERY = "1:128"


def node_path(kernel_name: str) -> Path:
    """The node of a block device: the kernel writes a ``/`` in a name (cciss/c0d0) as ``!``."""
    return DEV / kernel_name.replace("!", "/")


def device_number(kernel_name: str) -> int:
    """Device number of a block device by the kernel's word; raises OSError when there is none of that name."""
    major, _colon, minor = (SYS_BLOCK / kernel_name / "dev").read_text().strip().partition(":")
    return os.makedev(int(major), int(minor))


def is_node_of(path: Path, number: int) -> bool:
    """Whether path is a block device node with this device number."""
    try:
        status = path.stat()
    except OSError:
        return False
    return stat.S_ISBLK(status.st_mode) and status.st_rdev == number


def partition_names(disk_name: str) -> list[str]:
    """Kernel names of a disk's partitions, by number."""
    folder = SYS_BLOCK / disk_name
    names = [entry.name for entry in folder.iterdir() if (entry / "partition").is_file()] if folder.is_dir() else []
    return sorted(names, key=lambda name: int((folder / name / "partition").read_text()))


def reread(disk: Path, disk_name: str) -> None:
    """Make the kernel know the partitions that the table on the disk names, and /dev show them.

    Partitions in use stay as they are. partx --update would do it in one step, but it works in the order of numbers and so fails when
    one takes the place of another, and without --nr a gap in the numbers (no 3, logical from 5) hides the last ones.
    """
    run(["partx", "--delete", "--nr", _EVERY, str(disk)], ok=None)
    run(["partx", "--add", str(disk)], ok=None)
    settle(disk_name)


def settle(disk_name: str) -> None:
    """Give every partition a node with the right number, and remove nodes of partitions that are gone."""
    if UDEV.exists():
        run(["udevadm", "settle", "--timeout=10"], ok=None)
    wanted = {}
    for name in partition_names(disk_name):
        try:
            wanted[node_path(name)] = device_number(name)
        except OSError:
            continue
    for path in _partition_nodes(disk_name):
        if path not in wanted or not is_node_of(path, wanted[path]):
            path.unlink(missing_ok=True)
    for path, number in wanted.items():
        if not path.exists():
            os.mknod(path, stat.S_IFBLK | 0o600, number)


def _partition_nodes(disk_name: str) -> list[Path]:
    path = node_path(disk_name)
    separator = "p" if path.name[-1:].isdigit() else ""
    pattern = re.compile(re.escape(path.name + separator) + r"[0-9]+")
    nodes = [entry for entry in path.parent.iterdir() if pattern.fullmatch(entry.name)]
    return [entry for entry in nodes if not entry.is_symlink() and stat.S_ISBLK(entry.stat().st_mode)]
