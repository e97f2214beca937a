# Copyright: (c) 2026, Fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What is mounted is never erased, whatever a hook of the site left behind."""

from __future__ import annotations

import os
import select
import signal
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from ansible_collections.fleet.core.plugins.module_utils.errors import ToolError
from ansible_collections.fleet.imaging.plugins.module_utils.disk import usage
from ansible_collections.fleet.imaging.plugins.module_utils.filesystem import mountpoint
from ansible_collections.fleet.imaging.plugins.module_utils.identity import hooks
from ansible_collections.fleet.imaging.plugins.module_utils.installed.system import opened, privately
from ansible_collections.fleet.imaging.tests.unit.filesystems import tree
from ansible_collections.fleet.imaging.tests.unit.installation import Installed, install

TOLD = {"FLEET_STATION": "pc07"}


@pytest.fixture
def system(loop_disk: Any, mounted: Any) -> Installed:
    return install(loop_disk, mounted)


@pytest.fixture
def left(tmp_path: Path) -> Iterator[Path]:
    """Where a hook writes the process that it leaves running; the test ends it."""
    file = tmp_path / "left"
    yield file
    if file.exists():
        os.kill(int(file.read_text()), signal.SIGKILL)


def hook(folder: Path, script: str) -> hooks.Hook:
    path = folder / "10-hook"
    path.write_text(f"#!/bin/sh\nset -e\n{script}\n")
    path.chmod(0o755)
    return hooks.Hook(path, "")


def run_in(system: Installed, each: hooks.Hook) -> tuple[str, Path]:
    """Run a hook with the system mounted for writing; what it said, and where the system was."""

    def inside() -> tuple[str, Path]:
        with opened(system.disk, writable=True) as there:
            return hooks.run(each, {**TOLD, "FLEET_ROOT": str(there.tree.root)}, {}), there.tree.root

    return privately(inside)


def test_what_a_hook_leaves_running_is_killed_and_what_it_left_mounted_is_only_unmounted(system: Installed, tmp_path: Path) -> None:
    precious = tmp_path / "precious"
    precious.mkdir()
    (precious / "file").write_text("precious")
    with system.files("ro") as root:
        before = tree(root)
    said, root = run_in(system, hook(tmp_path, f'mount --bind {precious} "$FLEET_ROOT/tmp"; cd "$FLEET_ROOT"; sleep 3000 & echo done'))
    assert said == "done" and (precious / "file").read_text() == "precious"
    assert not root.exists()
    with system.files("ro") as root:
        assert tree(root) == before


def test_a_daemon_that_holds_the_system_is_an_error_and_erases_nothing(
    system: Installed, tmp_path: Path, left: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(mountpoint, "_ATTEMPTS", 2)
    with system.files("ro") as root:
        before = tree(root)
    started = tmp_path / "started"
    os.mkfifo(started)
    daemon = f"setsid sh -c 'echo $$ > {left}; echo > {started}; exec sleep 3000' & cat {started}"
    with pytest.raises(ToolError, match="is still in use.*End the programs that use it") as refused:
        run_in(system, hook(tmp_path, f'cd "$FLEET_ROOT"; {daemon}'))
    assert "left behind" not in str(refused.value)
    os.kill(int(left.read_text()), signal.SIGKILL)
    left.unlink()
    assert any(not usage.is_claimed(system.device) for _attempt in range(60))  # each waits; what was killed lets go in its own time
    with system.files("ro") as root:
        assert tree(root) == before


def test_all_that_a_hook_started_ends_when_it_takes_too_long(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(hooks, "_LIMIT", 2)
    held = tmp_path / "held"
    os.mkfifo(held)
    reader = os.open(held, os.O_RDONLY | os.O_NONBLOCK)
    try:
        with pytest.raises(hooks.HookFailed, match="timed out"):
            hooks.run(hook(tmp_path, f"exec 3> {held} > /dev/null 2>&1; sleep 3000; true"), TOLD, {})
        assert select.select([reader], [], [], 60)[0], "it is still open"
        assert os.read(reader, 1) == b""
    finally:
        os.close(reader)


def test_a_mount_point_with_something_in_it_stays_and_is_reported(tmp_path: Path) -> None:
    with pytest.raises(ToolError, match="is left behind: Directory not empty"), mountpoint.mount_point(f"{tmp_path}/point-") as point:
        (point / "file").write_text("precious")
    assert (point / "file").read_text() == "precious"


def test_the_first_error_is_the_one_that_is_raised_and_says_the_other_too(tmp_path: Path) -> None:
    with pytest.raises(hooks.HookFailed, match="no licence.*is left behind"), mountpoint.mount_point(f"{tmp_path}/point-") as point:
        (point / "file").touch()
        raise hooks.HookFailed("no licence", hook="10-cad")
