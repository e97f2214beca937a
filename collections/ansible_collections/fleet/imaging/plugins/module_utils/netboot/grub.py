# Copyright: (c) 2026, Fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Configuration for GRUB, which Debian's shim starts on UEFI, with Secure Boot or without.

Every path names the boot server's address: what GRUB takes for its server is the DHCP server's word (record 0047). ``[ -f ]`` is never
true over TFTP, so a file that may not be there is sourced, and its absence falls through.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Optional

from . import ipxe
from .entry import DISK, MENU, System
from .texts import TASKS, TEXTS

if TYPE_CHECKING:
    from .menu import Menu
    from .site import Site


def station_file(site: Site, mac: str, station: str, entry: str, system: Optional[System], arguments: tuple[str, ...]) -> Optional[str]:
    """What a card (52-54-00-77-00-01) is told; None for no file, which means the menu."""
    if entry == MENU:
        return None
    local = f"source {_place(site, 'grub/local.cfg')}\n"
    if entry == DISK or system is None:
        return f"# {station}: {entry}\n{local}"
    text = TEXTS[site.language]
    said = text["starting" if entry.startswith("imaging") else "installing"].format(station=station)
    tried = start(site, system, (*ipxe.bound(site, mac, entry), *arguments))
    return f"# {station}: {entry}\necho {quoted(said)}\n{tried}\necho {quoted(text['failed'])}\n{local}"


def start(site: Site, system: System, arguments: tuple[str, ...]) -> str:
    """Commands that load a kernel, and start it when all of it is there. GRUB's shell has no ``&&``."""
    words = [*arguments, *(site.arguments if system.initrd else ()), *system.arguments]
    loads = " ".join(["linux", _place(site, system.kernel), *map(_word, words)])
    if not system.initrd:
        return f"if {loads}; then boot; fi"
    return f"if {loads}; then\n  if initrd {_place(site, system.initrd)}; then boot; fi\nfi"


def local_file(menu: Menu) -> str:
    """local.cfg: the system on this station's own disk. ``exit`` is last, because not every firmware goes on after it."""
    loaders = "\n".join(
        f"if search --no-floppy --file --set=root /EFI/{each}; then\n  if chainloader /EFI/{each}; then boot; fi\nfi"
        for each in menu.loaders
    )
    return f"{loaders}\nexit\n"


def menu_file(site: Site, menu: Menu) -> str:
    """grub.cfg: the station's own file if there is one, and the menu."""
    text = TEXTS[site.language]
    parts = " ".join(f"--set={number}:mac{number}" for number in range(1, 7))
    local = f"  source {_place(site, 'grub/local.cfg')}"
    entries = [_entry("local", text["local"], [local], free=True)]
    if menu.password:
        entries += [_entry(name, title, _task(site, menu, name)) for name, title in menu.maintenance(site.language)]
        password = f"set superusers={_word(menu.user)}\npassword_pbkdf2 {_word(menu.user)} {menu.password}\n"
    else:
        password = "set superusers=nobody\n"  # who has no password here: nobody edits an entry, or gets a command line
    graphical = f"""insmod all_video
insmod gfxterm
insmod gfxmenu
if loadfont unicode; then
  set gfxmode=auto
  if terminal_output gfxterm; then set theme={_place(site, "grub/theme.txt")}; fi
fi
"""
    return f"""# What stations with UEFI are told: docs/netboot/boot-server.md
set default=local
set timeout={menu.timeout}
regexp {parts} '^(..):(..):(..):(..):(..):(..)$' "$net_default_mac"
set station="$mac1-$mac2-$mac3-$mac4-$mac5-$mac6"
export station
if source (tftp,{site.address})/stations/$station.cfg; then true; fi
{graphical if menu.style == "graphical" else ""}{password}{"".join(entries)}"""


def theme_file(site: Site, menu: Menu) -> str:
    """theme.txt of GRUB's graphical menu (https://www.gnu.org/software/grub/manual/grub/grub.html#Theme-file-format)."""
    text = TEXTS[site.language]
    picture = f'desktop-image: "{menu.picture}"\n' if menu.picture else ""
    return f"""title-text: ""
desktop-color: "{menu.colours[0]}"
{picture}terminal-font: "Unifont Regular 16"
+ label {{
  left = 10% top = 12% width = 80% align = "center"
  text = "{_inner(menu.title)}" color = "{menu.colours[1]}" font = "Unifont Regular 16"
}}
+ boot_menu {{
  left = 20% top = 25% width = 60% height = 55%
  item_color = "{menu.colours[1]}" selected_item_color = "{menu.colours[2]}"
  item_font = "Unifont Regular 16" selected_item_font = "Unifont Regular 16"
  item_height = 28 item_padding = 8 item_spacing = 4 scrollbar = false
}}
+ progress_bar {{
  id = "__timeout__" left = 20% top = 85% width = 60% height = 24
  fg_color = "{menu.colours[2]}" bg_color = "{menu.colours[0]}" border_color = "{menu.colours[1]}" text_color = "{menu.colours[1]}"
  font = "Unifont Regular 16" text = "{_inner(text["countdown"])}"
}}
"""


def quoted(text: str) -> str:
    """Text in single quotes, as a shell has them."""
    return "'" + _printable(text).replace("'", "'\\''") + "'"


def _task(site: Site, menu: Menu, name: str) -> list[str]:
    """The commands of an entry behind the password."""
    if name in TASKS:
        where = (f"fleet.boot={site.url}", "BOOTIF=01-$station", f"fleet.task={name}")
        return [start(site, menu.environment, where)]
    if name == "memtest":
        return [f"  chainloader {_place(site, 'tools/memtest.efi')}"]
    return [start(site, each.system, ()) for each in menu.installers if name == f"install-{each.name}"]


def _entry(name: str, title: str, commands: list[str], *, free: bool = False) -> str:
    rights = " --unrestricted" if free else ""
    return "\n".join([f"menuentry {quoted(title)} --id {name}{rights} {{", *commands, "}"]) + "\n"


def _place(site: Site, path: str) -> str:
    return f"(tftp,{site.address})/{path}"


def _word(text: str) -> str:
    return text if re.fullmatch(r"[A-Za-z0-9._,:/=+@%$-]+", text) else quoted(text)


def _inner(text: str) -> str:
    return _printable(text).replace("\\", " ").replace('"', " ")


def _printable(text: str) -> str:
    return "".join(character if character.isprintable() else " " for character in text)
