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
import re
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
from tests.playbooks import OWN_RUN, ROOT, ansible_playbook

SIZE = 40 * MIB

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

    def play(self, playbook: str, **variables: Any) -> tuple[int, str, dict[str, Any]]:
        """Run a playbook; its exit code, what was said, and what it did to each station."""
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
        wanted = {"clone_grow": False, "clone_identity": False, "clone_restart": False, **variables}
        (self.folder / "play.yml").write_text(json.dumps([{"import_playbook": f"{ROOT}/playbooks/{playbook}", "vars": wanted}, show]))
        done = ansible_playbook(self.folder / "hosts.json", self.folder / "play.yml", home=self.folder / "home", within=OWN_RUN)
        return done.returncode, done.stdout + done.stderr, json.loads(told.read_text()) if told.exists() else {}

    def clone(self, version: str) -> tuple[int, str, dict[str, Any]]:
        """Clone a version from the model, see play."""
        return self.play("clone.yml", model="pc01", image="room", capture_version=version)

    def let_in(self, limit: str) -> None:
        """Let the store take chunks of so many bytes at most."""
        self.web.stop()
        self.web.render(content_store_chunk_limit=limit)
        self.web.start()

    def is_right(self, name: str, version: str) -> bool:
        """Whether a station's disk holds every chunk of a version."""
        manifest = self.web.store.load(ManifestRef("image", "room", version))
        with contextlib.ExitStack() as stack:
            source = DiskSource(self.disks[name], manifest, stack)
            assert set(source.digests) == manifest.digests()
            return all(source.frame(digest) for digest in source.digests)

    def fingerprints(self) -> dict[str, str]:
        return {name: fingerprint(disk) for name, disk in self.stations.items()}

    def published(self) -> list[str]:
        """The versions that the store has, with all of their chunks, signed."""
        verdict = Verification(self.web.store, allowed_signers=(self.folder / "trust/allowed_signers").read_text()).run()
        assert verdict.sound, verdict.problems
        return [ref.version for ref in self.web.store.manifests()]

    def jobs(self) -> list[Path]:
        return [*(self.web.store.root / "jobs").glob("[0-9a-f]*")]


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


def test_a_room_receives_from_the_model_before_the_store_has_the_image_and_if_it_never_does(room: Room) -> None:
    room.more["pc03"] = {"clone_ports": "9100-9101", "clone_patience": 2}  # it looks for the sender where there is none
    code, said, results = room.clone("1")
    assert code == 0 and room.published() == ["1"] and room.jobs() == [], said
    chunks = len(room.web.store.load(ManifestRef("image", "room", "1")).digests())
    heard, deaf = results["pc02"], results["pc03"]
    assert heard["verified"] and heard["session"]["complete"] and heard["sources"] == {"multicast": chunks}, "nothing came from the store"
    assert deaf["verified"] and set(deaf["sources"]) == {room.web.url} and "session" not in deaf, "served when the store had it"
    assert room.is_right("pc02", "1") and room.is_right("pc03", "1")
    steps = ("Sign its manifest", "Restore the stations together", "Verify, sign and publish it", "Clone by unicast", "Show what was done")
    assert sorted(steps, key=said.index) == [*steps] and "has not got" not in said.partition("Show what was done")[2]

    (room.folder / "more").write_bytes(os.urandom(3 * MIB))
    command("debugfs", "-w", "-R", f"write {room.folder}/more more", room.disks["pc01"].partition(1).path)
    room.let_in("1k")
    code, said, results = room.clone("2")
    assert code != 0 and "The content store has not got the image: " in said and "413" in said, said
    assert results["pc02"]["verified"] and results["pc02"]["session"]["complete"] and set(results["pc02"]["sources"]) == {"multicast"}
    assert results["pc03"]["failed"] and "The session left" in results["pc03"]["msg"] and room.is_right("pc03", "1"), "as it was"
    assert room.published() == ["1"]
    assert "playbooks/capture.yml -l pc01 -e capture_image=room -e capture_version=2" in said

    room.let_in("2m")
    code, said, _results = room.play("capture.yml", capture_image="room", capture_version="2")
    assert code == 0 and room.published() == ["1", "2"] and room.jobs() == [], said
    assert room.is_right("pc02", "2")


@pytest.mark.parametrize(("senders", "how"), [({}, "without"), ({"pc03": {"clone_sender": "centre"}}, "with")])
def test_a_model_that_cannot_be_captured_ends_the_run_before_a_station_is_touched(
    senders: dict[str, dict[str, Any]], how: str, room: Room
) -> None:
    room.more = senders
    before = room.fingerprints()
    command("debugfs", "-w", "-R", "ssv state 0", room.disks["pc01"].partition(1).path)  # as a power cut leaves it
    code, said, results = room.clone("1")
    assert code != 0 and "dirty" in said and "Restore the stations together" not in said and results == {}
    assert room.fingerprints() == before and room.published() == []
    # Stations of several senders are served by those, once the store has the image.
    assert re.findall(r"Capture the disk (\w+) its contents", said) == [how]


@pytest.mark.parametrize("model", ["pc01", "pc1"])
def test_a_model_that_the_limit_leaves_out_is_not_taken_from_the_store(model: str, tmp_path: Path) -> None:
    hosts = tmp_path / "hosts.ini"
    hosts.write_text("[stations]\npc01\npc02\n[content_stores]\ncentre\n[all:vars]\nansible_connection=local\n")
    limited = ("-l", "pc02", "-e", f"model={model}", ROOT / "playbooks/clone.yml")
    done = ansible_playbook(hosts, *limited, home=tmp_path / "home")
    said = " ".join((done.stdout + done.stderr).split())
    assert done.returncode != 0 and f"The model {model} is not among the hosts of this run" in said, said
    assert "Restore the stations together" not in said and "See which versions the centre has" not in said
