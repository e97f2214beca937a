# Copyright: (c) 2026, Fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The life of a room: made once, changed only where it differs, and removed without a trace, whatever happened to it."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any, Callable

import pytest

from ansible_collections.fleet.core.plugins.module_utils.errors import InputError
from ansible_collections.fleet.lab.plugins.module_utils.room import power, storage
from ansible_collections.fleet.lab.plugins.module_utils.room.host import HostError, folder
from ansible_collections.fleet.lab.plugins.module_utils.room.power import PowerError
from ansible_collections.fleet.lab.plugins.module_utils.room.room import Request, Room
from ansible_collections.fleet.lab.plugins.module_utils.room.state import StateError

PC = {"name": "pc1", "disk": "16M"}

CREATE = """
import sys
from pathlib import Path
from ansible_collections.fleet.core.plugins.module_utils.progress import Progress
from ansible_collections.fleet.lab.plugins.module_utils.room.room import Request, Room
stations = [{"name": "pc1", "disk": "16M"}, {"name": "model", "disk": "600M", "system": True}]
Room(sys.argv[1]).create(Request("", "10.77.0.0/24", stations, False), Path(sys.argv[2]), Progress())
"""


def firmware(room: Path, name: str) -> list[int]:
    """Return the pids of a station's firmware, the outermost first."""
    return sorted(power.running(room).get(name, []))


def descendants(pid: int) -> list[int]:
    """Return the pids of all processes below one."""
    listed = Path(f"/proc/{pid}/task/{pid}/children").read_text()
    children = [int(child) for child in listed.split()]
    return children + [below for child in children for below in descendants(child)]


def gone(pids: list[int]) -> bool:
    """Whether processes end within five seconds."""
    for _attempt in range(100):
        if not [pid for pid in pids if Path(f"/proc/{pid}").exists()]:
            return True
        time.sleep(0.05)
    return False


def test_a_room_made_twice_is_made_once(make_room: Any, empty_room: Any) -> None:
    make_room(PC)
    pids, state = power.running(empty_room.path), empty_room.room.load()
    started = time.monotonic()
    assert not empty_room.room.plan(Request("", "10.77.0.0/24", [PC], False)).changed
    assert empty_room.create(PC) == state
    assert time.monotonic() - started < 1
    assert power.running(empty_room.path) == pids


def test_only_what_differs_is_changed(make_room: Any, empty_room: Any) -> None:
    make_room(PC, {"name": "pc2"})
    before, loop = firmware(empty_room.path, "pc1"), empty_room.room.load().station("pc1").loop
    state = empty_room.create({**PC, "rate": "10mbit"}, {"name": "pc3", "disk": "16M"})
    assert firmware(empty_room.path, "pc1") == before
    assert [(s.name, s.address) for s in state.stations] == [("pc1", "10.77.0.2"), ("pc3", "10.77.0.4")]
    assert state.station("pc1").loop == loop
    assert sorted(power.running(empty_room.path)) == ["pc1", "pc3"]
    assert not [trace for trace in empty_room.traces() if "pc2" in trace]
    assert not (empty_room.path / "stations" / "pc2").exists()
    assert empty_room.ssh("pc1", "getent hosts pc3").startswith("10.77.0.4")
    shown = subprocess.run(["tc", "-n", empty_room.room.network.namespace, "qdisc"], check=True, capture_output=True, text=True).stdout
    assert "rate 10Mbit" in shown


def test_a_station_switched_off_is_started_again_with_the_disk_it_had(make_room: Any, empty_room: Any) -> None:
    make_room(PC)
    empty_room.ssh("pc1", "echo content > /dev/loop*; sync; systemctl poweroff", check=False)
    assert gone(firmware(empty_room.path, "pc1"))
    assert [station["running"] for station in empty_room.room.describe(empty_room.room.load())["stations"]] == [False]
    assert empty_room.room.plan(Request("", "10.77.0.0/24", [PC], False)).start == ("pc1",)
    empty_room.create(PC)
    assert empty_room.ssh("pc1", "head -c 7 /dev/loop*") == "content"


