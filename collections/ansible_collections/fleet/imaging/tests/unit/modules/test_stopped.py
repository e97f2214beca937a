# Copyright: (c) 2026, Fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Modules that are told to end in the middle of their work: nothing of them is left, the error says so, and the next run goes on."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import time
import uuid
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from ansible_collections.fleet.imaging.plugins.module_utils.disk.device import Disk
from ansible_collections.fleet.imaging.plugins.module_utils.disk.table import PartitionTable
from ansible_collections.fleet.imaging.plugins.module_utils.filesystem import probe
from ansible_collections.fleet.imaging.tests.unit.bench import LINUX, Bench
from ansible_collections.fleet.imaging.tests.unit.filesystems import MIB
from ansible_collections.fleet.imaging.tests.unit.installation import Installed, install
from ansible_collections.fleet.imaging.tests.unit.modules.conftest import COLLECTIONS
from ansible_collections.fleet.imaging.tests.unit.modules.room import SIZE, Module, Room, capture_model


@dataclass
class Traces:
    """Where a module might leave something."""

    folder: Path
    mark: str
    tools: Path

    def environment(self, **more: str) -> dict[str, str]:
        """What a module is started with; it hands it on to what it starts."""
        path = f"{self.tools}:{os.environ['PATH']}"
        return {**os.environ, "TMPDIR": str(self.folder), "TEST_MARK": self.mark, "PATH": path, **more}

    def slow_tool(self, name: str, began: Path) -> None:
        """Let a tool take its time: it says that it began, and goes on a second later."""
        script = self.tools / name
        script.write_text(f'#!/bin/sh\ntouch {began}\nsleep 1\nPATH=${{PATH#*:}}\nexec {name} "$@"\n')
        script.chmod(0o755)

    def left(self) -> list[str]:
        """What is there that was not there before: files, mounts, processes."""
        memory = map(str, Path("/dev/shm").glob("fleet-keys-*"))
        mounts = [line for line in Path("/proc/mounts").read_text().splitlines() if str(self.folder) in line]
        processes = (f"process {pid}" for pid in self.processes())
        return [*map(str, self.folder.iterdir()), *memory, *mounts, *processes]

    def processes(self) -> Iterator[int]:
        """The module, and what it started."""
        for process in Path("/proc").glob("[0-9]*"):
            with contextlib.suppress(OSError):
                if f"TEST_MARK={self.mark}".encode() in (process / "environ").read_bytes().split(b"\0"):
                    yield int(process.name)


@pytest.fixture
def traces(tmp_path: Path) -> Iterator[Traces]:
    for name in ("traces", "tools"):
        (tmp_path / name).mkdir()
    traces = Traces(tmp_path / "traces", uuid.uuid4().hex, tmp_path / "tools")
    yield traces
    for pid in traces.processes():
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)


@pytest.fixture
def room(bench: Bench) -> Iterator[Room]:
    with contextlib.ExitStack() as stack:
        yield Room(bench, stack)


def stop_at(operation: str, share: float) -> dict[str, str]:
    """For the environment of a module: it gets a signal in the midst of an operation."""
    return {"FLEET_TEST_STOP": json.dumps([operation, share, signal.SIGTERM])}


def stopped(module: Module, traces: Traces, number: signal.Signals = signal.SIGTERM) -> dict[str, Any]:
    """The result of a module that was stopped, and left nothing."""
    result = module.result()
    assert result["failed"] and f"The work was stopped ({number.name}) before its end" in result["msg"], result
    assert module.process.returncode == 1 and result["stopped"] == number.name
    for _attempt in range(600):  # what was killed ends soon, and keys in memory may be another run's
        if not traces.left():
            return result
        time.sleep(0.1)
    raise AssertionError(traces.left())


def appears(path: Path, module: Module) -> None:
    """Wait until a file is there that a module's tool makes."""
    while not path.exists():
        assert module.process.poll() is None, module.lines
        time.sleep(0.05)


