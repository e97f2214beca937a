# Copyright: (c) 2026, Fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What can be installed."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from ansible_collections.fleet.core.plugins.module_utils.errors import InputError

DESKTOPS = ("none", "gnome", "lxde", "lxqt", "mate", "xfce")


@dataclass(frozen=True)
class System:
    """A release of a distribution. desktops: for each choice, the packages (Ubuntu) or tasks of tasksel (Debian) that it means."""

    family: str
    version: str
    suite: str
    mirror: str
    desktops: Mapping[str, tuple[str, ...]]

    @property
    def name(self) -> str:
        return f"{self.family}-{self.version}"

    def desktop(self, name: str) -> tuple[str, ...]:
        """What to install for a desktop; raises InputError when this system has none of that name."""
        try:
            return self.desktops[name]
        except KeyError:
            there = ", ".join(sorted(self.desktops))
            raise InputError(f"{self.name} has no desktop {name!r}", remedy=f"Choose one of {there}") from None


_DEBIAN_DESKTOPS = {"none": (), **{name: (f"{name}-desktop",) for name in DESKTOPS if name != "none"}}
# Ubuntu's LXDE ended with 18.04: its flavour is LXQt.
_UBUNTU_DESKTOPS = {
    "none": (),
    "gnome": ("ubuntu-desktop-minimal",),
    "lxqt": ("lubuntu-desktop",),
    "mate": ("ubuntu-mate-desktop",),
    "xfce": ("xubuntu-desktop-minimal",),
}
_UBUNTU_MIRROR = "http://archive.ubuntu.com/ubuntu"

SYSTEMS = {
    system.name: system
    for system in (
        System("debian", "12", "bookworm", "http://deb.debian.org/debian", _DEBIAN_DESKTOPS),
        System("ubuntu", "22.04", "jammy", _UBUNTU_MIRROR, {**_UBUNTU_DESKTOPS, "xfce": ("xubuntu-desktop",)}),
        System("ubuntu", "24.04", "noble", _UBUNTU_MIRROR, _UBUNTU_DESKTOPS),
    )
}
