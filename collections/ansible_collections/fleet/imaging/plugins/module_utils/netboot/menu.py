# Copyright: (c) 2026, Fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The boot menu of a site, for both loaders, written where they fetch it."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ansible_collections.fleet.core.plugins.module_utils.errors import InputError

from . import files, grub, ipxe, names
from .entry import ENVIRONMENT, System
from .site import Site
from .texts import TASKS, TEXTS

STYLES = ("graphical", "text")
LOADERS = (
    "debian/shimx64.efi",
    "ubuntu/shimx64.efi",
    "fedora/shimx64.efi",
    "opensuse/shim.efi",
    "Microsoft/Boot/bootmgfw.efi",
    "debian/grubx64.efi",
    "BOOT/BOOTX64.EFI",
)
"""Below /EFI of a disk, the first that is there starts. A Linux beside Windows has Windows in its own menu; Windows' has no Linux."""
_HASH = re.compile(r"grub\.pbkdf2\.sha512\.[1-9][0-9]{3,6}\.[0-9A-F]{16,256}\.[0-9A-F]{128}")
_COLOUR = re.compile(r"#[0-9A-Fa-f]{6}")


@dataclass(frozen=True)
class Installer:
    """An installer that the menu offers."""

    name: str
    title: str
    system: System


@dataclass(frozen=True)
class Menu:
    """What the menu shows. Without a password, only the local disk is in it."""

    title: str = "Fleet"
    timeout: int = 5
    """Seconds until the local disk starts."""
    user: str = "admin"
    password: str = ""
    """A hash, as grub-mkpasswd-pbkdf2 prints it."""
    style: str = "graphical"
    tasks: tuple[str, ...] = (*TASKS, "memtest")
    installers: tuple[Installer, ...] = ()
    loaders: tuple[str, ...] = LOADERS
    colours: tuple[str, ...] = ("#1d2b3a", "#c9d4df", "#ff9d3c")
    """Background, text, what is chosen."""
    picture: str = ""
    environment: System = ENVIRONMENT

    def checked(self) -> Menu:
        """The same; InputError for what a loader would misunderstand."""
        if self.password and not _HASH.fullmatch(self.password):
            raise InputError(
                "The menu's password is not a hash of the kind grub.pbkdf2.sha512",
                remedy="Make one with grub-mkpasswd-pbkdf2, and keep it in a vault",
            )
        if not re.fullmatch(r"[A-Za-z][A-Za-z0-9_-]{0,31}", self.user):
            raise InputError(f"{names.shown(self.user)} is no name of the menu's user", remedy="It has letters, digits, - and _")
        if not 1 <= self.timeout <= 3600:
            raise InputError(
                f"A menu cannot wait for {self.timeout} s", remedy="Let it wait for 1 to 3600 s: a station nobody sits at must start"
            )
        unknown = sorted(set(self.tasks) - {*TASKS, "memtest"})
        if unknown:
            raise InputError(f"{', '.join(unknown)} is no entry of the menu", remedy=f"There are {', '.join((*TASKS, 'memtest'))}")
        if not self.loaders or [each for each in map(names.below, self.loaders) if " " in each]:
            raise InputError("No loader of a local disk is named", remedy="Name paths below /EFI, as debian/shimx64.efi")
        if self.picture and not self.picture.endswith(".png"):
            raise InputError(f"{names.shown(self.picture)} is no PNG picture", remedy="GRUB shows PNG pictures, of 8 bits a colour")
        wrong = [each for each in self.colours if not _COLOUR.fullmatch(each)]
        if wrong or len(self.colours) != 3:
            raise InputError("The menu has three colours, as #1d2b3a: background, text, and what is chosen")
        for installer in self.installers:
            names.below(installer.name)
            installer.system.checked()
        return self

    def maintenance(self, language: str) -> list[tuple[str, str]]:
        """Names and titles of what is behind the password, in order."""
        text = TEXTS[language]
        tasks = [(task, text[task]) for task in (*TASKS, "memtest") if task in self.tasks]
        return tasks + [(f"install-{each.name}", text["installer"].format(name=each.title)) for each in self.installers]


def from_params(params: dict[str, Any]) -> Menu:
    """A menu from the options of the module boot_menu."""
    installers = tuple(
        Installer(each["name"], each["title"], System(each["kernel"], each["initrd"], tuple(each["arguments"])))
        for each in params["installers"]
    )
    return Menu(
        params["title"],
        params["timeout"],
        params["user"],
        params["password_hash"],
        params["style"],
        tuple(params["tasks"]),
        installers,
        tuple(params["loaders"] or LOADERS),
        tuple(params["colours"]),
        params["picture"],
    )


@dataclass(frozen=True)
class Written:
    """A file of the menu."""

    text: str
    mode: int = 0o644
    owner: str = ""


def contents(site: Site, menu: Menu) -> dict[Path, Written]:
    """All files of a menu. What is behind the password is in the boot server's state, where only the boot service reads it."""
    menu.checked()
    account = {"user": menu.user, "password": menu.password} if menu.password else {}
    found = {
        site.http / "boot.ipxe": Written(ipxe.first(site)),
        site.http / "menu.ipxe": Written(ipxe.menu_file(site, menu)),
        site.tftp / "grub/grub.cfg": Written(grub.menu_file(site, menu)),
        site.tftp / "grub/local.cfg": Written(grub.local_file(menu)),
        site.tftp / "grub/theme.txt": Written(grub.theme_file(site, menu)),
        site.state / "menu.json": Written(json.dumps(account) + "\n", 0o600, site.user),
    }
    if menu.password:
        scripts = ipxe.maintenance_files(site, menu)
        found.update({site.state / "maintenance" / f"{name}.ipxe": Written(text, 0o600, site.user) for name, text in scripts.items()})
    return found


def apply(site: Site, menu: Menu, *, check: bool) -> list[str]:
    """Write what differs, and remove scripts of entries that are gone; the paths that changed (or would)."""
    wanted = contents(site, menu)
    with files.locked(site.state):
        gone = [path for path in sorted((site.state / "maintenance").glob("*.ipxe")) if path not in wanted]
        changed = [path for path, file in wanted.items() if files.read(path) != file.text]
        if not check:
            for path in changed:
                files.write(path, wanted[path].text, mode=wanted[path].mode, owner=wanted[path].owner)
            for path in gone:
                files.remove(path)
    return [str(path) for path in (*changed, *gone)]
