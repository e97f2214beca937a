# Copyright: (c) 2026, Fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""playbooks/clone.yml with a model: the room receives from the model's disk before the content store has the image.

A model and two stations with loop devices on this host, over loopback, and a content store behind an nginx that the role configured. Each
run has a /run/fleet of its own.
"""

from __future__ import annotations

import contextlib
import json
import os
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from ansible_collections.fleet.core.plugins.module_utils.content.signature import allow, create_key
from ansible_collections.fleet.core.plugins.module_utils.content.store import ManifestRef
from ansible_collections.fleet.core.plugins.module_utils.content.verify import Verification
from ansible_collections.fleet.core.tests.unit.conftest import WebStore, serving
from ansible_collections.fleet.imaging.plugins.module_utils.clone.source import DiskSource
from ansible_collections.fleet.imaging.plugins.module_utils.disk.device import Disk
from ansible_collections.fleet.imaging.tests.unit.bench import LINUX, fingerprint, write
from ansible_collections.fleet.imaging.tests.unit.conftest import command, loop_device, loop_disk
from ansible_collections.fleet.imaging.tests.unit.filesystems import MIB

ROOT = Path(__file__).parents[1]
SIZE = 40 * MIB
REF = ManifestRef("image", "room", "1")
OWN_RUN = 'mkdir -p /run/fleet && mount -t tmpfs fleet /run/fleet && exec "$@"'

__all__ = ["loop_device", "loop_disk"]


@dataclass
class Room:
    """A model, stations, and a content store."""

    folder: Path
    web: WebStore
    disks: dict[str, Disk]
    more: dict[str, dict[str, Any]] = field(default_factory=dict)
    """Variables of stations."""

    @property
    def stations(self) -> dict[str, Disk]:
        return {name: disk for name, disk in self.disks.items() if name != "pc01"}

    def clone(self, *arguments: str, **variables: Any) -> tuple[int, str, dict[str, Any]]:
        """Clone from the model; the exit code, what was said, and the result of each station that has one."""
        local = {
            "ansible_connection": "local",
            "ansible_host": "127.0.0.1",
            "ansible_remote_tmp": f"{self.folder}/remote",
            "ansible_async_dir": f"{self.folder}/async",
            "fleet_content_sources": [self.web.url],
            "fleet_content_trust": str(self.folder / "trust"),
            "capture_disk": "{{ fleet_disk }}",
            "capture_store_path": str(self.web.store.root),
            "capture_signing_key": str(self.folder / "signing_key"),
            "clone_store_path": str(self.web.store.root),
            "clone_interface": "lo",
            "clone_work_dir": str(self.folder),
        }
        hosts = {
            name: {"fleet_disk": str(disk.path), "fleet_disk_identity": f"size:{disk.size}", **self.more.get(name, {})}
            for name, disk in self.disks.items()
        }
        groups = {
            "models": {"hosts": {"pc01": hosts.pop("pc01")}},
            "stations": {"hosts": hosts},
            "content_stores": {"hosts": {"centre": {}}},
        }
        (self.folder / "hosts.json").write_text(json.dumps({"all": {"children": groups, "vars": local}}))
        told = self.folder / "told.json"
        told.unlink(missing_ok=True)
        each = "groups.stations | map('extract', hostvars) | map(attribute='clone_result', default={})"
        results = f"{{{{ dict(groups.stations | zip({each})) | to_json }}}}"
        show = {"hosts": "centre", "gather_facts": False, "tasks": [{"ansible.builtin.copy": {"content": results, "dest": str(told)}}]}
        own = {
            "model": "pc01",
            "image": "room",
            "capture_version": "1",
            "clone_grow": False,
            "clone_identity": False,
            "clone_restart": False,
        }
        (self.folder / "play.yml").write_text(
            json.dumps([{"import_playbook": str(ROOT / "playbooks/clone.yml"), "vars": {**own, **variables}}, show])
        )
        environment = {
            **os.environ,
            "ANSIBLE_CONFIG": str(ROOT / "ansible.cfg"),
            "ANSIBLE_PYTHON_INTERPRETER": sys.executable,
            "ANSIBLE_HOME": str(self.folder / "home"),
        }
        playbook = [
            Path(sys.executable).with_name("ansible-playbook"),
            "-i",
            self.folder / "hosts.json",
            *arguments,
            self.folder / "play.yml",
        ]
        done = subprocess.run(
            ["unshare", "--mount", "sh", "-c", OWN_RUN, "sh", *playbook],
            cwd=ROOT,
            env=environment,
            capture_output=True,
            text=True,
            timeout=1800,
            check=False,
        )
        return done.returncode, done.stdout + done.stderr, json.loads(told.read_text()) if told.exists() else {}

    def is_right(self, name: str) -> bool:
        """Whether a station's disk holds every chunk of the image."""
        manifest = self.web.store.load(REF)
        with contextlib.ExitStack() as stack:
            source = DiskSource(self.disks[name], manifest, stack)
            assert set(source.digests) == manifest.digests()
            return all(source.frame(digest) for digest in source.digests)

    def fingerprints(self) -> dict[str, str]:
        return {name: fingerprint(disk) for name, disk in self.stations.items()}

    @property
    def sound(self) -> bool:
        """Whether the store has the image, with all of its chunks, signed."""
        verdict = Verification(self.web.store, allowed_signers=(self.folder / "trust/allowed_signers").read_text()).run()
        return verdict.sound and [*self.web.store.manifests()] == [REF]


