# Copyright: (c) 2026, Fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The module machine, run as Ansible runs it, in a room without stations; what it starts is firmware without a system."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any, Callable

import pytest
from ansible.module_utils.testing import patch_module_args

from ansible_collections.fleet.lab.plugins.module_utils.machine import process, qemu, roster, wake
from ansible_collections.fleet.lab.plugins.modules import machine, room, room_info

pytestmark = [
    pytest.mark.skipif(os.geteuid() != 0, reason="a virtual room needs root"),
    pytest.mark.skipif(shutil.which(qemu.PROGRAM) is None, reason="QEMU is not installed"),
]
COLLECTIONS = Path(__file__).parents[6]
Run = Callable[..., dict[str, Any]]


@pytest.fixture
def run(capsys: pytest.CaptureFixture[str]) -> Run:
    """Run a module's main with parameters; return its result."""

    def call(module: Any, *, check: bool = False, **parameters: Any) -> dict[str, Any]:
        with patch_module_args({**parameters, "_ansible_check_mode": check}), pytest.raises(SystemExit):
            module.main()
        result: dict[str, Any] = json.loads(capsys.readouterr().out)
        return result

    return call


def files(folder: Path) -> dict[str, bytes]:
    """The files of a folder, but for what machines say meanwhile."""
    return {str(path): path.read_bytes() for path in folder.rglob("*") if path.is_file() and path.name != qemu.CONSOLE_LOG}


def test_a_machine_from_its_description_to_its_removal(run: Run, make_room: Any) -> None:
    handle = make_room()
    wanted = {"path": str(handle.path), "name": "pc1", "memory": 64, "disk": "16M", "boot": ["disk"]}
    folder = roster.folder(handle.path, "pc1")

    foreseen = run(machine, check=True, **wanted)
    assert foreseen["changed"] and '"power": "on"' in foreseen["diff"]["after"] and foreseen["diff"]["before"] == ""
    assert not folder.exists()

    made = run(machine, **wanted)
    assert made["changed"] and made["diff"] == foreseen["diff"] and made["machine"]["running"]
    assert made["machine"]["disk_size"] == 16 << 20 and made["machine"]["address"] == "10.77.0.2"
    assert made["machine"]["disk_identity"] == "serial:fleet-" + made["machine"]["mac"].replace(":", "")
    [pid] = wake.running(str(folder))

    for again in (run(machine, **wanted), run(machine, check=True, **wanted), run(machine, path=str(handle.path), name="pc1")):
        assert not again["changed"] and again["diff"]["before"] == again["diff"]["after"]
    assert run(room_info, path=str(handle.path))["room"]["machines"] == [made["machine"]]

    # While it runs its hardware stays what it is; a reset gives it other hardware, or only resets it.
    before = files(folder)
    refused = run(machine, **{**wanted, "memory": 65, "boot": ["network", "disk"]})
    assert refused["msg"] == "Machine pc1 runs: its memory, boot cannot change now. Switch it off before, or use state: reset"
    assert files(folder) == before and wake.running(str(folder)) == [pid]
    assert run(machine, **wanted, state="reset")["changed"] and wake.running(str(folder)) == [pid]
    assert run(machine, **{**wanted, "memory": 65}, state="reset")["machine"]["memory"] == 65
    assert wake.running(str(folder)) not in ([pid], [])

    off = {"path": str(handle.path), "name": "pc1", "state": "off"}
    assert run(machine, check=True, **off)["changed"] and wake.running(str(folder))
    assert run(machine, **off)["diff"]["after"].count('"power": "off"') == 1 and not wake.running(str(folder))
    assert not run(machine, **off)["changed"]
    assert run(machine, **off, firmware="uefi", mac="52-54-00-AA-BB-CC")["changed"]
    assert not run(machine, **off, mac="5254.00aa.bbcc")["changed"] and (folder / "variables-uefi").stat().st_size > 500000

    absent = {**off, "state": "absent"}
    assert run(machine, check=True, **absent)["changed"] and folder.exists()
    assert run(machine, **absent)["changed"] and not folder.exists()
    assert not run(machine, **absent)["changed"]


def test_a_sleeper_is_deaf_until_it_shall_hear_and_its_password_is_not_told(run: Run, make_room: Any) -> None:
    handle = make_room()
    folder = roster.folder(handle.path, "pc1")
    asleep = {"path": str(handle.path), "name": "pc1", "memory": 64, "state": "off"}
    assert run(machine, **asleep)["changed"] and process.listeners(folder) == []
    made = run(machine, **asleep, wake=True, wake_password="01:02:03:04:05:06")
    assert made["changed"] and len(process.listeners(folder)) == 1
    assert "01:02:03" not in json.dumps({**made, "invocation": None}) and (folder / "start.json").stat().st_mode & 0o77 == 0
    assert not run(machine, **asleep)["changed"]

    # What ended it (a restart of the host, say) is seen.
    process.end(lambda: process.listeners(folder), "the listener")
    assert run(machine, check=True, **asleep)["changed"] and process.listeners(folder) == []
    assert run(machine, **asleep)["changed"] and len(process.listeners(folder)) == 1
    assert run(machine, **asleep, wake=False)["changed"] and process.listeners(folder) == []


