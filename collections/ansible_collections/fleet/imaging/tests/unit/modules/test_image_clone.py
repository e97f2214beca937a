# Copyright: (c) 2026, Fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""image_clone under the real ansible-playbook: three stations and a sender on this host, with disks of their own, over loopback."""

from __future__ import annotations

import contextlib
import json
import os
import re
import signal
import subprocess
import sys
import threading
import time
import uuid
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from ansible_collections.fleet.core.plugins.module_utils.content.signature import allow, create_key
from ansible_collections.fleet.core.plugins.module_utils.progress import Progress
from ansible_collections.fleet.imaging.plugins.module_utils.disk.device import Disk
from ansible_collections.fleet.imaging.plugins.module_utils.engine.stream_writer import StreamWriter
from ansible_collections.fleet.imaging.plugins.module_utils.filesystem import probe
from ansible_collections.fleet.imaging.tests.unit.bench import LINUX, Bench, fingerprint, write
from ansible_collections.fleet.imaging.tests.unit.conftest import command
from ansible_collections.fleet.imaging.tests.unit.filesystems import MIB
from ansible_collections.fleet.imaging.tests.unit.modules.room import capture_model
from tests.signals import heed

COLLECTIONS = Path(__file__).parents[6]
SIZE = 40 * MIB


@dataclass
class Room:
    """A sender, stations with disks, and a play over them."""

    root: Path
    bench: Bench
    disks: dict[str, Disk]
    more: dict[str, dict[str, Any]] = field(default_factory=dict)
    """Variables of stations."""

    mark: str = field(default_factory=lambda: uuid.uuid4().hex)

    def clone(self, *arguments: str, ok: bool = True, keywords: dict[str, Any] | None = None, **options: Any) -> tuple[dict[str, Any], str]:
        """Run the task, with its keywords, in a play; its result and what was said."""
        run = self.begin(*arguments, keywords=keywords, **options)
        try:
            said, _nothing = run.communicate(timeout=1800)
        finally:
            run.kill()
        assert (run.returncode == 0) is ok, said
        return json.loads((self.root / "cloned.json").read_text()) if ok else {}, said

    def begin(self, *arguments: str, keywords: dict[str, Any] | None = None, **options: Any) -> subprocess.Popen[str]:
        """Begin to run it."""
        local = {
            "folder": str(self.root),
            "allowed": self.bench.allowed,
            "ansible_connection": "local",
            "ansible_remote_tmp": f"{self.root}/remote",
            "ansible_async_dir": f"{self.root}/async",
        }
        hosts: dict[str, dict[str, Any]] = {
            name: {
                "disk": str(disk.path),
                "erase": f"size:{disk.size}",
                "session_file": f"{self.root}/run/control.json",
                **self.more.get(name, {}),
            }
            for name, disk in self.disks.items()
        }
        groups = {"stations": {"hosts": hosts}, "senders": {"hosts": {"centre": {}}}}
        (self.root / "hosts.json").write_text(json.dumps({"all": {"children": groups, "vars": local}}))
        task = {
            "image": "room",
            "version": "1",
            "allowed_signers": self.bench.allowed,
            "sender": "centre",
            "session": {"address": "127.0.0.1", "interface": "lo", "patience": "{{ patience | default(20) }}"},
            "start": {"give_up": 300},
            "control": "{{ session_file }}",  # known to the stations only, as a fact that a role sets
            "send": {"store": str(self.bench.store.root)},
            "receive": {
                "sources": [self.bench.web.url],
                "disk": "{{ disk }}",
                "erase": "{{ erase }}",
                "mode": "{{ mode | default('delta') }}",
                "allowed_signers": "{{ signers | default(allowed) }}",
                "work_dir": str(self.bench.folder),
            },
            **options,
        }
        together = {"fleet.imaging.image_clone": task, "register": "cloned", "run_once": True, **(keywords or {})}
        show = {"ansible.builtin.copy": {"content": "{{ cloned | to_json }}", "dest": f"{self.root}/cloned.json"}, "run_once": True}
        (self.root / "play.yml").write_text(
            json.dumps([{"hosts": "stations", "gather_facts": False, "tasks": [together, {**show, "check_mode": False}]}])
        )
        environment = {
            "PATH": os.environ["PATH"],
            "HOME": str(self.root),
            "LANG": "C.UTF-8",
            "ANSIBLE_COLLECTIONS_PATH": str(COLLECTIONS),
            "ANSIBLE_STDOUT_CALLBACK": "fleet.core.progress",
            "ANSIBLE_PYTHON_INTERPRETER": sys.executable,
            "ANSIBLE_HOME": str(self.root / "home"),
            "TMPDIR": str(self.root / "temporary"),
            "TEST_MARK": self.mark,
        }
        (self.root / "temporary").mkdir(exist_ok=True)
        argv = [str(Path(sys.executable).with_name("ansible-playbook")), "-i", "hosts.json", "--forks=1", *arguments, "play.yml"]
        said = {"stdout": subprocess.PIPE, "stderr": subprocess.STDOUT, "text": True}
        return subprocess.Popen(argv, cwd=self.root, env=environment, preexec_fn=heed, **said)

    def processes(self) -> dict[int, str]:
        """Command lines of what the run started, on the stations as well."""
        found = {}
        for process in Path("/proc").glob("[0-9]*"):
            with contextlib.suppress(OSError):
                if f"TEST_MARK={self.mark}".encode() in (process / "environ").read_bytes().split(b"\0"):
                    found[int(process.name)] = (process / "cmdline").read_bytes().replace(b"\0", b" ").decode()
        return found

    def kill(self, what: str = "") -> None:
        """Kill of it what has this in its command line, or all."""
        for pid in [pid for pid, line in self.processes().items() if what in line]:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)

    def wait_for(self, what: Callable[[], bool]) -> None:
        for _attempt in range(3000):
            if what():
                return
            time.sleep(0.1)
        raise AssertionError(self.processes())

    def at_work(self) -> bool:
        """Whether every station writes its disk."""
        writing = 0
        for path in (self.root / "async").glob("j*.*[0-9]"):
            with contextlib.suppress(OSError, ValueError):
                report = json.loads(path.read_text()).get("progress", {})
                writing += report.get("operation") == "restore" and report["done"] > 0
        return writing == len(self.disks)

    def is_right(self, disk: Disk) -> bool:
        """Whether all of the disk is as the manifest says, table included: looked at by somebody who knows nothing of the session."""
        plan, fetcher = self.bench.plan(disk)
        return not plan.preview(StreamWriter(fetcher, Progress()))["changed"]


