# Copyright: (c) 2026, Fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What every filesystem can say of itself and do, whatever its type. All sizes and offsets are bytes."""

from __future__ import annotations

import os
import stat
from abc import ABC, abstractmethod
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar

from ansible_collections.fleet.core.plugins.module_utils.errors import FleetError

from ..disk import usage
from ..disk.device import device_size

Extent = tuple[int, int]
"""(offset, length) in bytes."""

IMAGING_ENVIRONMENT = "Boot the station into the imaging environment, or unmount it"
CLEAN_SHUTDOWN = "Start the station's own system and shut it down cleanly"


class FilesystemError(FleetError):
    """A filesystem is damaged, unknown or cannot do what was asked."""


class NotClean(FilesystemError):
    """A filesystem must not be captured as it is."""


class AmbiguousFilesystem(FilesystemError):
    """A device carries the signatures of several filesystems."""


class GrowUnsupported(FilesystemError):
    """This type of filesystem cannot be grown with the tools of a base system; it stays as it is."""


class ShrinkUnsupported(FilesystemError):
    """This type of filesystem cannot be made smaller."""


@dataclass(frozen=True)
class State:
    """Whether a filesystem may be captured; if not, why and what to do.

    reason is one word: mounted, dirty, hibernated, encrypted, damaged, unsupported. detail says which probe said so.
    """

    clean: bool
    reason: str = ""
    detail: str = ""
    remedy: str = ""


CLEAN = State(clean=True)


@dataclass(frozen=True)
class Signature:
    """What blkid says of a device; empty strings where it says nothing."""

    type: str = ""
    usage: str = ""
    uuid: str = ""
    label: str = ""
    version: str = ""


class Filesystem(ABC):
    """The contents of one partition (or regular file)."""

    can_grow: ClassVar[bool] = False
    can_shrink: ClassVar[bool] = False

    def __init__(self, device: Path, signature: Signature) -> None:
        self.device = device
        self.type = signature.type
        self.uuid = signature.uuid
        self.label = signature.label

    @property
    @abstractmethod
    def size(self) -> int:
        """Bytes that the filesystem spans, from the device's start."""

    @property
    @abstractmethod
    def block_size(self) -> int:
        """Bytes of its unit of allocation."""

    @abstractmethod
    def own_state(self) -> State:
        """The state that the filesystem's own structures tell, on a device that nobody uses."""

    @abstractmethod
    def extents(self) -> Iterable[Extent]:
        """Used extents in any order, possibly overlapping, of a clean filesystem."""

    @abstractmethod
    def check(self) -> None:
        """Check all structures without writing; raises FilesystemError when anything is wrong."""

    def state(self) -> State:
        """Whether the filesystem may be captured."""
        if stat.S_ISBLK(os.stat(self.device).st_mode):
            users = usage.reasons(self.device)
            if users:
                return State(False, "mounted", "; ".join(users), IMAGING_ENVIRONMENT)
        return self.own_state()

    def require_clean(self) -> None:
        """Raise NotClean unless the filesystem may be captured."""
        state = self.state()
        if not state.clean:
            raise NotClean(
                f"The {self.type} filesystem on {self.device} is {state.reason}: {state.detail}",
                remedy=state.remedy,
                device=str(self.device),
                reason=state.reason,
            )

    def used(self) -> list[Extent]:
        """Extents whose contents matter: sorted, merged, inside the device. Raises NotClean unless the filesystem is clean."""
        self.require_clean()
        return merged(self.extents(), device_size(self.device))

    def grow(self) -> None:
        """Grow to the device's end and check; nothing happens when already there. Raises GrowUnsupported when the type cannot."""
        raise GrowUnsupported(f"{self.type} on {self.device} cannot be grown; it keeps its size of {self.size} bytes")

    def minimum_size(self) -> int:
        """Bytes down to which it can shrink; its size when it cannot."""
        return self.size

    def shrink(self, size: int) -> None:
        """Shrink to at most size bytes and check. Raises ShrinkUnsupported when the type cannot."""
        raise ShrinkUnsupported(
            f"{self.type} on {self.device} cannot be made smaller than {self.size} bytes ({size} asked for)", remedy="Use a larger disk"
        )

    def as_meta(self) -> dict[str, Any]:
        """What a manifest records: enough to make an empty filesystem like this one."""
        return {"type": self.type, "uuid": self.uuid, "label": self.label, "size": self.size, "block_size": self.block_size}


def too_small(filesystem: Filesystem, size: int) -> FilesystemError:
    """The refusal to shrink below what the contents need."""
    return FilesystemError(
        f"{filesystem.type} on {filesystem.device} cannot be shrunk to {size} bytes: it needs {filesystem.minimum_size()}",
        remedy="Use a larger disk, or remove files from the model and capture it again",
    )


def merged(extents: Iterable[Extent], limit: int) -> list[Extent]:
    """Sort extents and join those that touch; cut what reaches behind limit, drop what is empty."""
    result: list[Extent] = []
    for offset, length in sorted(extents):
        end = min(offset + length, limit)
        if end <= offset:
            continue
        if result and offset <= result[-1][0] + result[-1][1]:
            start = result[-1][0]
            result[-1] = (start, max(end, start + result[-1][1]) - start)
        else:
            result.append((offset, end - offset))
    return result


def read_at(device: Path, offset: int, length: int) -> bytes:
    """Bytes of a device; fewer than length at its end."""
    descriptor = os.open(device, os.O_RDONLY | os.O_CLOEXEC)
    try:
        return os.pread(descriptor, length, offset)
    finally:
        os.close(descriptor)


def write_at(device: Path, offset: int, data: bytes) -> None:
    """Write bytes to a device and wait until they are on it."""
    descriptor = os.open(device, os.O_WRONLY | os.O_CLOEXEC)
    try:
        view = memoryview(data)
        while view:
            written = os.pwrite(descriptor, view, offset)
            view, offset = view[written:], offset + written
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
