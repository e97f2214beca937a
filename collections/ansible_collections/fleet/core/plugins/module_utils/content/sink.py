# Copyright: (c) 2026, Fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Where a capture puts its chunks: a store in a folder, or a store's quarantine over HTTP. The capture cannot tell which."""

from __future__ import annotations

import contextlib
from pathlib import Path
from typing import Optional, Protocol

from ..zstd import Buffer
from .index import write_index
from .manifest import Manifest
from .signature import sign
from .store import ChunkStore, ManifestRef, StoreWriter


class ChunkSink(Protocol):
    """Takes the chunks of one manifest from several threads, then the manifest."""

    def has(self, name: bytes) -> bool:
        """Whether the chunk is there, so that it need not be compressed."""

    def put(self, name: bytes, frame: Buffer) -> bool:
        """Add a chunk's frame, which is the sink's until this returns; False when it was there already."""

    def finish(self, manifest: bytes) -> None:
        """Add the manifest, after the last chunk."""

    def close(self) -> None:
        """Let go of what is held; what arrived unfinished is kept or dropped as the sink sees fit."""


class LocalSink:
    """A store in a folder of this host; signs the manifest when a key is given."""

    def __init__(self, store: ChunkStore, key: Optional[Path] = None) -> None:
        self._store = store
        self._key = key
        self._resources = contextlib.ExitStack()
        self._resources.enter_context(store.create().lock(exclusive=False))  # a prune would take chunks that no manifest names yet
        self._writer = self._resources.enter_context(StoreWriter(store))

    def has(self, name: bytes) -> bool:
        """Whether the chunk is in the store or on its way there."""
        return self._writer.has(name)

    def put(self, name: bytes, frame: Buffer) -> bool:
        """Add a chunk's frame; False when it was there already."""
        return self._writer.put(name, frame)

    def finish(self, manifest: bytes) -> None:
        """Make all chunks visible, then the manifest."""
        parsed = Manifest.from_bytes(manifest)
        self._writer.flush()
        signature = sign(manifest, self._key) if self._key else None
        self._store.add_manifest(ManifestRef(parsed.kind, parsed.name, parsed.version), manifest, signature)
        write_index(self._store)

    def close(self) -> None:
        """Keep the chunks that are complete, drop the rest."""
        self._resources.close()