@pytest.fixture
def room(tmp_path: Path, bench: Bench, loop_disk: Any) -> Iterator[Room]:
    """Three disks full of garbage, and an image for them."""
    model = loop_disk(SIZE, f"label: gpt\nsize=30MiB, type={LINUX}\nsize=4MiB, type=S\n")
    write(model.path, 0, b"boot code")
    command("mkfs.ext4", "-q", "-F", "-L", "root", model.partition(1).path)
    write(model.partition(1).path, 20 * MIB, os.urandom(MIB))
    command("mkswap", model.partition(2).path)
    bench.capture(model)
    (tmp_path / "play").mkdir()
    room = Room(tmp_path / "play", bench, {f"pc0{number}": loop_disk(SIZE, fill=0xFF) for number in (1, 2, 3)})
    yield room
    room.kill()


def test_given_one_fork_then_all_are_restored_together_from_one_sending(room: Room) -> None:
    cloned, said = room.clone()
    chunks = len(room.bench.manifest().digests())
    for name in ("pc01", "pc02", "pc03"):
        done = cloned["stations"][name]
        assert done["verified"] and not done["failed"] and done["session"]["state"] == "complete", cloned
        assert done["sources"] == {"multicast": chunks}
    assert cloned["changed"] and cloned["sender"]["stations"]["pc02"]["complete"] and cloned["sender_name"] == "centre"
    assert room.bench.web.requests() == []
    assert list((room.root / "run").iterdir()) == [] and not list((room.root / "async").iterdir())

    again, said = room.clone()
    assert not again["changed"] and all(done["chunks_written"] == 0 for done in again["stations"].values()), said

    write(room.disks["pc02"].partition(1).path, 0, os.urandom(MIB))
    one, said = room.clone()
    assert {name: done["sources"] for name, done in one["stations"].items()} == {"pc01": {}, "pc02": {"multicast": 1}, "pc03": {}}, said


