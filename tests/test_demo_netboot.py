# SPDX-License-Identifier: GPL-3.0-or-later
"""The demo of netboot does what the README says, with Secure Boot and on a BIOS: from a blank disk to the station's own system over SSH."""

from __future__ import annotations

import json
import os
import re
import shutil
from pathlib import Path

import pytest

from tests.playbooks import ROOT
from tests.test_demo import play, traces

pytestmark = [
    pytest.mark.slow,
    pytest.mark.whole,
    pytest.mark.skipif(os.geteuid() != 0, reason="a virtual room needs root"),
]


@pytest.mark.parametrize("firmware", ["secureboot", "bios"])
def test_a_blank_machine_is_woken_restored_and_runs_its_own_system(firmware: str, tmp_path: Path) -> None:
    room, inventory = tmp_path / "room", tmp_path / "inventory"
    shutil.copytree(ROOT / "inventories/netboot", inventory)
    (inventory / "netboot.room.yml").write_text(f"plugin: fleet.lab.room\npath: {room}\n")
    machine = {"name": "pc01", "firmware": firmware, "memory": 1024, "disk": "2G"}
    settings = ["-e", f"demo_room={room}", "-e", f"demo_trust={tmp_path / 'trust'}", "-e", f"imaging_folder={tmp_path / 'environment'}"]
    settings += ["-e", json.dumps({"demo_machine": machine})]
    try:
        play(inventory, "demo_netboot_room.yml", *settings)
        said = play(inventory, "demo_netboot.yml", *settings).partition("Show the whole way")[2]
        assert re.search(
            r"pc01 was switched off, with nothing on its disk.* it runs\n +Debian from its own disk \(/dev/vda3, Linux 6", said
        ), said
        assert ("Secure Boot checked" in said) == (firmware == "secureboot")
        console = next(room.glob("machines/pc01/console.log")).read_text(errors="replace")
        assert "pc01 login:" in console
    finally:
        play(inventory, "demo_down.yml", *settings)
    assert not any(traces(room).values()), traces(room)
