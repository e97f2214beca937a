# Copyright: (c) 2026, Fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A session needs little of a processor, but needs it within milliseconds: a room waits for it, on a host that has other work."""

from __future__ import annotations

import contextlib
import os
import threading
from collections.abc import Iterator

_NICE = -10


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
