# Copyright: (c) 2026, Fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The section monitors: what is plugged in, by the EDIDs that the kernel read."""

from __future__ import annotations

import base64

from ..errors import InputError
from .edid import BLOCK, Edid
from .root import Root
from .row import Row

CONNECTORS = "/sys/class/drm"

MAKERS = {
    "AAC": "AcerView", "ACI": "Asus", "ACR": "Acer", "AOC": "AOC", "APP": "Apple", "AUO": "AU Optronics", "AUS": "Asus", "BNQ": "BenQ",
    "BOE": "BOE", "CMN": "Chimei Innolux", "CMO": "Chi Mei Optoelectronics", "CSO": "CSOT", "CTX": "CTX", "DEL": "Dell", "ENC": "Eizo",
    "EIZ": "Eizo", "ELO": "Elo Touch", "EPI": "Envision", "EPS": "Epson", "FUJ": "Fujitsu", "FUS": "Fujitsu Siemens", "GBT": "Gigabyte",
    "GSM": "LG", "HEI": "Hyundai", "HPN": "HP", "HSD": "HannStar", "HWP": "HP", "HWV": "Huawei", "IBM": "IBM", "INL": "InnoLux",
    "IVM": "Iiyama", "IVO": "InfoVision", "LEN": "Lenovo", "LGD": "LG Display", "LPL": "LG Philips", "MAX": "Belinea", "MED": "Medion",
    "MEI": "Panasonic", "MSI": "MSI", "NEC": "NEC", "PHL": "Philips", "PNS": "Packard Bell", "QDS": "Quanta", "SAM": "Samsung",
    "SDC": "Samsung Display", "SEC": "Seiko Epson", "SHP": "Sharp", "SNY": "Sony", "TOS": "Toshiba", "TSB": "Toshiba", "VIZ": "Vizio",
    "VSC": "ViewSonic", "WAC": "Wacom", "XMI": "Xiaomi",
}  # fmt: skip
"""Makers of most monitors by their PNP id; others are named by their id."""


def collect(root: Root) -> list[Row]:
    """Return each connected monitor that has an EDID, readable or not."""
    rows: list[Row] = []
    for name in root.names(CONNECTORS):
        data = root.data(f"{CONNECTORS}/{name}/edid")
        if data:
            rows.append({"port": name.partition("-")[2] or name, **describe(data)})
    return rows


def describe(data: bytes) -> Row:
    """Return what an EDID tells; of a damaged one, its bytes only."""
    whole: Row = {"base64": base64.b64encode(data[: 4 * BLOCK]).decode()}
    try:
        edid = Edid.parse(data)
    except InputError as error:
        return {"description": str(error), **whole}
    return {
        "name": edid.name,
        "caption": edid.name,
        "manufacturer": MAKERS.get(edid.manufacturer, edid.manufacturer),
        "model": f"{edid.manufacturer}{edid.product:04X}",
        "serial": edid.serial,
        "altserial": _other_serial(edid),
        "description": f"{edid.week}/{edid.year}" if edid.week else str(edid.year or ""),
        "year": edid.year,
        "week": edid.week,
        "size": edid.inches,
        "width": edid.width,
        "height": edid.height,
        "resolution": edid.resolution,
        **whole,
    }


def _other_serial(edid: Edid) -> str:
    """Return the number as eight hexadecimal digits, as others print it, when the label's text is the serial."""
    return f"{edid.serial_number:08X}" if edid.serial_text and edid.serial_number not in (0, 0xFFFFFFFF) else ""
