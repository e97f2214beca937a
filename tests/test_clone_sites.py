# Copyright: (c) 2026, Fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""playbooks/clone.yml over two sites at once: a centre, two relays with two stations each, on one segment of network namespaces."""

from __future__ import annotations

import contextlib
import json
import os
import re
import shutil
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from ansible_collections.fleet.imaging.plugins.module_utils.disk.device import Disk
from ansible_collections.fleet.imaging.tests.unit.bench import LINUX, Bench, fingerprint, write
from ansible_collections.fleet.imaging.tests.unit.conftest import command, loop_device, loop_disk  # noqa: F401 - fixtures
from ansible_collections.fleet.imaging.tests.unit.filesystems import MIB
from ansible_collections.fleet.imaging.tests.unit.module_utils.multicast.conftest import Segment
from tests.playbooks import ROOT, ansible_playbook
from tests.ports import free_port

SIZE = 40 * MIB
HOSTS = {"centre": 1, "relay-paris": 2, "relay-lyon": 3, "paris1": 11, "paris2": 12, "lyon1": 21, "lyon2": 22}
SITES = {"paris": ("paris1", "paris2"), "lyon": ("lyon1", "lyon2")}
pytestmark = [pytest.mark.slow, pytest.mark.skipif(os.geteuid() != 0, reason="disks and namespaces need root")]


