# Copyright: (c) 2026, Fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The life of a machine: power on, reset, power off, remove. Everything is found again by its folder."""

from __future__ import annotations

import inspect
import json
import os
import shutil
import subprocess
import time
from pathlib import Path
from typing import Any

from ansible_collections.fleet.core.plugins.module_utils.command import available, run
from ansible_collections.fleet.core.plugins.module_utils.errors import InputError, ToolError
from ansible_collections.fleet.core.plugins.module_utils.stop import pause

from ..room import host
from . import monitor, port, process, qemu, wake
from .console import Console
from .hardware import Hardware
from .port import Traffic
from .process import MachineError

FILE = "machine.json"
PACKAGE_OF = {qemu.PROGRAM: "qemu-system-x86", "ip": "iproute2", "nft": "nftables", "nsenter": "util-linux"}
"""Tools a machine needs on its host, and the Debian packages that carry them."""
LONGEST = 107
"""Bytes in the path of a socket (unix(7))."""


class Machine:
    """The machine in a folder of its own. As a context manager it is off at the end, whatever happened; its files stay.

    >>> with Machine(folder, Hardware("pc1", "52:54:00:77:00:01", firmware="uefi", disk_size=4 << 30, namespace="lab")) as pc:
    ...     pc.power_on()
    ...     pc.console.wait_for("login:")
    """

    def __init__(self, folder: Path, hardware: Hardware) -> None:
        self.folder, self.hardware = host.folder(str(folder)), hardware.checked()
        if len(os.fsencode(self.folder / qemu.MONITOR)) > LONGEST:
            raise InputError(f"The path {self.folder} is too long for a machine's monitor", remedy="Choose a shorter one")
        self.console = Console(self.folder / qemu.CONSOLE_LOG, self.folder / f"{qemu.CONSOLE}.in", self.running)

    @classmethod
    def load(cls, folder: Path) -> Machine:
        """Return the machine that was prepared in a folder; raise MachineError when there is none, or its description is damaged."""
        path = folder / FILE
        try:
            return cls(folder, Hardware.from_json(json.loads(path.read_text(encoding="utf-8"))))
        except FileNotFoundError as error:
            raise MachineError(f"There is no machine in {folder}", remedy="Switch it on with a description of its hardware") from error
        except (OSError, ValueError, TypeError, AttributeError) as error:
            raise MachineError(f"{path} is damaged: {error}", remedy="Remove the machine and make it anew") from error

    def __enter__(self) -> Machine:
        return self

    def __exit__(self, *_error: object) -> None:
        self.end()

    @property
    def disk(self) -> Path:
        """The image of its disk."""
        return qemu.disk(self.hardware, self.folder)

    def prepare(self) -> None:
        """Make what the machine needs and does not have yet: its disk, its UEFI variables, its description; listen for magic packets."""
        hardware = self.hardware
        require(hardware)
        self.folder.mkdir(parents=True, exist_ok=True)
        if hardware.disk_size and not hardware.disk and not self.disk.exists():
            making = self.disk.with_suffix(".making")
            if hardware.disk_format == "raw":
                with making.open("wb") as image:
                    image.truncate(hardware.disk_size)
            else:
                run(["qemu-img", "create", "-q", "-f", hardware.disk_format, str(making), str(hardware.disk_size)])
            making.rename(self.disk)
        if hardware.firmware != "bios":
            own, making = qemu.variables(hardware, self.folder), self.folder / ".variables"
            if not own.exists():
                shutil.copyfile(qemu.OVMF / qemu.VARIABLES[hardware.firmware], making)
                making.rename(own)
        typed, said = (self.folder / f"{qemu.CONSOLE}.{way}" for way in ("in", "out"))
        if not typed.exists():
            os.mkfifo(typed, 0o600)
        if not said.is_symlink():
            said.symlink_to("/dev/null")
        port.write_script(self.folder / qemu.PORT, hardware.bridge)
        _write(self.folder / FILE, hardware.as_json())
        argv = qemu.command(hardware, self.folder, self.accelerator)
        start = {"mac": hardware.mac, "password": hardware.wake_password, "bridge": hardware.bridge, "argv": argv}
        _write(self.folder / wake.START, start)
        if hardware.wake and not process.listeners(self.folder):
            self._listen()
        elif not hardware.wake:
            self.deafen()

    @property
    def accelerator(self) -> str:
        """How its processor is emulated: ``kvm`` or ``tcg``."""
        return self.hardware.accelerator or ("kvm" if qemu.kvm_works() else "tcg")

    def power_on(self) -> None:
        """Switch the machine on, unless it runs; MachineError with QEMU's words when it does not start. Its console begins anew."""
        self.prepare()
        if self.running():
            return
        process.settle()
        try:
            run(qemu.command(self.hardware, self.folder, self.accelerator), timeout=300)
        except ToolError as error:
            said = error.details.get("stderr") or str(error)
            raise MachineError(
                f"Machine {self.hardware.name} does not start: {said.strip()}", remedy="See its description and its namespace"
            ) from error

    def running(self) -> bool:
        """Whether it is switched on."""
        return bool(wake.running(str(self.folder)))

    def reset(self) -> int:
        """Press the reset button of a machine that runs; return the console's mark."""
        mark = self.console.mark()
        monitor.execute(self.folder / qemu.MONITOR, "system_reset")
        return mark

    def press_power(self) -> None:
        """Press the power button of a machine that runs: its system shuts down, if it listens (ACPI)."""
        monitor.execute(self.folder / qemu.MONITOR, "system_powerdown")

    def wait_off(self, timeout: float = 300.0) -> None:
        """Wait until the machine has switched itself off; MachineError with the console's end when it does not within timeout seconds."""
        deadline = time.monotonic() + timeout
        while self.running():
            if time.monotonic() > deadline:
                raise MachineError(f"Machine {self.hardware.name} is not off within {timeout:g} s", remedy=self.console.tail())
            pause(0.1)
        process.settle()

    def power_off(self) -> None:
        """Pull the plug, unless it is off."""
        process.end(lambda: wake.running(str(self.folder)), f"machine {self.hardware.name}")

    def traffic(self) -> Traffic:
        """Return the bytes that went through the network card of a machine that runs since it was switched on."""
        return port.traffic(self.hardware)

    def screen(self, path: Path) -> None:
        """Write what its screen shows as a PNG image."""
        monitor.execute(self.folder / qemu.MONITOR, "screendump", {"filename": str(path), "format": "png"})

    def end(self) -> None:
        """End everything that runs for the machine; its files stay."""
        self.deafen()
        self.power_off()

    def remove(self) -> None:
        """End everything and remove the machine's folder with its disk."""
        self.end()
        process.forget(self.folder)

    def describe(self) -> dict[str, Any]:
        """Return the machine as the modules return it."""
        return {
            **self.shown(),
            "running": self.running(),
            "disk_identity": self.hardware.disk_identity,
            "folder": str(self.folder),
            "console": str(self.folder / qemu.CONSOLE_LOG),
            "console_input": str(self.console.path),
        }

    def shown(self) -> dict[str, Any]:
        """Return its hardware without what is secret."""
        return {name: value for name, value in self.hardware.as_json().items() if name != "wake_password"}

    def _listen(self) -> None:
        """Start what waits for magic packets, and wait until it hears."""
        program = self.folder / process.WAKE
        program.write_text(inspect.getsource(wake), encoding="utf-8")
        # setsid leaves it to the host's first process: whoever called us can end, and need not wait for it.
        argv = ["setsid", "--fork", "nsenter", f"--net=/run/netns/{self.hardware.namespace}", "/usr/bin/python3", str(program)]
        reading, writing = os.pipe()
        with open(reading, "rb") as said_first, (self.folder / wake.LOG).open("wb") as log:
            try:
                subprocess.run([*argv, str(self.folder)], stdin=subprocess.DEVNULL, stdout=writing, stderr=log, cwd="/", check=True)
            finally:
                os.close(writing)
            ready = said_first.readline()
        if ready != b"ready\n":
            said = (self.folder / wake.LOG).read_text(errors="replace").strip()
            raise MachineError(f"Machine {self.hardware.name} cannot be woken: {said}", remedy="See its namespace and its bridge")

    def deafen(self) -> None:
        """Hear no magic packets any more."""
        process.end(lambda: process.listeners(self.folder), f"machine {self.hardware.name}")


def require(hardware: Hardware) -> None:
    """Raise HostError unless this process is root and every tool is installed that a machine with this hardware needs."""
    if os.geteuid() != 0:
        raise host.HostError("A machine needs root: it has a port in a network namespace", remedy="Run the playbook as root (sudo)")
    missing = sorted({package for tool, package in PACKAGE_OF.items() if not available(tool)})
    if hardware.firmware != "bios" and not (qemu.OVMF / qemu.VARIABLES[hardware.firmware]).exists():
        missing.append("ovmf")
    if hardware.disk_format == "qcow2" and not available("qemu-img"):
        missing.append("qemu-utils")
    if missing:
        raise host.HostError("Tools of a machine are not installed on this host", remedy="apt-get install " + " ".join(missing))


def _write(path: Path, value: dict[str, Any]) -> None:
    """Write a JSON file that only root may read; a reader sees the old one or the new one."""
    temporary = path.with_name(f".{path.name}")
    with open(os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w", encoding="utf-8") as file:
        json.dump(value, file, indent=2)
    os.replace(temporary, path)
