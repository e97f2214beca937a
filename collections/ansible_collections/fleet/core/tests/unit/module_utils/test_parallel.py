# Copyright: (c) 2026, Fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Many items by a few threads: all are done, and no thread outlives an error or an interruption."""

from __future__ import annotations

import itertools
import signal
import threading
import time

import pytest

from ansible_collections.fleet.core.plugins.module_utils.parallel import for_each


def test_every_item_is_done_once() -> None:
    done: list[int] = []
    for_each(range(1000), lambda: None, lambda item, _context: done.append(item))
    assert sorted(done) == list(range(1000))


def test_the_first_error_ends_all_threads() -> None:
    def fail_at_ten(item: int, _context: None) -> None:
        if item == 10:
            raise ValueError("ten")

    with pytest.raises(ValueError, match="ten"):
        for_each(itertools.count(), lambda: None, fail_at_ten)


def test_after_an_interruption_no_thread_goes_on() -> None:
    last = 0.0

    def work(_item: int, _context: None) -> None:
        nonlocal last
        time.sleep(0.05)
        last = time.monotonic()

    before = signal.signal(signal.SIGINT, signal.default_int_handler)  # a shell starts what is in the background deaf to it
    threading.Timer(0.3, lambda: signal.pthread_kill(threading.main_thread().ident or 0, signal.SIGINT)).start()
    try:
        with pytest.raises(KeyboardInterrupt):
            for_each(range(60), lambda: None, work)  # ends of itself even when the interruption does not end it
    finally:
        signal.signal(signal.SIGINT, before)
    ended = time.monotonic()
    time.sleep(0.3)
    assert last <= ended
