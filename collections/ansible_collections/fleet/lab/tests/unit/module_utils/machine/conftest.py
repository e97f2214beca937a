# Copyright: (c) 2026, Fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A bridge in a namespace, machines on it that are gone after the test, and a boot sector in place of an operating system."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any, Callable

import pytest

from ansible_collections.fleet.lab.plugins.module_utils.machine.hardware import Hardware
from ansible_collections.fleet.lab.plugins.module_utils.machine.machine import Machine
from ansible_collections.fleet.lab.plugins.module_utils.room.network import remove_namespace

MAC = "52:54:00:77:00:01"
GREETING = b"A SYSTEM OF 512 BYTES"
MakeMachine = Callable[..., Machine]


def boot_sector() -> bytes:
    """A system that greets on the serial line, sends back what it gets with letters in the other case, and switches off at a q."""
    # Interrupts off: SeaBIOS would read the serial line as its keyboard at every tick of the clock.
    start = bytes.fromhex("fa 31c0 8ed8 be427c fc ac 84c0 7405 e82200 ebf6")  # print what stands at the end
    loop = bytes.fromhex("bafd03 ec a801 74f8 baf803 ec 3c71 7407 3420 e80b00 ebe9")  # read, q: off, turn the case, write
    off = bytes.fromhex("ba0406 b80020 ef ebfe")  # ACPI's S5 as SeaBIOS places it in QEMU's PC
    write = bytes.fromhex("50 bafd03 ec a820 74fb 58 baf803 ee c3")
    return (start + loop + off + write + GREETING + b"\r\n\0").ljust(510, b"\0") + b"\x55\xaa"


@pytest.fixture
def system(tmp_path: Path) -> str:
    """A disk with the boot sector."""
    path = tmp_path / "system.img"
    path.write_bytes(boot_sector().ljust(1 << 20, b"\0"))
    return str(path)


@pytest.fixture
def namespace() -> Iterator[str]:
    """A namespace with a bridge named room, and a station's namespace beside it, joined to the bridge, with eth0."""
    if os.geteuid() != 0:
        pytest.skip("a namespace needs root")
    name = f"lab-{os.getpid()}"
    try:
        for each in (name, f"{name}-pc"):
            ip("netns", "add", each)
        ip("-n", name, "link", "add", "room", "type", "bridge", "stp_state", "0", "forward_delay", "0")
        ip("-n", name, "link", "add", "pc", "type", "veth", "peer", "name", "eth0", "netns", f"{name}-pc")
        ip("-n", name, "link", "set", "pc", "master", "room", "up")
        ip("-n", name, "link", "set", "room", "up")
        ip("-n", name, "addr", "add", "10.77.0.1/24", "brd", "+", "dev", "room")
        ip("-n", f"{name}-pc", "link", "set", "eth0", "up")
        ip("-n", f"{name}-pc", "addr", "add", "10.77.0.2/24", "brd", "+", "dev", "eth0")
        yield name
    finally:
        for each in (f"{name}-pc", name):
            remove_namespace(each)


def ip(*arguments: str) -> None:
    subprocess.run(["ip", *arguments], check=True)


@pytest.fixture
def make_machine(tmp_path: Path, namespace: str) -> Iterator[MakeMachine]:
    """Describe machines; everything that runs for them ends with the test."""
    with ExitStack() as stack:

        def make(name: str = "pc1", **options: Any) -> Machine:
            hardware = Hardware(name, **{"mac": MAC, "memory": 64, "namespace": namespace, "boot": ("disk",), **options})
            return stack.enter_context(Machine(tmp_path / name, hardware))

        yield make
