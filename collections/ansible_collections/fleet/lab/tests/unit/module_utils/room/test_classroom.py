# Copyright: (c) 2026, Fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Given a running room: its stations are real systems with real disks, and start what their boot entries say."""

from __future__ import annotations

import subprocess
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from ansible_collections.fleet.core.plugins.module_utils.errors import InputError
from ansible_collections.fleet.lab.plugins.module_utils.room import power
from ansible_collections.fleet.lab.plugins.module_utils.room.connection import ssh_options

TABLE = "label: gpt\\nsize=32MiB\\nsize=600MiB\\n"

USE_DISK = r"""
set -e
disk=$(ls /dev/loop*) name=${disk#/dev/}
nodes() { partx -u $disk; for s in /sys/block/$name/${name}p*; do n=/dev/${s##*/}; rm -f $n; mknod $n b $(tr : ' ' < $s/dev); done; }
use() { mount $1 /mnt; echo works > /mnt/file; cat /mnt/file; umount /mnt; }
printf '%b' "$TABLE" | sfdisk --quiet --wipe=always $disk || true
nodes
mkfs.ext4 -q -F ${disk}p2; use ${disk}p2
mkfs.xfs -q -f ${disk}p2; use ${disk}p2
mkfs.btrfs -q -f ${disk}p2 >/dev/null 2>&1; use ${disk}p2
wipefs -qa ${disk}p2; mkfs.ntfs -Q -q ${disk}p2 >/dev/null 2>&1; ntfs-3g ${disk}p2 /mnt; echo works > /mnt/file; cat /mnt/file; umount /mnt
mkfs.vfat ${disk}p1 >/dev/null; echo works | mcopy -i ${disk}p1 - ::FILE; mtype -i ${disk}p1 ::FILE
"""


def test_every_station_has_systemd_running_and_its_own_name(classroom: Any) -> None:
    for station in ("central", "model", "station1"):
        assert classroom.ssh(station, "systemctl is-system-running --wait; uname -n; cat /proc/1/comm") == f"running\n{station}\nsystemd"


def test_stations_reach_each_other_by_name(classroom: Any) -> None:
    banner = "exec 3<>/dev/tcp/model/22; head -c 8 <&3"
    assert classroom.ssh("station1", f"bash -c '{banner}'") == "SSH-2.0-"


def test_a_station_sees_its_own_disk_only_and_can_do_everything_with_it(classroom: Any) -> None:
    loop = classroom.room.load().station("station1").loop
    # Partitions are beside their disk, and a busy machine's free loops have two digits and more.
    seen = classroom.ssh("station1", "ls /dev | grep -Ex 'loop[0-9]+'").split()
    assert [f"/dev/{name}" for name in seen] == [loop]
    assert classroom.ssh("station1", f'TABLE="{TABLE}"\n{USE_DISK}').split() == ["works"] * 5


def test_a_stranger_with_the_rooms_address_is_not_trusted(classroom: Any) -> None:
    assert ssh_options(classroom.path)["StrictHostKeyChecking"] == "yes"
    known = classroom.path / "ssh/known_hosts"
    text = known.read_text()
    try:
        known.write_text("\n".join(line for line in text.splitlines() if not line.startswith("10.77.0.3,model")) + "\n")
        assert classroom.ssh("model", "echo in", check=False) == ""
    finally:
        known.write_text(text)
    assert classroom.ssh("model", "echo in") == "in"


def test_the_model_reboots_into_its_own_system_and_back_and_keeps_what_it_wrote(classroom: Any) -> None:
    room = classroom.room
    loop = room.load().station("model").loop
    assert classroom.ssh("model", "findmnt -no FSTYPE /") == "overlay"
    assert len(classroom.ssh("model", f"ls {loop}p*").split()) == 3
    room.set_boot_entry("model", "disk")
    classroom.reboot("model")
    assert classroom.ssh("model", "findmnt -no SOURCE,FSTYPE /").split() == [f"{loop}p3", "ext4"]
    assert classroom.ssh("model", "systemctl is-system-running --wait") == "running"
    assert f"{loop}p3" in Path(f"/proc/{max(power.running(classroom.path)['model'])}/mountinfo").read_text()
    classroom.ssh("model", "echo mine > /root/file")
    room.set_boot_entry("model", "imaging-once")
    classroom.reboot("model")
    assert room.boot_entry("model") == "disk"
    # The imaging environment meets a disk that is clean and that nothing has mounted.
    assert (
        classroom.ssh("model", f"e2fsck -fn {loop}p3 >/dev/null 2>&1; echo $?; debugfs -R 'cat /root/file' {loop}p3 2>/dev/null")
        == "0\nmine"
    )
    for pid in power.running(classroom.path)["model"]:
        assert f"{loop}p3" not in Path(f"/proc/{pid}/mountinfo").read_text()
    classroom.reboot("model")
    assert classroom.ssh("model", "cat /root/file") == "mine"
    room.set_boot_entry("model", "imaging")
    classroom.reboot("model")


