# Copyright: (c) 2026, Fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""From power-on to SSH in the imaging environment: bytes, memory, and time beside a direct start of the same kernel and initrd.

The machines are QEMU's, their processors emulated where there is no KVM: what counts is bytes and ratios. The boot server is the role's own
dnsmasq, nginx and boot service in a network namespace.
"""

from __future__ import annotations

import itertools
import statistics
import subprocess
import time
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import dataclass, replace
from pathlib import Path

from ansible_collections.fleet.core.plugins.module_utils.progress import Progress
from ansible_collections.fleet.imaging.plugins.module_utils.environment.delivery import Delivery, Site, deliver
from ansible_collections.fleet.imaging.plugins.module_utils.environment.image import ImageCache, Options
from ansible_collections.fleet.imaging.plugins.module_utils.netboot import change, menu
from ansible_collections.fleet.imaging.tests.unit.roles.boot_server.segment import SERVER, Segment
from ansible_collections.fleet.lab.plugins.module_utils.machine.hardware import Hardware
from ansible_collections.fleet.lab.plugins.module_utils.machine.machine import Machine
from ansible_collections.fleet.lab.plugins.module_utils.machine.process import MachineError
from ansible_collections.fleet.lab.tests.unit.module_utils.machine.conftest import GREETING, boot_sector

from .bench import HOUSE, Bench
from .report import Report, ratio

PATIENCE = 600.0
"""Seconds until a start counts as failed."""
MENU = 3
"""Seconds that the boot menu waits."""
MEMORIES = (1024, 768, 640, 576, 512)
"""MiB that are tried, the most first."""
READY = "Ready: the boot server knows this host key."
LOCAL = "THE LOCAL DISK"
BIOS, SECURE, DIRECT = "bios", "secureboot", "direct"


@dataclass(frozen=True)
class Start:
    """One start: seconds from power-on to an SSH server's first words, and bytes that came over UDP and in all until then."""

    seconds: float
    udp: int
    received: int


class Lab:
    """A boot server and its network, and machines that come one at a time."""

    def __init__(self, bench: Bench, stack: ExitStack) -> None:
        self.bench, self._numbers = bench, itertools.count(1)
        self.folder = bench.scratch / "segment"
        self.folder.mkdir()
        self.segment = Segment(stack, self.folder)
        self.segment.loaders()
        menu.apply(self.segment.site, menu.Menu("Benchmark", MENU, style="text"), check=False)
        self.segment.service()
        self.segment.nginx()
        self.segment.advertise()
        self.segment.dnsmasq(boot_server_pool="10.77.0.100-10.77.0.199", boot_server_router="")
        self.delivery = self._environment()

    def _environment(self) -> Delivery:
        """The imaging environment, where the boot server has it."""
        self.bench.say("the imaging environment: built unless it is in the cache")
        image = ImageCache(HOUSE / ".cache").ensure(Options(), Progress())
        key = self.folder / "id"
        subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", str(key)], check=True)
        site = Site(key.with_suffix(".pub").read_text(), (self.folder / "ca.pem").read_text(), "en")
        delivery, _changed = deliver(image, site, self.segment.site.http / "environment", with_medium=False)
        for path in (delivery.vmlinuz, delivery.initrd):
            (self.segment.site.tftp / "environment" / path.name).hardlink_to(path)
        return delivery

    def hardware(self, firmware: str, memory: int = 1024, **more: object) -> Hardware:
        """A machine that nobody has seen before."""
        number = next(self._numbers)
        mac = f"52:54:00:77:01:{number:02x}"
        return Hardware(f"pc{number}", mac, firmware=firmware, memory=memory, namespace=self.segment.server, bridge="lan", **more)  # type: ignore[arg-type]

    def environment(self, way: str, memory: int = 1024) -> Start:
        """Start the imaging environment by a firmware, or directly."""
        hardware = self.hardware(SECURE if way == SECURE else BIOS, memory, disk_size=64 << 20)
        if way == DIRECT:
            append = f"fleet.boot=http://{SERVER} BOOTIF=01-{hardware.mac.replace(':', '-')} console=ttyS0"
            hardware = replace(hardware, kernel=str(self.delivery.vmlinuz), initrd=str(self.delivery.initrd), append=append)
        change.apply(self.segment.site, change.Request(hardware.mac, hardware.name, "imaging-once"), check=False)
        with Machine(self.bench.scratch / hardware.name, hardware) as machine:
            began = time.monotonic()
            machine.power_on()
            machine.console.wait_for(READY, timeout=PATIENCE)
            self._greeted(hardware.mac)
            seconds = time.monotonic() - began
            traffic = machine.traffic()
        return Start(seconds, traffic.received_udp, traffic.received)

    def _greeted(self, mac: str) -> None:
        """Wait for the SSH server of a card."""
        deadline = time.monotonic() + PATIENCE
        while time.monotonic() < deadline:
            leases = (self.folder / "leases").read_text().splitlines()
            address = next((line.split()[2] for line in leases if line.split()[1:2] == [mac]), "")
            if address:
                argv = ["ip", "netns", "exec", self.segment.server, "nc", "-w", "2", address, "22"]
                said = subprocess.run(argv, stdin=subprocess.DEVNULL, capture_output=True, check=False).stdout
                if said.startswith(b"SSH-2.0"):
                    return
            time.sleep(0.1)
        raise MachineError(f"{mac} has no SSH server")

    def local(self, firmware: str, disk: Path, words: str, boot: Sequence[str]) -> float:
        """Seconds from power-on until the system on a machine's disk speaks."""
        hardware = self.hardware(firmware, 512, disk=str(disk), boot=tuple(boot))
        with Machine(self.bench.scratch / hardware.name, hardware) as machine:
            began = time.monotonic()
            machine.power_on()
            machine.console.wait_for(words, timeout=PATIENCE)
            return time.monotonic() - began


