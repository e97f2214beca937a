# Copyright: (c) 2026, Fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The whole report: every section by its collector, and what could not be gathered."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Callable, Optional

from ..errors import InputError
from . import (
    accounts,
    antivirus,
    batteries,
    bios,
    cpus,
    drives,
    hardware,
    inputs,
    licenses,
    logins,
    memories,
    modems,
    monitors,
    networks,
    operatingsystem,
    partitions,
    pci,
    printers,
    slots,
    smart,
    softwares,
    storages,
    usbdevices,
    virtualmachines,
)
from .root import Root
from .row import Row, clean, plain

Collector = Callable[[Root], Sequence[Row]]

COLLECTORS: dict[str, Collector] = {
    "hardware": hardware.collect,
    "bios": bios.collect,
    "operatingsystem": operatingsystem.collect,
    "cpus": cpus.collect,
    "memories": memories.collect,
    "storages": storages.collect,
    "drives": drives.collect,
    "partitions": partitions.collect,
    "networks": networks.collect,
    "monitors": monitors.collect,
    "videos": pci.videos,
    "sounds": pci.sounds,
    "printers": printers.collect,
    "batteries": batteries.collect,
    "usbdevices": usbdevices.collect,
    "controllers": pci.controllers,
    "slots": slots.slots,
    "ports": slots.ports,
    "inputs": inputs.collect,
    "modems": modems.collect,
    "local_users": accounts.users,
    "local_groups": accounts.groups,
    "users": logins.collect,
    "virtualmachines": virtualmachines.collect,
    "antivirus": antivirus.collect,
    "licenseinfos": licenses.collect,
    "softwares": softwares.collect,
    "smart": smart.collect,
}
"""The sections that are found on Linux, in the order of a report."""


@dataclass(frozen=True)
class Report:
    """What a station says of itself."""

    sections: dict[str, list[Row]]
    """Rows by section; sections without rows are left out."""
    warnings: dict[str, str]
    """What could not be gathered and why, by section. What was known of these sections still holds."""


def gather(root: Root, sections: Optional[Collection[str]] = None) -> Report:
    """Gather some sections, or all. InputError for a section that there is none of; a collector that fails becomes a warning."""
    unknown = sorted(set(sections or ()) - set(COLLECTORS))
    if unknown:
        raise InputError(f"there is no section {', '.join(unknown)}", remedy=f"Sections are {', '.join(COLLECTORS)}")
    found: dict[str, list[Row]] = {}
    warnings: dict[str, str] = {}
    for name, collect in COLLECTORS.items():
        if sections is not None and name not in sections:
            continue
        try:
            rows = clean(name, collect(root))
        except Exception as error:  # whatever odd hardware does to one collector, the others have something to tell
            warnings[name] = plain(f"{type(error).__name__}: {error}")[:1000]
            continue
        if rows:
            found[name] = rows
    return Report(found, warnings)