def test_a_station_that_received_the_models_disk_boots_it_and_is_known(classroom: Any) -> None:
    room = classroom.room
    source, target = (room.load().station(name).loop for name in ("model", "station1"))
    assert classroom.ssh("model", "findmnt -no FSTYPE /") == "overlay"
    subprocess.run(["dd", f"if={source}", f"of={target}", "bs=1M", "conv=sparse,fsync", "status=none"], check=True)
    room.set_boot_entry("station1", "disk")
    classroom.reboot("station1")
    assert classroom.ssh("station1", "findmnt -no SOURCE /; uname -n") == f"{target}p3\nmodel"
    room.set_boot_entry("station1", "imaging")
    classroom.reboot("station1")


def test_the_imaging_environment_forgets_and_the_central_host_remembers(classroom: Any) -> None:
    for station in ("station1", "central"):
        classroom.ssh(station, "echo kept > /root/file")
        classroom.reboot(station)
    assert classroom.ssh("station1", "cat /root/file", check=False) == ""
    assert classroom.ssh("central", "cat /root/file") == "kept"


GIVE = "import socket; s = socket.create_server((str(), 10)); c = s.accept()[0]; c.sendall(bytes(2 << 20)); c.close()"
TAKE = "import socket; s = socket.create_server((str(), 10)); c = s.accept()[0]\nwhile c.recv(1 << 20): pass"
FETCH = """
import socket, time
c = socket.create_connection(("station1", 10)); t = time.monotonic()
while c.recv(1 << 20): pass
print(time.monotonic() - t)
"""
SEND = """
import socket, time
c = socket.create_connection(("station1", 10)); t = time.monotonic()
c.sendall(bytes(2 << 20)); c.shutdown(1); c.recv(1)
print(time.monotonic() - t)
"""


@pytest.mark.parametrize(("server", "client"), [(TAKE, SEND), (GIVE, FETCH)], ids=["towards the station", "from the station"])
def test_a_rate_limits_both_directions(classroom: Any, server: str, client: str) -> None:
    """Ratio only: the same 2 MiB at 10 and at 80 Mbit/s, timed by the model."""
    station = classroom.room.load().station("station1")
    took = {}
    try:
        for rate in ("10mbit", "80mbit"):
            classroom.room.network.shape(replace(station, rate=rate))
            classroom.ssh(
                "station1", f"systemd-run --quiet --collect python3 -c '{server}'; until ss -ltn | grep -q :10; do sleep .1; done"
            )
            took[rate] = float(classroom.ssh("model", f"python3 -c '{client}'"))
    finally:
        classroom.room.network.shape(station)
    assert took["10mbit"] > 1.2, took
    assert took["10mbit"] > 3 * took["80mbit"], took


COUNT = """
import socket
s = socket.socket(2, 2); s.bind(("", 11)); s.settimeout(2); n = 0
try:
    while s.recv(9): n += 1
except OSError: print(n)
"""

PING = """
import socket, time
s = socket.socket(2, 2)
for i in range(400): s.sendto(b"x", ("station1", 11)); time.sleep(.001)
"""


def test_a_loss_drops_packets(classroom: Any) -> None:
    """Of 400 datagrams sent one by one, about half arrive."""
    station = classroom.room.load().station("station1")
    arrived = {}
    for loss in (0.0, 50.0):
        classroom.ssh("station1", f"systemd-run --quiet --collect sh -c 'python3 -c \"$0\" > /run/arrived' '{COUNT}'")
        classroom.ssh("station1", "until ss -lun | grep -q :11; do sleep .1; done")
        try:
            classroom.room.network.shape(replace(station, loss=loss))
            classroom.ssh("model", f"python3 -c '{PING}'")
        finally:
            classroom.room.network.shape(station)
        time.sleep(2.2)
        arrived[loss] = int(classroom.ssh("station1", "cat /run/arrived"))
    assert arrived[0.0] == 400
    assert 120 < arrived[50.0] < 280


def test_a_boot_entry_or_a_station_that_does_not_exist_is_refused(classroom: Any) -> None:
    with pytest.raises(InputError, match="'cdrom' is not a boot entry"):
        classroom.room.set_boot_entry("station1", "cdrom")
    with pytest.raises(InputError, match=r"no station 'pc9'. It has: central, model, station1"):
        classroom.room.set_boot_entry("pc9", "disk")
