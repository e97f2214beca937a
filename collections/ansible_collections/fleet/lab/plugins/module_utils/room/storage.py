# Copyright: (c) 2026, Fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A station's disk: a sparse image file behind a loop device, with nodes for its partitions.

Some kernels parse no partition tables: partx makes the partitions from user space. Loop devices accept that only with --partscan.
"""

from __future__ import annotations

import json
import time
from pathlib import Path

from ansible_collections.fleet.core.plugins.module_utils.command import run
from ansible_collections.fleet.core.plugins.module_utils.errors import FleetError


class StorageError(FleetError):
    """A station's disk cannot be made or given up."""


def create(image: Path, size: int) -> str:
    """Make a sparse, empty image of size bytes, and return its loop device."""
    with image.open("wb") as file:
        file.truncate(size)
    return attach(image)


def attach(image: Path) -> str:
    """Return the loop device of an image, attached now if it was not, with nodes for the partitions on it."""
    loop = attached(image).get(str(image)) or run(["losetup", "--find", "--show", "--partscan", str(image)]).stdout.strip()
    run(["partx", "--update", loop], ok=None)  # a disk without a table is no error
    return loop


def attached(under: Path) -> dict[str, str]:
    """Return {image: loop device} of the attached images that are this path or inside it, deleted images included."""
    listed = run(["losetup", "--json", "--list", "--output", "NAME,BACK-FILE"]).stdout
    found = {}
    for device in json.loads(listed)["loopdevices"] if listed.strip() else []:
        image = (device["back-file"] or "").removesuffix(" (deleted)")
        if image == str(under) or image.startswith(f"{under}/"):
            found[image] = device["name"]
    return found


def detach(under: Path, timeout: float = 5.0) -> None:
    """Give up the loop devices of the images under a path; the kernel lets go when the last mount of a dead namespace is gone."""
    deadline = time.monotonic() + timeout
    while True:
        loops = attached(under)
        if not loops:
            return
        for loop in loops.values():
            run(["partx", "--delete", loop], ok=None)
            run(["losetup", "--detach", loop], ok=None)
        if time.monotonic() > deadline:
            raise StorageError(
                f"{', '.join(sorted(attached(under).values()))} stay in use",
                remedy=f"See who holds them (lsblk, fuser), then remove {under} again",
            )
        time.sleep(0.05)
