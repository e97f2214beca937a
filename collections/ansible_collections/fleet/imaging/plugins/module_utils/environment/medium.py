# Copyright: (c) 2026, Fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The medium: one file that starts from a USB key (written as it is), a CD, or UEFI's HTTP Boot, Secure Boot on or off.

ISO 9660 with the label FLEET; El Torito and a GPT with an EFI system partition: Debian's signed shim and GRUB for UEFI, a GRUB core image
made of Debian's modules for a BIOS. GRUB's signed image for CDs looks for the file /.disk/info to find the medium it came from.
"""

from __future__ import annotations

import os
import shutil
import tempfile
from pathlib import Path

from ansible_collections.fleet.core.plugins.module_utils.command import run

from .image import Image
from .layer import settle
from .recipe import EPOCH

LABEL = "FLEET"

MODULES = (
    *("biosdisk", "iso9660", "part_gpt", "part_msdos", "fat", "ext2", "search", "search_label", "search_fs_file", "normal", "configfile"),
    *("linux", "linux16", "echo", "test", "ls", "cat", "reboot", "halt", "serial", "terminal", "minicmd", "all_video", "gfxterm", "sleep"),
)
"""Of GRUB for a BIOS."""

_EARLY = "search --no-floppy --file --set=root /.disk/info\nset prefix=($root)/boot/grub\n"

_TEXTS = {
    "en": ("Fleet imaging environment", "With a serial console", "Start from the local disk", "Memory test"),
    "fr": ("Environnement d'imagerie Fleet", "Avec une console série", "Démarrer du disque local", "Test de la mémoire"),
}


def menu(language: str, arguments: str) -> str:
    """Return the medium's grub.cfg; arguments are added to the kernel's command line."""
    imaging, serial, local, memory = _TEXTS.get(language, _TEXTS["en"])
    command = f"/fleet/vmlinuz quiet panic=60 fleet.language={language} {arguments}".rstrip()
    return f"""\
serial --unit=0 --speed=115200
terminal_input console serial
terminal_output console serial
set timeout=10
set default=0
menuentry "{imaging}" {{
    linux {command} console=ttyS0,115200 console=tty0
    initrd /fleet/initrd.img
}}
menuentry "{serial}" {{
    linux {command} console=tty0 console=ttyS0,115200
    initrd /fleet/initrd.img
}}
if [ "$grub_platform" = pc ]; then
    menuentry "{memory}" {{
        linux16 /boot/memtest86+x64.bin
    }}
    menuentry "{local}" {{
        set root=(hd1)
        chainloader +1
    }}
else
    menuentry "{memory}" {{
        chainloader /boot/memtest86+x64.efi
    }}
    menuentry "{local}" {{
        exit
    }}
fi
"""


def write(image: Image, files: dict[str, Path], config: str, target: Path) -> None:
    """Write the medium with these files in its folder ``fleet``, and this grub.cfg. The same input gives the same bytes."""
    with tempfile.TemporaryDirectory(prefix=".medium-", dir=target.parent) as temporary:
        work = Path(temporary)
        tree = work / "tree"
        for folder in (".disk", "boot/grub", "fleet", "EFI/BOOT"):
            (tree / folder).mkdir(parents=True)
        (tree / ".disk/info").write_text("Fleet imaging environment\n", encoding="utf-8")
        (tree / "boot/grub/grub.cfg").write_text(config, encoding="utf-8")
        for name, path in files.items():
            _place(path, tree / "fleet" / name)
        for path in sorted(image.loaders.glob("boot/memtest86+x64.*")):
            _place(path, tree / "boot" / path.name)
        for name, path in efi_files(image).items():
            _place(path, tree / "EFI/BOOT" / name)
        _bios_image(image, work, tree / "boot/grub/bios.img")
        _efi_image(tree / "EFI", work / "efi.img")
        settle(tree)
        # env: a program of xorriso's age takes times and identifiers of the medium from it.
        argv = ["env", f"SOURCE_DATE_EPOCH={EPOCH}", "xorriso", "-no_rc", "-as", "mkisofs", "-quiet", "-r", "-volid", LABEL]
        argv += ["-graft-points", "--modification-date=2026010100000000", "--sort-weight", "0", "/"]
        argv += ["-b", "boot/grub/bios.img", "-no-emul-boot", "-boot-load-size", "4", "-boot-info-table", "--grub2-boot-info"]
        argv += ["--grub2-mbr", str(image.loaders / "usr/lib/grub/i386-pc/boot_hybrid.img"), "--protective-msdos-label"]
        argv += ["-append_partition", "2", "0xef", str(work / "efi.img"), "-appended_part_as_gpt", "-partition_offset", "16"]
        argv += ["-eltorito-alt-boot", "-e", "--interval:appended_partition_2:all::", "-no-emul-boot"]
        draft = work / "medium.iso"
        run([*argv, "-o", str(draft), str(tree)])
        os.replace(draft, target)


def efi_files(image: Image) -> dict[str, Path]:
    """Return what a removable medium has in EFI/BOOT, by name: shim, GRUB, and shim's keys."""
    return {
        "BOOTX64.EFI": image.loaders / "usr/lib/shim/shimx64.efi.signed",
        "grubx64.efi": image.loaders / "usr/lib/grub/x86_64-efi-signed/gcdx64.efi.signed",
        "mmx64.efi": image.loaders / "usr/lib/shim/mmx64.efi.signed",
    }


def _place(source: Path, target: Path) -> None:
    try:
        os.link(source, target)
    except OSError:
        shutil.copyfile(source, target)


def _bios_image(image: Image, work: Path, target: Path) -> None:
    folder = image.loaders / "usr/lib/grub/i386-pc"
    early = work / "early.cfg"
    early.write_text(_EARLY, encoding="utf-8")
    core = work / "core.img"
    argv = ["grub-mkimage", "--format=i386-pc", f"--directory={folder}", "--prefix=/boot/grub", f"--config={early}", f"--output={core}"]
    run([*argv, *MODULES])
    target.write_bytes((folder / "cdboot.img").read_bytes() + core.read_bytes())


def _efi_image(folder: Path, target: Path) -> None:
    size = sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())
    with target.open("wb") as file:
        file.truncate((size // (1 << 20) + 2) << 20)
    date = ["env", f"SOURCE_DATE_EPOCH={EPOCH}"]
    settle(folder)
    run([*date, "mformat", "-i", str(target), "-N", "46544c45", "-v", "FLEET-EFI", "::"])
    run([*date, "mcopy", "-i", str(target), "-s", "-m", str(folder), "::"])
