# Copyright: (c) 2026, Fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Frames that are made before they are asked for: compressing is what takes a sender longest when it sends from a disk (record 0039).

A session asks for one frame after the other. While it goes through the image in order, the next ones are made by several threads meanwhile;
when it jumps, as when somebody lacks a chunk here and there, nothing is guessed.
"""

from __future__ import annotations

import contextlib
from collections.abc import Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Callable

from ansible_collections.fleet.core.plugins.module_utils.parallel import THREADS

AHEAD = 2 * THREADS
"""Frames that are made or wait, at most: 2 MiB for each core."""


class ReadAhead:
    """Frames in the order of digests, made by a function that any thread may call."""

    def __init__(self, digests: Sequence[bytes], make: Callable[[bytes], bytes], stack: contextlib.ExitStack) -> None:
        """stack: ends the threads at its end."""
        self._digests = digests
        self._make = make
        self._index = {digest: index for index, digest in enumerate(digests)}
        self._going: dict[bytes, Future[bytes]] = {}
        self._next = -1  # the index that would be in order
        self._pool = ThreadPoolExecutor(THREADS, "read-ahead")
        stack.callback(self._stop)

    def frame(self, digest: bytes) -> bytes:
        """A frame, or what its maker raised. To be called from one thread."""
        index = self._index[digest]
        going = self._going.pop(digest, None)
        if index != self._next:
            self._forget()
        else:
            for each in self._digests[index + 1 : index + 1 + AHEAD]:
                if each not in self._going:
                    self._going[each] = self._pool.submit(self._make, each)
        self._next = index + 1
        return going.result() if going else self._make(digest)

    def _forget(self) -> None:
        for each in self._going.values():
            each.cancel()
        self._going.clear()

    def _stop(self) -> None:
        self._forget()
        self._pool.shutdown()
