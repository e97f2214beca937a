# Copyright: (c) 2026, Fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Swap areas: their contents are never captured; a restore makes a new one with the same UUID and label."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from ansible_collections.fleet.core.plugins.module_utils.command import run

from .base import CLEAN, CLEAN_SHUTDOWN, Extent, Filesystem, FilesystemError, Signature, State, read_at

_PAGE_SIZES = (4096, 65536, 16384, 8192)
_SIGNATURE_BYTES = 10
_SWAP = b"SWAPSPACE2"
_SUSPENDED = (b"S1SUSPEND\0", b"S2SUSPEND\0", b"ULSUSPEND\0", b"LINHIB0001")


class SwapArea(Filesystem):
    """Swap space, version 1 (mkswap(8))."""

    @classmethod
    def create(cls, device: Path, uuid: str = "", label: str = "") -> SwapArea:
        """Make a swap area over the whole device."""
        identity = [*(["--uuid", uuid] if uuid else []), *(["--label", label] if label else [])]
        run(["mkswap", "--force", *identity, str(device)])
        return cls(device, Signature(type="swap", uuid=uuid, label=label))

    @property
    def size(self) -> int:
        header = read_at(self.device, 1024, 12)
        return (int.from_bytes(header[4:8], "little") + 1) * self.block_size

    @property
    def block_size(self) -> int:
        for page in _PAGE_SIZES:
            if read_at(self.device, page - _SIGNATURE_BYTES, _SIGNATURE_BYTES) in (_SWAP, *_SUSPENDED):
                return page
        raise FilesystemError(f"{self.device} has no swap signature")

    def own_state(self) -> State:
        if self.type == "swsuspend" or read_at(self.device, self.block_size - _SIGNATURE_BYTES, _SIGNATURE_BYTES) in _SUSPENDED:
            return State(False, "hibernated", "the system is suspended into it", CLEAN_SHUTDOWN)
        return CLEAN

    def extents(self) -> Iterable[Extent]:
        return ()

    def check(self) -> None:
        self.require_clean()
