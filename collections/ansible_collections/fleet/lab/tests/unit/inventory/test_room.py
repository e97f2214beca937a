# Copyright: (c) 2026, Fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Ansible finds the stations of a room through the inventory plugin, and reaches them."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from ansible_collections.fleet.lab.plugins.module_utils.machine import roster
from ansible_collections.fleet.lab.plugins.module_utils.machine.hardware import Hardware
from ansible_collections.fleet.lab.plugins.module_utils.machine.machine import Machine

COLLECTIONS = Path(__file__).parents[6]


def ansible(folder: Path, command: str, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Run one of Ansible's commands, with settings of its own and the inventory file of a folder."""
    (folder / "ansible.cfg").write_text(f"[defaults]\ncollections_path = {COLLECTIONS}\nhome = {folder}\n")
    environment = {**os.environ, "ANSIBLE_CONFIG": str(folder / "ansible.cfg"), "LC_ALL": "C.UTF-8", "COLUMNS": "1000"}
    argv = [str(Path(sys.executable).parent / command), "-i", str(folder / "test.room.yml"), *arguments]
    return subprocess.run(argv, capture_output=True, text=True, check=False, env=environment, cwd=folder, timeout=120)


@pytest.fixture
def inventory(tmp_path: Path) -> Path:
    """A folder with an inventory file that names the folder ``room`` beside it."""
    (tmp_path / "test.room.yml").write_text("plugin: fleet.lab.room\npath: room\n")
    return tmp_path


def test_the_stations_are_in_their_groups_with_what_the_playbooks_need(inventory: Path, classroom: Any) -> None:
    (inventory / "room").symlink_to(classroom.path)
    listed = json.loads(ansible(inventory, "ansible-inventory", "--list").stdout)
    assert (listed["stations"]["hosts"], listed["models"]["hosts"], listed["content_stores"]["hosts"]) == (
        ["station1"],
        ["model"],
        ["central"],
    )
    variables = json.loads(ansible(inventory, "ansible-inventory", "--host", "station1").stdout)
    station = classroom.room.load().station("station1")
    assert {name: variables[name] for name in variables if name.startswith("fleet_")} == {
        "fleet_room": str(classroom.path),
        "fleet_mac": station.mac,
        "fleet_disk": station.loop,
        "fleet_disk_identity": f"size:{700 << 20}",
        "fleet_boot_entry": "imaging",
    }


def test_ansible_reaches_every_station(inventory: Path, classroom: Any) -> None:
    (inventory / "room").symlink_to(classroom.path)
    done = ansible(inventory, "ansible", "all", "-m", "ansible.builtin.ping")
    assert done.stdout.count('"ping": "pong"') == 3, done.stdout + done.stderr


def test_a_room_that_is_not_there_is_an_empty_inventory_and_a_warning(inventory: Path) -> None:
    done = ansible(inventory, "ansible-inventory", "--list")
    assert done.returncode == 0
    assert json.loads(done.stdout)["_meta"]["hostvars"] == {}
    assert "There is no room in" in done.stderr and "Traceback" not in done.stderr


def test_a_damaged_room_is_one_clear_error(inventory: Path) -> None:
    (inventory / "room").mkdir()
    (inventory / "room" / "room.json").write_text("{")
    done = ansible(inventory, "ansible-inventory", "--list")
    assert "room.json is damaged" in done.stderr and "Traceback" not in done.stderr


def test_machines_are_a_group_with_what_netboot_needs(inventory: Path, make_room: Any) -> None:
    handle = make_room()
    folder = roster.folder(handle.path, "pc1")
    hardware = Hardware("pc1", "52:54:00:77:00:01", firmware="uefi", disk_size=1 << 20, address="10.77.0.9", namespace="lab")
    with Machine(folder, hardware) as machine:
        machine.prepare()
    assert json.loads(ansible(inventory, "ansible-inventory", "--list").stdout)["machines"]["hosts"] == ["pc1"]
    variables = json.loads(ansible(inventory, "ansible-inventory", "--host", "pc1").stdout)
    assert {name: variables[name] for name in variables if name.startswith(("fleet_", "ansible_host"))} == {
        "ansible_host": "10.77.0.9",
        "fleet_room": str(handle.path),
        "fleet_mac": "52:54:00:77:00:01",
        "fleet_macs": ["52:54:00:77:00:01"],
        "fleet_disk_identity": "serial:fleet-525400770001",
        "fleet_firmware": "uefi",
        "fleet_machine": str(folder),
    }