def test_addresses_and_names_are_given_once(run: Run, make_room: Any) -> None:
    handle = make_room()
    path, cache = str(handle.path), str(handle.cache)
    for name, address in (("pc1", "10.77.0.2"), ("pc2", "10.77.0.3")):
        assert run(machine, path=path, name=name, state="off")["machine"]["address"] == address
    assert "Machine pc1 has the address 10.77.0.2" in run(machine, path=path, name="pc3", state="off", address="10.77.0.2")["msg"]
    assert "10.78.0.9 is no station's address" in run(machine, path=path, name="pc3", state="off", address="10.78.0.9")["msg"]
    mac = run(machine, path=path, name="pc1", state="off")["machine"]["mac"]
    assert f"Machine pc1 has the MAC address {mac}" in run(machine, path=path, name="pc3", state="off", mac=mac)["msg"]
    assert not roster.folder(handle.path, "pc3").exists()
    station = {"path": path, "cache": cache, "central": False, "stations": [{"name": "pc2"}]}
    assert run(room, **station)["msg"] == "There are machines named pc2. Give the stations other names, or remove the machines"
    made = run(room, check=True, **{**station, "stations": [{"name": "station1"}]})
    assert "10.77.0.4" in made["diff"]["after"], "stations pass over the addresses of machines"


def test_a_room_takes_its_machines_along(run: Run, make_room: Any) -> None:
    handle = make_room()
    path = str(handle.path)
    run(machine, path=path, name="pc1", memory=64, wake=True, boot=["network"])
    run(machine, path=path, name="pc2", memory=64, wake=True, state="off")
    folders = [roster.folder(handle.path, name) for name in ("pc1", "pc2")]
    assert wake.running(str(folders[0])) and len([pid for folder in folders for pid in process.of(folder)]) == 3
    (folders[1] / "machine.json").write_text("{")  # damage is no obstacle
    handle.room.remove()
    assert [pid for folder in folders for pid in process.of(folder)] == []
    assert handle.traces() == [] and not handle.path.exists()


def test_a_machine_whose_namespace_lost_its_name_is_found_all_the_same(run: Run, make_room: Any) -> None:
    handle = make_room()
    run(machine, path=str(handle.path), name="pc1", memory=64, wake=True)
    folder = roster.folder(handle.path, "pc1")
    subprocess.run(["ip", "netns", "del", handle.room.network.namespace], check=True)
    assert len(process.of(folder)) == 2
    handle.room.remove()
    assert process.of(folder) == [] and not handle.path.exists()


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ({"name": "../pc"}, "'../pc' is not a machine's name"),
        ({"name": "../pc", "state": "absent"}, "'../pc' is not a machine's name"),
        ({"path": "/nowhere/room"}, "There is no room in /nowhere/room"),
        ({"firmware": "openfirmware"}, "value of firmware must be one of"),
        ({"disk": "big"}, "Machine pc1: 'big' is not a disk size"),
        ({"memory": 1}, "a memory of 1 MiB is impossible"),
        ({"usb": "/nowhere/key.img"}, "its usb /nowhere/key.img does not exist"),
        ({"protocol": "http"}, "a BIOS has no HTTP Boot"),
    ],
)
def test_what_is_wrong_is_said_and_nothing_is_made(wrong: dict[str, Any], said: str, run: Run, make_room: Any) -> None:
    handle = make_room()
    before = files(handle.path)
    for check in (True, False):
        failed = run(machine, check=check, **{"path": str(handle.path), "name": "pc1", **wrong})
        assert failed["failed"] and said in failed["msg"]
    assert files(handle.path) == before and not (handle.path / "machines").exists()


def test_a_disk_stays_what_it_is(run: Run, make_room: Any) -> None:
    handle = make_room()
    path = str(handle.path)
    run(machine, path=path, name="pc1", state="off", disk="16M")
    assert "Machine pc1 has a disk of 16777216 bytes. A disk stays" in run(machine, path=path, name="pc1", state="off", disk="32M")["msg"]


def test_ansible_switches_a_machine_on_and_leaves_what_listens(make_room: Any, run: Run, tmp_path: Path) -> None:
    """Sent to the host as a task sends it; what the module started outlives it."""
    handle = make_room()
    (tmp_path / "ansible.cfg").write_text(f"[defaults]\ncollections_path = {COLLECTIONS}\nhome = {tmp_path / 'home'}\n")
    asked = json.dumps({"path": str(handle.path), "name": "pc1", "memory": 64, "wake": True, "boot": ["network"]})
    done = subprocess.run(
        [Path(sys.executable).parent / "ansible", "localhost", "-m", "fleet.lab.machine", "-a", asked],
        capture_output=True,
        text=True,
        check=False,
        stdin=subprocess.DEVNULL,
        env={**os.environ, "ANSIBLE_CONFIG": str(tmp_path / "ansible.cfg"), "LC_ALL": "C.UTF-8"},
        timeout=300,
    )
    assert "localhost | CHANGED" in done.stdout, done.stdout + done.stderr
    folder = roster.folder(handle.path, "pc1")
    assert wake.running(str(folder)) and process.listeners(folder)
