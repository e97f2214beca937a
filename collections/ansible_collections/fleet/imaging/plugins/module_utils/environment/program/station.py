# Copyright: (c) 2026, Fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Before sshd starts in the imaging environment: ask the boot server who this station is, make a host key, and have it registered.

The key is made in RAM and never leaves it. The boot server gives a token that counts once; with it the key becomes what Ansible verifies.
Without a boot server (USB key, recovery partition), or where it does not know the station, sshd starts all the same: then a person compares
the fingerprint on the screen. A boot server that refuses the token keeps sshd from starting, and is asked again.

This program runs on the station alone: standard library only. It writes /run/fleet/status.json for the console.
"""

from __future__ import annotations

import contextlib
import http.client
import json
import os
import re
import socket
import ssl
import subprocess
import time
import urllib.error
import urllib.request
from collections.abc import Mapping
from email.utils import parsedate_to_datetime
from pathlib import Path
from typing import Any, Optional
from urllib.parse import urlsplit

RUN = Path("/run/fleet")
KEY = RUN / "ssh_host_ed25519_key"
AUTHORITY = Path("/etc/fleet/ca.pem")
NETWORK = Path("/sys/class/net")
PAUSE = 5.0
"""Seconds between two attempts."""

_NAME = re.compile(r"[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?", re.IGNORECASE)


class Refused(Exception):
    """The boot server does not accept the token or the key."""


def arguments(text: str) -> dict[str, str]:
    """Return the kernel's command line as a mapping; the last of several counts."""
    return dict(word.split("=", 1) for word in text.split() if "=" in word)


def plain_mac(text: str) -> str:
    """Return a MAC as the boot server names it (52-54-00-77-00-01), from any notation, with or without the hardware type of BOOTIF."""
    digits = re.sub(r"[^0-9a-f]", "", text.lower())[-12:]
    return "-".join(digits[at : at + 2] for at in range(0, 12, 2))


def service_of(boot: str) -> str:
    """Return where the boot service answers (https://HOST) for the value of fleet.boot; an address of IPv6 stays in its brackets."""
    host = urlsplit(boot).hostname or ""
    return f"https://[{host}]" if ":" in host else f"https://{host}"


def cards(network: Path = NETWORK) -> dict[str, str]:
    """Return the wired network cards: name -> MAC as the boot server names it."""
    found = {}
    for folder in sorted(network.iterdir()):
        if (folder / "device").exists() and not (folder / "wireless").exists() and (folder / "type").read_text().strip() == "1":
            found[folder.name] = plain_mac((folder / "address").read_text())
    return found


def address_of(card: str) -> str:
    """Return the card's first IPv4 address that others can reach, or an empty text."""
    done = subprocess.run(["ip", "-json", "-4", "address", "show", "dev", card], capture_output=True, check=False)
    with contextlib.suppress(ValueError):
        for link in json.loads(done.stdout):  # empty objects stand for what the options leave out
            for each in link.get("addr_info", ()):
                if each.get("scope") == "global":
                    return str(each["local"])
    return ""


def connected(wanted: str) -> tuple[str, str, str]:
    """Return card, MAC and address of the card that has an address now, that with the wanted MAC first; empty texts when none has."""
    found = sorted(cards().items(), key=lambda each: each[1] != wanted)
    for card, mac in found:
        address = address_of(card)
        if address:
            return card, mac, address
    return "", "", ""


def make_key(path: Path) -> tuple[str, str]:
    """Return the public half and the fingerprint of a new ed25519 key in this file; one that is there stays."""
    path.parent.mkdir(parents=True, exist_ok=True)
    if not path.exists():
        subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", "", "-f", str(path)], check=True)
    shown = subprocess.run(["ssh-keygen", "-l", "-f", f"{path}.pub"], check=True, capture_output=True, text=True)
    return " ".join(path.with_name(f"{path.name}.pub").read_text().split()[:2]), shown.stdout.split()[1]


