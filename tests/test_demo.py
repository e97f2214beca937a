# SPDX-License-Identifier: GPL-3.0-or-later
"""The demo does what the README says, and its removal leaves nothing behind."""

from __future__ import annotations

import json
import os
import re
import shutil
import ssl
import subprocess
import urllib.request
from pathlib import Path

import pytest

from ansible_collections.fleet.lab.plugins.module_utils.room import host
from tests.ports import free_port

ROOT = Path(__file__).parents[1]


def play(inventory: Path, playbook: str, *more: str) -> str:
    command = [ROOT / ".venv/bin/ansible-playbook", "-i", inventory, ROOT / "playbooks" / playbook, *more]
    environment = {**os.environ, "ANSIBLE_CONFIG": str(ROOT / "ansible.cfg"), "ANSIBLE_FORCE_COLOR": "0"}
    done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, timeout=1800, check=False)
    assert done.returncode == 0, done.stdout[-8000:] + done.stderr[-2000:]
    return done.stdout


def traces(room: Path) -> dict[str, set[str]]:
    """Everything of this host that a room could leave: namespaces, loop devices and mounts, and processes that name the room."""

    def lines(*command: str) -> set[str]:
        return set(subprocess.run(command, capture_output=True, text=True, check=True).stdout.splitlines())

    processes = set()
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            words = (folder / "cmdline").read_bytes().decode(errors="replace")
        except OSError:
            continue
        if str(room) in words and int(folder.name) != os.getpid():
            processes.add(f"{folder.name} {words}")
    return {
        "loops": {line for line in lines("losetup", "--list", "--noheadings", "--output", "NAME,BACK-FILE") if str(room) in line},
        "mounts": {line for line in Path("/proc/self/mounts").read_text().splitlines() if str(room) in line},
        "processes": processes,
        # Only this room's: others may come and go meanwhile.
        "namespaces": {line for line in lines("ip", "netns", "list") if host.label(room) in line},
        "folder": {str(path) for path in room.glob("*")},
    }


def sign_in_page(port: int, authority: Path) -> bool:
    """Whether a browser on this host would see the site, under a certificate that the authority vouches for."""
    context = ssl.create_default_context(cafile=str(authority))
    with urllib.request.urlopen(f"https://localhost:{port}/", context=context, timeout=20) as answer:
        return b"<form" in answer.read()


@pytest.mark.skipif(os.geteuid() != 0, reason="a virtual room needs root")
def test_the_demo_captures_clones_changes_restores_what_differs_and_leaves_nothing(tmp_path: Path) -> None:
    room, inventory = tmp_path / "room", tmp_path / "inventory"
    shutil.copytree(ROOT / "inventories/demo", inventory)
    secrets = tmp_path / "secrets"
    port = free_port()
    (inventory / "demo.room.yml").write_text(f"plugin: fleet.lab.room\npath: {room}\ngroups: false\n")
    (inventory / "demo.stations.yml").write_text(
        f"plugin: fleet.core.stations\nurl: https://localhost:{port}\ntoken_file: {secrets}/inventory.token\nca_file: {secrets}/ca.pem\n"
    )
    settings = ["-e", f"demo_room={room}", "-e", f"demo_trust={tmp_path / 'trust'}"]
    settings += ["-e", f"demo_secrets={secrets}", "-e", json.dumps({"demo_port": port})]
    try:
        play(inventory / "demo.room.yml", "demo_room.yml", *settings)
        said = play(inventory, "demo.yml", *settings).partition("Show the whole way")[2]
        assert sign_in_page(port, secrets / "ca.pem")
        rows = re.findall(
            r"^ +(pc\d\d) +(cloned|restored when changed) +[\d.]+ +([\d.]+) +([\d.]+) +([\d.]+) +(yes|NO)$", said, re.MULTILINE
        )
        assert [(row[0], row[1], row[5]) for row in rows] == [
            ("pc01", "cloned", "yes"),
            ("pc01", "restored when changed", "yes"),
            ("pc02", "cloned", "yes"),
            ("pc03", "cloned", "yes"),
        ]
        amounts = {(row[0], row[1]): (float(row[2]), float(row[3])) for row in rows}
        for station in ("pc01", "pc02", "pc03"):
            together, unicast = amounts[station, "cloned"]
            assert together > 30, "a blank disk gets the image with the others"
            assert unicast < together / 4, "what was sent once is not fetched by each"
        assert sum(amounts["pc01", "restored when changed"]) < amounts["pc01", "cloned"][0] / 20, "what differs is little"
        report = play(inventory, "report.yml", "-e", f"report_csv={tmp_path / 'report.csv'}")
        assert "▕█" in report
        assert len((tmp_path / "report.csv").read_text().splitlines()) == 1 + 4 * 3
    finally:
        play(inventory / "demo.room.yml", "demo_down.yml", *settings)
    assert not secrets.exists()
    assert not any(traces(room).values()), traces(room)
