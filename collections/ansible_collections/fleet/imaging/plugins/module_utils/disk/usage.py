# Copyright: (c) 2026, Fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Who is using a block device: mounts, swap, holders (LVM, RAID, encryption), other mount namespaces."""

from __future__ import annotations

import errno
import os
import re
import time
from pathlib import Path

from . import nodes

MOUNTS = Path("/proc/self/mountinfo")
SWAPS = Path("/proc/swaps")

_MOMENT = 2.0
"""Seconds."""


def reasons(path: Path) -> list[str]:
    """Why a disk or partition must not be touched, in words; empty when nobody uses it."""
    number = os.stat(path).st_rdev
    found = [f"{path} is mounted at {point}" for point in mount_points(number)]
    if _is_swap(number):
        found.append(f"{path} is in use as swap")
    for name in _holders(path):
        found.append(f"{path} is held by {nodes.node_path(name)} (LVM, RAID or encryption)")
    if not found and is_claimed(path):
        found.append(f"{path} is in use (mounted in another mount namespace or opened exclusively by another program)")
    return found


def is_claimed(path: Path) -> bool:
    """Whether the kernel says EBUSY to an exclusive open: the one probe that sees mounts of every mount namespace.

    Another program that asks the same, or a mount namespace that is just being left, holds it for a moment only.
    """
    deadline = time.monotonic() + _MOMENT
    while True:
        try:
            os.close(os.open(path, os.O_RDONLY | os.O_EXCL | os.O_CLOEXEC))
            return False
        except OSError as error:
            if error.errno != errno.EBUSY:
                raise
        if time.monotonic() > deadline:
            return True
        time.sleep(0.1)


def mount_points(number: int) -> list[str]:
    """Where a device is mounted (proc_pid_mountinfo(5)); btrfs and FUSE mounts have a number of their own, so the source counts too."""
    points = []
    for line in MOUNTS.read_text(encoding="utf-8", errors="surrogateescape").splitlines():
        before, _dash, after = line.partition(" - ")
        fields, tail = before.split(" "), after.split(" ")
        if len(fields) < 5 or len(tail) < 2:
            continue
        if fields[2] == f"{os.major(number)}:{os.minor(number)}" or _number_of(_unescape(tail[1])) == number:
            points.append(_unescape(fields[4]))
    return points


def _is_swap(number: int) -> bool:
    try:
        lines = SWAPS.read_text(encoding="utf-8", errors="surrogateescape").splitlines()[1:]
    except OSError:
        return False
    return any(_number_of(_unescape(line.split()[0])) == number for line in lines if line.strip())


def _holders(path: Path) -> list[str]:
    number = os.stat(path).st_rdev
    try:
        return sorted(os.listdir(f"/sys/dev/block/{os.major(number)}:{os.minor(number)}/holders"))
    except OSError:
        return []


def _number_of(source: str) -> int:
    if not source.startswith("/"):
        return -1
    try:
        return os.stat(source).st_rdev or -1
    except OSError:
        return -1


def _unescape(text: str) -> str:
    return re.sub(r"\\([0-7]{3})", lambda match: chr(int(match.group(1), 8)), text)
