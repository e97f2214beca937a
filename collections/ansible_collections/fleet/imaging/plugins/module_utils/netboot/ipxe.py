# Copyright: (c) 2026, Fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Scripts for iPXE, which starts stations with a BIOS (https://ipxe.org/cmd). Every way that fails ends at the local disk."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Optional

from .entry import DISK, MENU, System
from .texts import TASKS, TEXTS, plain

if TYPE_CHECKING:
    from .menu import Menu
    from .site import Site

LOCAL = "sanboot --no-describe --drive 0x80 || exit\n"
"""The first disk; without one, the BIOS tries its next device."""


def station_file(site: Site, mac: str, station: str, entry: str, system: Optional[System], arguments: tuple[str, ...]) -> Optional[str]:
    """What a card (52-54-00-77-00-01) is told; None for no file, which means the menu."""
    if entry == MENU:
        return None
    if entry == DISK or system is None:
        return f"#!ipxe\n# {station}: {entry}\n{LOCAL}"
    text = TEXTS[site.language]
    said = text["starting" if entry.startswith("imaging") else "installing"].format(station=station)
    return (
        f"#!ipxe\n# {station}: {entry}\necho {_words(said)}\n{start(site, system, (*bound(site, mac, entry), *arguments))}"
        f":local\necho {_words(text['failed'])}\nimgfree ||\n{LOCAL}"
    )


def bound(site: Site, mac: str, entry: str) -> tuple[str, ...]:
    """What the imaging environment is told of where it came from; an installer has words of its own."""
    return (f"fleet.boot={site.url}", f"BOOTIF=01-{mac}") if entry.startswith("imaging") else ()


def start(site: Site, system: System, arguments: tuple[str, ...]) -> str:
    """Load and start a kernel; what fails goes to the label local."""
    words = " ".join(
        ("initrd=initrd.img", *arguments, *site.arguments, *system.arguments) if system.initrd else (*arguments, *system.arguments)
    )
    lines = [f"kernel {site.url}/{system.kernel} {words}".rstrip() + " || goto local"]
    if system.initrd:
        lines.append(f"initrd --name initrd.img {site.url}/{system.initrd} || goto local")
    return "\n".join([*lines, "boot || goto local"]) + "\n"


def first(site: Site) -> str:
    """boot.ipxe: what every iPXE is told to fetch. One that runs on UEFI, as that of some network cards, hands over to shim and GRUB."""
    return f"""#!ipxe
iseq ${{platform}} efi && chain --autofree tftp://{site.address}/shimx64.efi ||
iseq ${{platform}} efi && exit ||
chain --autofree {site.url}/stations/${{netX/mac:hexhyp}}.ipxe || chain --autofree {site.url}/menu.ipxe ||
{LOCAL}"""


def menu_file(site: Site, menu: Menu) -> str:
    """menu.ipxe: the menu. The password is asked for here and checked by the boot service, which has the task's script."""
    text = TEXTS[site.language]
    entries = [f"item --gap -- {_words(text['station'])} ${{netX/mac}}  ${{netX/ip}}", f"item --key l local {_words(text['local'])}"]
    if menu.password:
        entries.append(f"item --gap -- {_words(text['maintenance'])}")
        entries += [f"item {name} {_words(title)}" for name, title in menu.maintenance(site.language)]
    asked = f"""clear username
clear password
login || goto start
chain --autofree http://${{username:uristring}}:${{password:uristring}}@{site.address}/maintenance/${{choice}}.ipxe || goto refused
:refused
clear password
echo {_words(text["refused"])}
sleep 3
goto start
"""
    return f"""#!ipxe
set wait {menu.timeout * 1000}
:start
clear choice
menu {_words(menu.title)}
{chr(10).join(entries)}
choose --default local --timeout ${{wait}} choice || goto local
set wait 60000
iseq ${{choice}} local && goto local ||
{asked if menu.password else ""}:local
imgfree ||
{LOCAL}"""


def maintenance_files(site: Site, menu: Menu) -> dict[str, str]:
    """The scripts behind the password, by name."""
    local = f":local\nimgfree ||\n{LOCAL}"
    where = (f"fleet.boot={site.url}", "BOOTIF=01-${netX/mac:hexhyp}")
    scripts = {task: start(site, menu.environment, (*where, f"fleet.task={task}")) for task in menu.tasks if task in TASKS}
    if "memtest" in menu.tasks:
        scripts["memtest"] = start(site, System("tools/memtest.bin"), ())
    for installer in menu.installers:
        scripts[f"install-{installer.name}"] = start(site, installer.system, ())
    return {name: f"#!ipxe\n{script}{local}" for name, script in scripts.items()}


def _words(text: str) -> str:
    """Text that is nothing else to iPXE: no variable, no operator."""
    return " ".join(re.sub(r"[^A-Za-z0-9 .,:;()'!?/+_-]", " ", plain(text)).split()).lstrip("-") or "Fleet"
