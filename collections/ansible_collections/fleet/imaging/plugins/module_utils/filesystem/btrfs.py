# Copyright: (c) 2026, Fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""btrfs on one device (btrfs documentation, "On-disk format"). It grows while mounted."""

from __future__ import annotations

import struct
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from ansible_collections.fleet.core.plugins.module_utils.command import run
from ansible_collections.fleet.core.plugins.module_utils.errors import ToolError

from ..disk.device import device_size
from .base import CLEAN, CLEAN_SHUTDOWN, Extent, Filesystem, FilesystemError, GrowUnsupported, State, read_at
from .mounted import run_mounted
from .usedmap import partclone_domain

_SUPERBLOCK = 64 << 10
_SUPERBLOCK_BYTES = 4096
_RESIZE_FLOOR = 256 << 20  # fs/btrfs/ioctl.c, btrfs_ioctl_resize


@dataclass(frozen=True)
class _Superblock:
    log_root: int
    devices: int
    sector_size: int
    device_bytes: int

    @classmethod
    def read(cls, device: Path) -> _Superblock:
        data = read_at(device, _SUPERBLOCK, _SUPERBLOCK_BYTES)
        if len(data) < _SUPERBLOCK_BYTES or data[0x40:0x48] != b"_BHRfS_M":
            raise FilesystemError(f"{device} has no btrfs superblock")
        (log_root,) = struct.unpack_from("<Q", data, 0x60)
        (devices,) = struct.unpack_from("<Q", data, 0x88)
        (sector_size,) = struct.unpack_from("<I", data, 0x90)
        (device_bytes,) = struct.unpack_from("<Q", data, 0xC9 + 8)  # dev_item.total_bytes
        return cls(log_root, devices, sector_size, device_bytes)


class Btrfs(Filesystem):
    """btrfs on one device."""

    can_grow = True

    @property
    def size(self) -> int:
        return _Superblock.read(self.device).device_bytes

    @property
    def block_size(self) -> int:
        return _Superblock.read(self.device).sector_size

    def own_state(self) -> State:
        superblock = _Superblock.read(self.device)
        if superblock.devices != 1:
            return State(False, "unsupported", f"it spans {superblock.devices} devices", "Make the model's filesystem on one device")
        if superblock.log_root:
            return State(False, "dirty", "its log tree holds changes", f"{CLEAN_SHUTDOWN}, or mount and unmount {self.device}")
        return CLEAN

    def extents(self) -> Iterable[Extent]:
        return partclone_domain("partclone.btrfs", self.device, device_size(self.device))

    def check(self) -> None:
        try:
            run(["btrfs", "check", "--readonly", str(self.device)])
        except ToolError as error:
            raise FilesystemError(f"{self.device} is damaged: {error}", remedy="Restore it from an image") from error

    def grow(self) -> None:
        room = device_size(self.device)
        if self.size // self.block_size < room // self.block_size:
            if room < _RESIZE_FLOOR:
                raise GrowUnsupported(f"btrfs on {self.device} keeps its size of {self.size} bytes: Linux resizes none below 256 MiB")
            run_mounted("btrfs", "defaults", self.device, ["btrfs", "filesystem", "resize", "max"])
            self.check()
