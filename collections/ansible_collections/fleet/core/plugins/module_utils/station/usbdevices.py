# Copyright: (c) 2026, Fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The section usbdevices: what is plugged in; the kernel's root hubs are left out."""

from __future__ import annotations

import re

from .ids import Names, load
from .root import Root
from .row import Row, meaningful

DEVICES = "/sys/bus/usb/devices"
LINUX_FOUNDATION = "1d6b"


def collect(root: Root) -> list[Row]:
    """Return the devices in the order of their ports."""
    paths = [f"{DEVICES}/{name}" for name in root.names(DEVICES) if re.fullmatch(r"\d+-\d+(\.\d+)*", name)]
    vendors = {path: root.text(f"{path}/idVendor").lower() for path in paths}
    names = load(root, "usb.ids", vendors.values()) if paths else Names()
    return [_row(root, path, vendor, names) for path, vendor in vendors.items() if vendor and vendor != LINUX_FOUNDATION]


def _row(root: Root, path: str, vendor: str, names: Names) -> Row:
    product = root.text(f"{path}/idProduct").lower()
    name = root.text(f"{path}/product") or names.device(vendor, product)
    kind, subclass = _kind(root, path)
    return {
        "name": name or f"{vendor}:{product}",
        "caption": names.device(vendor, product) or name,
        "manufacturer": root.text(f"{path}/manufacturer") or names.vendor(vendor),
        "serial": meaningful(root.text(f"{path}/serial")),
        "vendorid": vendor,
        "productid": product,
        "class": kind,
        "subclass": subclass,
    }


def _kind(root: Root, path: str) -> tuple[str, str]:
    """Return class and subclass; a device whose class is 0 has that of its first interface."""
    kind, subclass = root.text(f"{path}/bDeviceClass"), root.text(f"{path}/bDeviceSubClass")
    if kind != "00":
        return kind, subclass
    name = path.rpartition("/")[2]
    for part in root.names(path):
        if part.startswith(f"{name}:"):
            return root.text(f"{path}/{part}/bInterfaceClass"), root.text(f"{path}/{part}/bInterfaceSubClass")
    return kind, subclass
