# Copyright: (c) 2026, Fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What several sections need to know of the running system."""

from __future__ import annotations

import os
import re
import time

from .root import Root


def host_name(root: Root) -> str:
    """Return the station's name as the kernel knows it."""
    return root.text("/proc/sys/kernel/hostname") or root.text("/etc/hostname")


def domain(root: Root) -> str:
    """Return the DNS domain of the station; empty when it has none."""
    found = re.search(r"^\s*(?:domain|search)\s+(\S+)", root.text("/etc/resolv.conf"), re.MULTILINE)
    return host_name(root).partition(".")[2] or (found[1].strip(".") if found else "")


def machine(root: Root) -> str:
    """Return the architecture as ``uname -m`` prints it."""
    return os.uname().machine if root.live else root.text("/proc/sys/kernel/arch")


def moment(seconds: float) -> str:
    """Return a time as reports write it: UTC, to the second."""
    return time.strftime("%Y-%m-%d %H:%M:%S", time.gmtime(seconds))
