# Copyright: (c) 2026, Fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Machines under real firmware, with a boot sector in place of an operating system: no start takes more than seconds."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import threading
from pathlib import Path
from typing import Any

import pytest

from ansible_collections.fleet.lab.plugins.module_utils.machine import console, qemu, wake
from ansible_collections.fleet.lab.plugins.module_utils.machine.hardware import Hardware
from ansible_collections.fleet.lab.plugins.module_utils.machine.machine import Machine
from ansible_collections.fleet.lab.plugins.module_utils.machine.process import MachineError
from ansible_collections.fleet.lab.plugins.module_utils.room.host import HostError

from .conftest import GREETING, boot_sector

pytestmark = pytest.mark.skipif(shutil.which(qemu.PROGRAM) is None, reason="QEMU is not installed")
HELLO = GREETING.decode()


def ports(namespace: str) -> str:
    return subprocess.run(["ip", "-n", namespace, "-br", "link"], check=True, capture_output=True, text=True).stdout


def test_a_machine_from_power_on_to_power_off(make_machine: Any, system: str, namespace: str) -> None:
    machine = make_machine(disk=system)
    assert not machine.running()
    machine.power_on()
    assert machine.running()
    machine.console.wait_for("SeaBIOS")
    mark = machine.console.wait_for(HELLO)
    machine.console.send("fleet")
    assert machine.console.wait_for("FLEET", after=mark) > mark
    assert f"{machine.hardware.port} " in ports(namespace)

    pids = wake.running(str(machine.folder))
    machine.power_on()
    assert wake.running(str(machine.folder)) == pids, "a machine that runs is left alone"

    mark = machine.reset()
    machine.console.wait_for(HELLO, after=mark)
    assert wake.running(str(machine.folder)) == pids

    machine.power_off()
    assert not machine.running() and f"{machine.hardware.port} " not in ports(namespace)
    machine.power_off()


def test_a_machine_that_switches_itself_off_is_off_and_its_last_words_are_read(make_machine: Any, system: str) -> None:
    machine = make_machine(disk=system)
    machine.power_on()
    machine.console.wait_for(HELLO)
    machine.console.send("byeq")
    machine.wait_off()
    machine.console.wait_for("BYE")
    with pytest.raises(MachineError, match="(?s)'more' was not said before the machine was off.*SYSTEM OF 512"):
        machine.console.wait_for("more")
    machine.power_on()
    machine.console.wait_for(HELLO)
    assert "BYE" not in machine.console.read(), "the console begins anew"


def test_a_long_text_arrives_whole_though_nobody_reads_the_answer(make_machine: Any, system: str) -> None:
    machine = make_machine(disk=system)
    machine.power_on()
    mark = machine.console.wait_for(HELLO)
    text = "".join(chr(ord("a") + place % 16) for place in range(4000))
    machine.console.send(text + "\x1f")  # the last one comes back as a question mark
    machine.console.wait_for("?", after=mark)
    assert text.upper() in machine.console.read(mark)


def test_an_image_of_its_own_keeps_what_is_on_it_and_a_boot_order_can_change(make_machine: Any) -> None:
    machine = make_machine(disk_size=1 << 20)
    machine.prepare()
    assert machine.disk.stat().st_size == 1 << 20 and machine.hardware.disk_identity == "serial:fleet-525400770001"
    machine.power_on()
    machine.console.wait_for("No bootable device")
    assert "starting execution" not in machine.console.read(), "the network is not in the order, and not tried"
    machine.power_off()
    with machine.disk.open("r+b") as image:
        image.write(boot_sector())
    machine.power_on()
    machine.console.wait_for(HELLO)


@pytest.mark.parametrize("bus", ["virtio", "sata", "nvme"])
def test_firmware_finds_the_disk_on_every_bus(make_machine: Any, system: str, bus: str) -> None:
    machine = make_machine(disk=system, disk_bus=bus)
    machine.power_on()
    machine.console.wait_for(HELLO)


def test_a_key_is_booted_before_the_disk_and_not_written(make_machine: Any, system: str) -> None:
    machine = make_machine(usb=system, disk_size=1 << 20, disk_format="qcow2", boot=("usb", "disk"))
    machine.power_on()
    machine.console.wait_for(HELLO)


def test_the_network_comes_first_and_bytes_are_counted(make_machine: Any, system: str, namespace: str) -> None:
    machine = make_machine(disk=system, boot=("network", "disk"))
    machine.power_on()
    machine.console.wait_for("iPXE")
    while machine.traffic().sent < 300:  # it asks for an address
        assert machine.running()
    before = machine.traffic()
    subprocess.run(["ip", "netns", "exec", f"{namespace}-pc", "python3", "-c", BROADCAST], check=True)
    after = machine.traffic() - before
    assert after.received_udp >= 100 * 1042 and after.received_tcp == 0


BROADCAST = """
import socket
with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sender:
    sender.setsockopt(socket.SOL_SOCKET, socket.SO_BROADCAST, 1)
    for _number in range(100):
        sender.sendto(bytes(1000), ("10.77.0.255", 5000))
"""


