# Copyright: (c) 2026, Fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which disk is meant: a stable identity that an admin writes in a playbook, never a name like /dev/sda that changes between boots."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path
from typing import Optional

from ansible_collections.fleet.core.plugins.module_utils.errors import InputError

_FIELD = re.compile(r"(?:^|,)\s*(serial|wwn|size):")


@dataclass(frozen=True)
class DiskIdentity:
    """What a disk must be. Fields that are empty do not count; all the others must match.

    As text: ``serial:S4EWNX0N``, ``wwn:0x5000c500a1b2c3d4``, ``size:500107862016`` (bytes), joined by commas.
    """

    serial: str = ""
    wwn: str = ""
    size: int = 0

    @classmethod
    def parse(cls, text: str) -> DiskIdentity:
        """Read an identity; raise InputError when it is malformed or says nothing."""
        starts = list(_FIELD.finditer(text))
        if not starts or starts[0].start() != 0:
            raise InputError(
                f"{text!r} is not a disk identity",
                remedy="Write serial:…, wwn:… or size:… (bytes), several joined by commas; fleet.imaging.disk_info shows each disk's",
            )
        ends = [match.start() for match in starts[1:]] + [len(text)]
        found: dict[str, str] = {}
        for match, end in zip(starts, ends):
            key, value = match.group(1), text[match.end() : end].strip()
            if key in found or not value:
                raise InputError(f"Disk identity {text!r} has {key} twice or without a value")
            found[key] = value
        size = found.get("size", "0")
        if not re.fullmatch(r"[0-9]{1,19}", size) or ("size" in found and int(size) == 0):
            raise InputError(f"Disk identity {text!r}: size is a number of bytes")
        return cls(serial=found.get("serial", ""), wwn=canonical_wwn(found.get("wwn", "")), size=int(size))

    def accepts(self, other: DiskIdentity) -> bool:
        """Whether a disk whose full identity is other is one that is meant."""
        return (
            (not self.serial or self.serial == other.serial)
            and (not self.wwn or self.wwn == other.wwn)
            and (not self.size or self.size == other.size)
        )

    def __str__(self) -> str:
        fields = (("serial", self.serial), ("wwn", self.wwn), ("size", str(self.size) if self.size else ""))
        return ",".join(f"{key}:{value}" for key, value in fields if value)


def canonical_wwn(text: str) -> str:
    """The same World Wide Name in one form, as lsblk and udev print it: 0x5000c500…, eui.0025385…, lower case."""
    wwn = text.strip().lower()
    return "0x" + wwn[len("naa.") :] if wwn.startswith("naa.") else wwn


@dataclass(frozen=True)
class Label:
    """What a disk says of itself."""

    serial: str
    wwn: str
    model: str


def read_label(sysfs: Path, udev: Optional[Path] = None) -> Label:
    """Read serial, WWN and model of a disk from its /sys/block folder; udev's database fills what the kernel does not tell."""
    known = _udev_properties(udev) if udev else {}
    serial = _first(sysfs, "serial", "device/serial") or _vpd_serial(sysfs / "device/vpd_pg80") or known.get("ID_SERIAL_SHORT", "")
    wwn = _first(sysfs, "wwid", "device/wwid")
    if not wwn.lower().startswith(("naa.", "eui.", "nvme.", "uuid.")):
        wwn = known.get("ID_WWN", "")
    model = _first(sysfs, "device/model", "device/name") or known.get("ID_MODEL", "")
    return Label(serial=serial, wwn=canonical_wwn(wwn), model=model)


def _first(folder: Path, *names: str) -> str:
    for name in names:
        try:
            text = (folder / name).read_bytes().decode("utf-8", "replace")
        except OSError:
            continue
        text = " ".join(text.replace("\0", " ").split())
        if text:
            return text
    return ""


def _vpd_serial(page: Path) -> str:
    """Unit serial number page of SCSI (SPC-4, 7.8.15): a header of four bytes with the length, then ASCII. libata gives ATA disks one."""
    try:
        data = page.read_bytes()
    except OSError:
        return ""
    length = int.from_bytes(data[2:4], "big")
    return " ".join(data[4 : 4 + length].decode("ascii", "replace").replace("\0", " ").split())


def _udev_properties(record: Path) -> dict[str, str]:
    try:
        lines = record.read_text(encoding="utf-8", errors="replace").splitlines()
    except OSError:
        return {}
    return {key: value for key, _separator, value in (line[2:].partition("=") for line in lines if line.startswith("E:"))}
