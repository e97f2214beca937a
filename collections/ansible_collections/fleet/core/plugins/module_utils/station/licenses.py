# Copyright: (c) 2026, Fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The section licenseinfos: subscriptions of the distribution, and the Windows licence that a maker put into the firmware.

Of a key the last five characters are told, which is enough to know which it is.
"""

from __future__ import annotations

import json
import re
from typing import Any

from ..errors import ToolError
from .root import Root
from .row import Row

MSDM = "/sys/firmware/acpi/tables/MSDM"
UBUNTU = "/var/lib/ubuntu-advantage/status.json"
_KEY = re.compile(rb"(?:[A-Z0-9]{5}-){4}[A-Z0-9]{5}")


def collect(root: Root) -> list[Row]:
    """Return name, fullname, key, components and productid of each."""
    return [*_firmware(root), *_ubuntu(root), *_suse(root)]


def _firmware(root: Root) -> list[Row]:
    """The ACPI table MSDM: a header of 36 bytes, five numbers of four, and the key (Microsoft Software Licensing Tables)."""
    found = _KEY.search(root.data(MSDM)[36:])
    return [{"name": "Windows", "fullname": "Windows licence in the firmware", "key": found[0][-5:].decode()}] if found else []


def _ubuntu(root: Root) -> list[Row]:
    """What Ubuntu's ``pro status`` keeps for everybody to read."""
    status = _json(root.text(UBUNTU))
    if not isinstance(status, dict) or not status.get("attached"):
        return []
    services = status.get("services") if isinstance(status.get("services"), list) else []
    names = [str(each.get("name", "")) for each in services or [] if isinstance(each, dict) and each.get("status") == "enabled"]
    contract = status.get("contract") if isinstance(status.get("contract"), dict) else {}
    return [
        {
            "name": "Ubuntu Pro",
            "fullname": str((contract or {}).get("name", "")),
            "productid": str((contract or {}).get("id", "")),
            "components": ", ".join(sorted(names)),
        }
    ]


def _suse(root: Root) -> list[Row]:
    """Each product that SUSEConnect has registered."""
    if not root.has("SUSEConnect"):
        return []
    try:
        products = _json(root.tool("SUSEConnect", "--status"))
    except ToolError:
        return []
    rows: list[Row] = []
    for product in products if isinstance(products, list) else []:
        if isinstance(product, dict) and product.get("status") == "Registered":
            rows.append(
                {
                    "name": str(product.get("identifier", "")),
                    "fullname": " ".join(str(product.get(key, "")) for key in ("identifier", "version", "arch")),
                    "key": str(product.get("regcode") or "")[-5:],
                    "activation_date": str(product.get("starts_at") or ""),
                }
            )
    return rows


def _json(text: str) -> Any:
    try:
        return json.loads(text)
    except ValueError:
        return None