def test_given_stations_that_refuse_then_the_others_do_not_wait_and_no_secret_is_told(room: Room, loop_disk: Any, tmp_path: Path) -> None:
    room.disks.update(pc04=loop_disk(8 * MIB, fill=0xFF), pc05=loop_disk(SIZE, fill=0xFF))
    room.more.update(pc02={"erase": "size:4096"}, pc05={"signers": allow("somebody", create_key(tmp_path / "other_key"))})
    before = {name: fingerprint(room.disks[name]) for name in ("pc02", "pc04", "pc05")}
    cloned, said = room.clone("-vvvv")
    reasons = {"pc02": "is not the disk that was named", "pc04": "needs at least", "pc05": "signed by a key that may not sign here"}
    for name, reason in reasons.items():
        refused = cloned["stations"][name]
        assert refused["failed"] and reason in refused["msg"] and fingerprint(room.disks[name]) == before[name]
    for name in ("pc01", "pc03"):
        assert cloned["stations"][name]["verified"] and cloned["stations"][name]["session"]["complete"]
    told = set(re.findall(r"['\"]secret['\"]: ['\"]([^'\"]*)", said + json.dumps(cloned)))
    assert told <= {"VALUE_SPECIFIED_IN_NO_LOG_PARAMETER"}


def held(room: Room, station: str, until: str) -> dict[str, str]:
    """Variables by which a station's modules begin only when a condition of the shell is true of the room's folder."""
    path = room.root / f"python-{station}"
    path.write_text(f'#!/bin/sh\ncd {room.root}/run-of-the-test\nuntil {until}; do sleep 0.1; done\nexec {sys.executable} "$@"\n')
    path.chmod(0o755)
    return {"ansible_python_interpreter": str(path)}


@pytest.mark.parametrize(
    ("start", "count"),
    [({}, {"count": 1}), ({"minimum": 1, "wait": 1}, None), ({"count": 1}, None)],
    ids=["admin", "minimum", "now"],
)
def test_given_a_count_of_an_admin_or_a_minimum_then_it_begins_without_who_is_late_and_a_refusal_does_not_undo_that(
    start: dict[str, Any], count: dict[str, int] | None, room: Room
) -> None:
    """pc02 refuses once the admin has written, pc01 comes once the sender was told so, and pc03 when all is over."""
    control, marks = room.root / "run/control.json", room.root / "run-of-the-test"
    marks.mkdir()
    room.more["pc01"] = held(room, "pc01", "test -e told")
    room.more["pc02"] = {"erase": "size:4096", **held(room, "pc02", "test -e written")}
    room.more["pc03"] = {"patience": 1, **held(room, "pc03", "test -e over")}

    def admin() -> None:
        """Write as soon as the session waits, and let the last station come when it has ended."""
        wait_until(control.exists)
        if count:
            draft = control.with_name("draft")
            draft.write_text(json.dumps(count))
            draft.rename(control)
        (marks / "written").touch()
        wait_until(lambda: control.with_name("control.json.absent").exists() or not control.exists())
        (marks / "told").touch()
        wait_until(lambda: not control.exists())
        (marks / "over").touch()

    def wait_until(condition: Callable[[], bool]) -> None:
        while not condition() and not ended.wait(0.02):
            pass

    ended = threading.Event()
    writer = threading.Thread(target=admin)
    writer.start()
    try:
        cloned, _said = room.clone(start={"give_up": 120, **start})
    finally:
        ended.set()
        writer.join()
    sent = {name: verdict["state"] for name, verdict in cloned["sender"]["stations"].items()}
    assert sent == {"pc01": "complete", "pc02": "missing", "pc03": "missing"}, cloned
    assert "is not the disk that was named" in cloned["stations"]["pc02"]["msg"]
    assert cloned["stations"]["pc03"]["verified"] and "multicast" not in cloned["stations"]["pc03"]["sources"]
    assert list((room.root / "run").iterdir()) == []