def test_a_restore_leaves_an_incomplete_partition_and_the_next_one_goes_on(room: Room, traces: Traces, loop_disk: Any) -> None:
    capture_model(room.bench, loop_disk)
    disk: Disk = loop_disk(SIZE, fill=0xFF)
    options = {
        "image": "room",
        "version": "1",
        "allowed_signers": room.bench.allowed,
        "sources": [room.bench.web.url],
        "disk": str(disk.path),
        "erase": f"size:{SIZE}",
        "work_dir": str(traces.folder),
    }
    environment = traces.environment(**stop_at("restore", 0.5))
    result = stopped(room.module("image_restore", environment=environment, **options), traces)
    partition = disk.partition(1).path
    assert result["incomplete"] == [str(partition)] and f"not mountable until they are restored again: {partition}" in result["msg"]
    assert probe(partition).type == "raw" and result["changed"]
    again = room.module("image_restore", environment=traces.environment(), **options).result()
    assert again["verified"] and again["chunks_same"] >= 5 and room.is_right(disk)


def test_a_restore_that_shrinks_leaves_no_file_of_its_own_mounted(room: Room, traces: Traces, loop_disk: Any) -> None:
    capture_model(room.bench, loop_disk, used=8 * MIB)
    disk: Disk = loop_disk(SIZE - 3 * MIB, fill=0xFF)
    options = {"image": "room", "version": "1", "allowed_signers": room.bench.allowed, "sources": [room.bench.web.url]}
    where = {"disk": str(disk.path), "erase": f"size:{disk.size}", "work_dir": str(traces.folder)}
    environment = traces.environment(**stop_at("restore", 0.5))
    stopped(room.module("image_restore", environment=environment, **options, **where), traces)
    assert probe(disk.partition(1).path).type == "raw"
    again = room.module("image_restore", environment=traces.environment(), **options, **where).result()
    assert again["resized"] == [1] and traces.left() == []


@pytest.mark.parametrize(("method", "operation", "share"), [("blocks", "capture partition 1", 0.5), ("files", "archive partition 1", 0)])
def test_a_capture_leaves_no_image_no_archive_and_no_archiver(
    method: str, operation: str, share: float, room: Room, traces: Traces, loop_disk: Any
) -> None:
    capture_model(room.bench, loop_disk)
    model: Disk = loop_disk(SIZE)
    room.bench.restore(model)
    environment = traces.environment(**stop_at(operation, share))
    where = {"store": str(room.bench.store.root), "signing_key": str(room.bench.key), "work_dir": str(traces.folder)}
    options = {"image": "other", "version": "1", "disk": str(model.path), "method": method, **where}
    stopped(room.module("image_capture", environment=environment, **options), traces)
    assert {ref.name for ref in room.bench.store.manifests()} == {"room"} and not list((room.bench.store.root / "staging").glob("[!.]*"))
    assert room.module("image_capture", environment=traces.environment(), **options).result()["changed"] and traces.left() == []


def test_a_session_goes_on_without_a_station_and_stations_go_on_without_a_sender(room: Room, traces: Traces, loop_disk: Any) -> None:
    capture_model(room.bench, loop_disk)
    disks = [loop_disk(SIZE, fill=0xFF) for _station in range(2)]
    control = traces.folder.parent / "run" / "control.json"
    sender = room.send("pc01", "pc02", control=str(control), environment=traces.environment())
    going_on = room.receive("pc01", disks[0])
    leaving = room.receive("pc02", disks[1], work_dir=str(traces.folder), environment=traces.environment(**stop_at("restore", 0.3)))
    ended = leaving.result()
    assert ended["stopped"] == "SIGTERM" and ended["incomplete"] and probe(disks[1].partition(1).path).type == "raw"
    sender.signal(signal.SIGTERM)
    stopped(sender, traces)
    assert not control.exists()
    done = going_on.result()
    assert done["verified"] and done["session"]["state"] == "unicast" and done["sources"][room.bench.web.url]
    assert room.is_right(disks[0])