def test_after_a_restart_of_its_host_the_room_comes_back_with_its_disks_and_its_central_host(make_room: Any, empty_room: Any) -> None:
    """Simulated: a restart ends every process and forgets every namespace and loop device, and keeps the files."""
    make_room(PC, central=True)
    empty_room.ssh("central", "echo kept > /root/file; sync")
    empty_room.ssh("pc1", "echo content > /dev/loop*; sync")
    power.switch_off(empty_room.path, ["pc1", "central"])
    empty_room.room.network.remove()
    storage.detach(empty_room.path)
    empty_room.create(PC, central=True)
    assert empty_room.ssh("pc1", "head -c 7 /dev/loop*") == "content"
    assert empty_room.ssh("central", "cat /root/file") == "kept"


def test_removal_leaves_nothing(make_room: Any, empty_room: Any) -> None:
    make_room(PC, central=True)
    assert len(empty_room.traces()) > 6
    empty_room.room.remove()
    assert empty_room.traces() == []
    assert not empty_room.path.exists()
    empty_room.room.remove()


@pytest.mark.parametrize("victim", ["outer firmware", "inner firmware", "nspawn", "station's systemd"])
def test_whatever_is_killed_takes_the_station_along_and_removal_leaves_nothing(make_room: Any, empty_room: Any, victim: str) -> None:
    make_room(PC)
    # unshare, the firmware, systemd-nspawn, and the station's first process, each the child of the one before.
    outer = firmware(empty_room.path, "pc1")[0]
    family = descendants(outer)
    chain = [outer, *family]
    index = ["outer firmware", "inner firmware", "nspawn", "station's systemd"].index(victim)
    os.kill(chain[index], signal.SIGKILL)
    assert gone(chain)
    empty_room.room.remove()
    assert empty_room.traces() == []
    assert not empty_room.path.exists()


def test_a_station_killed_while_its_own_system_runs_leaves_nothing_mounted(make_room: Any, empty_room: Any) -> None:
    make_room({"name": "model", "disk": "600M", "system": True, "boot": "disk"})
    loop = empty_room.room.load().station("model").loop
    assert empty_room.ssh("model", "findmnt -no SOURCE /") == f"{loop}p3"
    os.kill(firmware(empty_room.path, "model")[0], signal.SIGKILL)
    empty_room.room.remove()
    assert empty_room.traces() == []


@pytest.mark.parametrize("moment", [0.2, 0.6, 1.2, 2.0])
def test_a_half_created_room_is_removed_or_made_whole(empty_room: Any, cache: Path, moment: float) -> None:
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(path for path in sys.path if path)}
    making = subprocess.Popen([sys.executable, "-c", CREATE, str(empty_room.path), str(cache)], env=environment, start_new_session=True)
    time.sleep(moment)
    os.killpg(making.pid, signal.SIGKILL)
    making.wait()
    if moment in (0.6, 2.0):
        empty_room.create(PC)
        assert empty_room.ssh("pc1", "uname -n") == "pc1"
    empty_room.room.remove()
    assert empty_room.traces() == []
    assert not empty_room.path.exists()


def test_a_damaged_state_is_one_clear_error_and_no_obstacle_to_removal(make_room: Any, empty_room: Any) -> None:
    make_room(PC)
    (empty_room.path / "room.json").write_text("{")
    for use in (empty_room.room.load, lambda: empty_room.create(PC), lambda: empty_room.room.boot_entry("pc1")):
        with pytest.raises(StateError, match=r"room.json is damaged: .*Remove the room"):
            use()
    empty_room.room.remove()
    assert empty_room.traces() == []
    assert not empty_room.path.exists()


def test_a_room_whose_folder_was_deleted_is_removed_too(make_room: Any, empty_room: Any) -> None:
    make_room(PC)
    subprocess.run(["rm", "-rf", str(empty_room.path)], check=True)
    assert empty_room.room.exists()
    empty_room.room.remove()
    assert empty_room.traces() == []


def test_a_station_that_does_not_start_is_explained_by_its_console(empty_room: Any) -> None:
    with pytest.raises(PowerError, match=r"(?s)Station pc1 switched itself off .*console.log.*no operating system on /dev/loop"):
        empty_room.create({**PC, "boot": "disk"})


