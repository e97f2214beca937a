# Copyright: (c) 2026, Fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What of an image is in a local backup already."""

from __future__ import annotations

import threading

from ansible_collections.fleet.core.plugins.module_utils.content.chunk import Chunk
from ansible_collections.fleet.core.plugins.module_utils.content.manifest import Manifest
from ansible_collections.fleet.core.plugins.module_utils.content.store import ChunkStore, StoreError
from ansible_collections.fleet.core.plugins.module_utils.parallel import for_each
from ansible_collections.fleet.core.plugins.module_utils.progress import Progress
from ansible_collections.fleet.core.plugins.module_utils.zstd import Decompressor


def lacking(store: ChunkStore, manifest: Manifest, progress: Progress, *, thorough: bool) -> dict[bytes, Chunk]:
    """The chunks of an image that the store has not got; with thorough also those that do not hash to their name. Reads only."""
    wanted = {chunk.digest: chunk for stream in manifest.streams for chunk in stream.chunks() if not chunk.is_zero}
    found: dict[bytes, Chunk] = {}
    lock = threading.Lock()
    progress.begin("look at the backup", len(wanted), "chunks")

    def look(chunk: Chunk, decompressor: Decompressor) -> None:
        there = store.has(chunk.digest)
        if there and thorough:
            try:
                store.read(chunk.digest, decompressor)
            except StoreError:
                there = False
        if not there:
            with lock:
                found[chunk.digest] = chunk
        progress.advance(1)

    for_each(wanted.values(), Decompressor, look)
    return found
