# Copyright: (c) 2026, Fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The sections controllers, videos and sounds: PCI devices, as /sys shows them."""

from __future__ import annotations

import re
from dataclasses import dataclass

from .ids import Names, load
from .root import Root
from .row import Row

DEVICES = "/sys/bus/pci/devices"
DISPLAYS = "/sys/class/drm"
DISPLAY, MULTIMEDIA_AUDIO, HD_AUDIO = "03", "0401", "0403"
_PREFETCHABLE_MEMORY = 0x2208
"""Flags of a region in ``resource``: memory, prefetchable (linux/ioport.h)."""


@dataclass(frozen=True)
class Device:
    """A PCI device with the names of its parts."""

    path: str
    slot: str
    vendor_id: str
    device_id: str
    kind: str
    """Class and subclass, four hexadecimal digits."""
    revision: str
    vendor: str
    name: str
    type: str


def devices(root: Root) -> list[Device]:
    """Return every PCI device, in the order of the slots."""
    paths = {slot: f"{DEVICES}/{slot}" for slot in root.names(DEVICES)}
    vendors = {slot: _hex(root, path, "vendor") for slot, path in paths.items()}
    names = load(root, "pci.ids", vendors.values()) if paths else Names()
    return [_device(root, path, slot, vendors[slot], names) for slot, path in paths.items()]


def controllers(root: Root) -> list[Row]:
    """Return the section controllers."""
    return [
        {
            "name": device.name,
            "caption": device.name,
            "manufacturer": device.vendor,
            "type": device.type,
            "driver": root.target(f"{device.path}/driver"),
            "pciclass": device.kind,
            "pcislot": device.slot,
            "vendorid": device.vendor_id,
            "productid": device.device_id,
            "pcisubsystemid": _subsystem(root, device),
            "rev": device.revision,
        }
        for device in root.once(devices)
    ]


def videos(root: Root) -> list[Row]:
    """Return the section videos; the resolution is the preferred one of the first monitor that is connected."""
    return [
        {
            "name": device.name,
            "chipset": device.type,
            "memory": _memory(root, device),
            "resolution": _resolution(root, device),
            "pcislot": device.slot,
        }
        for device in root.once(devices)
        if device.kind.startswith(DISPLAY)
    ]


def sounds(root: Root) -> list[Row]:
    """Return the section sounds."""
    return [
        {"name": device.name, "caption": device.type, "manufacturer": device.vendor, "description": f"rev {device.revision}"}
        for device in root.once(devices)
        if device.kind in (MULTIMEDIA_AUDIO, HD_AUDIO)
    ]


def _device(root: Root, path: str, slot: str, vendor: str, names: Names) -> Device:
    device, code = _hex(root, path, "device"), _hex(root, path, "class", 6)
    return Device(
        path=path,
        # The domain is told where there is more than the one.
        slot=slot[5:] if slot.startswith("0000:") else slot,
        vendor_id=vendor,
        device_id=device,
        kind=code[:4],
        revision=_hex(root, path, "revision", 2),
        vendor=names.vendor(vendor) or vendor,
        name=names.device(vendor, device) or f"{vendor}:{device}",
        type=names.kind(code),
    )


def _hex(root: Root, path: str, attribute: str, digits: int = 4) -> str:
    value = root.number(f"{path}/{attribute}", 16)
    return "" if value is None else f"{value:0{digits}x}"


def _subsystem(root: Root, device: Device) -> str:
    vendor, number = _hex(root, device.path, "subsystem_vendor"), _hex(root, device.path, "subsystem_device")
    return f"{vendor}:{number}" if vendor.strip("0") else ""


def _memory(root: Root, device: Device) -> int:
    """Return MiB: what the driver says, else the largest window that is prefetchable."""
    told = root.number(f"{device.path}/mem_info_vram_total")
    if told:
        return told >> 20
    windows = [0]
    for line in root.text(f"{device.path}/resource").splitlines():
        if re.fullmatch(r"0x[0-9a-f]{1,16} 0x[0-9a-f]{1,16} 0x[0-9a-f]{1,16}", line):
            start, end, flags = (int(part, 16) for part in line.split())
            if flags & _PREFETCHABLE_MEMORY == _PREFETCHABLE_MEMORY and end > start:
                windows.append(end - start + 1)
    return max(windows) >> 20


def _resolution(root: Root, device: Device) -> str:
    cards = [name for name in root.names(f"{device.path}/drm") if name.startswith("card")]
    for connector in root.names(DISPLAYS):
        if connector.partition("-")[0] in cards and root.text(f"{DISPLAYS}/{connector}/status") == "connected":
            modes = root.text(f"{DISPLAYS}/{connector}/modes").split()
            if modes:
                return modes[0]
    return ""
