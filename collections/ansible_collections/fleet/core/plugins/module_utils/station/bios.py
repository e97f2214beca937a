# Copyright: (c) 2026, Fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The section bios: firmware, system, mainboard and chassis."""

from __future__ import annotations

from . import dmi
from . import smbios_words as words
from .root import Root
from .row import Row, meaningful

_SECURE_BOOT = "/sys/firmware/efi/efivars/SecureBoot-8be4df61-93ca-11d2-aa0d-00e098032b8c"


def collect(root: Root) -> list[Row]:
    """Return the one row; none on a machine without SMBIOS."""
    bios, system = dmi.first(root, words.BIOS), dmi.first(root, words.SYSTEM)
    board, chassis = dmi.first(root, words.BASEBOARD), dmi.first(root, words.CHASSIS)
    values = {
        "bmanufacturer": bios.get("Vendor"),
        "bversion": bios.get("Version"),
        "bdate": bios.get("Release Date"),
        "smanufacturer": system.get("Manufacturer"),
        "smodel": system.get("Product Name"),
        "ssn": system.get("Serial Number"),
        "skunumber": system.get("SKU Number"),
        "mmanufacturer": board.get("Manufacturer"),
        "mmodel": board.get("Product Name"),
        "msn": board.get("Serial Number"),
        "enclosureserial": chassis.get("Serial Number"),
        "assettag": chassis.get("Asset Tag"),
    }
    row: Row = {key: text for key, text in ((key, meaningful(value)) for key, value in values.items()) if text}
    if row:
        row["secure_boot"] = _secure_boot(root)
    return [row] if row else []


def _secure_boot(root: Root) -> str:
    if not root.exists("/sys/firmware/efi"):
        return "unsupported"
    # Four bytes of attributes, then the value.
    return "enabled" if root.data(_SECURE_BOOT)[4:5] == b"\x01" else "disabled"
