# Copyright: (c) 2026, Fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Logical volumes on a disk (lvm(8)): activated for a while, and nobody else's touched.

Every command is told the disk's own physical volumes by --devices, so that a volume group of the same name on another disk does not exist
for it.
"""

from __future__ import annotations

import contextlib
import json
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from ansible_collections.fleet.core.plugins.module_utils.command import available, run
from ansible_collections.fleet.core.plugins.module_utils.stop import shielded

from ..filesystem import probe
from .volume import InstalledError, Volume

CONTROL = Path("/dev/mapper/control")
SYS_BLOCK = Path("/sys/block")


def members(volumes: Sequence[Volume]) -> list[Path]:
    """The physical volumes among a disk's partitions."""
    return [volume.device for volume in volumes if volume.is_physical]


def lvm(devices: Sequence[Path], *argv: str) -> str:
    """Run an LVM command that sees these devices only; return what it printed. Raises ToolError."""
    seen = ["--devices", ",".join(str(device) for device in devices)]
    # Without udev, LVM itself makes and removes the nodes.
    quiet = ["--config", "activation { udev_sync=0 udev_rules=0 }", "--yes", "--quiet"]
    return run([argv[0], *seen, *quiet, *argv[1:]], remedy="Look at it with pvs and vgs in the imaging environment").stdout


def rows(devices: Sequence[Path], command: str, *columns: str) -> list[dict[str, str]]:
    """What pvs, vgs or lvs report."""
    printed = lvm(devices, command, "--reportformat", "json", "--options", ",".join(columns))
    try:
        found: list[dict[str, Any]] = json.loads(printed)["report"][0][command[:-1]]
        return [{column: str(row[column]) for column in columns} for row in found]
    except (ValueError, LookupError, TypeError) as error:
        raise InstalledError(f"{command} did not print a report: {printed[:200]!r}") from error


@contextlib.contextmanager
def activated(volumes: Sequence[Volume]) -> Iterator[list[Volume]]:
    """The logical volumes of a disk, active while the context lasts; none when it has none or the kernel has no device mapper."""
    devices = members(volumes)
    if not devices or not available("lvm") or not usable():
        yield []
        return
    groups = {row["vg_name"]: row["vg_uuid"] for row in rows(devices, "vgs", "vg_name", "vg_uuid")}
    for group, uuid in groups.items():
        refuse_if_elsewhere(group, uuid, devices)
    begun = []
    try:
        for group in groups:
            begun.append(group)
            lvm(devices, "vgchange", "--activate", "y", group)
        yield [
            Volume(f"{row['vg_name']}/{row['lv_name']}", Path(row["lv_path"]), 0, probe(Path(row["lv_path"])))
            for row in rows(devices, "lvs", "vg_name", "lv_name", "lv_path", "lv_attr")
            if row["lv_path"] and row["lv_attr"][:1] in "-o"
        ]
    finally:
        with shielded():
            for group in begun:
                lvm(devices, "vgchange", "--activate", "n", group)


def refuse_if_elsewhere(group: str, uuid: str, devices: Sequence[Path]) -> None:
    """Raise InstalledError when a volume of a group with this UUID is active on other devices: another disk with the same image.

    The kernel knows a volume by its UUIDs only: activating this disk's would give the other's.
    """
    own = {device.resolve().name for device in devices}
    for folder in sorted(SYS_BLOCK.glob("dm-*")):
        try:
            is_meant = (folder / "dm/uuid").read_text().startswith("LVM-" + uuid.replace("-", ""))
        except OSError:  # just gone
            continue
        others = _below(folder.name) - own if is_meant else set()
        if others:
            raise InstalledError(
                f"The volume group {group} of this disk cannot be told from the one on {', '.join(sorted(others))}, which has the same "
                "UUID and is active. Nothing was changed",
                remedy="Take the other disk out, or deactivate its volume group (vgchange --activate n)",
            )


def _below(name: str) -> set[str]:
    """Kernel names of the devices that a mapped one is made of in the end."""
    slaves = SYS_BLOCK / name / "slaves"
    below = [entry.name for entry in slaves.iterdir()] if slaves.is_dir() else []
    return {leaf for slave in below for leaf in (_below(slave) if slave.startswith("dm-") else {slave})}


def usable() -> bool:
    """Whether this kernel has a device mapper: the node may be there without it."""
    try:
        CONTROL.open("rb").close()
    except OSError:
        return False
    return True