class Sites:
    """The hosts, and runs of the playbook over them."""

    def __init__(self, folder: Path, bench: Bench, segment: Segment, disks: dict[str, Disk]) -> None:
        self.folder, self.bench, self.segment, self.disks = folder, bench, segment, disks
        self.servers: list[subprocess.Popen[bytes]] = []
        self.more: dict[str, dict[str, Any]] = {}
        """Variables of hosts."""
        for name in ("trust", "python", "home"):
            (folder / name).mkdir()
        (folder / "trust/allowed_signers").write_text(bench.allowed)
        for name, number in HOSTS.items():
            namespace = segment.host(number)
            path = folder / "python" / name
            path.write_text(f'#!/bin/sh\nexec nsenter --net=/run/netns/{namespace} {sys.executable} "$@"\n')
            path.chmod(0o755)
        self.serve("centre", bench.store.root)
        for name in ("relay-paris", "relay-lyon"):
            (folder / f"{name}-store").mkdir()
            self.serve(name, folder / f"{name}-store")

    def serve(self, name: str, store: Path) -> None:
        """A real nginx before a store, on its host."""
        folder = self.folder / f"{name}-web"
        folder.mkdir()
        temporary = "".join(f"{each}_temp_path {folder}/{each};" for each in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi"))
        (folder / "nginx.conf").write_text(
            f"user root; worker_processes 1; daemon off; pid {folder}/pid; error_log {folder}/error.log;\n"
            f"events {{ worker_connections 64; }}\n"
            f"http {{ access_log {folder}/access.log; {temporary}\n"
            f"  server {{ listen 10.77.0.{HOSTS[name]}:8000; location /content/ {{ alias {store}/; }} }} }}\n"
        )
        nginx = shutil.which("nginx", path=f"{os.environ['PATH']}:/usr/sbin") or "nginx"
        argv = ["nsenter", f"--net=/run/netns/{self.segment.host(HOSTS[name])}", nginx, "-p", folder, "-c", folder / "nginx.conf"]
        self.servers.append(subprocess.Popen(argv, stderr=subprocess.DEVNULL))
        for _attempt in range(3000):
            if (folder / "pid").exists():  # written once it listens
                return
            time.sleep(0.02)
        raise RuntimeError((folder / "error.log").read_text())

    def close(self) -> None:
        for server in self.servers:
            server.send_signal(signal.SIGTERM)
            server.wait(60)

    def asked(self, name: str) -> Counter[tuple[str, str]]:
        """How often each client asked a host's web server for each chunk."""
        lines = (self.folder / f"{name}-web/access.log").read_text().splitlines()
        return Counter((line.split()[0], line.split()[6]) for line in lines if "/chunks/" in line)

    def inventory(self) -> dict[str, Any]:
        """Two sites with a relay each, as a station database tells them, and what their group_vars say."""
        url = {name: f"http://10.77.0.{number}:8000/content" for name, number in HOSTS.items()}
        hosts: dict[str, dict[str, Any]] = {
            name: {"ansible_host": f"10.77.0.{number}", "ansible_python_interpreter": f"{self.folder}/python/{name}"}
            for name, number in HOSTS.items()
        }
        for name, disk in self.disks.items():
            hosts[name].update(fleet_disk=str(disk.path), fleet_disk_identity=f"size:{disk.size}")
        stores = {"centre": self.bench.store.root, **{name: self.folder / f"{name}-store" for name in ("relay-paris", "relay-lyon")}}
        for name, store in stores.items():
            hosts[name]["clone_store_path"] = str(store)
        for name, variables in self.more.items():
            hosts[name].update(variables)
        groups: dict[str, Any] = {
            f"site_{site}": {
                "hosts": dict.fromkeys((f"relay-{site}", *stations)),
                "vars": {"clone_sender": f"relay-{site}", "fleet_content_sources": [url[f"relay-{site}"], url["centre"]]},
            }
            for site, stations in SITES.items()
        }
        groups["stations"] = {"hosts": dict.fromkeys(self.disks)}
        groups["content_stores"] = {"hosts": {"centre": None}}
        shared = {
            "ansible_connection": "local",
            "ansible_remote_tmp": f"{self.folder}/remote",
            "ansible_async_dir": f"{self.folder}/async",
            "clone_store_path": str(self.bench.store.root),
            "clone_work_dir": str(self.folder),
            "clone_identity": False,
            "clone_restart": False,
            "fleet_content_trust": f"{self.folder}/trust",
        }
        return {"all": {"hosts": hosts, "children": groups, "vars": shared}}

    def clone(self, *arguments: str, ok: bool = True) -> str:
        """Run the playbook for both sites; what it said."""
        (self.folder / "hosts.json").write_text(json.dumps(self.inventory()))
        both = ("--forks=1", ROOT / "playbooks/clone.yml", "-l", "site_paris,site_lyon", "-e", "image=room")
        done = ansible_playbook(self.folder / "hosts.json", *both, *arguments, home=self.folder / "home")
        assert (done.returncode == 0) is ok, done.stdout + done.stderr
        return done.stdout


@pytest.fixture
def sites(tmp_path: Path, loop_disk: Any) -> Iterator[Sites]:  # noqa: F811
    """An image at the centre, relays that have nothing, and stations with disks full of garbage."""
    run = Path("/run/fleet")
    there = run.exists()
    with contextlib.ExitStack() as stack:
        bench = stack.enter_context(Bench.open(tmp_path / "bench"))
        model = loop_disk(SIZE, f"label: gpt\nsize=30MiB, type={LINUX}\n")
        (tmp_path / "contents").mkdir()
        (tmp_path / "contents/file").write_bytes(os.urandom(6 * MIB))
        command("mkfs.ext4", "-q", "-F", "-d", tmp_path / "contents", model.partition(1).path)
        bench.capture(model)
        segment = Segment(tmp_path)
        stack.callback(segment.close)
        disks = {name: loop_disk(SIZE, fill=0xFF) for stations in SITES.values() for name in stations}
        (tmp_path / "sites").mkdir()
        sites = Sites(tmp_path / "sites", bench, segment, disks)
        stack.callback(sites.close)
        yield sites
    if not there:
        with contextlib.suppress(OSError):  # somebody else's by now
            run.rmdir()


def row(said: str, name: str) -> list[str]:
    """What the table says of a host."""
    rows = re.findall(rf"^\s*({re.escape(name)} +[\w-]+ .*)$", said, re.MULTILINE)
    assert rows, said
    return str(rows[-1]).split()


def test_each_site_is_served_by_its_relay_which_gets_the_image_once_and_a_dead_one_fails_its_stations_alone(sites: Sites) -> None:
    said = sites.clone("-e", "clone_start=minimum", "-e", "clone_minimum=5", "-e", "clone_wait=1")  # more than a site has
    chunks = len(sites.bench.manifest().digests())
    asked = sites.asked("centre")
    assert Counter(client for client, _chunk in asked) == {"10.77.0.2": chunks, "10.77.0.3": chunks}, "the WAN carries it once per relay"
    assert set(asked.values()) == {1}
    for site, stations in SITES.items():
        assert {client for client, _chunk in sites.asked(f"relay-{site}")} <= {f"10.77.0.{HOSTS[name]}" for name in stations}
        assert re.search(rf"relay-{site}: /run/fleet/clone-room-relay-{site}-\d+\.json", said)
        for name in stations:
            assert row(said, name)[1:3] == [f"relay-{site}", "cloned"] and row(said, name)[-1] == "yes"
        told = row(said, f"relay-{site}")
        assert told[1] == "sent" and float(told[3]) > 1 and told[-1] == "2"

    for disk in sites.disks.values():
        write(disk.partition(1).path, 0, os.urandom(MIB))
    before = {name: fingerprint(sites.disks[name]) for name in SITES["lyon"]}
    sites.more["relay-lyon"] = {"ansible_connection": "ssh", "ansible_host": "127.0.0.1", "ansible_port": free_port()}
    said = sites.clone(ok=False)
    assert sites.asked("centre") == asked, "a relay that is complete asks for nothing"
    for name in SITES["paris"]:
        assert row(said, name)[2] == "cloned" and row(said, name)[-1] == "yes"
    for name in SITES["lyon"]:
        assert re.search(rf"{name}: Not begun, because its sender relay-lyon failed: it has not got the image: .*refused", said)
        assert fingerprint(sites.disks[name]) == before[name]
    assert row(said, "relay-paris")[1:4:2] == ["sent", "0.0"]
    assert not list(Path("/run/fleet").glob("clone-room-relay-*"))
