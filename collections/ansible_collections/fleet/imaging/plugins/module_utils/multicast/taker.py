# Copyright: (c) 2026, Fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A receiver's second thread: opens frames, checks what is in them, and hands it to who writes it to the disk."""

from __future__ import annotations

import mmap
import queue
import threading
from collections import deque
from typing import Optional

from ansible_collections.fleet.core.plugins.module_utils.content.chunk import CHUNK_SIZE, digest
from ansible_collections.fleet.core.plugins.module_utils.errors import FleetError
from ansible_collections.fleet.core.plugins.module_utils.stop import Stop
from ansible_collections.fleet.core.plugins.module_utils.zstd import CompressionError, Decompressor

from .interface import Take
from .urgency import urgent

ROOM = 32 << 20
"""Bytes of frames that may wait for the disk."""


class Taker:
    """Takes frames in the order they are given; what became of them is in ``results``."""

    def __init__(self, take: Take) -> None:
        self._take = take
        self._queue: queue.SimpleQueue[Optional[tuple[bytes, bytes]]] = queue.SimpleQueue()
        self.results: deque[tuple[bytes, int, bool]] = deque()
        """(digest, bytes of the frame, whether its bytes were right); those that were are written."""
        self.error: Optional[BaseException] = None
        """Why no more can be taken."""
        self._waiting = 0
        self._lock = threading.Lock()
        self._data = mmap.mmap(-1, CHUNK_SIZE)  # page-aligned: a disk takes it without another copy (O_DIRECT)
        self._thread = threading.Thread(target=self._work, name="multicast-taker", daemon=True)
        self._thread.start()

    @property
    def full(self) -> bool:
        """Whether frames had better stay in the ring."""
        return self._waiting >= ROOM

    @property
    def idle(self) -> bool:
        """Whether nothing waits or is being written."""
        return not self._waiting

    def put(self, name: bytes, frame: bytes) -> None:
        """Give it a frame."""
        with self._lock:
            self._waiting += len(frame)
        self._queue.put((name, frame))

    def close(self) -> None:
        """Finish what waits; no take is running any more when this returns."""
        self._queue.put(None)
        self._thread.join()

    def _work(self) -> None:
        with urgent():
            self._take_all()

    def _take_all(self) -> None:
        decompressor = Decompressor()
        view = memoryview(self._data)
        while True:
            item = self._queue.get()
            if item is None:
                return
            name, frame = item
            if self.error is None:
                try:
                    self.results.append((name, len(frame), self._one(decompressor, view, name, frame)))
                except (FleetError, OSError, Stop) as error:
                    self.error = error
                except Exception as error:  # a fault of ours, or of who takes: it must not leave the receiver waiting for ever
                    self.error = FleetError(f"{type(error).__name__}: {error}")
            with self._lock:
                self._waiting -= len(frame)

    def _one(self, decompressor: Decompressor, view: memoryview, name: bytes, frame: bytes) -> bool:
        try:
            length = decompressor.into(frame, view)
        except CompressionError:
            return False
        if digest(view[:length]) != name:
            return False
        self._take(name, view[:length])
        return True