def test_a_station_that_fails_to_start_again_keeps_its_disk_and_the_room(make_room: Any, empty_room: Any) -> None:
    make_room(PC)
    empty_room.ssh("pc1", "echo content > /dev/loop*; sync; systemctl poweroff", check=False)
    assert gone(firmware(empty_room.path, "pc1"))
    empty_room.room.set_boot_entry("pc1", "disk")
    with pytest.raises(PowerError):
        empty_room.create(PC)
    empty_room.room.set_boot_entry("pc1", "imaging")
    empty_room.create(PC)
    assert empty_room.ssh("pc1", "head -c 7 /dev/loop*") == "content"


def test_two_rooms_with_the_same_addresses_do_not_meet(make_room: Any, empty_room: Any, classroom: Any) -> None:
    make_room(PC)
    assert empty_room.room.load().station("pc1").address == classroom.room.load().station("central").address
    assert (empty_room.ssh("pc1", "uname -n"), classroom.ssh("central", "uname -n")) == ("pc1", "central")
    empty_room.room.remove()
    assert classroom.ssh("central", "uname -n") == "central"


@pytest.mark.parametrize(
    ("stations", "options", "said"),
    [
        ([PC, PC], {}, "Stations named twice: pc1"),
        ([{"name": "central"}], {"central": True}, "Stations named twice: central"),
        ([{"name": f"pc{number}"} for number in range(6)], {"subnet": "10.0.0.0/29"}, r"10.0.0.0/29 has no address left for pc5"),
        ([{**PC, "disk": "big"}], {}, "Station pc1: 'big' is not a disk size"),
        ([PC], {"subnet": "everywhere"}, "'everywhere' is not an IPv4 subnet"),
    ],
)
def test_an_impossible_room_is_refused_and_nothing_is_made(empty_room: Any, stations: Any, options: Any, said: str) -> None:
    with pytest.raises(InputError, match=said):
        empty_room.create(*stations, **options)
    assert not empty_room.path.exists()
    assert empty_room.traces() == []


def test_what_cannot_be_changed_is_refused(make_room: Any, empty_room: Any) -> None:
    make_room(PC)
    with pytest.raises(InputError, match="Station pc1 has a disk of 16777216 bytes"):
        empty_room.create({**PC, "disk": "32M"})
    with pytest.raises(InputError, match=r"has the subnet 10\.77\.0\.0/24"):
        empty_room.create(PC, subnet="10.78.0.0/24")
    assert empty_room.ssh("pc1", "uname -n") == "pc1"


def test_a_folder_that_is_not_a_room_is_neither_used_nor_emptied(empty_room: Any) -> None:
    empty_room.path.mkdir()
    (empty_room.path / "ssh").mkdir()
    (empty_room.path / "ssh" / "thesis.txt").touch()
    with pytest.raises(InputError, match="is not empty and not a room"):
        empty_room.create(PC)
    assert not empty_room.room.exists()
    empty_room.room.remove()
    assert (empty_room.path / "ssh" / "thesis.txt").exists()


@pytest.mark.parametrize("path", ["/tmp/a:b", "/tmp/a,b", "/tmp/a\\b", '/tmp/a"b'])
def test_a_folder_that_mounts_cannot_carry_is_refused(path: str) -> None:
    with pytest.raises(InputError, match="characters that mounts cannot carry"):
        folder(path)


def test_a_folder_with_a_space_and_more_works(tmp_path: Path, cache: Path, empty_room: Any) -> None:
    spaced = empty_room.__class__(tmp_path / "my room é", cache)
    try:
        spaced.create(PC)
        assert spaced.ssh("pc1", "uname -n") == "pc1"
    finally:
        spaced.room.remove()
    assert spaced.traces() == []


def test_without_root_there_is_one_clear_error(empty_room: Any, as_root: Callable[[bool], None]) -> None:
    as_root(False)
    for use in (lambda: empty_room.create(PC), empty_room.room.remove):
        with pytest.raises(HostError, match=r"needs root: .* Run the playbook as root"):
            use()
    as_root(True)


def test_missing_tools_are_named_by_their_packages(empty_room: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    with monkeypatch.context() as patched:  # the room's own teardown needs the tools
        patched.setattr(
            "ansible_collections.fleet.lab.plugins.module_utils.room.host.available", lambda tool: tool not in ("nft", "ip", "tc")
        )
        with pytest.raises(HostError, match=r"apt-get install iproute2 nftables$"):
            empty_room.create(PC)


def test_the_room_may_be_named_by_a_relative_path(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert Room("room").path == Room(str(tmp_path / "room")).path