def test_a_station_that_waits_for_its_session_has_its_disk_as_before(room: Room, traces: Traces, loop_disk: Any) -> None:
    capture_model(room.bench, loop_disk)
    disk: Disk = loop_disk(SIZE)
    room.bench.restore(disk)
    module = room.receive("pc01", disk, mode="full", environment=traces.environment())
    module.wait_for("wait for the session")
    module.signal(signal.SIGHUP)
    assert not stopped(module, traces, signal.SIGHUP).get("incomplete") and room.is_right(disk)


def test_a_hook_ends_with_its_module_and_the_system_is_unmounted(room: Room, traces: Traces, loop_disk: Any, mounted: Any) -> None:
    system: Installed = install(loop_disk, mounted)
    hooks = traces.folder.parent / "hooks"
    hooks.mkdir()
    (hooks / "10-long").write_text(f"#!/bin/sh\ntouch {hooks}/began\nsleep 600 &\nsleep 600\n")
    (hooks / "10-long").chmod(0o755)
    options = {"disk": str(system.disk.path), "disk_identity": system.identity, "hostname": "pc07", "hooks": str(hooks)}
    module = room.module("station_identity", environment=traces.environment(), **options)
    appears(hooks / "began", module)
    module.signal(signal.SIGTERM)
    stopped(module, traces)
    assert system.disk.in_use() == []
    (hooks / "10-long").write_text("#!/bin/sh\necho well\n")
    again = room.module("station_identity", environment=traces.environment(), **options).result()
    assert [each["output"] for each in again["hooks"]] == ["well"] and not again["new_ssh_host_keys"]


def test_a_tool_that_writes_is_not_killed_and_nothing_is_done_after_it(room: Room, traces: Traces, loop_disk: Any) -> None:
    model: Disk = loop_disk(40 * MIB, f"label: gpt\nsize=16MiB, type={LINUX}\nsize=16MiB, type={LINUX}\n")
    table = PartitionTable.from_disk(model).as_json()
    for number, partition in enumerate(table["partitions"], 1):
        partition["filesystem"] = {"type": "ext4", "uuid": str(uuid.UUID(int=number)), "label": f"part{number}"}
    disk: Disk = loop_disk(40 * MIB, fill=0xFF)
    traces.slow_tool("mkfs.ext4", began := traces.tools / "began")
    options = {"erase": f"size:{disk.size}", "disk": str(disk.path), "table": table, "format": True}
    module = room.module("disk_layout", environment=traces.environment(), **options)
    appears(began, module)
    module.signal(signal.SIGTERM)
    stopped(module, traces)
    assert [probe(disk.partition(number).path).type for number in (1, 2)] == ["ext4", "raw"]


def test_a_loader_is_not_made_by_half(room: Room, traces: Traces, loop_disk: Any, mounted: Any) -> None:
    system: Installed = install(loop_disk, mounted)
    before = system.bytes()
    traces.slow_tool("grub-mkimage", began := traces.tools / "began")
    options = {"disk": str(system.disk.path), "disk_identity": system.identity, "targets": ["bios", "uefi"]}
    module = room.module("boot_repair", environment=traces.environment(), **options)
    appears(began, module)
    module.signal(signal.SIGTERM)
    stopped(module, traces)
    assert system.disk.in_use() == [] and system.bytes() == before


def test_every_module_that_works_for_long_can_be_stopped() -> None:
    modules = {path.name: path.read_text() for path in COLLECTIONS.glob("ansible_collections/fleet/[ci]*/plugins/modules/*.py")}
    long = {name: text for name, text in modules.items() if "Progress.from_module" in text}
    assert len(long) >= 7 and [name for name, text in long.items() if "stoppable()" not in text] == []
