# Copyright: (c) 2026, Fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The section operatingsystem. Times are UTC."""

from __future__ import annotations

import contextlib
import os
import re
import time

from .root import Root
from .row import Row
from .system import domain, host_name, machine, moment

_LINE = re.compile(r"^([A-Z_]+)=(?:\"(.*)\"|'(.*)'|(.*))$", re.MULTILINE)
_INSTALLER = ("/var/log/installer", "/var/log/anaconda", "/root/anaconda-ks.cfg")


def collect(root: Root) -> list[Row]:
    """Return the one row."""
    release = {name: a or b or c for name, a, b, c in _LINE.findall(root.text("/etc/os-release") or root.text("/usr/lib/os-release"))}
    name, own_domain = host_name(root), domain(root)
    return [
        {
            "name": release.get("NAME", "Linux").replace(" GNU/Linux", "").replace(" Linux", ""),
            # Debian's point releases stand in a file of their own.
            "version": _debian(root, release) or release.get("VERSION_ID", ""),
            "full_name": release.get("PRETTY_NAME", ""),
            "arch": machine(root),
            "kernel_name": "linux",
            "kernel_version": os.uname().release if root.live else root.text("/proc/sys/kernel/osrelease"),
            "fqdn": name if "." in name or not own_domain else f"{name}.{own_domain}",
            "dns_domain": own_domain,
            "ssh_key": _ssh_key(root),
            "boot_time": _boot_time(root),
            "install_date": _install_date(root),
            **_time_zone(root),
        }
    ]


def _debian(root: Root, release: dict[str, str]) -> str:
    version = root.text("/etc/debian_version") if release.get("ID") == "debian" else ""
    return version if re.fullmatch(r"\d+(\.\d+)*", version) else ""


def _ssh_key(root: Root) -> str:
    keys = (root.text(f"/etc/ssh/ssh_host_{kind}_key.pub") for kind in ("ed25519", "ecdsa", "rsa"))
    return " ".join(next((key for key in keys if key), "").split()[:2])


def _boot_time(root: Root) -> str:
    found = re.search(r"^btime (\d{1,12})$", root.text("/proc/stat"), re.MULTILINE)
    return moment(int(found[1])) if found else ""


def _install_date(root: Root) -> str:
    for name in _INSTALLER:
        try:
            return moment(os.stat(root.at(name)).st_mtime)
        except OSError:
            continue
    return ""


def _time_zone(root: Root) -> Row:
    """Return the zone's name and its offset in winter or summer, whichever holds now."""
    name = root.text("/etc/timezone")
    with contextlib.suppress(OSError):
        name = os.readlink(root.at("/etc/localtime")).partition("zoneinfo/")[2] or name
    return {"timezone": name, "timezone_offset": time.strftime("%z")} if root.live else {"timezone": name}
