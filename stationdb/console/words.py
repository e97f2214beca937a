# Copyright: (c) 2026, Fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Words for the sections of reports and for the keys of their rows, and which keys a table shows."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from django.utils.formats import number_format
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

SECTIONS = {
    "hardware": gettext_lazy("Machine"),
    "bios": gettext_lazy("Firmware"),
    "operatingsystem": gettext_lazy("System"),
    "cpus": gettext_lazy("Processors"),
    "memories": gettext_lazy("Memory"),
    "storages": gettext_lazy("Disks"),
    "drives": gettext_lazy("File systems"),
    "partitions": gettext_lazy("Partitions"),
    "smart": gettext_lazy("Health of disks"),
    "networks": gettext_lazy("Network"),
    "monitors": gettext_lazy("Monitors"),
    "videos": gettext_lazy("Graphics"),
    "sounds": gettext_lazy("Sound"),
    "printers": gettext_lazy("Printers"),
    "batteries": gettext_lazy("Batteries"),
    "usbdevices": gettext_lazy("USB devices"),
    "controllers": gettext_lazy("Controllers"),
    "slots": gettext_lazy("Slots"),
    "ports": gettext_lazy("Ports"),
    "inputs": gettext_lazy("Keyboards and mice"),
    "modems": gettext_lazy("Modems"),
    "local_users": gettext_lazy("Local users"),
    "local_groups": gettext_lazy("Local groups"),
    "users": gettext_lazy("Signed-in users"),
    "virtualmachines": gettext_lazy("Virtual machines"),
    "antivirus": gettext_lazy("Antivirus"),
    "licenseinfos": gettext_lazy("Licences"),
    "softwares": gettext_lazy("Software"),
}

KEYS = {
    "arch": gettext_lazy("Architecture"),
    "assettag": gettext_lazy("Asset tag"),
    "bdate": gettext_lazy("Firmware's date"),
    "bmanufacturer": gettext_lazy("Firmware's maker"),
    "boot_time": gettext_lazy("Started"),
    "bversion": gettext_lazy("Firmware's version"),
    "capacity": gettext_lazy("Capacity"),
    "caption": gettext_lazy("Caption"),
    "chassis_type": gettext_lazy("Chassis"),
    "chemistry": gettext_lazy("Chemistry"),
    "chipset": gettext_lazy("Chipset"),
    "core": gettext_lazy("Cores"),
    "description": gettext_lazy("Description"),
    "designation": gettext_lazy("Designation"),
    "device": gettext_lazy("Device"),
    "disksize": gettext_lazy("Size"),
    "domain": gettext_lazy("Domain"),
    "driver": gettext_lazy("Driver"),
    "enabled": gettext_lazy("Enabled"),
    "filesystem": gettext_lazy("File system"),
    "firmware": gettext_lazy("Firmware"),
    "free": gettext_lazy("Free"),
    "from": gettext_lazy("Source"),
    "full_name": gettext_lazy("Full name"),
    "fullname": gettext_lazy("Full name"),
    "home": gettext_lazy("Home"),
    "id": gettext_lazy("Id"),
    "interface": gettext_lazy("Interface"),
    "ipaddress": gettext_lazy("Address"),
    "ipaddress6": gettext_lazy("IPv6 address"),
    "ipgateway": gettext_lazy("Gateway"),
    "ipmask": gettext_lazy("Mask"),
    "ipsubnet": gettext_lazy("Subnet"),
    "kernel_version": gettext_lazy("Kernel"),
    "key": gettext_lazy("Key"),
    "label": gettext_lazy("Label"),
    "letter": gettext_lazy("Letter"),
    "login": gettext_lazy("Login"),
    "mac": gettext_lazy("MAC address"),
    "manufacturer": gettext_lazy("Maker"),
    "memory": gettext_lazy("Memory"),
    "members": gettext_lazy("Members"),
    "mmanufacturer": gettext_lazy("Mainboard's maker"),
    "mmodel": gettext_lazy("Mainboard"),
    "model": gettext_lazy("Model"),
    "msn": gettext_lazy("Mainboard's serial number"),
    "name": gettext_lazy("Name"),
    "numslots": gettext_lazy("Slot"),
    "passed": gettext_lazy("Passed"),
    "pciid": gettext_lazy("PCI id"),
    "port": gettext_lazy("Port"),
    "power_on_hours": gettext_lazy("Hours of use"),
    "publisher": gettext_lazy("Publisher"),
    "reallocated": gettext_lazy("Reallocated sectors"),
    "resolution": gettext_lazy("Resolution"),
    "secure_boot": gettext_lazy("Secure Boot"),
    "serial": gettext_lazy("Serial number"),
    "serialnumber": gettext_lazy("Serial number"),
    "shell": gettext_lazy("Shell"),
    "size": gettext_lazy("Size"),
    "smanufacturer": gettext_lazy("Maker"),
    "smodel": gettext_lazy("Model"),
    "speed": gettext_lazy("Speed"),
    "ssn": gettext_lazy("Serial number"),
    "start": gettext_lazy("Start"),
    "status": gettext_lazy("Status"),
    "swap": gettext_lazy("Swap"),
    "temperature": gettext_lazy("Temperature"),
    "thread": gettext_lazy("Threads"),
    "total": gettext_lazy("Total"),
    "type": gettext_lazy("Type"),
    "uuid": gettext_lazy("UUID"),
    "vendorid": gettext_lazy("Vendor"),
    "version": gettext_lazy("Version"),
    "volumn": gettext_lazy("Volume"),
    "workgroup": gettext_lazy("Workgroup"),
    "wwn": gettext_lazy("WWN"),
}
"""Keys without a word here are shown as they are: they come from inventory agents, and there are hundreds."""

