# Copyright: (c) 2026, Fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the firmware says of the machine: from its tables, else from dmidecode, else the few lines that the kernel shows to everybody."""

from __future__ import annotations

import re

from . import dmidecode, smbios
from . import smbios_words as words
from .root import Root
from .row import meaningful
from .smbios import Structure

TABLES = "/sys/firmware/dmi/tables"
IDS = "/sys/class/dmi/id"


def structures(root: Root, *types: int) -> list[Structure]:
    """Return the structures of the given types, in the firmware's order; none on a machine without SMBIOS."""
    return [structure for structure in root.once(_everything) if structure.type in types]


def first(root: Root, kind: int) -> Structure:
    """Return the first structure of a type, or an empty one."""
    return next(iter(structures(root, kind)), Structure(kind, 0, {}))


def mebibytes(size: str) -> int:
    """Return a size such as ``8 GB``, ``8192 MB`` or ``2048 kB`` in MiB; 0 for what is no size."""
    found = re.fullmatch(r"(\d{1,12}) (bytes|kB|MB|GB|TB)", size)
    if not found:
        return 0
    return int(found[1]) << {"bytes": 0, "kB": 10, "MB": 20, "GB": 30, "TB": 40}[found[2]] >> 20


def number(text: str) -> int:
    """Return the number with which a text begins; 0 when there is none."""
    found = re.match(r"\d{1,9}", text)
    return int(found[0]) if found else 0


def _everything(root: Root) -> list[Structure]:
    table = root.data(f"{TABLES}/DMI")
    if table:
        return smbios.structures(table, smbios.entry_version(root.data(f"{TABLES}/smbios_entry_point")))
    # Without tables in /sys a machine of today has none; dmidecode finds those of older kernels in /dev/mem.
    if root.has("dmidecode"):
        found = dmidecode.structures(root.tool("dmidecode", ok=(0, 1, 2)))
        if found:
            return found
    return _identifiers(root)


def _identifiers(root: Root) -> list[Structure]:
    """Return what /sys/class/dmi/id tells, which without privileges leaves serial numbers out."""
    files = {
        words.BIOS: {"Vendor": "bios_vendor", "Version": "bios_version", "Release Date": "bios_date"},
        words.SYSTEM: {
            "Manufacturer": "sys_vendor",
            "Product Name": "product_name",
            "Version": "product_version",
            "Serial Number": "product_serial",
            "UUID": "product_uuid",
            "SKU Number": "product_sku",
            "Family": "product_family",
        },
        words.BASEBOARD: {
            "Manufacturer": "board_vendor",
            "Product Name": "board_name",
            "Version": "board_version",
            "Serial Number": "board_serial",
            "Asset Tag": "board_asset_tag",
        },
        words.CHASSIS: {
            "Manufacturer": "chassis_vendor",
            "Version": "chassis_version",
            "Serial Number": "chassis_serial",
            "Asset Tag": "chassis_asset_tag",
        },
    }
    found = []
    for kind, fields in files.items():
        values = {field: root.text(f"{IDS}/{file}") for field, file in fields.items()}
        if kind == words.CHASSIS:
            values["Type"] = words.CHASSIS_TYPES.get(root.number(f"{IDS}/chassis_type") or 0, "")
        values = {field: value for field, value in values.items() if meaningful(value)}
        if values:
            found.append(Structure(kind, 0, values))
    return found
