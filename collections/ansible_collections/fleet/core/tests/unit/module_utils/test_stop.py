# Copyright: (c) 2026, Fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Work that is told to end: where it can be left, with everything undone, and no tool goes on without it."""

from __future__ import annotations

import os
import signal
import subprocess
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from ansible_collections.fleet.core.plugins.module_utils import stop
from ansible_collections.fleet.core.plugins.module_utils.command import run
from ansible_collections.fleet.core.plugins.module_utils.errors import FleetError
from ansible_collections.fleet.core.plugins.module_utils.parallel import for_each
from ansible_collections.fleet.core.plugins.module_utils.progress import Progress


@pytest.fixture(autouse=True)
def handlers() -> Iterator[None]:
    """Signals as a module has them, whatever the shell or the runner made of them; and afterwards as before."""
    before = {number: signal.signal(number, signal.default_int_handler) for number in stop.SIGNALS}
    yield
    for number, handler in before.items():
        signal.signal(number, handler)


def tell(number: int = signal.SIGTERM) -> None:
    """Send this process a signal; it has come when this returns."""
    signal.raise_signal(number)


@pytest.mark.parametrize("number", stop.SIGNALS)
def test_what_is_done_is_undone_and_the_error_says_why(number: signal.Signals) -> None:
    undone = []
    progress = Progress()
    with (
        pytest.raises(stop.Stopped, match=f"The work was stopped \\({number.name}\\) before its end. Run it again") as caught,
        stop.stoppable(),
    ):
        try:
            tell(number)
            progress.begin("work", 1)
        finally:
            progress.advance(1)  # clean-ups may use what notices a stop
            undone.append(run(["echo", "clean"]).stdout)
    assert undone == ["clean\n"] and caught.value.details["stopped"] == number.name


def test_nothing_that_handles_failures_takes_it_for_one() -> None:
    def work() -> None:
        tell()
        try:
            stop.check()
        except (FleetError, OSError, Exception):
            pytest.fail("it was swallowed")

    with pytest.raises(stop.Stopped), stop.stoppable():
        work()


def test_work_that_ended_meanwhile_is_done() -> None:
    with stop.stoppable():
        tell()
    with stop.stoppable():
        stop.check()
    assert all(signal.getsignal(number) is signal.default_int_handler for number in stop.SIGNALS)


def test_a_second_signal_does_not_disturb_the_clean_up() -> None:
    with pytest.raises(stop.Stopped), stop.stoppable():
        try:
            tell()
            stop.check()
        finally:
            tell()
            tell(signal.SIGINT)
            stop.check()
    tell()  # nor what is said and done about it


def test_a_signal_that_is_ignored_stays_so() -> None:
    signal.signal(signal.SIGHUP, signal.SIG_IGN)
    with stop.stoppable():
        tell(signal.SIGHUP)
        stop.check()
    signal.signal(signal.SIGHUP, signal.default_int_handler)


def test_what_undoes_something_is_done_to_its_end() -> None:
    done = []
    with pytest.raises(stop.Stopped), stop.stoppable():
        with stop.shielded():
            tell()
            done.append(run(["echo", "undone"]).stdout)
        run(["echo", "more"])
        done.append("more")
    assert done == ["undone\n"]


def test_threads_end_as_well() -> None:
    items = []

    def work(item: int, _context: None) -> None:
        if item == 10:
            os.kill(os.getpid(), signal.SIGTERM)
        items.append(item)
        stop.pause(0.01)

    with pytest.raises(stop.Stopped), stop.stoppable():
        for_each(range(100_000), lambda: None, work)
    assert 10 in items and len(items) < 100_000 and not any(thread.name.startswith("worker-") for thread in threading.enumerate())


def soon(file: Path) -> None:
    """Send this process a signal once a file is there."""

    def wait() -> None:
        while not file.exists():
            time.sleep(0.01)
        os.kill(os.getpid(), signal.SIGTERM)

    threading.Thread(target=wait).start()


def test_a_tool_ends_by_itself_and_no_other_is_started(tmp_path: Path) -> None:
    soon(tmp_path / "began")
    with pytest.raises(stop.Stopped), stop.stoppable():
        run(["sh", "-c", f"cd {tmp_path}; touch began; sleep 0.5; touch ended"])
        run(["touch", tmp_path / "next"])
    assert (tmp_path / "ended").exists() and not (tmp_path / "next").exists()


def test_a_tool_that_may_be_killed_is(tmp_path: Path) -> None:
    began = tmp_path / "began"
    soon(began)
    with pytest.raises(stop.Stopped), stop.stoppable():
        run(["sh", "-c", f"echo $$ > {began}; exec sleep 600"], killable=True)
    assert subprocess.run(["kill", "-0", began.read_text().strip()], capture_output=True, check=False).returncode != 0


def test_who_asked_is_called_at_once_and_also_when_it_asks_late() -> None:
    called = []
    with pytest.raises(stop.Stopped), stop.stoppable():
        with stop.calling(lambda: called.append("first")):
            tell()
        with stop.calling(lambda: called.append("late")):
            pass
        stop.check()
    assert called == ["first", "late"]


def test_in_another_thread_signals_are_not_touched() -> None:
    def work() -> None:
        with stop.stoppable():
            assert signal.getsignal(signal.SIGTERM) is signal.default_int_handler
            done.append(True)

    done: list[bool] = []
    thread = threading.Thread(target=work)
    thread.start()
    thread.join()
    assert done
