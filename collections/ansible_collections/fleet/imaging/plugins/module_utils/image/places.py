# Copyright: (c) 2026, Fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Where the chunks of an image lie on a disk that it was restored to."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from pathlib import Path

from ansible_collections.fleet.core.plugins.module_utils.content.chunk import Chunk
from ansible_collections.fleet.core.plugins.module_utils.content.manifest import Manifest, Stream

from ..disk.device import Disk
from ..disk.partitions import partition_of
from ..disk.table import PartitionTable, TableError
from ..engine.blockio import BlockFile
from .description import BOOTCODE

Place = tuple[BlockFile, Chunk]


def places_of(manifest: Manifest, disk: Disk, stack: contextlib.ExitStack) -> Iterator[tuple[Stream, list[Place]]]:
    """For each stream that is on the disk block by block: where its chunks would be. What is there may be something else by now.

    stack: closes the devices at its end. Raises TableError when the disk has no table; a partition that it lacks is left out.
    """
    table = PartitionTable.from_disk(disk)
    for stream in manifest.streams:
        if stream.meta.get("target") == BOOTCODE:
            path: Path = disk.path
        elif stream.meta.get("engine", "blocks") == "blocks":
            try:
                path = partition_of(disk, table, int(stream.meta["number"])).path
            except TableError:
                continue
        else:
            continue  # an archive of files is on no disk
        file = stack.enter_context(BlockFile(path))
        chunks = (chunk for chunk in stream.chunks() if not chunk.is_zero)
        yield stream, [(file, chunk) for chunk in chunks if chunk.offset + max(map(sum, chunk.slices)) <= file.size]
