# Copyright: (c) 2026, Fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The description of one machine: what was asked for, checked."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import Any

from ansible_collections.fleet.core.plugins.module_utils.errors import InputError
from ansible_collections.fleet.core.plugins.module_utils.lease.sighting import mac_address

FIRMWARES = ("bios", "uefi", "secureboot")
"""SeaBIOS; OVMF; OVMF that enforces Secure Boot with Microsoft's keys."""
SOURCES = ("network", "disk", "usb")
"""What firmware can boot from."""
PROTOCOLS = ("pxe", "http")
BUSES = ("virtio", "sata", "nvme")
FORMATS = ("raw", "qcow2")
CARDS = ("virtio-net-pci", "e1000", "e1000e", "rtl8139")
ACCELERATORS = ("", "tcg", "kvm")
SMALLEST_MEMORY, LARGEST_MEMORY = 64, 65536
SECTOR = 512
SMALLEST_DISK, LARGEST_DISK = 1 << 20, 16 << 40

_NAME = re.compile(r"[a-z0-9]([a-z0-9-]{0,30}[a-z0-9])?")
_LABEL = re.compile(r"[A-Za-z0-9_.-]{1,64}")
_PASSWORD = re.compile(r"([0-9a-f]{2}:){3}(([0-9a-f]{2}:){2})?[0-9a-f]{2}")


