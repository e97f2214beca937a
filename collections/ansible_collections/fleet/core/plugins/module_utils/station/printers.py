# Copyright: (c) 2026, Fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The section printers: the queues of CUPS. A queue's state is left out: it is another whenever somebody prints."""

from __future__ import annotations

import re
from urllib.parse import urlsplit, urlunsplit

from .root import Root
from .row import Row

CONFIGURATION = "/etc/cups/printers.conf"
_NETWORK = ("ipp", "ipps", "http", "https", "socket", "lpd", "smb", "dnssd")


def collect(root: Root) -> list[Row]:
    """Return the queues that CUPS has; as one who may not read its configuration, those that it names."""
    text = root.text(CONFIGURATION)
    if text or not root.has("lpstat"):
        return parse(text)
    # lpstat fails where no scheduler runs, and where there is no queue.
    found = re.findall(r"^device for (.+?): (.+)$", root.tool("lpstat", "-v", ok=None), re.MULTILINE)
    return [_row(name, {"DeviceURI": uri}) for name, uri in found]


def parse(text: str) -> list[Row]:
    """Read printers.conf(5)."""
    rows: list[Row] = []
    blocks = re.findall(r"^<(?:Default)?Printer ([^>\n]+)>\n(.*?)^</(?:Default)?Printer>", text, re.MULTILINE | re.DOTALL)
    for name, block in blocks:
        rows.append(_row(name, dict(re.findall(r"^(\w+) +(.+)$", block, re.MULTILINE))))
    return rows


def _row(name: str, values: dict[str, str]) -> Row:
    uri = without_secrets(values.get("DeviceURI", ""))
    serial = re.search(r"[?&]serial=([^&]+)", uri)
    return {
        "name": name,
        "driver": values.get("MakeModel", ""),
        "port": uri,
        "description": values.get("Info", ""),
        "comment": values.get("Location", ""),
        "serial": serial[1] if serial else "",
        "network": uri.partition(":")[0] in _NETWORK or ":/net/" in uri,
        "shared": values.get("Shared") == "Yes",
    }


def without_secrets(uri: str) -> str:
    """Return a URI without user and password, which queues on Windows servers carry."""
    try:
        parts = urlsplit(uri)
    except ValueError:
        return uri.partition(":")[0] + ":"
    return urlunsplit(parts._replace(netloc=parts.netloc.rpartition("@")[2])) if "@" in parts.netloc else uri