class Status:
    """What the console shows, in a file that is always whole."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.values: dict[str, Any] = {"state": "starting"}

    def set(self, **values: Any) -> None:
        """Change values and write them."""
        self.values.update(values)
        draft = self.path.with_suffix(".new")
        draft.write_text(json.dumps(self.values), encoding="utf-8")
        draft.replace(self.path)


class BootService:
    """The boot server's service as a station sees it."""

    def __init__(self, url: str, authority: Path) -> None:
        self.url = url
        self._context = ssl.create_default_context(cafile=str(authority))
        self._opener = urllib.request.build_opener(urllib.request.ProxyHandler({}), urllib.request.HTTPSHandler(context=self._context))

    def station(self, mac: str) -> Optional[Mapping[str, Any]]:
        """Return what the boot server says of the station with this MAC, or None when it knows none; OSError when it does not answer."""
        try:
            answer = self._ask(urllib.request.Request(f"{self.url}/station/{mac}"))
        except urllib.error.HTTPError as error:
            if error.code == 404:
                return None
            if error.code >= 500:
                raise OSError(said(error)) from error
            raise Refused(said(error)) from error
        return answer if isinstance(answer, dict) else None

    def register(self, mac: str, token: str, host_key: str) -> None:
        """Have the key registered; raise Refused when the boot server does not accept the token, OSError when it does not answer."""
        body = json.dumps({"token": token, "host_key": host_key}).encode()
        headers = {"Content-Type": "application/json"}
        try:
            self._ask(urllib.request.Request(f"{self.url}/station/{mac}/host-key", data=body, headers=headers, method="POST"))
        except urllib.error.HTTPError as error:
            if error.code >= 500:
                raise OSError(said(error)) from error
            raise Refused(said(error)) from error

    def _ask(self, request: urllib.request.Request) -> Any:
        with self._opener.open(request, timeout=30) as response:
            text = response.read(1 << 20)
        try:
            return json.loads(text) if text else None
        except ValueError as error:
            raise OSError(f"{request.full_url} answers with no JSON") from error


def said(error: urllib.error.HTTPError) -> str:
    """Return an answer's status and the beginning of its text."""
    with contextlib.suppress(OSError):
        text = error.read(200).decode(errors="replace").strip()
        return f"{error.code} {error.reason}: {text}" if text else f"{error.code} {error.reason}"
    return f"{error.code} {error.reason}"


def mend_clock(boot: str) -> None:
    """Set the clock forward to the boot server's when it is behind: with an empty battery every certificate is not yet valid."""
    parts = urlsplit(boot)
    with contextlib.suppress(OSError, ValueError, TypeError, http.client.HTTPException):
        connection = http.client.HTTPConnection(parts.hostname or "", parts.port or 80, timeout=10)
        try:
            connection.request("HEAD", "/environment/root.img")
            theirs = parsedate_to_datetime(connection.getresponse().getheader("Date") or "").timestamp()
        finally:
            connection.close()
        if theirs > time.time() + 60:
            time.clock_settime(time.CLOCK_REALTIME, theirs)


def name_station(name: str) -> None:
    """Give the running system this name, if it is one."""
    if _NAME.fullmatch(name):
        socket.sethostname(name)
        Path("/etc/hostname").write_text(f"{name}\n", encoding="utf-8")
        with Path("/etc/hosts").open("a", encoding="utf-8") as hosts:
            hosts.write(f"127.0.1.1 {name}\n")


def introduce(service: BootService, mac: str, host_key: str, status: Status) -> str:
    """Ask who this station is and have its key registered; return the state that follows: ``registered`` or ``unknown``."""
    known = service.station(mac)
    if known is None:
        return "unknown"
    name = str(known.get("name") or "")
    status.set(name=name, language=str(known.get("language") or status.values.get("language", "")))
    name_station(name)
    token = str(known.get("token") or "")
    if not token:
        return "unknown"
    service.register(mac, token, host_key)
    return "registered"


def main() -> None:
    """Return when sshd may start."""
    os.umask(0o077)
    RUN.mkdir(parents=True, exist_ok=True)
    said_to_kernel = arguments(Path("/proc/cmdline").read_text())
    boot = said_to_kernel.get("fleet.boot", "")
    status = Status(RUN / "status.json")
    status.set(language=said_to_kernel.get("fleet.language", ""), boot=boot)
    host_key, fingerprint = make_key(KEY)
    status.set(fingerprint=fingerprint, state="connecting")
    wanted = plain_mac(said_to_kernel.get("BOOTIF", ""))
    card, mac, address = connected(wanted)
    while boot and not card:
        time.sleep(0.2)
        card, mac, address = connected(wanted)
    status.set(card=card, mac=mac, address=address)
    if not boot:
        status.set(state="alone")
        return
    mend_clock(boot)
    while True:
        try:
            service = BootService(said_to_kernel.get("fleet.service") or service_of(boot), AUTHORITY)
            status.set(state=introduce(service, mac, host_key, status), message="")
            return
        except Refused as error:
            status.set(state="refused", message=str(error))
        except (OSError, http.client.HTTPException) as error:
            status.set(state="unreachable", message=str(error))
        time.sleep(PAUSE)


if __name__ == "__main__":
    main()
