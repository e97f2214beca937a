# Copyright: (c) 2026, Fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The section antivirus: ClamAV, which Debian, Ubuntu and Fedora have, and how old its signatures are."""

from __future__ import annotations

import re
import time
from datetime import datetime, timezone
from typing import Optional

from ..errors import ToolError
from .root import Root
from .row import Row

SIGNATURES = "/var/lib/clamav"
FRESH = 7 * 86400
"""Seconds for which signatures are up to date; new ones come every day."""
_HEADER = re.compile(r"ClamAV-VDB:(\d{1,2} \w{3} \d{4} \d\d-\d\d [+-]\d{4}):(\d+):")
_RUNS = ("/run/clamav/clamd.ctl", "/run/clamav/clamd.pid", "/run/clamd.scan/clamd.sock", "/run/clamd.scan/clamd.pid")


def collect(root: Root) -> list[Row]:
    """Return one row, or none where ClamAV is not installed. Enabled means that its daemon runs."""
    if not root.exists("/usr/bin/clamscan") and not root.exists("/usr/sbin/clamd"):
        return []
    signatures = _signatures(root)
    return [
        {
            "name": "ClamAV",
            "company": "Cisco",
            "version": _version(root),
            "base_version": signatures[0] if signatures else "",
            "base_creation": signatures[1].strftime("%Y-%m-%dT%H:%M:%SZ") if signatures else "",
            "enabled": any(root.exists(name) for name in _RUNS),
            "uptodate": bool(signatures and time.time() - signatures[1].timestamp() < FRESH),
        }
    ]


def _version(root: Root) -> str:
    """``clamscan --version`` prints ``ClamAV 1.0.7/27533/Sat Jan 25 09:35:33 2025``, without signatures the first part alone."""
    try:
        found = re.match(r"ClamAV ([^/\s]+)", root.tool("clamscan", "--version"))
    except ToolError:
        found = None
    return found[1] if found else ""


def _signatures(root: Root) -> Optional[tuple[str, datetime]]:
    """Version and time of the daily signatures, from the first 512 bytes of their file (``man sigtool``, --info)."""
    newest: Optional[tuple[str, datetime]] = None
    for name in ("daily.cld", "daily.cvd"):
        try:
            with open(root.at(f"{SIGNATURES}/{name}"), "rb") as file:
                header = _HEADER.match(file.read(512).decode("ascii", "replace"))
            made = datetime.strptime(header[1], "%d %b %Y %H-%M %z").astimezone(timezone.utc) if header else None
        except (OSError, ValueError):
            continue
        if header and made and (newest is None or made > newest[1]):
            newest = (header[2], made)
    return newest
