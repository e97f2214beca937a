# Copyright: (c) 2026, Fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What lists and criteria show of a station, from the sections of its report."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from ..registry.models import Station
from ..versions import version_key
from .sections import Row

_LARGEST = (1 << 63) - 1
_NO_DISK = ("cd", "dvd", "rom", "floppy", "removable", "card reader", "usb", "loop")
_NO_FILE_SYSTEM = frozenset({"tmpfs", "devtmpfs", "squashfs", "overlay", "iso9660", "nfs", "nfs4", "cifs", "udf"})


def summary(sections: Mapping[str, Sequence[Row]]) -> dict[str, object]:
    """Columns of Station and their values, for the sections that are given; a section that is not leaves its columns alone."""
    found: dict[str, object] = {}
    if rows := sections.get("hardware"):
        found["reported_name"] = _text("reported_name", rows[0].get("name"))
        if isinstance(memory := rows[0].get("memory"), int):
            found["ram"] = _bytes(memory)
        if user := rows[0].get("lastloggeduser"):
            found["user"] = _text("user", user)
    if "ram" not in found and (rows := sections.get("memories")):
        found["ram"] = _bytes(_sum(row.get("capacity") for row in rows))
    if rows := sections.get("users"):
        found["user"] = _text("user", rows[0].get("login"))
    if rows := sections.get("bios"):
        found["manufacturer"] = _text("manufacturer", rows[0].get("smanufacturer"))
        found["product"] = _text("product", rows[0].get("smodel"))
    if rows := sections.get("operatingsystem"):
        version = _text("os_version", rows[0].get("version"))
        found["os_name"] = _text("os_name", rows[0].get("name") or rows[0].get("full_name"))
        found["os_version"] = version
        found["os_version_key"] = version_key(version)
        if arch := rows[0].get("arch"):
            found["architecture"] = _text("architecture", arch)
    if rows := sections.get("cpus"):
        found["cpu"] = _text("cpu", rows[0].get("name") or rows[0].get("model"))
        cores = _sum(row.get("core") for row in rows)
        found["cores"] = cores if 0 < cores < 1 << 31 else None
        if "architecture" not in found and (arch := rows[0].get("arch")):
            found["architecture"] = _text("architecture", arch)
    if (rows := sections.get("storages")) is not None:
        found["disk"] = _bytes(_sum(row.get("disksize") for row in rows if _is_disk(row)))
    if (rows := sections.get("drives")) is not None:
        found["disk_free"] = _bytes(_sum(row.get("free") for row in rows if row.get("filesystem") not in _NO_FILE_SYSTEM))
    if (rows := sections.get("networks")) and (address := _address(rows)):
        found["reported_address"] = address
    return found


def _text(column: str, value: object) -> str:
    longest = getattr(Station._meta.get_field(column), "max_length", None)
    return " ".join(str(value or "").split())[:longest]


def _bytes(mebibytes: int) -> int | None:
    return mebibytes << 20 if 0 < mebibytes <= _LARGEST >> 20 else None


def _sum(values: Iterable[object]) -> int:
    return sum(value for value in values if isinstance(value, int))


def _is_disk(row: Row) -> bool:
    kind = str(row.get("type", "")).lower()
    return not any(word in kind for word in _NO_DISK)


def _address(rows: Sequence[Row]) -> str:
    """The station's address: of the card with a gateway, else the first that is up; IPv4 before IPv6."""
    best = (0, "")
    for row in rows:
        for key, weight in (("ipaddress", 4), ("ipaddress6", 0)):
            address = str(row.get(key, "")).partition("/")[0]
            if not address or len(address) > 45 or address.lower().startswith(("127.", "169.254.", "fe80", "::1", "0.")):
                continue
            score = weight * (":" not in address) + 2 * bool(row.get("ipgateway")) + (str(row.get("status", "")).lower() == "up") + 1
            if str(row.get("virtualdev", "0")) in ("1", "true"):
                score -= 3
            if score > best[0]:
                best = (score, address)
    return best[1]
