# Copyright: (c) 2026, Fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Volume groups of a station's own: another UUID, and another name when one is given.

LVM makes such UUIDs by itself; that they are the station's is remembered by the record in the system.
"""

from __future__ import annotations

from ansible_collections.fleet.core.plugins.module_utils.errors import InputError

from ..installed import lvm
from ..installed.system import System
from .request import Request


def rename(system: System, request: Request) -> dict[str, str]:
    """Names by which files of the system know the group that gets the name asked for (old: new); empty when it has it already."""
    devices = lvm.members(system.volumes)
    if not request.volume_group or not devices:
        return {}
    groups = sorted(uuids(system))
    if len(groups) > 1:
        raise InputError(f"volume_group: {system.disk.describe()} has several: {', '.join(groups)}. Nothing was changed")
    names = {}
    for group in groups:
        if group != request.volume_group:
            names[f"/dev/{group}"] = f"/dev/{request.volume_group}"
            for row in lvm.rows(devices, "lvs", "lv_name"):
                name = row["lv_name"]
                names[f"/dev/{group}/{name}"] = f"/dev/{request.volume_group}/{name}"
                names[f"/dev/mapper/{_mapped(group)}-{_mapped(name)}"] = f"/dev/mapper/{_mapped(request.volume_group)}-{_mapped(name)}"
    return names


def _mapped(name: str) -> str:
    return name.replace("-", "--")


def uuids(system: System) -> dict[str, str]:
    """UUIDs of the disk's volume groups, by name."""
    devices = lvm.members(system.volumes)
    return {row["vg_name"]: row["vg_uuid"] for row in lvm.rows(devices, "vgs", "vg_name", "vg_uuid")} if devices else {}


def write(system: System, request: Request, new_uuid: bool) -> None:
    """Change them; their volumes must not be active. Raises ToolError."""
    devices = lvm.members(system.volumes)
    for group in uuids(system):
        if new_uuid:
            lvm.lvm(devices, "pvchange", "--uuid", *(str(device) for device in devices))
            lvm.lvm(devices, "vgchange", "--uuid", group)
        if request.volume_group and group != request.volume_group:
            lvm.lvm(devices, "vgrename", group, request.volume_group)
