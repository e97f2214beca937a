# Copyright: (c) 2026, Fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""image_clone under the real ansible-playbook: three stations and a sender on this host, with disks of their own, over loopback."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import threading
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Callable

import pytest

from ansible_collections.fleet.imaging.plugins.module_utils.disk.device import Disk
from ansible_collections.fleet.imaging.tests.unit.bench import LINUX, Bench, fingerprint, write
from ansible_collections.fleet.imaging.tests.unit.conftest import command
from ansible_collections.fleet.imaging.tests.unit.filesystems import MIB

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

    def clone(self, *arguments: str, ok: bool = True, keywords: dict[str, Any] | None = None, **options: Any) -> tuple[dict[str, Any], str]:
        """Run the task, with its keywords, in a play; its result and what was said."""
        local = {
            "folder": str(self.root),
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
        }
        argv = [str(Path(sys.executable).with_name("ansible-playbook")), "-i", "hosts.json", "--forks=1", *arguments, "play.yml"]
        done = subprocess.run(argv, cwd=self.root, env=environment, capture_output=True, text=True, timeout=1800, check=False)
        assert (done.returncode == 0) is ok, done.stdout + done.stderr
        result: dict[str, Any] = json.loads((self.root / "cloned.json").read_text()) if ok else {}
        return result, done.stdout + done.stderr


@pytest.fixture
def room(tmp_path: Path, bench: Bench, loop_disk: Any) -> Room:
    """Three disks full of garbage, and an image for them."""
    model = loop_disk(SIZE, f"label: gpt\nsize=30MiB, type={LINUX}\nsize=4MiB, type=S\n")
    write(model.path, 0, b"boot code")
    command("mkfs.ext4", "-q", "-F", "-L", "root", model.partition(1).path)
    write(model.partition(1).path, 20 * MIB, os.urandom(MIB))
    command("mkswap", model.partition(2).path)
    bench.capture(model)
    (tmp_path / "play").mkdir()
    return Room(tmp_path / "play", bench, {f"pc0{number}": loop_disk(SIZE, fill=0xFF) for number in (1, 2, 3)})


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


def test_given_a_station_that_refuses_then_the_others_do_not_wait_and_no_secret_is_told(room: Room) -> None:
    before = fingerprint(room.disks["pc02"])
    room.more["pc02"] = {"erase": "size:4096"}
    cloned, said = room.clone("-vvvv")
    refused = cloned["stations"]["pc02"]
    assert refused["failed"] and "is not the disk that was named" in refused["msg"]
    assert fingerprint(room.disks["pc02"]) == before
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


@pytest.mark.parametrize(("start", "count"), [({}, {"count": 1}), ({"minimum": 1, "wait": 1}, None)], ids=["admin", "minimum"])
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
