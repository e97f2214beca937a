# SPDX-License-Identifier: GPL-3.0-or-later
"""What every test has here: a place in memory for the disks it makes, and an end.

The tests write some 20 GB to the disks they make. On a machine whose disk is slow, or slow once a burst is used up, that takes hours,
and what waits for a byte over the network gives up meanwhile. What hangs must end by itself: nobody watches continuous integration.
"""

from __future__ import annotations

import contextlib
import errno
import faulthandler
import os
import shutil
import signal
import sys
import tempfile
from collections.abc import Generator, Iterator
from pathlib import Path
from types import FrameType

import pytest
from hypothesis import HealthCheck, settings

MEMORY = Path("/dev/shm")
NEEDED = 6 << 30
"""Bytes that must be free in memory; the tests have held 2 GiB at once."""

AGAIN = 30.0
"""Seconds until what hangs even while a test is ended, as the clean-up of a fixture, is interrupted as well."""

# A slow machine is no fault of what is tested. Whoever works on a test gets new examples each time; scripts/test has the same ones always:
# a fault that only chance finds is found by whoever looks for it, not by whoever changed something else.
settings.register_profile("new", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.register_profile("same", settings.get_profile("new"), derandomize=True)
settings.load_profile("new")


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--whole", action="store_true", help="run what is marked whole as well, as `make test-all` does")
    parser.addini("time_limit", "seconds after which a test (or one of its fixtures) fails because it hangs", default="600")
    parser.addini("last_wait", "seconds that what the tests left running has to end", default="120")


def pytest_configure(config: pytest.Config) -> None:
    """Let temporary files lie in memory, unless TMPDIR says where they belong."""
    if "TMPDIR" not in os.environ and fits_in_memory():
        os.environ["TMPDIR"] = tempfile.tempdir = str(MEMORY)


def pytest_report_header(config: pytest.Config) -> str:
    return f"temporary files: {tempfile.gettempdir()}"


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Leave out what is marked whole, and say so of each."""
    if not config.getoption("--whole"):
        for item in items:
            if item.get_closest_marker("whole"):
                item.add_marker(pytest.mark.skip(reason="make test-all runs it (--whole): it takes long"))


def fits_in_memory() -> bool:
    """Whether there is a filesystem in memory with room, which keeps what the tests' files have (users' attributes: Linux 6.6)."""
    try:
        available = next(line for line in Path("/proc/meminfo").read_text().splitlines() if line.startswith("MemAvailable:"))
        if min(shutil.disk_usage(MEMORY).free, int(available.split()[1]) << 10) < NEEDED:
            return False
        with tempfile.NamedTemporaryFile(dir=MEMORY) as probe:
            os.setxattr(probe.name, "user.fleet", b"")
            os.close(os.open(probe.name, os.O_RDONLY | os.O_DIRECT))
    except OSError as error:
        if error.errno not in (errno.ENOENT, errno.EACCES, errno.EROFS, errno.ENOTSUP, errno.EINVAL):
            raise
        return False
    return True


@contextlib.contextmanager
def limited(item: pytest.Item) -> Iterator[None]:
    """Fail what takes longer than the time limit, and say in its report where each thread was."""
    seconds = float(item.config.getini("time_limit"))

    def end(_number: int, _frame: FrameType | None) -> None:
        faulthandler.dump_traceback(sys.__stderr__)
        pytest.fail(f"it hangs: no end after {seconds:g} s; the captured standard error shows where each thread was", pytrace=True)

    before = signal.signal(signal.SIGALRM, end)
    signal.setitimer(signal.ITIMER_REAL, seconds, AGAIN)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_setup(item: pytest.Item) -> Generator[None, object, object]:
    with limited(item):
        return (yield)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_call(item: pytest.Item) -> Generator[None, object, object]:
    with limited(item):
        return (yield)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_teardown(item: pytest.Item) -> Generator[None, object, object]:
    with limited(item):
        return (yield)


@pytest.hookimpl(trylast=True)
def pytest_unconfigure(config: pytest.Config) -> None:
    """A thread that a hanging test left behind would keep Python from ending."""
    faulthandler.dump_traceback_later(float(config.getini("last_wait")), exit=True, file=sys.__stderr__)
