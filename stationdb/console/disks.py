# Copyright: (c) 2026, Fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Disks and their partitions as a picture."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _

from .words import is_number, said

TONES = {"ext4": "t1", "xfs": "t1", "btrfs": "t1", "ntfs": "t2", "vfat": "t4", "exfat": "t4", "fat32": "t4", "swap": "t5"}
"""Colours by file system; others have t3."""

Row = Mapping[str, str | int]


@dataclass(frozen=True)
class Part:
    """A partition: sizes in MiB, used is None when it is not mounted; left and width are hundredths of the disk's picture."""

    name: str
    filesystem: str
    label: str
    mount: str
    size: int
    used: int | None
    tone: str
    left: float
    width: float

    @property
    def size_said(self) -> str:
        """The size for people."""
        return said("partitions", "size", self.size)

    @property
    def used_share(self) -> float:
        """From 0 to 1."""
        return (self.used or 0) / self.size if self.size else 0.0

    @property
    def used_said(self) -> str:
        """The used space for people."""
        return said("partitions", "size", self.used or 0)


@dataclass
class Disk:
    """A disk with its partitions in their order; size in MiB."""

    name: str
    model: str
    serial: str
    size: int
    healthy: bool | None = None
    hours: str = ""
    parts: list[Part] = field(default_factory=list)

    @property
    def size_said(self) -> str:
        """The size for people."""
        return said("storages", "disksize", self.size)

    def picture(self) -> SafeString:
        """The partitions on a line, as wide as they are long (tiny ones wide enough to see), filled as far as they are used."""
        told = ", ".join(f"{part.name} {part.filesystem} {part.size_said}" for part in self.parts) or _("no partitions")
        return format_html(
            '<svg class="disk" viewBox="0 0 1000 64" preserveAspectRatio="none" role="img" aria-label="{}">'
            '<rect class="disk-ground" x="0" y="0" width="1000" height="64"/>{}</svg>',
            f"{self.name}: {told}",
            format_html_join(
                "",
                '<g><title>{} {} {}</title><rect class="part {}" x="{}" y="0" width="{}" height="64"/>'
                '<rect class="fill {}" x="{}" y="46" width="{}" height="18"/></g>',
                (
                    (
                        part.name,
                        part.filesystem,
                        part.size_said,
                        part.tone,
                        f"{part.left * 10:.1f}",
                        f"{max(part.width * 10 - 3, 2):.1f}",
                        part.tone,
                        f"{part.left * 10:.1f}",
                        f"{max(part.width * 10 - 3, 2) * part.used_share:.1f}",
                    )
                    for part in self.parts
                ),
            ),
        )


def disks(storages: Sequence[Row], partitions: Sequence[Row], drives: Sequence[Row], smart: Sequence[Row]) -> list[Disk]:
    """What a station's sections say of its disks; partitions belong to the disk whose name theirs begins with."""
    mounted = {_device(str(row.get("volumn", ""))): row for row in drives}
    found = []
    for row in storages:
        name = str(row.get("name", "")).removeprefix("/dev/")
        disk = Disk(
            name=name,
            model=str(row.get("model", "")),
            serial=str(row.get("serial") or row.get("serialnumber") or ""),
            size=_int(row.get("disksize")),
        )
        if str(row.get("type", "disk")).lower() not in ("disk", "ssd", "hdd", "nvme", "fixed hard disk media", "") and not disk.size:
            continue
        for health in smart:
            if _device(str(health.get("device", ""))) == name:
                disk.healthy = str(health.get("passed")) in ("1", "true", "True")
                disk.hours = str(health.get("power_on_hours", ""))
        own = [part for part in partitions if name and _device(str(part.get("device", ""))).startswith(name)]
        _lay(disk, sorted(own, key=lambda part: _int(part.get("start"))), mounted)
        found.append(disk)
    return found


def _lay(disk: Disk, rows: Sequence[Row], mounted: Mapping[str, Row]) -> None:
    sizes = [_int(row.get("size")) for row in rows]
    whole = max(disk.size, sum(sizes)) or 1
    shown = [max(100 * size / whole, 1.2) for size in sizes]
    scale = min(1.0, 100 / (sum(shown) or 1))
    left = 0.0
    for row, size, width in zip(rows, sizes, shown, strict=True):
        device = _device(str(row.get("device", "")))
        drive = mounted.get(device, {})
        total, free = _int(drive.get("total")), drive.get("free")
        filesystem = str(row.get("filesystem") or drive.get("filesystem") or "")
        disk.parts.append(
            Part(
                name=device,
                filesystem=filesystem,
                label=str(row.get("label", "")),
                mount=str(drive.get("type") or drive.get("letter") or ""),
                size=size,
                used=max(total - _int(free), 0) if total and free is not None else None,
                tone=TONES.get(filesystem.lower(), "t3"),
                left=left,
                width=width * scale,
            )
        )
        left += width * scale


def _device(text: str) -> str:
    return text.removeprefix("/dev/")


def _int(value: object) -> int:
    return int(str(value)) if is_number(value) else 0
