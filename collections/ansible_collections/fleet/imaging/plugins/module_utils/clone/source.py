# Copyright: (c) 2026, Fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Where a sender has its chunks from. The multicast session (interface.Source) asks for frames and does not know."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Sequence

from ansible_collections.fleet.core.plugins.module_utils.content.chunk import digest as digest_of
from ansible_collections.fleet.core.plugins.module_utils.content.manifest import Manifest
from ansible_collections.fleet.core.plugins.module_utils.content.store import ChunkDamaged, ChunkMissing, ChunkStore
from ansible_collections.fleet.core.plugins.module_utils.zstd import Compressor

from ..disk.device import Disk
from ..engine.blockio import aligned_buffer, read_used
from ..image.places import Place, places_of
from .ahead import ReadAhead


def _in_order(manifest: Manifest) -> list[bytes]:
    """The chunks of an image, each once, in the order in which they lie on the disk."""
    return list(dict.fromkeys(chunk.digest for stream in manifest.streams for chunk in stream.chunks() if not chunk.is_zero))


class StoreSource:
    """The folder of a content store, the centre's or a relay's. Frames go out as they are stored; receivers verify them."""

    def __init__(self, store: ChunkStore, manifest: Manifest) -> None:
        self._store = store
        self.digests: Sequence[bytes] = _in_order(manifest)

    def frame(self, digest: bytes) -> bytes:
        """A chunk's frame; ChunkMissing when the store has not got it."""
        try:
            return self._store.chunk_path(digest).read_bytes()
        except FileNotFoundError as error:
            raise ChunkMissing(f"chunk {digest.hex()} is not in {self._store.root}") from error


class DiskSource:
    """The disk of a station that has the image. What has changed there since is not sent: it does not hash to its name."""

    def __init__(self, disk: Disk, manifest: Manifest, stack: contextlib.ExitStack) -> None:
        """stack: closes the devices at its end."""
        self._places: dict[bytes, Place] = {}
        self._tools = threading.local()
        self._chunk_size = manifest.chunk_size
        for _stream, places in places_of(manifest, disk, stack):
            for file, chunk in places:
                self._places.setdefault(chunk.digest, (file, chunk))
        self.digests: Sequence[bytes] = list(self._places)
        self._ahead = ReadAhead(self.digests, self._make, stack)

    def frame(self, digest: bytes) -> bytes:
        """A chunk read from the disk and compressed; ChunkDamaged when the disk holds something else by now."""
        return self._ahead.frame(digest)

    def _make(self, digest: bytes) -> bytes:
        """frame, in any thread."""
        if not hasattr(self._tools, "compressor"):
            self._tools.compressor, self._tools.view = Compressor(), memoryview(aligned_buffer(self._chunk_size))
        file, chunk = self._places[digest]
        view = self._tools.view[: chunk.length]
        read_used(file, chunk.offset, chunk.slices, view)
        if digest_of(view) != digest:
            raise ChunkDamaged(f"{file.path} holds something else at byte {chunk.offset} than the image")
        return bytes(self._tools.compressor.compress(view))