@pytest.fixture
def room(tmp_path: Path, loop_disk: Any) -> Iterator[Room]:
    """A model with files and boot code, and two stations full of garbage."""
    model = loop_disk(SIZE, f"label: gpt\nsize=30MiB, type={LINUX}\nsize=4MiB, type=S\n")
    write(model.path, 0, b"boot code")
    (tmp_path / "files").mkdir()
    (tmp_path / "files" / "noise").write_bytes(os.urandom(6 * MIB))
    command("mkfs.ext4", "-q", "-F", "-L", "root", "-d", tmp_path / "files", model.partition(1).path)
    command("mkswap", model.partition(2).path)
    disks = {"pc01": model, **{name: loop_disk(SIZE, fill=0xFF) for name in ("pc02", "pc03")}}
    with serving() as web:
        web.store.create()
        (tmp_path / "trust").mkdir()
        (tmp_path / "trust/ca.pem").write_bytes(web.ca_file.read_bytes())
        (tmp_path / "trust/allowed_signers").write_text(allow("fleet@centre", create_key(tmp_path / "signing_key")))
        yield Room(tmp_path, web, disks)


def test_a_room_receives_from_the_model_and_then_the_store_has_the_image(room: Room) -> None:
    code, said, results = room.clone()
    assert code == 0, said
    chunks = len(room.web.store.load(REF).digests())
    for name in room.stations:
        done = results[name]
        assert done["verified"] and done["session"]["complete"] and done["sources"] == {"multicast": chunks}, said
        assert room.is_right(name)
    assert room.sound and said.index("Restore the stations together") < said.index("Verify, sign and publish it")
    assert "has not got" not in said.split("Tell what was done")[1]
    assert not [*(room.web.store.root / "jobs").glob("[0-9a-f]*")], "the job is over, and its signed manifest with it"


def test_what_the_store_does_not_take_is_said_and_who_cannot_hear_is_served_once_it_does(room: Room) -> None:
    room.more["pc03"] = {"clone_ports": "9100-9101", "clone_patience": 2}  # it looks for the sender where there is none
    room.web.stop()
    room.web.render(content_store_chunk_limit="1k")
    room.web.start()
    code, said, results = room.clone()
    assert code != 0 and "The content store has not got the image room 1. What is cloned is right all the same" in said, said
    assert "413" in said and "pc03: " in said
    assert results["pc02"]["verified"] and results["pc02"]["session"]["complete"] and results["pc03"]["failed"]
    assert results["pc03"]["incomplete"] == [f"{room.disks['pc03'].path}p1"], "nothing can mount it"
    assert not [*room.web.store.manifests()] and not [*room.web.store.digests()]

    room.web.stop()
    room.web.render()
    room.web.start()
    code, said, results = room.clone()
    assert code == 0 and room.sound, said
    chunks = len(room.web.store.load(REF).digests())
    assert results["pc02"]["chunks_written"] == 0 and results["pc03"]["verified"]
    assert set(results["pc03"]["sources"]) == {room.web.url} and results["pc03"]["sources"][room.web.url] <= chunks
    assert room.is_right("pc02") and room.is_right("pc03")


def test_a_model_that_cannot_be_captured_ends_the_run_before_a_station_is_touched(room: Room) -> None:
    before = room.fingerprints()
    command("debugfs", "-w", "-R", "ssv state 0", room.disks["pc01"].partition(1).path)  # as a power cut leaves it
    code, said, results = room.clone()
    assert code != 0 and "dirty" in said and "Restore the stations together" not in said and results == {}
    assert room.fingerprints() == before and not [*room.web.store.manifests()]