def test_whatever_is_killed_nothing_stays_and_the_machine_starts_again(make_machine: Any, system: str, namespace: str) -> None:
    machine = make_machine(disk=system, wake=True)
    machine.power_on()
    for pid in wake.running(str(machine.folder)):
        os.kill(pid, signal.SIGKILL)
    machine.wait_off()
    assert (machine.folder / qemu.PID).exists() and f"{machine.hardware.port} " not in ports(namespace)
    # Stale files: another process has the pid that is written there, and the sockets lead nowhere.
    (machine.folder / qemu.PID).write_text(f"{os.getpid()}\n")
    assert not machine.running()
    machine.power_off()
    machine.power_on()
    machine.console.wait_for(HELLO)
    machine.remove()
    assert not machine.running() and not machine.folder.exists()


def test_a_machine_is_known_again_by_its_folder(make_machine: Any, system: str) -> None:
    machine = make_machine(disk=system, boot=("disk", "network"))
    machine.power_on()
    again = Machine.load(machine.folder)
    assert again.hardware == machine.hardware and again.running()
    again.power_off()
    assert not machine.running()


def test_the_end_of_the_block_is_the_end_of_the_machine_also_when_it_fails(tmp_path: Path, namespace: str, system: str) -> None:
    hardware = Hardware("pc1", "52-54-00-77-00-01", memory=64, namespace=namespace, disk=system, wake=True)
    with pytest.raises(ZeroDivisionError), Machine(tmp_path / "pc1", hardware) as machine:
        machine.power_on()
        raise ZeroDivisionError
    assert (
        not machine.running()
        and "wake.py" not in subprocess.run(["pgrep", "-af", str(tmp_path)], capture_output=True, text=True, check=False).stdout
    )


def test_a_machine_that_does_not_start_says_why(make_machine: Any, system: str, tmp_path: Path) -> None:
    with pytest.raises(MachineError, match=r"Machine pc1 does not start: .*nonsense"):
        make_machine(disk=system, extra=("-device", "nonsense")).power_on()
    with pytest.raises(MachineError, match="Machine pc2 does not start: .*nowhere"):
        make_machine("pc2", namespace="nowhere").power_on()
    with pytest.raises(MachineError, match=r"There is no machine in .*pc3"):
        Machine.load(tmp_path / "pc3")
    with pytest.raises(MachineError, match=r"The monitor .* does not answer: .*See whether the machine runs"):
        make_machine("pc4").reset()
    (tmp_path / "pc5").mkdir()
    (tmp_path / "pc5/machine.json").write_text('{"name": "pc5", "memory": "much"}')
    with pytest.raises(MachineError, match=r"machine.json is damaged"):
        Machine.load(tmp_path / "pc5")


def test_what_is_missing_on_the_host_is_named_by_its_package(make_machine: Any, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr("ansible_collections.fleet.lab.plugins.module_utils.machine.machine.available", lambda tool: tool == "ip")
    monkeypatch.setattr(qemu, "OVMF", tmp_path)
    with pytest.raises(HostError, match=r"apt-get install nftables qemu-system-x86 util-linux ovmf qemu-utils$"):
        make_machine(firmware="uefi", disk_format="qcow2").prepare()
    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    with pytest.raises(HostError, match="A machine needs root"):
        make_machine("pc2").prepare()


def test_two_who_switch_on_at_once_switch_on_once(make_machine: Any, system: str) -> None:
    machine = make_machine(disk=system)
    machine.prepare()
    argv = qemu.command(machine.hardware, machine.folder, "tcg")
    done: list[int] = []
    threads = [threading.Thread(target=lambda: done.append(subprocess.run(argv, check=False).returncode)) for _number in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(done) == [0, 1] and len(wake.running(str(machine.folder))) == 1
    machine.console.wait_for(HELLO)


@pytest.mark.slow
@pytest.mark.whole
@pytest.mark.parametrize(
    ("firmware", "protocol", "said"),
    [("uefi", "http", "Start HTTP Boot over IPv4"), ("secureboot", "pxe", "Start PXE over IPv4")],
)
def test_uefi_boots_from_the_network_as_it_is_told(make_machine: Any, firmware: str, protocol: str, said: str) -> None:
    machine = make_machine(firmware=firmware, protocol=protocol, memory=256, boot=("network", "disk"))
    machine.power_on()
    machine.console.wait_for(said)
    assert "PXE" not in machine.console.read() or protocol == "pxe"
    machine.screen(machine.folder / "screen.png")
    assert (machine.folder / "screen.png").read_bytes()[1:4] == b"PNG"


def test_words_are_read_through_a_terminals_control_sequences() -> None:
    assert (
        console.plain(b"\x1bc\x1b[?7l\x1b[2J\x1b[0mSea\x1b[1;33mBIOS\r\n\x1b[07;01HPress \x07ESC \xc3\xa9\xff")
        == "SeaBIOS\n\nPress ESC é\ufffd"
    )