def test_given_a_station_as_sender_then_it_sends_from_its_disk(room: Room) -> None:
    room.clone(transport="unicast", stations=["pc03"])
    asked = len(room.bench.web.requests())
    options = {"send": {"disk": "{{ disk }}", "sources": [room.bench.web.url]}, "sender": "pc03", "transport": "multicast"}
    cloned, _said = room.clone(**options)
    assert set(cloned["stations"]) == {"pc01", "pc02"} and len(room.bench.web.requests()) == asked
    assert all(done["verified"] and done["session"]["complete"] for done in cloned["stations"].values())


@pytest.mark.parametrize(
    ("arguments", "keywords"), [(["--check"], {}), ([], {"check_mode": True}), ([], {"check_mode": "{{ folder is defined }}"})]
)
def test_in_check_mode_there_is_no_session_and_nothing_is_written(arguments: list[str], keywords: dict[str, Any], room: Room) -> None:
    before = {name: fingerprint(disk) for name, disk in room.disks.items()}
    cloned, _said = room.clone(*arguments, keywords=keywords)
    assert cloned["changed"] and cloned["sender"] == {} and all(done["bytes_differing"] for done in cloned["stations"].values())
    assert {name: fingerprint(disk) for name, disk in room.disks.items()} == before


ONLY: dict[str, Any] = {"sender": None, "control": None}


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"transport": "pigeon"}, "transport must be one of auto, multicast, unicast"),
        ({"sender": "nobody"}, "sender must be the inventory name of the host that sends"),
        ({"image": ""}, "missing required arguments: image"),
        ({"stations": ["pc77"]}, "there is no pc77"),
        ({"senders": {"centre": {"stations": ["pc01"]}}}, "senders says all that sender, stations and control say"),
        ({**ONLY, "senders": {"centre": ["pc01"]}}, "senders.centre must be a mapping"),
        ({**ONLY, "senders": {"pc03": {"stations": ["pc01"]}, "centre": {"stations": ["pc01"]}}}, "but pc01 has several"),
        ({"receive": "all"}, "receive must be a mapping"),
    ],
)
def test_what_cannot_be_a_session_is_refused(options: dict[str, Any], said: str, room: Room) -> None:
    _result, output = room.clone(ok=False, **options)
    assert said in output


@pytest.fixture
def slow(tmp_path: Path, bench: Bench, loop_disk: Any) -> Iterator[tuple[Room, subprocess.Popen[str]]]:
    """A room in the midst of a session, which takes eight seconds, and its run."""
    capture_model(bench, loop_disk)
    (tmp_path / "play").mkdir()
    room = Room(tmp_path / "play", bench, {f"pc0{number}": loop_disk(26 * MIB, fill=0xFF) for number in (1, 2)})
    run = room.begin(send={"store": str(bench.store.root), "rate": 2_000_000})
    try:
        room.wait_for(room.at_work)
        yield room, run
    finally:
        room.kill()
        run.wait()


def test_given_ctrl_c_then_the_stations_end_tidily(slow: tuple[Room, subprocess.Popen[str]]) -> None:
    room, run = slow
    run.send_signal(signal.SIGINT)  # workers are in sessions of their own: a terminal sends it to the first process only
    said, _nothing = run.communicate(timeout=600)
    assert run.returncode != 0, said
    room.wait_for(lambda: not room.processes())
    assert [list((room.root / name).iterdir()) for name in ("run", "async", "temporary")] == [[], [], []]
    for disk in room.disks.values():  # a sender that ended a moment earlier let its stations fetch the rest: one may have had the time
        assert probe(disk.partition(1).path).type == "raw" or room.is_right(disk)


def test_given_a_control_node_that_goes_away_then_the_room_goes_on(slow: tuple[Room, subprocess.Popen[str]]) -> None:
    room, run = slow
    room.kill("ansible-playbook")
    run.communicate(timeout=600)
    room.wait_for(lambda: not room.processes())
    assert all(room.is_right(disk) for disk in room.disks.values()) and list((room.root / "run").iterdir()) == []
