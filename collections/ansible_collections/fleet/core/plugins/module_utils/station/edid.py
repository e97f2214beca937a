# Copyright: (c) 2026, Fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a monitor says of itself (VESA E-EDID 1.3 and 1.4, the base block of 128 bytes)."""

from __future__ import annotations

import math
from dataclasses import dataclass

from ..errors import InputError
from .row import plain

HEADER = b"\x00\xff\xff\xff\xff\xff\xff\x00"
BLOCK = 128
_SERIAL, _TEXT, _NAME = 0xFF, 0xFE, 0xFC


@dataclass(frozen=True)
class Edid:
    """A monitor. Texts are empty and numbers 0 where it does not say."""

    manufacturer: str
    """Three letters that the UEFI Forum gave its maker (PNP id)."""
    product: int
    serial_number: int
    serial_text: str
    name: str
    """Its name, or the text by which makers of panels name them."""
    week: int
    year: int
    width: int
    """Millimetres."""
    height: int
    resolution: str
    """The preferred one: 2560x1440."""

    @property
    def serial(self) -> str:
        """The serial number as on the label when there is one, else the number."""
        return self.serial_text or (str(self.serial_number) if self.serial_number not in (0, 0x01010101, 0xFFFFFFFF) else "")

    @property
    def inches(self) -> str:
        """The diagonal, such as 24.9; empty when the size is not known."""
        return f"{math.hypot(self.width, self.height) / 25.4:.1f}" if self.width and self.height else ""

    @classmethod
    def parse(cls, data: bytes) -> Edid:
        """Read an EDID; extension blocks are left alone. InputError for bytes that are none."""
        if len(data) < BLOCK:
            raise InputError(f"an EDID has at least {BLOCK} bytes, this one has {len(data)}")
        if data[:8] != HEADER:
            raise InputError("this is no EDID: it does not begin as one")
        if sum(data[:BLOCK]) % 256:
            raise InputError("the checksum of the EDID is wrong", remedy="Cables and switches damage it: try another")
        letters = int.from_bytes(data[8:10], "big")
        week, year = data[16], data[17]
        width, height, resolution = _preferred(data)
        texts = _descriptors(data)
        return cls(
            manufacturer="".join(chr(0x40 + (letters >> shift & 0x1F)) for shift in (10, 5, 0)) if _is_name(letters) else "",
            product=int.from_bytes(data[10:12], "little"),
            serial_number=int.from_bytes(data[12:16], "little"),
            serial_text=texts.get(_SERIAL, ""),
            name=texts.get(_NAME, "") or texts.get(_TEXT, ""),
            # Week 255 says that the year is that of the model, and week 0 that it is not known.
            week=week if week <= 54 else 0,
            year=1990 + year if year else 0,
            width=width or data[21] * 10 * bool(data[22]),
            height=height or data[22] * 10 * bool(data[21]),
            resolution=resolution,
        )


def _is_name(letters: int) -> bool:
    return all(1 <= (letters >> shift & 0x1F) <= 26 for shift in (10, 5, 0))


def _descriptors(data: bytes) -> dict[int, str]:
    """Return the texts of the four descriptors by their tag; of several panel texts the last names the panel."""
    texts: dict[int, str] = {}
    for start in range(54, 126, 18):
        part = data[start : start + 18]
        if part[:3] == b"\0\0\0" and part[3] in (_SERIAL, _TEXT, _NAME):
            text = plain(part[5:].partition(b"\n")[0].decode("latin-1").replace("\x7f", ""))
            if text:
                texts[part[3]] = text
    return texts


def _preferred(data: bytes) -> tuple[int, int, str]:
    """Return width and height in mm and the resolution by the first detailed timing; 0, 0 and empty when it is none."""
    part = data[54:72]
    if part[:2] == b"\0\0":
        return 0, 0, ""
    across, down = part[2] | (part[4] & 0xF0) << 4, part[5] | (part[7] & 0xF0) << 4
    width, height = part[12] | (part[14] & 0xF0) << 4, part[13] | (part[14] & 0x0F) << 8
    # An interlaced timing tells the lines of one field.
    down *= 2 if part[17] & 0x80 else 1
    # Some projectors and televisions put an aspect ratio (16:9) where millimetres belong.
    if min(width, height) < 50:
        width = height = 0
    return width, height, f"{across}x{down}" if across and down else ""
