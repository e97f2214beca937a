# Copyright: (c) 2026, Fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The names of PCI and USB vendors, devices and classes: the files pci.ids and usb.ids, of which only what is asked for is read."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

from .root import Root

FOLDERS = ("/usr/share/hwdata", "/usr/share/misc", "/var/lib/usbutils")


@dataclass
class Names:
    """Names by lowercase hexadecimal numbers."""

    vendors: dict[str, str] = field(default_factory=dict)
    devices: dict[tuple[str, str], str] = field(default_factory=dict)
    classes: dict[str, str] = field(default_factory=dict)
    """By class (``03``) and by class and subclass (``0300``)."""

    def vendor(self, vendor: str) -> str:
        """Return a vendor's name; empty when it is not known."""
        return self.vendors.get(vendor, "")

    def device(self, vendor: str, device: str) -> str:
        """Return a device's name; empty when it is not known."""
        return self.devices.get((vendor, device), "")

    def kind(self, code: str) -> str:
        """Return what a class is called, of the subclass where it is known."""
        return self.classes.get(code[:4], "") or self.classes.get(code[:2], "")


def load(root: Root, file: str, vendors: Iterable[str]) -> Names:
    """Read the names of some vendors' devices, and of all classes, from pci.ids or usb.ids; none when the file is not there."""
    text = next(filter(None, (root.text(f"{folder}/{file}") for folder in FOLDERS)), "")
    return parse(text, vendors)


def parse(text: str, vendors: Iterable[str]) -> Names:
    """Read the format of both files: an entry a line, what belongs to it below, with a tab before it."""
    wanted, names = frozenset(vendors), Names()
    vendor = code = ""
    for line in text.split("\n"):
        # Subsystems, interfaces and comments are most of the lines.
        if line.startswith(("\t\t", "#")) or not line:
            continue
        if line[0] == "\t":
            if vendor:
                names.devices[vendor, line[1:5].lower()] = line[5:].strip()
            elif code:
                names.classes[code + line[1:3].lower()] = line[3:].strip()
            continue
        vendor = code = ""
        number, _space, name = line.partition(" ")
        if line.startswith("C "):
            code = line[2:4].lower()
            names.classes[code] = line[4:].strip()
        elif len(number) == 4 and number.lower() in wanted:
            vendor = number.lower()
            names.vendors[vendor] = name.strip()
    return names
