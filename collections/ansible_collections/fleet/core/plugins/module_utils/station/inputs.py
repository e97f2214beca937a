# Copyright: (c) 2026, Fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The section inputs: keyboards, pointing devices, touch screens; buttons of the case are left out."""

from __future__ import annotations

import re

from .root import Root
from .row import Row

_BUSES = {"0003": "USB", "0005": "Bluetooth", "0011": "PS/2", "0018": "I2C"}
_LETTERS = 30
"""Keys that a device has at least to be a keyboard; remote controls and hot keys have fewer."""
_TOUCH_BUTTON, _DIRECT = 330, 1


def collect(root: Root) -> list[Row]:
    """Return the devices of /proc/bus/input/devices that a person works with."""
    layout = _layout(root)
    rows: list[Row] = []
    for block in re.split(r"\n\s*\n", root.text("/proc/bus/input/devices")):
        name = re.search(r'^N: Name="(.*)"$', block, re.MULTILINE)
        kind = _kind(block, name[1] if name else "")
        if name and kind:
            bus = re.search(r"^I: Bus=(\w{4})", block)
            row: Row = {"name": name[1], "caption": name[1], "interface": _BUSES.get(bus[1], "") if bus else ""}
            row.update({"type": "keyboard", "layout": layout} if kind == "keyboard" else {"type": "pointing", "pointingtype": kind})
            rows.append(row)
    return rows


def _kind(block: str, name: str) -> str:
    handlers = re.search(r"^H: Handlers=(.*)$", block, re.MULTILINE)
    names = handlers[1].split() if handlers else []
    if any(handler.startswith("mouse") for handler in names):
        if re.search("touch ?pad", name, re.IGNORECASE):
            return "touchpad"
        return "touchscreen" if _bits(block, "PROP") >> _DIRECT & 1 and _bits(block, "KEY") >> _TOUCH_BUTTON & 1 else "mouse"
    if any(handler.startswith("js") for handler in names):
        return "joystick"
    # The first 128 codes are those of a keyboard: linux/input-event-codes.h.
    return "keyboard" if "kbd" in names and bin(_bits(block, "KEY") & ((1 << 128) - 1)).count("1") >= _LETTERS else ""


def _bits(block: str, what: str) -> int:
    found = re.search(rf"^B: {what}=([0-9a-f ]+)$", block, re.MULTILINE)
    number = 0
    for word in found[1].split() if found else []:
        number = number << 64 | int(word, 16)
    return number


def _layout(root: Root) -> str:
    found = re.search(r"^\s*XKBLAYOUT=\"?([\w,-]+)", root.text("/etc/default/keyboard"), re.MULTILINE)
    return found[1] if found else ""
