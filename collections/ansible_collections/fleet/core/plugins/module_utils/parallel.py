# Copyright: (c) 2026, Fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The same thing to many items by a few threads, in memory that does not grow with their number (a pool's queue of futures does)."""

from __future__ import annotations

import os
import threading
from collections.abc import Iterable
from typing import Callable, TypeVar

Item = TypeVar("Item")
Context = TypeVar("Context")

THREADS = max(2, min(4, os.cpu_count() or 1))
"""Hashing, zstd and I/O let go of the interpreter's lock; more threads than this only queue for the disk."""


def for_each(items: Iterable[Item], make: Callable[[], Context], action: Callable[[Item, Context], None], threads: int = THREADS) -> None:
    """Do action to every item, in any order; each thread makes itself a context first. The first error ends all threads and is raised."""
    source = iter(items)
    lock = threading.Lock()
    errors: list[BaseException] = []
    nothing = object()

    def work() -> None:
        try:
            context = make()
            while not errors:
                with lock:
                    item = next(source, nothing)
                if item is nothing:
                    return
                action(item, context)  # type: ignore[arg-type]
        except BaseException as error:  # raised again in the caller's thread
            errors.append(error)

    run_threads(work, threads, errors)
    if errors:
        raise errors[0]


def run_threads(work: Callable[[], None], count: int, errors: list[BaseException]) -> None:
    """Do work in count threads, which end soon after something is in errors; returns or raises when all have ended.

    What interrupts the wait (Ctrl-C, no room for another thread) is one more such error: the caller is about to close files, and a thread
    that went on would write to whatever gets their numbers.
    """
    ended: list[threading.Event] = []

    def run(end: threading.Event) -> None:
        try:
            work()
        finally:
            end.set()

    try:
        for number in range(count):
            end = threading.Event()
            threading.Thread(target=run, args=(end,), name=f"worker-{number}").start()
            ended.append(end)
        for end in ended:
            end.wait()
    except BaseException as error:
        errors.append(error)
        for end in ended:  # not join(): once interrupted, it takes the thread for ended (bpo-45274)
            end.wait()
        raise
