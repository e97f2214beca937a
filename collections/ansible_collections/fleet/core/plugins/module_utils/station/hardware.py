# Copyright: (c) 2026, Fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The section hardware: the machine as a whole."""

from __future__ import annotations

import re

from . import dmi
from . import smbios_words as words
from .logins import last_login
from .root import Root
from .row import Row, meaningful
from .system import domain, host_name

_HYPERVISORS = {
    "QEMU": "QEMU",
    "KVM": "QEMU",
    "VMware": "VMware",
    "innotek": "VirtualBox",
    "VirtualBox": "VirtualBox",
    "Xen": "Xen",
    "Microsoft Corporation Virtual": "Hyper-V",
    "Parallels": "Parallels",
    "Amazon EC2": "Amazon",
    "Google Compute": "Google",
    "OpenStack": "OpenStack",
    "Bochs": "QEMU",
}


def collect(root: Root) -> list[Row]:
    """Return the one row."""
    memory = dict(re.findall(r"^(\w+):\s+(\d+) kB", root.text("/proc/meminfo"), re.MULTILINE))
    login = last_login(root)
    return [
        {
            "name": host_name(root),
            "uuid": meaningful(dmi.first(root, words.SYSTEM).get("UUID")).upper(),
            "chassis_type": meaningful(dmi.first(root, words.CHASSIS).get("Type")),
            "vmsystem": virtual(root),
            "memory": int(memory.get("MemTotal", 0)) >> 10,
            "swap": int(memory.get("SwapTotal", 0)) >> 10,
            "defaultgateway": _gateway(root),
            "dns": "/".join(re.findall(r"^\s*nameserver\s+(\S+)", root.text("/etc/resolv.conf"), re.MULTILINE)),
            "workgroup": domain(root),
            "lastloggeduser": login.user,
            "datelastloggeduser": login.when,
        }
    ]


def virtual(root: Root) -> str:
    """Return what the station runs in: ``Physical``, the name of a hypervisor, or of a container engine."""
    container = root.text("/run/systemd/container") or ("docker" if root.exists("/.dockerenv") else "")
    if container:
        return container
    system = dmi.first(root, words.SYSTEM)
    names = " ".join((system.get("Manufacturer"), system.get("Product Name"), dmi.first(root, words.BIOS).get("Vendor")))
    known = next((name for mark, name in _HYPERVISORS.items() if mark in names), "")
    if known:
        return known
    return "virtual" if re.search(r"^flags\s*:.*\bhypervisor\b", root.text("/proc/cpuinfo"), re.MULTILINE) else "Physical"


def _gateway(root: Root) -> str:
    for line in root.text("/proc/net/route").splitlines()[1:]:
        fields = line.split()
        if len(fields) > 7 and fields[1] == "00000000" and fields[7] == "00000000" and re.fullmatch("[0-9A-F]{8}", fields[2]):
            # The kernel prints the address as a number of its own byte order: little-endian wherever Fleet runs.
            return ".".join(str(part) for part in reversed(bytes.fromhex(fields[2])))
    return ""