MEBIBYTES = {
    ("hardware", "memory"),
    ("hardware", "swap"),
    ("memories", "capacity"),
    ("storages", "disksize"),
    ("drives", "total"),
    ("drives", "free"),
    ("partitions", "size"),
    ("videos", "memory"),
    ("virtualmachines", "memory"),
}
"""Values in MiB, by section and key."""

UNITS = {
    ("memories", "speed"): "MHz",
    ("cpus", "speed"): "MHz",
    ("networks", "speed"): "Mbit/s",
    ("smart", "temperature"): "°C",
    ("batteries", "capacity"): "mWh",
    ("batteries", "real_capacity"): "mWh",
    ("batteries", "voltage"): "mV",
}
"""Units of numbers, by section and key."""

HIDDEN = {"base64", "uuencode", "uninstall_string", "winprodkey", "key", "ssh_key", "attributes", "helplink", "url_info_about"}
"""Keys that no table shows: pictures, command lines, product keys."""

FIRST = ("name", "caption", "device", "description", "login", "manufacturer", "model", "type", "version", "publisher", "from", "arch")
"""Keys that come first in a table."""


def labels(kind: str) -> Mapping[str, Any]:
    """Words for the keys of a section, or for the sections themselves."""
    return SECTIONS if kind == "section" else KEYS


def said(kind: str, key: str, value: str | int) -> str:
    """A value as people read it."""
    if (kind, key) in MEBIBYTES and is_number(value):
        mebibytes = int(value)
        for step, unit in ((1 << 20, _("TiB")), (1 << 10, _("GiB"))):
            if mebibytes >= step:
                whole = mebibytes / step
                return f"{number_format(whole, 0 if whole >= 100 or whole == int(whole) else 1)} {unit}"
        return f"{mebibytes} {_('MiB')}"
    if (kind, key) == ("smart", "passed"):
        return _("yes") if str(value) in ("1", "true", "True") else _("NO")
    measure = UNITS.get((kind, key))
    return f"{value} {measure}" if measure and is_number(value) else str(value)


def is_number(value: object) -> bool:
    """Whether a value is a number that can be real; stations say what they like."""
    text = str(value)
    return text.isascii() and text.isdecimal() and len(text) <= 15


@dataclass(frozen=True)
class Table:
    """A section as people read it: a list of names and values when there is one row, else a table."""

    kind: str
    title: str
    keys: list[str]
    rows: list[list[str]]

    @property
    def single(self) -> list[tuple[str, str]]:
        """Names and values of the only row; nothing when there are more."""
        return [(key, value) for key, value in zip(self.keys, self.rows[0], strict=True) if value] if len(self.rows) == 1 else []


def table(kind: str, rows: Sequence[Mapping[str, str | int]]) -> Table:
    """A section's rows in the order of keys that people expect."""
    keys = ordered({key for row in rows for key in row})
    return Table(
        kind=kind,
        title=str(SECTIONS.get(kind, kind)),
        keys=keys,
        rows=[[said(kind, key, row[key]) if key in row else "" for key in keys] for row in rows],
    )


def ordered(keys: Iterable[str]) -> list[str]:
    """What a table shows of some keys, what names a row first."""
    return sorted(set(keys) - HIDDEN, key=lambda key: (FIRST.index(key) if key in FIRST else len(FIRST), key))


def sentence(kind: str, row: Mapping[str, str | int]) -> str:
    """A row in one line, for histories."""
    if kind == "softwares":
        return " ".join(str(row[key]) for key in ("name", "version", "arch") if row.get(key))
    keys = ordered(row)
    first, rest = keys[:1], keys[1:]
    parts = [said(kind, key, row[key]) for key in first]
    parts += [f"{KEYS.get(key, key)}: {said(kind, key, row[key])}" for key in rest if str(row[key]) != ""]
    return ", ".join(parts)
