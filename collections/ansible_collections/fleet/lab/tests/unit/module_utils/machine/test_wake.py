# Copyright: (c) 2026, Fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A magic packet switches a machine on, and nothing else does."""

from __future__ import annotations

import json
import os
import shutil
import struct
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as some

from ansible_collections.fleet.imaging.plugins.module_utils.wake.packet import magic_packet, secure_on
from ansible_collections.fleet.lab.plugins.module_utils.machine import process, qemu, wake
from ansible_collections.fleet.lab.plugins.module_utils.machine.process import MachineError

from .conftest import GREETING, MAC

CARD = bytes.fromhex(MAC.replace(":", ""))
MAGIC = b"\xff" * 6 + CARD * 16
SENDER, EVERYBODY, OTHER = bytes.fromhex("525400770009"), b"\xff" * 6, bytes.fromhex("525400770002")
SECRET = "01:02:03:04:05:06"


def ipv4(data: bytes, port: int = 9, *, to: bytes = EVERYBODY, protocol: int = 17, fragment: int = 0, options: bytes = b"") -> bytes:
    header = struct.pack(">BBHHHBBH", 0x45 + len(options) // 4, 0, 28 + len(options) + len(data), 1, fragment, 64, protocol, 0)
    header += bytes([10, 77, 0, 2]) + b"\xff" * 4 + options
    total = sum(struct.unpack(f">{len(header) // 2}H", header))
    checksum = ~((total & 0xFFFF) + (total >> 16)) & 0xFFFF  # some bridges look at it
    header = header[:10] + checksum.to_bytes(2, "big") + header[12:]
    return to + SENDER + b"\x08\x00" + header + struct.pack(">HHHH", 40000, port, 8 + len(data), 0) + data


def ipv6(data: bytes, port: int = 9, following: int = 17) -> bytes:
    header = struct.pack(">IHBB", 6 << 28, 8 + len(data), following, 1) + bytes(16) + bytes.fromhex("ff02" + "00" * 13 + "01")
    return bytes.fromhex("333300000001") + SENDER + b"\x86\xdd" + header + struct.pack(">HHHH", 40000, port, 8 + len(data), 0) + data


def raw(data: bytes, to: bytes = EVERYBODY, kind: int = 0x0842) -> bytes:
    return to + SENDER + kind.to_bytes(2, "big") + data


@pytest.mark.parametrize(
    "frame",
    [
        ipv4(MAGIC),
        ipv4(MAGIC, 7),
        ipv4(MAGIC, to=CARD),
        ipv4(MAGIC, options=bytes(8)),
        ipv4(b"before" + MAGIC + b"behind"),
        ipv4(b"\xff" * 9 + MAGIC),
        ipv4(MAGIC[:60] + MAGIC),
        ipv6(MAGIC),
        raw(MAGIC),
        raw(MAGIC, to=CARD),
    ],
)
def test_a_magic_packet_wakes(frame: bytes) -> None:
    assert wake.wakes(frame, MAC)
    assert wake.wakes(frame, "52-54-00-77-00-01".replace("-", ":"))
    assert not wake.wakes(frame, "52:54:00:77:00:02")


@pytest.mark.parametrize(
    "frame",
    [
        b"",
        EVERYBODY,
        ipv4(b""),
        ipv4(MAGIC[:-1]),
        ipv4(MAGIC[1:]),
        ipv4(b"\xff" * 6 + CARD * 15 + OTHER),
        ipv4(b"\xff" * 6 + OTHER * 16),
        ipv4(b"\xff" * 200),
        ipv4(MAGIC, 10),
        ipv4(MAGIC, protocol=6),
        ipv4(MAGIC, fragment=100),
        ipv4(MAGIC, to=OTHER),
        ipv4(MAGIC)[:40],
        ipv6(MAGIC, 10),
        ipv6(MAGIC, following=6),
        ipv6(MAGIC)[:50],
        raw(MAGIC, kind=0x0806),
        raw(MAGIC, to=OTHER),
        raw(MAGIC)[:14],
    ],
)
def test_what_is_none_does_not(frame: bytes) -> None:
    assert not wake.wakes(frame, MAC)


def test_a_password_must_follow_where_there_is_one() -> None:
    secret = bytes.fromhex(SECRET.replace(":", ""))
    assert wake.wakes(ipv4(MAGIC + secret), MAC, SECRET) and wake.wakes(raw(MAGIC + secret + b"more"), MAC, SECRET)
    assert wake.wakes(ipv4(MAGIC + b"wrong!" + MAGIC + secret), MAC, SECRET)
    assert wake.wakes(ipv4(MAGIC + bytes([10, 0, 0, 1])), MAC, "0a:00:00:01")
    assert wake.wakes(ipv4(MAGIC + secret), MAC), "a machine without a password ignores it"
    assert wake.wakes(ipv4(magic_packet(MAC, secure_on(SECRET))), MAC, SECRET), "what fleet.imaging.wake sends"
    for wrong in (b"", secret[:5], secret[::-1], bytes(6), b"\0" + secret):
        assert not wake.wakes(ipv4(MAGIC + wrong), MAC, SECRET)


@given(
    some.binary(max_size=300), some.sampled_from([b"", EVERYBODY + SENDER, EVERYBODY + SENDER + b"\x08\x00", CARD + SENDER + b"\x86\xdd"])
)
def test_no_frame_is_too_strange(rest: bytes, start: bytes) -> None:
    assert wake.wakes(start + rest, MAC) in (True, False)
    assert not wake.wakes(start + rest.replace(CARD, b""), MAC)


class Listener:
    """The program by itself: what it would start is a file that it makes."""

    def __init__(self, folder: Path, namespace: str, password: str = "", bridge: str = "room") -> None:
        self.folder, self.mark = folder, folder / "woken"
        argv = ["sh", "-c", f"echo x >> '{self.mark}'; echo complaint >&2"]
        (folder / "start.json").write_text(json.dumps({"mac": MAC, "password": password, "bridge": bridge, "argv": argv}))
        self.process = subprocess.Popen(
            ["nsenter", f"--net=/run/netns/{namespace}", "/usr/bin/python3", wake.__file__, str(folder)], stdout=subprocess.PIPE
        )
        assert self.process.stdout is not None
        self.ready = self.process.stdout.readline()

    def times(self) -> int:
        """How often it switched on; its log is written after each."""
        log = self.folder / wake.LOG
        return log.read_text().count("woken: 0\ncomplaint\n") if log.exists() else 0

    def wait(self, times: int) -> None:
        deadline = time.monotonic() + 60
        while self.times() < times:
            assert time.monotonic() < deadline and self.process.poll() is None
            time.sleep(0.02)


@pytest.fixture
def listener(tmp_path: Path, namespace: str) -> Iterator[Listener]:
    listener = Listener(tmp_path, namespace)
    yield listener
    listener.process.kill()
    listener.process.wait()


def send(namespace: str, *frames: bytes, device: str = "eth0") -> None:
    """Send frames from a namespace, as they are."""
    program = "import socket, sys\ns = socket.socket(socket.AF_PACKET, socket.SOCK_RAW)\ns.bind((sys.argv[1], 0))\n"
    program += "for frame in sys.argv[2:]: s.send(bytes.fromhex(frame))"
    argv = ["nsenter", f"--net=/run/netns/{namespace}", sys.executable, "-c", program, device, *(frame.hex() for frame in frames)]
    subprocess.run(argv, check=True)


def test_the_listener_hears_broadcasts_frames_to_the_machine_and_its_own_namespace(listener: Listener, namespace: str) -> None:
    assert listener.ready == b"ready\n"
    for times, (sender, device, frame) in enumerate(
        [
            (f"{namespace}-pc", "eth0", ipv4(MAGIC)),
            (f"{namespace}-pc", "eth0", ipv6(MAGIC, 7)),
            (f"{namespace}-pc", "eth0", raw(MAGIC)),
            (f"{namespace}-pc", "eth0", ipv4(MAGIC, to=CARD)),
            (namespace, "room", ipv4(MAGIC)),
        ],
        start=1,
    ):
        send(sender, frame, device=device)
        listener.wait(times)


def test_the_listener_is_not_moved_by_anything_else(listener: Listener, namespace: str) -> None:
    noise = [ipv4(MAGIC[:-1]), ipv4(MAGIC, 67), ipv4(MAGIC, to=OTHER), raw(MAGIC, kind=0x0806), ipv4(MAGIC, fragment=8), raw(b"\0" * 50)]
    send(f"{namespace}-pc", *noise, ipv4(b"\xff" * 6 + OTHER * 16), ipv4(MAGIC))
    listener.wait(1)  # frames come in their order: all others were heard before
    assert listener.mark.read_text() == "x\n"


def test_the_filter_in_the_kernel_lets_magic_packets_through_and_nothing_else(namespace: str) -> None:
    """The same frames through the filter alone."""
    program = f"import importlib.util as u\ns = u.spec_from_file_location('wake', {wake.__file__!r})\n"
    program += "m = u.module_from_spec(s); s.loader.exec_module(m)\nh = m.listen('room')\nprint('ready', flush=True)\n"
    program += "while True:\n  f = h.recv(65535)\n  print(f.hex(), flush=True)\n  if f[14:18] == b'stop': break"
    argv = ["nsenter", f"--net=/run/netns/{namespace}", "/usr/bin/python3", "-c", program]
    good = [ipv4(MAGIC), ipv4(MAGIC, 7), ipv4(MAGIC, options=bytes(8)), ipv6(MAGIC), raw(MAGIC)]
    bad = [
        ipv4(MAGIC, 10),
        ipv4(MAGIC, fragment=8),
        ipv4(MAGIC, protocol=6),
        ipv6(MAGIC, following=6),
        ipv6(MAGIC, 10),
        raw(MAGIC, kind=0x0806),
    ]
    with subprocess.Popen(argv, stdout=subprocess.PIPE, text=True) as hearing:
        try:
            assert hearing.stdout is not None and hearing.stdout.readline() == "ready\n"
            send(f"{namespace}-pc", *bad, *good, raw(b"stop".ljust(60)))
            heard = [bytes.fromhex(line.strip()) for line in hearing.stdout]
        finally:
            hearing.kill()
    assert heard[:-1] == good


def test_without_its_bridge_there_is_no_listener(tmp_path: Path, namespace: str) -> None:
    listener = Listener(tmp_path, namespace, bridge="nowhere")
    assert listener.ready == b"" and listener.process.wait(60) != 0


def test_a_machine_that_runs_is_left_alone(tmp_path: Path) -> None:
    argv = ["sh", "-c", f"echo x >> '{tmp_path}/woken'"]
    (tmp_path / "start.json").write_text(json.dumps({"mac": MAC, "password": "", "bridge": "room", "argv": argv}))
    called = ["qemu-system-none", "-c", "import sys; sys.stdin.read()", "-pidfile", str(tmp_path / qemu.PID)]
    with subprocess.Popen(called, executable=sys.executable, stdin=subprocess.PIPE) as machine:
        try:
            while not wake.running(str(tmp_path)):
                assert machine.poll() is None
            assert not wake.answer(ipv4(MAGIC), str(tmp_path)) and not (tmp_path / "woken").exists()
        finally:
            machine.kill()
    assert wake.answer(ipv4(MAGIC), str(tmp_path)) and (tmp_path / "woken").exists()
    (tmp_path / "start.json").unlink()
    assert not wake.answer(ipv4(MAGIC), str(tmp_path)), "a machine that is being removed"


@pytest.mark.skipif(shutil.which(qemu.PROGRAM) is None, reason="QEMU is not installed")
def test_a_machine_is_woken_once_and_again_after_it_went_off(make_machine: Any, system: str, namespace: str) -> None:
    machine = make_machine(disk=system, wake=True, wake_password=SECRET)
    machine.prepare()
    assert not machine.running() and len(process.listeners(machine.folder)) == 1
    secret = bytes.fromhex(SECRET.replace(":", ""))
    send(f"{namespace}-pc", ipv4(MAGIC), ipv4(MAGIC + secret[::-1]), ipv4(MAGIC + secret))
    assert wait_on(machine)
    machine.console.wait_for(GREETING.decode())
    pids = wake.running(str(machine.folder))

    # A second listener, or none while it sleeps, would make a machine that cannot be trusted.
    machine.power_on()
    assert wake.running(str(machine.folder)) == pids and len(process.listeners(machine.folder)) == 1
    machine.power_off()
    send(f"{namespace}-pc", ipv4(MAGIC + secret))
    assert wait_on(machine)
    assert "woken: 0" in (machine.folder / wake.LOG).read_text()
    machine.remove()
    assert process.listeners(machine.folder) == [] and not machine.running()


def test_a_machine_on_a_bridge_that_is_not_there_cannot_be_woken(make_machine: Any) -> None:
    with pytest.raises(MachineError, match=r"Machine pc1 cannot be woken: .*no interface with this name.*See its namespace and its bridge"):
        make_machine(wake=True, bridge="nowhere").prepare()


def wait_on(machine: Any) -> bool:
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        if machine.running() and os.path.exists(machine.console.log):
            return True
        time.sleep(0.02)
    return False


def test_a_real_broadcast_of_a_station_is_heard(listener: Listener, namespace: str) -> None:
    program = "import socket, sys\nwith socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as s:\n"
    program += " s.setsockopt(socket.SOL_SOCKET, socket.SO_BROADCAST, 1)\n s.sendto(bytes.fromhex(sys.argv[1]), ('10.77.0.255', 9))"
    subprocess.run(["nsenter", f"--net=/run/netns/{namespace}-pc", sys.executable, "-c", program, MAGIC.hex()], check=True)
    listener.wait(1)