def run(bench: Bench) -> Report:
    """Everything, each start in turns with the others."""
    report = Report(bench.name)
    rounds = 1 if bench.quick else 3
    with ExitStack() as stack:
        lab = Lab(bench, stack)
        sizes = [path.stat().st_size for path in (lab.delivery.vmlinuz, lab.delivery.initrd, lab.delivery.root)]
        report.figures["environment_mib"] = round(sum(sizes) / (1 << 20), 1)
        for name, size in zip(("vmlinuz", "initrd", "root"), sizes):
            report.figures[f"{name}_mib"] = round(size / (1 << 20), 1)
        _starts(lab, report, rounds)
        _memory(lab, report)
        _local(lab, report, rounds)
    report.notes.append("ratios.loop_overhead is not measured yet (benchmarks/README.md)")
    return report


def _starts(lab: Lab, report: Report, rounds: int) -> None:
    starts: dict[str, list[Start]] = {BIOS: [], SECURE: [], DIRECT: []}
    for number in range(rounds):
        for way, done in starts.items():
            done.append(lab.environment(way))
            lab.bench.say(f"round {number + 1}/{rounds}  {way:<12} {done[-1].seconds:6.1f} s to SSH, {done[-1].udp / 1e6:.2f} MB over UDP")
    seconds = {way: statistics.median(each.seconds for each in done) for way, done in starts.items()}
    report.figures.update({f"{way}_to_ssh_s": round(value, 1) for way, value in seconds.items()})
    for way in (BIOS, SECURE):
        # QEMU's own BIOS brings iPXE along; a PC's fetches it first.
        loader = (lab.segment.site.tftp / "undionly.kpxe").stat().st_size if way == BIOS else 0
        report.figures[f"tftp_mb_{way}"] = round((statistics.median(each.udp for each in starts[way]) + loader) / 1e6, 2)
        report.figures[f"received_mb_{way}"] = round(statistics.median(each.received for each in starts[way]) / 1e6, 1)
        report.ratios[f"boot_{way}_vs_direct"] = ratio(seconds[way], seconds[DIRECT])


def _memory(lab: Lab, report: Report) -> None:
    for memory in MEMORIES:
        try:
            lab.environment(DIRECT, memory)
        except MachineError as error:
            lab.bench.say(f"{memory} MiB are not enough: {str(error).splitlines()[0]}")
            return
        lab.bench.say(f"{memory} MiB are enough")
        report.figures["min_ram_mib"] = memory


def _local(lab: Lab, report: Report, rounds: int) -> None:
    """A station for which nothing is pending: through the network and the menu, and without a network."""
    disks = {BIOS: (_bios_disk(lab.folder / "bios.img"), GREETING.decode()), SECURE: (_uefi_disk(lab), LOCAL)}
    delays = []
    for firmware, (disk, words) in disks.items():
        pairs = [
            (lab.local(firmware, disk, words, ("network", "disk")), lab.local(firmware, disk, words, ("disk",))) for _round in range(rounds)
        ]
        delay = statistics.median(through - alone for through, alone in pairs) - MENU
        lab.bench.say(f"{firmware}: a local disk starts {delay:.1f} s later, the menu's {MENU} s taken off")
        report.figures[f"local_disk_delay_{firmware}_s"] = round(delay, 2)
        delays.append(delay)
    report.figures["local_disk_delay_s"] = round(max(delays), 2)


def _bios_disk(path: Path) -> Path:
    path.write_bytes(boot_sector().ljust(1 << 20, b"\0"))
    return path


def _uefi_disk(lab: Lab) -> Path:
    """A disk with Debian's signed loaders on its EFI system partition, as an installed system has them."""
    path, esp = lab.folder / "uefi.img", lab.folder / "esp.img"
    for image, size in ((path, 68 << 20), (esp, 64 << 20)):
        with image.open("wb") as file:
            file.truncate(size)
    table = "label: gpt\nstart=2048, size=131072, type=U\n"
    subprocess.run(["sfdisk", "--quiet", str(path)], input=table, text=True, check=True)
    subprocess.run(["mkfs.vfat", "-F", "32", str(esp)], check=True, stdout=subprocess.DEVNULL)
    config = lab.folder / "local.cfg"
    config.write_text(f"terminal_output console\necho {LOCAL}\nsleep 1000\n")
    subprocess.run(["mmd", "-i", str(esp), "::EFI", "::EFI/debian", "::EFI/BOOT"], check=True)
    shim, grub = "/usr/lib/shim/shimx64.efi.signed", "/usr/lib/grub/x86_64-efi-signed/grubx64.efi.signed"
    copies = [(shim, "EFI/debian/shimx64.efi"), (grub, "EFI/debian/grubx64.efi"), (str(config), "EFI/debian/grub.cfg")]
    for source, target in [*copies, (shim, "EFI/BOOT/BOOTX64.EFI"), (grub, "EFI/BOOT/grubx64.efi")]:
        subprocess.run(["mcopy", "-i", str(esp), source, f"::{target}"], check=True)
    subprocess.run(["dd", f"if={esp}", f"of={path}", "bs=1M", "seek=1", "conv=notrunc", "status=none"], check=True)
    return path
