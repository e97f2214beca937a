# Copyright: (c) 2026, Fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What an engine offers: one way of turning a partition into a stream and back."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar

from ansible_collections.fleet.core.plugins.module_utils.content.manifest import Stream
from ansible_collections.fleet.core.plugins.module_utils.progress import Progress

from ..disk.device import Partition
from ..filesystem import Filesystem
from .stream_reader import StreamSource
from .stream_writer import StreamWriter, Target


@dataclass(frozen=True)
class PartitionJob:
    """A stream of an image and the partition that is to receive it."""

    stream: Stream
    partition: Partition
    filesystem: Mapping[str, Any]
    """The manifest's record of the filesystem: type, uuid, label, size (bytes)."""


class Engine(ABC):
    """One way of turning partitions into streams and back. A capture's engine is recorded in its manifest."""

    name: ClassVar[str]

    def __init__(self, work_dir: Path) -> None:
        """work_dir: a folder for what must be held for a while."""
        self.work_dir = work_dir

    @abstractmethod
    def source(self, number: int, filesystem: Filesystem, progress: Progress) -> AbstractContextManager[StreamSource]:
        """The bytes to store for a partition; what was prepared for it is gone when the context ends."""

    @abstractmethod
    def minimum_size(self, filesystem: Filesystem) -> int:
        """Bytes that a partition must have to receive the stream."""

    @abstractmethod
    def require(self, streams: Sequence[Stream]) -> None:
        """Raise FleetError when this station lacks what it takes to restore the streams; called before anything is written."""

    @abstractmethod
    def differing(self, jobs: Sequence[PartitionJob], others: Sequence[Target], writer: StreamWriter) -> int:
        """Bytes that a restore would write; reads only."""

    @abstractmethod
    def restore(self, jobs: Sequence[PartitionJob], others: Sequence[Target], writer: StreamWriter) -> None:
        """Make the partitions hold the streams (and the other targets, such as boot code, theirs), verified."""
