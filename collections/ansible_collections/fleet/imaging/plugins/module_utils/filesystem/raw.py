# Copyright: (c) 2026, Fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Contents that nobody here understands: every byte counts. And those that must not be copied at all."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from ..disk.device import device_size
from .base import CLEAN, Extent, Filesystem, Signature, State


class Raw(Filesystem):
    """An unknown filesystem, a boot partition without one, LVM: captured whole. signature is blkid's name, if it has one."""

    def __init__(self, device: Path, signature: Signature) -> None:
        super().__init__(device, signature)
        self.type = "raw"
        self.signature = signature.type

    @property
    def size(self) -> int:
        return device_size(self.device)

    @property
    def block_size(self) -> int:
        return 512

    def own_state(self) -> State:
        return CLEAN

    def extents(self) -> Iterable[Extent]:
        return ((0, self.size),)

    def check(self) -> None:
        """There is nothing that could be checked."""


class Refused(Raw):
    """Contents that are never captured, with the reason: encrypted volumes, members of a RAID."""

    def __init__(self, device: Path, signature: Signature, state: State) -> None:
        super().__init__(device, signature)
        self.type = signature.type
        self._state = state

    def own_state(self) -> State:
        return self._state
