# Copyright: (c) 2026, Fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The section modems: what ModemManager knows of them; without it, what the kernel drives as one."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Any

from .ids import load
from .root import Root
from .row import Row, meaningful

USB, PCI = "/sys/bus/usb/devices", "/sys/bus/pci/devices"
DRIVERS = frozenset({"cdc_mbim", "cdc_wdm", "hso", "huawei_cdc_ncm", "option", "qcserial", "qmi_wwan", "sierra", "sierra_net"})
"""Drivers of USB interfaces that only modems have; cdc_acm drives Arduinos as well."""
PCI_CLASSES = ("0x0703", "0x0d40")
"""Modems, and cards for mobile networks (PCI Code and ID Assignment Specification)."""


def collect(root: Root) -> list[Row]:
    """Return name, manufacturer, model, type, and of mobile ones the IMEI."""
    managed = _managed(root) if root.has("mmcli") else []
    return managed or [*_usb(root), *_pci(root)]


def _managed(root: Root) -> list[Row]:
    """What ModemManager says, which may be installed and not run."""
    try:
        paths = json.loads(root.tool("mmcli", "--list-modems", "--output-json", ok=None) or "{}").get("modem-list", [])
        told = [json.loads(root.tool("mmcli", f"--modem={path}", "--output-json"))["modem"] for path in paths]
    except (ValueError, KeyError, TypeError, AttributeError):
        return []
    return [_told(each) for each in told]


def _told(modem: Mapping[str, Any]) -> Row:
    generic, mobile = modem.get("generic", {}), modem.get("3gpp", {})
    maker, model = meaningful(str(generic.get("manufacturer", ""))), meaningful(str(generic.get("model", "")))
    kinds = generic.get("current-capabilities", [])
    return {
        "name": f"{maker} {model}".strip(),
        "manufacturer": maker,
        "model": model,
        "description": meaningful(str(generic.get("revision", ""))),
        "type": ", ".join(map(str, kinds)) if isinstance(kinds, list) else "",
        "imei": meaningful(str(mobile.get("imei", ""))),
    }


def _usb(root: Root) -> list[Row]:
    paths = []
    for device in root.names(USB):
        interfaces = [part for part in root.names(f"{USB}/{device}") if part.startswith(f"{device}:")]
        drivers = {root.target(f"{USB}/{device}/{part}/driver") for part in interfaces}
        named = "modem" in root.text(f"{USB}/{device}/product").lower()
        if re.fullmatch(r"\d+-\d+(\.\d+)*", device) and (drivers & DRIVERS or (named and "cdc_acm" in drivers)):
            paths.append(f"{USB}/{device}")
    if not paths:
        return []
    vendors = {path: root.text(f"{path}/idVendor").lower() for path in paths}
    names = load(root, "usb.ids", vendors.values())
    rows: list[Row] = []
    for path, vendor in vendors.items():
        product = root.text(f"{path}/idProduct").lower()
        model = root.text(f"{path}/product") or names.device(vendor, product)
        rows.append(
            {
                "name": model or f"{vendor}:{product}",
                "model": model,
                "manufacturer": root.text(f"{path}/manufacturer") or names.vendor(vendor),
                "serial": meaningful(root.text(f"{path}/serial")),
                "type": "USB",
            }
        )
    return rows


def _pci(root: Root) -> list[Row]:
    paths = [f"{PCI}/{name}" for name in root.names(PCI) if root.text(f"{PCI}/{name}/class").startswith(PCI_CLASSES)]
    vendors = {path: root.text(f"{path}/vendor")[2:].lower() for path in paths}
    names = load(root, "pci.ids", vendors.values()) if paths else None
    rows: list[Row] = []
    for path, vendor in vendors.items():
        device = root.text(f"{path}/device")[2:].lower()
        model = names.device(vendor, device) if names else ""
        rows.append(
            {
                "name": model or f"{vendor}:{device}",
                "model": model,
                "manufacturer": names.vendor(vendor) if names else "",
                "type": "PCI",
            }
        )
    return rows
