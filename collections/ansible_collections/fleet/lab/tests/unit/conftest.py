# Copyright: (c) 2026, Fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Fixtures of fleet.lab: real rooms, a way to run commands in their stations, and what a room leaves on its host."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any, Callable, Protocol

import pytest

from ansible_collections.fleet.core.plugins.module_utils.progress import Progress
from ansible_collections.fleet.lab.plugins.module_utils.room import connection, host, power, storage
from ansible_collections.fleet.lab.plugins.module_utils.room.network import Network
from ansible_collections.fleet.lab.plugins.module_utils.room.room import Request, Room
from ansible_collections.fleet.lab.plugins.module_utils.room.state import State

REPOSITORY = Path(__file__).parents[6]


@pytest.fixture(scope="session")
def cache() -> Path:
    """Where the stations' root is kept between runs, and shared with the demo."""
    return Path(os.environ.get("FLEET_CACHE") or REPOSITORY / ".cache")


@pytest.fixture(scope="session", autouse=True)
def _every_tool_is_found() -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PATH", f"{os.environ['PATH']}:/usr/sbin:/sbin")
        yield


class Handle:
    """A room under test."""

    def __init__(self, path: Path, cache: Path) -> None:
        self.room = Room(str(path))
        self.path = self.room.path
        self.cache = cache

    def create(self, *stations: dict[str, Any], **options: Any) -> State:
        request = Request(**{"name": "", "subnet": "10.77.0.0/24", "stations": stations, "central": False, **options})
        return self.room.create(request, self.cache, Progress())

    def ssh(self, station: str, command: str, *, check: bool = True, timeout: float = 60) -> str:
        """Run a shell command in a station as root, over SSH with strict host keys; return what it printed."""
        address = self.room.load().station(station).address
        options = [f"-o{name}={value}" for name, value in connection.ssh_options(self.path).items()]
        argv = ["ssh", "-F", "none", "-o", "BatchMode=yes", "-i", str(self.path / connection.KEY), *options, f"root@{address}", command]
        done = subprocess.run(argv, capture_output=True, text=True, timeout=timeout, check=False, stdin=subprocess.DEVNULL)
        assert not check or done.returncode == 0, done.stderr
        return done.stdout.strip()

    def reboot(self, station: str) -> None:
        """Reboot a station, and wait until it answers again."""
        before = self.ssh(station, "cat /proc/sys/kernel/random/boot_id")
        self.ssh(station, "systemctl reboot", check=False)
        for _attempt in range(300):
            after = self.ssh(station, "cat /proc/sys/kernel/random/boot_id", check=False)
            if after and after != before:
                return
        raise AssertionError(f"{station} does not come back")

    def traces(self) -> list[str]:
        """What there is of this room on the host, outside its folder."""
        found = [f"process {pid}" for pids in power.running(self.path).values() for pid in pids]
        found += [f"namespace {name}" for name in Network(host.label(self.path)).namespaces()]
        found += [f"loop {loop}" for loop in storage.attached(self.path).values()]
        found += [f"group {path}" for path in Path("/sys/fs/cgroup").glob(f"**/{host.label(self.path)}*")]
        found += [f"nspawn {path}" for path in Path("/run/systemd/nspawn").glob(f"**/*{host.label(self.path)}*")]
        for process in Path("/proc").glob("[0-9]*"):
            try:
                if str(self.path) in (process / "mountinfo").read_text():
                    found.append(f"mount seen by {process.name}")
            except OSError:
                continue
        return found


class MakeRoom(Protocol):
    """The type of the fixture make_room."""

    def __call__(self, *stations: dict[str, Any], **options: Any) -> Handle:
        """Create a room with these stations."""


@pytest.fixture
def empty_room(tmp_path: Path, cache: Path) -> Iterator[Handle]:
    """A room that is not there yet, and is removed after the test."""
    handle = Handle(tmp_path / "room", cache)
    with ExitStack() as stack:
        stack.callback(handle.room.remove)
        yield handle


@pytest.fixture
def make_room(empty_room: Handle) -> MakeRoom:
    """Create a room for one test."""

    def make(*stations: dict[str, Any], **options: Any) -> Handle:
        empty_room.create(*stations, **options)
        return empty_room

    return make


@pytest.fixture(scope="session")
def classroom(tmp_path_factory: pytest.TempPathFactory, cache: Path) -> Iterator[Handle]:
    """A room for tests that only use it: a central host, a model with its own system, and a station with an empty disk."""
    handle = Handle(tmp_path_factory.mktemp("classroom") / "room", cache)
    with ExitStack() as stack:
        stack.callback(handle.room.remove)
        model = {"name": "model", "role": "model", "disk": "600M", "system": True}
        handle.create(model, {"name": "station1", "disk": "700M"}, central=True)
        yield handle


@pytest.fixture
def as_root(monkeypatch: pytest.MonkeyPatch) -> Callable[[bool], None]:
    """Pretend to be root, or not."""
    return lambda root: monkeypatch.setattr(os, "geteuid", lambda: 0 if root else 1000)
