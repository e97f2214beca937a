# SPDX-License-Identifier: GPL-3.0-or-later
"""The boot menu on real firmware: reached over the serial console, refusing a wrong password, and giving way to the local disk."""

from __future__ import annotations

import hashlib
import os
import re
import shutil
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from ansible_collections.fleet.imaging.plugins.module_utils.netboot import change, menu
from ansible_collections.fleet.imaging.plugins.module_utils.netboot.change import Request
from ansible_collections.fleet.imaging.tests.unit.roles.boot_server.segment import Segment
from ansible_collections.fleet.lab.plugins.module_utils.machine import qemu
from ansible_collections.fleet.lab.plugins.module_utils.machine.hardware import Hardware
from ansible_collections.fleet.lab.plugins.module_utils.machine.machine import Machine
from ansible_collections.fleet.lab.tests.unit.module_utils.machine.conftest import GREETING, boot_sector

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(os.geteuid() != 0, reason="network namespaces need root"),
    pytest.mark.skipif(shutil.which(qemu.PROGRAM) is None, reason="QEMU is not installed"),
]
MAC, NAME = "52:54:00:77:00:01", "52-54-00-77-00-01"
LOCAL, HELLO = "Start from the local disk", GREETING.decode()
SALT = bytes(range(64))
HASH = f"grub.pbkdf2.sha512.10000.{SALT.hex().upper()}.{hashlib.pbkdf2_hmac('sha512', b'secret', SALT, 10000).hex().upper()}"
DOWN = "\x1b[B"


@pytest.fixture
def segment(tmp_path: Path) -> Iterator[Segment]:
    with ExitStack() as stack:
        made = Segment(stack, tmp_path)
        made.loaders()
        made.service()
        made.nginx()
        made.advertise()
        yield made


@pytest.fixture
def machine(segment: Segment, tmp_path: Path) -> Iterator[Machine]:
    """A BIOS machine that boots from the network first, with a system of 512 bytes on its disk."""
    (tmp_path / "system.img").write_bytes(boot_sector().ljust(1 << 20, b"\0"))
    hardware = Hardware("pc1", MAC, memory=128, namespace=segment.server, bridge="lan", disk=str(tmp_path / "system.img"))
    with Machine(tmp_path / "pc1", hardware) as made:
        yield made


def serve(segment: Segment) -> None:
    segment.dnsmasq(boot_server_pool="10.77.0.100-10.77.0.109", hosts=[{"macs": [MAC], "address": "10.77.0.11", "name": "pc01"}])


def test_a_bios_station_shows_the_menu_refuses_a_wrong_password_and_starts_its_disk(segment: Segment, machine: Machine) -> None:
    menu.apply(segment.site, menu.Menu("Room 12", 240, password=HASH), check=False)
    serve(segment)
    machine.power_on()
    machine.console.wait_for("Test the memory")
    assert "Room 12" in machine.console.read() and "Restore this station" in machine.console.read()
    machine.console.send(f"{DOWN}{DOWN}\r")
    mark = machine.console.wait_for("Username")
    machine.console.send("admin\rwrong\r")
    mark = machine.console.wait_for("Refused", after=mark)
    assert "fleet.task" not in machine.console.read()
    machine.console.wait_for("Maintenance", after=mark)
    machine.console.send("l")
    machine.console.send("\r")
    machine.console.wait_for(HELLO, after=mark)


@pytest.mark.whole
def test_the_right_password_opens_the_entry_and_what_is_missing_ends_at_the_disk(segment: Segment, machine: Machine) -> None:
    menu.apply(segment.site, menu.Menu("Room 12", 240, password=HASH), check=False)
    serve(segment)
    machine.power_on()
    machine.console.wait_for("Test the memory")
    machine.console.send(f"{DOWN}{DOWN}\r")
    mark = machine.console.wait_for("Username")
    machine.console.send("admin\rsecret\r")
    machine.console.wait_for(re.compile("environment/vmlinuz.*No such file"), after=mark)
    machine.console.wait_for(HELLO, after=mark)


@pytest.mark.whole
def test_nobody_chooses_and_the_disk_starts_once_is_once_and_disk_shows_no_menu(segment: Segment, machine: Machine) -> None:
    menu.apply(segment.site, menu.Menu("Room 12", 2), check=False)
    change.apply(segment.site, Request(MAC, "pc01", "imaging-once"), check=False)
    serve(segment)
    machine.power_on()
    mark = machine.console.wait_for(re.compile("environment/vmlinuz.*No such file"))
    machine.console.wait_for(HELLO, after=mark)
    mark = machine.reset()
    machine.console.wait_for(LOCAL, after=mark)
    machine.console.wait_for(HELLO, after=mark)
    assert "environment" not in machine.console.read(mark), "once means once"
    change.apply(segment.site, Request(MAC, "pc01", "disk"), check=False)
    mark = machine.reset()
    machine.console.wait_for(HELLO, after=mark)
    assert LOCAL not in machine.console.read(mark)
