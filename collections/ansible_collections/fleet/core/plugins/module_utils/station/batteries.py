# Copyright: (c) 2026, Fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The section batteries. Whether one charges just now is left out: it is another in every report."""

from __future__ import annotations

import re
from typing import Optional

from . import dmi
from . import smbios_words as words
from .root import Root
from .row import Row, meaningful
from .smbios import Structure

SUPPLIES = "/sys/class/power_supply"


def collect(root: Root) -> list[Row]:
    """Return the station's batteries, those of mice and headsets left out: the kernel's word, else the firmware's."""
    supplies = [f"{SUPPLIES}/{name}" for name in root.names(SUPPLIES)]
    found = [path for path in supplies if root.text(f"{path}/type") == "Battery" and root.text(f"{path}/scope") != "Device"]
    firmware = [_of_firmware(battery) for battery in dmi.structures(root, words.BATTERY)]
    if not found:
        return firmware
    dates = {str(battery["name"]): battery["date"] for battery in firmware if battery["date"]}
    return [{**battery, "date": dates.get(str(battery["name"]), "")} for battery in (_of_kernel(root, path) for path in found)]


def _of_kernel(root: Root, path: str) -> Row:
    voltage = (root.number(f"{path}/voltage_min_design") or 0) // 1000
    row: Row = {
        "name": root.text(f"{path}/model_name"),
        "manufacturer": meaningful(root.text(f"{path}/manufacturer")),
        "serial": meaningful(root.text(f"{path}/serial_number")),
        "chemistry": meaningful(root.text(f"{path}/technology")),
        "voltage": voltage,
    }
    numbers = {
        "capacity": _energy(root, path, "full_design", voltage),
        "real_capacity": _energy(root, path, "full", voltage),
        "cycles": root.number(f"{path}/cycle_count") or None,
    }
    row.update({key: value for key, value in numbers.items() if value is not None})
    return row


def _energy(root: Root, path: str, what: str, voltage: int) -> Optional[int]:
    """Return mWh; a battery that counts charge (µAh) has it at its design voltage (mV)."""
    energy, charge = root.number(f"{path}/energy_{what}"), root.number(f"{path}/charge_{what}")
    if energy is not None:
        return energy // 1000
    return charge * voltage // 1_000_000 if charge is not None and voltage else None


def _of_firmware(battery: Structure) -> Row:
    return {
        "name": meaningful(battery.get("Name")),
        "manufacturer": meaningful(battery.get("Manufacturer")),
        "serial": meaningful(battery.get("Serial Number") or battery.get("SBDS Serial Number")),
        "chemistry": meaningful(battery.get("SBDS Chemistry") or battery.get("Chemistry")),
        "capacity": dmi.number(battery.get("Design Capacity")),
        "voltage": dmi.number(battery.get("Design Voltage")),
        "date": _date(battery.get("SBDS Manufacture Date") or battery.get("Manufacture Date")),
    }


def _date(text: str) -> str:
    return text if re.fullmatch(r"\d{4}-\d\d-\d\d", text) else ""
