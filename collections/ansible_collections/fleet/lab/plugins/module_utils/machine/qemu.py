# Copyright: (c) 2026, Fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""QEMU's command line for a machine, and whether KVM works."""

from __future__ import annotations

import functools
from pathlib import Path

from ansible_collections.fleet.core.plugins.module_utils.command import run

from .hardware import Hardware

PROGRAM = "qemu-system-x86_64"
OVMF = Path("/usr/share/OVMF")
CODE = {"uefi": "OVMF_CODE_4M.fd", "secureboot": "OVMF_CODE_4M.ms.fd"}
VARIABLES = {"uefi": "OVMF_VARS_4M.fd", "secureboot": "OVMF_VARS_4M.ms.fd"}
"""The variables that a machine starts with; those for Secure Boot have Microsoft's keys enrolled."""

DISK, MONITOR, CONSOLE, CONSOLE_LOG, PID, PORT = "disk", "monitor", "console", "console.log", "qemu.pid", "port"
"""Names in a machine's folder; variables are ``variables-FIRMWARE``. QEMU reads CONSOLE.in, and writes to CONSOLE.out and to the log."""

_DISKS = {"virtio": "virtio-blk-pci", "sata": "ide-hd,bus=ide.0", "nvme": "nvme"}


def command(hardware: Hardware, folder: Path, accelerator: str) -> list[str]:
    """Return the command that switches a machine on: it ends once QEMU runs by itself, or says why it does not."""
    bios, secure = hardware.firmware == "bios", hardware.firmware == "secureboot"
    argv = ["nsenter", f"--net=/run/netns/{hardware.namespace}"] if hardware.namespace else []
    argv += [PROGRAM, "-name", hardware.name, "-nodefaults", "-no-user-config", "-daemonize", "-pidfile", str(folder / PID)]
    # Without graphics in QEMU's sense SeaBIOS, and so iPXE and BIOS boot loaders, are on the serial console too.
    board = ("pc,graphics=off" if hardware.bios_console else "pc") if bios else "q35,smm=on" if secure else "q35"
    argv += ["-M", board, "-vga", "std", "-display", "none"]
    argv += ["-accel", "tcg,thread=multi" if accelerator == "tcg" else accelerator, "-cpu", "max"]
    argv += ["-m", str(hardware.memory), "-smp", str(hardware.processors)]
    argv += ["-boot", "strict=on"]  # a source that is not in the boot order is not tried at all
    argv += ["-smbios", f"type=1,manufacturer=Fleet,product=Machine,serial={hardware.name},uuid={_uuid(hardware)}"]
    argv += ["-object", "rng-random,id=rng,filename=/dev/urandom", "-device", "virtio-rng-pci,rng=rng"]
    # What is said goes to the log alone: over a socket, a reader that is slow for a moment would cost it letters.
    argv += ["-chardev", f"pipe,id=console,path={folder / CONSOLE},logfile={folder / CONSOLE_LOG},logappend=off"]
    argv += ["-serial", "chardev:console"]
    argv += ["-qmp", f"unix:{folder / MONITOR},server=on,wait=off"]
    if not bios:
        if secure:  # only firmware itself, in system management mode, may write variables
            argv += ["-global", "driver=cfi.pflash01,property=secure,value=on", "-global", "ICH9-LPC.disable_s3=1"]
        argv += ["-drive", f"if=pflash,format=raw,readonly=on,file={OVMF / CODE[hardware.firmware]}"]
        argv += ["-drive", f"if=pflash,format=raw,file={variables(hardware, folder)}"]
        if hardware.protocol == "http":
            for version in (4, 6):
                argv += ["-fw_cfg", f"name=opt/org.tianocore/IPv{version}PXESupport,string=n"]
    argv += [*_network(hardware, folder), *_disks(hardware, folder)]
    for option in ("kernel", "initrd", "append"):
        if getattr(hardware, option):
            argv += [f"-{option}", getattr(hardware, option)]
    return [*argv, *hardware.extra]


def variables(hardware: Hardware, folder: Path) -> Path:
    """Return the file with the machine's own UEFI variables; keys differ, so each kind of firmware has its own."""
    return folder / f"variables-{hardware.firmware}"


def disk(hardware: Hardware, folder: Path) -> Path:
    """Return the image of the machine's disk."""
    return Path(hardware.disk) if hardware.disk else folder / f"{DISK}.{hardware.disk_format}"


@functools.lru_cache(maxsize=1)
def kvm_works() -> bool:
    """Whether QEMU can start a processor on KVM: a device that opens, as nested ones do, is no proof."""
    if not Path("/dev/kvm").exists():
        return False
    machine = [PROGRAM, "-accel", "kvm", "-cpu", "max", "-nodefaults", "-no-user-config", "-display", "none", "-S", "-qmp", "stdio"]
    return run(machine, stdin='{"execute":"qmp_capabilities"}{"execute":"quit"}', ok=None, timeout=60).rc == 0


def _network(hardware: Hardware, folder: Path) -> list[str]:
    if not hardware.namespace:
        return []
    # QEMU makes the port and takes it along when it ends, however it ends.
    argv = ["-netdev", f"tap,id=network,ifname={hardware.port},script={folder / PORT},downscript=no"]
    device = f"{hardware.card},netdev=network,mac={hardware.mac}{_place(hardware, 'network')}"
    if hardware.firmware != "bios" and hardware.card == "virtio-net-pci":
        device += ",romfile="  # OVMF has a driver for it: iPXE's would answer instead of OVMF's own PXE and HTTP
    return [*argv, "-device", device]


def _disks(hardware: Hardware, folder: Path) -> list[str]:
    argv = []
    if hardware.disk or hardware.disk_size:
        image = disk(hardware, folder)
        # What the guest flushed is in the host's memory, which a power cut of the machine does not touch.
        argv += ["-drive", f"if=none,id=disk,file={image},format={hardware.disk_format},cache=unsafe,discard=unmap"]
        argv += ["-device", f"{_DISKS[hardware.disk_bus]},drive=disk,serial={hardware.serial}{_place(hardware, 'disk')}"]
    if hardware.usb:
        argv += ["-drive", f"if=none,id=key,file={hardware.usb},format=raw,snapshot=on", "-device", "qemu-xhci"]
        argv += ["-device", f"usb-storage,drive=key,removable=on{_place(hardware, 'usb')}"]
    return argv


def _place(hardware: Hardware, source: str) -> str:
    return f",bootindex={hardware.boot.index(source) + 1}" if source in hardware.boot else ""


def _uuid(hardware: Hardware) -> str:
    return f"77000000-0000-4000-8000-{hardware.mac.replace(':', '')}"
