# Copyright: (c) 2026, Fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A session needs little of a processor, but needs it within milliseconds: a room waits for it, on a host that has other work.

Memory is part of it: a frame of a megabyte comes and goes a hundred times a second, and each time the kernel would clear its pages anew.
"""

from __future__ import annotations

import contextlib
import ctypes
import os
import threading
from collections.abc import Iterator

_NICE = -10
_TRIM_THRESHOLD, _MMAP_THRESHOLD = -1, -3
"""Parameters of mallopt(3)."""
_KEPT = 32 << 20
"""Bytes of freed memory that this process keeps for what comes next, in pieces of up to as much."""


def keep_memory() -> None:
    """Let this process keep what it frees, for frames to come; a C library that cannot (musl) is left alone."""
    with contextlib.suppress(OSError, AttributeError):
        mallopt = ctypes.CDLL(None).mallopt
        mallopt(_MMAP_THRESHOLD, _KEPT)
        mallopt(_TRIM_THRESHOLD, _KEPT)


@contextlib.contextmanager
def urgent() -> Iterator[None]:
    """Let the calling thread go before others for a while, where that is allowed (sched(7): on Linux niceness belongs to a thread)."""
    thread = threading.get_native_id()
    before = os.getpriority(os.PRIO_PROCESS, thread)
    with contextlib.suppress(OSError):
        os.setpriority(os.PRIO_PROCESS, thread, min(before, _NICE))
    try:
        yield
    finally:
        with contextlib.suppress(OSError):
            os.setpriority(os.PRIO_PROCESS, thread, before)
