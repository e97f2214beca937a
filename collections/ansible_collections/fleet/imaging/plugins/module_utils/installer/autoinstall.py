# Copyright: (c) 2026, Fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Answers for Ubuntu's installer, subiquity (its autoinstall reference manual), as cloud-init's user-data."""

from __future__ import annotations

import json
import shlex
from typing import Any

from . import programs
from .request import Installation

NO_DISK = "/dev/fleet-disk"
"""There is no such disk: where the right one was not found, subiquity has none, and ends."""
PLACE = "/run/fleet"


def render(asked: Installation) -> str:
    """The file user-data: JSON, which is YAML. Nothing in it is secret."""
    return "#cloud-config\n" + json.dumps({"autoinstall": document(asked)}, ensure_ascii=False, indent=2) + "\n"


def metadata(asked: Installation) -> str:
    """The file meta-data, which cloud-init insists on."""
    return json.dumps({"instance-id": asked.folder}) + "\n"


def arguments(asked: Installation) -> list[str]:
    """What its kernel is told.

    The semicolon needs quotes in GRUB's configuration. casper fetches the medium over HTTP into memory.
    """
    return [
        "ip=dhcp",
        f"BOOTIF=01-{asked.folder}",
        f"url={asked.boot_server}/{asked.medium}",
        "cloud-config-url=/dev/null",
        "autoinstall",
        f"ds=nocloud-net;s={asked.address}/",
        *asked.arguments,
    ]


def document(asked: Installation) -> dict[str, Any]:
    """The autoinstall document."""
    layout, _parenthesis, variant = asked.keyboard.rstrip(")").partition("(")
    fqdn = f"{asked.hostname}.{asked.domain.name}" if asked.domain.name else asked.hostname
    found: dict[str, Any] = {
        "version": 1,
        "refresh-installer": {"update": False},
        "early-commands": [["sh", "-c", _write(asked.authority)], ["sh", "-c", _disk_command(asked)]],
        "locale": asked.locale,
        "keyboard": {"layout": layout, "variant": variant, "toggle": None},
        "timezone": asked.time_zone,
        "apt": {"preserve_sources_list": False, "geoip": False, "primary": [{"arches": ["default"], "uri": asked.mirror}]},
        "storage": {"layout": {"name": "lvm" if asked.partitioning == "lvm" else "direct", "match": {"path": NO_DISK}}},
        # No identity: it would be an account with a password in a file that is no secret.
        "user-data": {
            "hostname": asked.hostname,
            "fqdn": fqdn,
            "manage_etc_hosts": True,
            "users": [],
            "disable_root": False,
            # At its first start cloud-init would make other host keys than the one that Ansible knows.
            "ssh_deletekeys": False,
            "ssh_genkeytypes": ["ed25519"],
        },
        "ssh": {"install-server": True, "allow-pw": False},
        "packages": [*asked.desktop, *asked.all_packages],
        "updates": "all" if asked.updates else "security",
        "late-commands": [
            ["sh", f"{PLACE}/files", asked.files_address, f"{PLACE}/ca.pem", "/target"],
            ["curtin", "in-target", "--target=/target", "--", "sh", "/etc/fleet/install/finish.sh"],
        ],
        "shutdown": "reboot",
    }
    if asked.proxy:
        found["proxy"] = asked.proxy
    return found


def _write(authority: str) -> str:
    """The command that writes the programs where the installer runs."""
    written = (("disk", programs.DISK), ("files", programs.FILES), ("ca.pem", authority))
    return f"mkdir -p {PLACE}\n" + "".join(f"printf %s {shlex.quote(text)} >{PLACE}/{name}\n" for name, text in written)


def _disk_command(asked: Installation) -> str:
    """Put the disk's device into the answers, which subiquity reads again afterwards; end with 1, which ends the installation."""
    identity = shlex.join([asked.disk.serial, asked.disk.wwn, str(asked.disk.size or "")])
    return f'disk=$(sh {PLACE}/disk {identity}) || exit 1\nsed -i "s|{NO_DISK}|$disk|" /autoinstall.yaml'
