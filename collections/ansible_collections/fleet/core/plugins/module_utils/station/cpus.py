# Copyright: (c) 2026, Fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The section cpus: one row a socket. The speed is the highest, because the present one is another in every report."""

from __future__ import annotations

import re

from . import dmi
from . import smbios_words as words
from .root import Root
from .row import Row, meaningful
from .smbios import Structure
from .system import machine

_MAKERS = {"GenuineIntel": "Intel", "AuthenticAMD": "AMD", "HygonGenuine": "Hygon", "CentaurHauls": "VIA"}


def collect(root: Root) -> list[Row]:
    """Return what /proc/cpuinfo and the firmware know of each socket."""
    sockets = _sockets(root)
    firmware = [each for each in dmi.structures(root, words.PROCESSOR) if not each.get("Status").startswith("Unpopulated")]
    matched = firmware if len(firmware) == len(sockets) else [Structure(words.PROCESSOR, 0, {}) for _each in sockets]
    return [_row(root, socket, each) for socket, each in zip(sockets, matched)]


def _row(root: Root, threads: list[dict[str, str]], firmware: Structure) -> Row:
    cpu = threads[0]
    cores = len({thread.get("core id", str(index)) for index, thread in enumerate(threads)})
    maker = cpu.get("vendor_id", "")
    return {
        "name": cpu.get("model name") or firmware.get("Version"),
        "manufacturer": _MAKERS.get(maker, maker) or meaningful(firmware.get("Manufacturer")),
        "arch": machine(root),
        "familynumber": cpu.get("cpu family", ""),
        "model": cpu.get("model", ""),
        "stepping": dmi.number(cpu.get("stepping", "")),
        "id": firmware.get("ID"),
        "serial": meaningful(firmware.get("Serial Number")),
        "core": dmi.number(firmware.get("Core Enabled")) or cores,
        "corecount": dmi.number(firmware.get("Core Count")) or cores,
        "thread": max(1, len(threads) // cores),
        "speed": _speed(root, cpu) or dmi.number(firmware.get("Max Speed")) or _stated(cpu) or _measured(cpu),
        "external_clock": dmi.number(firmware.get("External Clock")),
        "cache": cpu.get("cache size", ""),
    }


def _sockets(root: Root) -> list[list[dict[str, str]]]:
    """Return the threads of each socket, as /proc/cpuinfo tells of them."""
    sockets: dict[str, list[dict[str, str]]] = {}
    for block in re.split(r"\n\s*\n", root.text("/proc/cpuinfo")):
        pairs = (line.partition(":") for line in block.splitlines())
        cpu = {key.strip(): value.strip() for key, _colon, value in pairs}
        if "processor" in cpu:
            sockets.setdefault(cpu.get("physical id", "0"), []).append(cpu)
    return list(sockets.values())


def _speed(root: Root, cpu: dict[str, str]) -> int:
    kilohertz = root.number(f"/sys/devices/system/cpu/cpu{cpu['processor']}/cpufreq/cpuinfo_max_freq")
    return (kilohertz or 0) // 1000


def _stated(cpu: dict[str, str]) -> int:
    """Return the MHz in a name such as ``Intel(R) Core(TM) i5-4210U CPU @ 1.70GHz``, rounded as it is."""
    found = re.search(r"@ (\d+(?:\.\d+)?)\s*GHz", cpu.get("model name", ""))
    return round(float(found[1]) * 1000) if found else 0


def _measured(cpu: dict[str, str]) -> int:
    """Return what the kernel measured, in hundreds of MHz: all that a virtual machine shows."""
    return round(dmi.number(cpu.get("cpu MHz", "")), -2)