@dataclass(frozen=True)
class Hardware:
    """What a machine is made of.

    memory in MiB, disk_size in bytes (0: no disk, unless disk names an image), boot the sources in the order in which firmware tries them.
    Without a namespace the machine has no network card. wake: magic packets switch it on; wake_password is SecureOn's, as a MAC or an IPv4
    address in hexadecimal (``01:02:03:04:05:06``). kernel, initrd, append: started directly, without a boot loader. extra: further
    arguments of QEMU.
    """

    name: str
    mac: str
    firmware: str = "bios"
    memory: int = 1024
    processors: int = 1
    bios_console: bool = True
    """Whether SeaBIOS's screen and keyboard are on the serial console: not for boot loaders that drive the serial line themselves."""
    disk_size: int = 0
    disk: str = ""
    """Path of an image that exists; blank for one of its own in the machine's folder."""
    disk_format: str = "raw"
    """raw is sparse, and a loop device can show it; qcow2 can have snapshots."""
    disk_bus: str = "virtio"
    boot: tuple[str, ...] = ("network", "disk")
    protocol: str = "pxe"
    """How UEFI boots from the network."""
    namespace: str = ""
    bridge: str = "room"
    card: str = "virtio-net-pci"
    usb: str = ""
    """Path of the image of a USB key; the machine's writes to it are forgotten."""
    kernel: str = ""
    initrd: str = ""
    append: str = ""
    address: str = ""
    """The IPv4 address that is its own in a room: whoever serves DHCP there gives it this one."""
    wake: bool = False
    wake_password: str = ""
    accelerator: str = ""
    """Blank: KVM where it works, else TCG."""
    extra: tuple[str, ...] = ()

    def checked(self) -> Hardware:
        """Return this description with its MAC in one spelling; raise InputError naming the machine and what is impossible."""
        what = f"Machine {self.name}"
        self.named(self.name)
        mac = mac_address(self.mac)
        if mac is None:
            raise InputError(f"{what}: {self.mac!r} is not a card's MAC address", remedy="Write it as 52:54:00:77:00:01")
        for option, value, known in (
            ("firmware", self.firmware, FIRMWARES),
            ("protocol", self.protocol, PROTOCOLS),
            ("disk_bus", self.disk_bus, BUSES),
            ("disk_format", self.disk_format, FORMATS),
            ("card", self.card, CARDS),
            ("accelerator", self.accelerator, ACCELERATORS),
            *(("boot", source, SOURCES) for source in self.boot),
        ):
            if value not in known:
                raise InputError(f"{what}: {option} {value!r} is unknown", remedy=f"Use one of {', '.join(filter(None, known))}")
        if len(set(self.boot)) != len(self.boot):
            raise InputError(f"{what}: its boot order names a source twice", remedy="Name each once")
        if not SMALLEST_MEMORY <= self.memory <= LARGEST_MEMORY:
            raise InputError(
                f"{what}: a memory of {self.memory} MiB is impossible", remedy=f"Give {SMALLEST_MEMORY} to {LARGEST_MEMORY} MiB"
            )
        if not 1 <= self.processors <= 64:
            raise InputError(f"{what}: {self.processors} processors are impossible", remedy="Give 1 to 64")
        if self.disk_size and (not SMALLEST_DISK <= self.disk_size <= LARGEST_DISK or self.disk_size % SECTOR):
            raise InputError(f"{what}: a disk of {self.disk_size} bytes is impossible", remedy="Give whole sectors between 1M and 16T")
        if self.protocol == "http" and self.firmware == "bios":
            raise InputError(f"{what}: a BIOS has no HTTP Boot", remedy="Use protocol pxe, or firmware uefi or secureboot")
        for option, label in (("namespace", self.namespace or "none"), ("bridge", self.bridge)):
            if not _LABEL.fullmatch(label):
                raise InputError(f"{what}: {label!r} is not a {option}'s name", remedy="Use letters, digits, dots, hyphens and underscores")
        if self.wake and not self.namespace:
            raise InputError(f"{what}: without a network nothing can wake it", remedy="Name its namespace")
        if self.wake_password and not _PASSWORD.fullmatch(self.wake_password.lower()):
            raise InputError(f"{what}: its SecureOn password is none", remedy="Write four or six bytes as 01:02:03:04:05:06")
        for option, path in (("disk", self.disk), ("usb", self.usb), ("kernel", self.kernel), ("initrd", self.initrd)):
            if path and not Path(path).is_absolute():
                raise InputError(f"{what}: {option} {path!r} is not an absolute path", remedy="Write it from the root on")
            if path and not Path(path).exists():
                raise InputError(f"{what}: its {option} {path} does not exist", remedy="Make it, or correct the path")
        if (self.initrd or self.append) and not self.kernel:
            raise InputError(f"{what}: an initrd or a command line needs a kernel", remedy="Name the kernel")
        return Hardware(**{**self.__dict__, "mac": mac, "wake_password": self.wake_password.lower()})

    @staticmethod
    def named(name: str) -> str:
        """Return a machine's name; raise InputError for what is none, and might lead out of its folder."""
        if not _NAME.fullmatch(name):
            raise InputError(f"{name!r} is not a machine's name", remedy="Use at most 32 lower-case letters, digits and inner hyphens")
        return name

    @property
    def serial(self) -> str:
        """The disk's serial number (20 characters at most), which nobody else's disk in the room has."""
        return "fleet-" + self.mac.replace(":", "")

    @property
    def disk_identity(self) -> str:
        """What must match before anything writes on the disk."""
        return f"serial:{self.serial}" if self.disk or self.disk_size else ""

    @property
    def port(self) -> str:
        """The machine's port at the bridge; interface names have 15 characters at most."""
        return "m" + self.mac.replace(":", "")

    def as_json(self) -> dict[str, Any]:
        """Return this hardware as a JSON object."""
        return {name: list(value) if isinstance(value, tuple) else value for name, value in asdict(self).items()}

    @classmethod
    def from_json(cls, value: Mapping[str, Any]) -> Hardware:
        """Return the hardware that as_json described; raise TypeError or ValueError on anything else."""
        options: dict[str, Any] = {name: tuple(each) if isinstance(each, list) else each for name, each in value.items()}
        hardware = cls(**options)
        for each in fields(hardware):
            kind = str(each.type).partition("[")[0]
            if type(getattr(hardware, each.name)).__name__ != kind:
                raise ValueError(f"{each.name} is not a {kind}")
        return hardware
