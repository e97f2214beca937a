# Copyright: (c) 2026, Fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What stations registered at this boot server: read from the files of its boot service, which alone writes them."""

from __future__ import annotations

import json
import re
import time
from collections.abc import Collection, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, Optional

from ansible_collections.fleet.core.plugins.module_utils.command import available, run
from ansible_collections.fleet.core.plugins.module_utils.errors import FleetError
from ansible_collections.fleet.core.plugins.module_utils.lease.sighting import mac_address

PAUSE = 0.5
"""Seconds between two looks."""
_KEY = re.compile(r"(?:ssh-ed25519|ssh-rsa|ecdsa-sha2-nistp(?:256|384|521)) [A-Za-z0-9+/]{40,2000}={0,3}")


@dataclass(frozen=True)
class Registered:
    """One card: the host key of the imaging environment that started last, where the card is, and what it is to start next."""

    mac: str
    host_key: str = ""
    addresses: list[str] = field(default_factory=list)
    """IPv4, as this host's neighbour table knows them; none when the card is behind a router."""
    entry: str = ""
    expires: int = 0
    """When its token ends, in seconds since 1970; 0 when it has none."""
    is_expired: bool = False
    was_used: bool = False


def look(state: Path, macs: Sequence[str]) -> list[Registered]:
    """What is known of these cards. Raises FleetError when this host is no boot server."""
    if not state.is_dir():
        remedy = "Run playbooks/boot_server.yml for it, or name another as boot_server"
        raise FleetError(f"{state} is not there: this host is no boot server", remedy=remedy)
    near = neighbours()
    return [_read(state, mac, near.get(mac, [])) for mac in macs]


def wait(state: Path, macs: Sequence[str], known: Collection[str], timeout: float) -> list[Registered]:
    """Look until a card has a host key that is not among those known, for timeout seconds at most."""
    deadline = time.monotonic() + timeout
    while True:
        found = look(state, macs)
        if any(each.host_key and each.host_key not in known for each in found) or time.monotonic() >= deadline:
            return found
        time.sleep(PAUSE)


def as_dicts(found: Sequence[Registered]) -> list[dict[str, Any]]:
    """For the result of a module."""
    return [asdict(each) for each in found]


def _read(state: Path, mac: str, addresses: list[str]) -> Registered:
    name = mac.replace(":", "-")
    said = _station(state / "stations" / f"{name}.json")
    expires = said.get("expires", 0)
    expires = expires if isinstance(expires, int) else 0
    return Registered(
        mac,
        host_key(state / "host-keys" / name),
        addresses,
        str(said.get("entry", "")),
        expires,
        0 < expires <= time.time(),
        said.get("registered") is True,
    )


def host_key(path: Path) -> str:
    """The key in a file, as in known_hosts but without a name; empty when there is none. Raises FleetError for anything else.

    Some station sent it: it must not bring a line of its own into a known_hosts file.
    """
    text = _text(path)
    if text is None:
        return ""
    words = text.split(" ")
    key = " ".join(words[:2]).strip()
    if "\n" in text.strip() or not _KEY.fullmatch(key):
        raise FleetError(f"{path} does not hold one SSH host key", remedy="Remove it, and start the station from the network again")
    return key


def neighbours() -> dict[str, list[str]]:
    """The IPv4 addresses of each MAC address in this host's neighbour table."""
    found: dict[str, list[str]] = {}
    if not available("ip"):
        return found
    done = run(["ip", "-json", "-4", "neighbour", "show"], ok=None)
    try:
        listed = json.loads(done.stdout or "[]") if done.rc == 0 else []
    except ValueError:
        listed = []
    for each in listed:
        mac = mac_address(str(each.get("lladdr", "")))
        if mac and "FAILED" not in each.get("state", []):
            found.setdefault(mac, []).append(str(each.get("dst")))
    return found


def _station(path: Path) -> dict[str, Any]:
    """What the boot service keeps of a station; nothing when there is nothing, or nothing that can be read."""
    try:
        said = json.loads(_text(path) or "{}")
    except ValueError:
        return {}
    return said if isinstance(said, dict) else {}


def _text(path: Path) -> Optional[str]:
    try:
        return path.read_text(encoding="utf-8")
    except FileNotFoundError:
        return None
    except (OSError, UnicodeDecodeError) as error:
        raise FleetError(f"{path} cannot be read: {error}", remedy="Run this as root on the boot server") from error
