# SPDX-License-Identifier: GPL-3.0-or-later
"""The imaging environment boots in a machine: from a boot server until Ansible can sign in, and not at all when its root was changed."""

from __future__ import annotations

import os
import shutil
import subprocess
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from ansible_collections.fleet.core.plugins.module_utils.progress import Progress
from ansible_collections.fleet.imaging.plugins.module_utils.environment.delivery import Delivery, Site, deliver
from ansible_collections.fleet.imaging.plugins.module_utils.environment.image import ImageCache, Options
from ansible_collections.fleet.lab.plugins.module_utils.machine.hardware import Hardware
from ansible_collections.fleet.lab.plugins.module_utils.machine.machine import Machine
from tests.boot.boot_server import BootService, certificate, files, serving
from tests.ports import free_port

REPOSITORY = Path(__file__).parents[2]
MAC, CARD = "52:54:00:77:00:e1", "52-54-00-77-00-e1"
PATIENCE = 600
"""Seconds; a start takes about one minute where nothing else runs."""

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(shutil.which("qemu-system-x86_64") is None, reason="QEMU is not installed"),
]


@dataclass(frozen=True)
class Built:
    """What a site's boot server has, and the key that signs in."""

    delivery: Delivery
    http: Path
    identity: Path
    certificate: Path
    key: Path


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Built:
    folder = tmp_path_factory.mktemp("site")
    identity = folder / "id"
    subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", identity], check=True)
    authority, key = certificate(folder)
    cache = Path(os.environ.get("FLEET_CACHE") or REPOSITORY / ".cache")
    image = ImageCache(cache).ensure(Options(), Progress())
    site = Site(identity.with_suffix(".pub").read_text(), authority.read_text(), "fr")
    delivery, changed = deliver(image, site, folder / "http/environment")
    assert changed
    return Built(delivery, folder / "http", identity, authority, key)


def machine(folder: Path, built: Built, append: str, forward: int = 0, **more: object) -> Machine:
    """A machine of 768 MiB that starts the kernel directly."""
    network = f"user,id=net{f',hostfwd=tcp:127.0.0.1:{forward}-:22' if forward else ''}"
    extra = ("-netdev", network, "-device", f"virtio-net-pci,netdev=net,mac={MAC}", "-no-reboot")
    boot = {"kernel": str(built.delivery.vmlinuz), "initrd": str(built.delivery.initrd)}
    boot["append"] = f"{append} panic=10 console=ttyS0" if append else ""
    return Machine(folder, Hardware("env", MAC, memory=768, extra=extra, **{**boot, **more}))  # type: ignore[arg-type]


@dataclass(frozen=True)
class Visitor:
    """Who signs in over SSH and knows the station by the key that was registered."""

    port: int
    identity: Path
    known_hosts: Path

    def run(self, command: str) -> subprocess.CompletedProcess[str]:
        options = {"BatchMode": "yes", "StrictHostKeyChecking": "yes", "UserKnownHostsFile": self.known_hosts, "IdentitiesOnly": "yes"}
        argv = ["ssh", "-F", "none", "-i", str(self.identity), "-p", str(self.port), "-o", "ConnectTimeout=30"]
        argv += [f"-o{name}={value}" for name, value in options.items()]
        return subprocess.run([*argv, "root@127.0.0.1", command], capture_output=True, text=True, check=False, timeout=PATIENCE)

    def arrive(self, pc: Machine) -> None:
        deadline = time.monotonic() + PATIENCE
        while (said := self.run("true")).returncode:
            assert time.monotonic() < deadline and pc.running(), f"{said.stderr}\n{pc.console.tail()}"
            time.sleep(1)


@pytest.fixture
def service(built: Built) -> Iterator[BootService]:
    server = BootService(free_port(), built.certificate, built.key)
    with serving(server):
        yield server


def test_a_station_starts_from_the_boot_server_and_only_its_registered_key_is_known(
    built: Built, service: BootService, tmp_path: Path
) -> None:
    service.stations[CARD] = {"name": "pc07", "token": "t" * 32, "language": "fr"}
    forward = free_port()
    with files(built.http) as boot:
        append = f"fleet.boot={boot} fleet.service=https://10.0.2.2:{service.server_address[1]} BOOTIF=01-{CARD} fleet.language=fr"
        with machine(tmp_path / "m", built, append, forward) as pc:
            pc.power_on()
            pc.console.wait_for("Prêt : le serveur d'amorçage connaît cette clé d'hôte.", timeout=PATIENCE)
            (tmp_path / "known_hosts").write_text(f"[127.0.0.1]:{forward} {service.host_keys[CARD]}\n")
            visitor = Visitor(forward, built.identity, tmp_path / "known_hosts")
            visitor.arrive(pc)
            assert visitor.run("hostname; findmnt -no FSTYPE /; python3 --version").stdout.split()[:3] == ["pc07", "overlay", "Python"]
            failed = visitor.run("systemctl list-units --failed --plain --no-legend")
            assert failed.stdout == "", failed.stdout
            # mtools needs tables of character sets for an EFI system partition.
            esp = visitor.run("truncate -s 40M /tmp/esp && mkfs.vfat -F 32 /tmp/esp && mmd -i /tmp/esp ::/EFI && mdir -i /tmp/esp ::/")
            assert esp.returncode == 0 and "EFI" in esp.stdout, esp.stderr
            assert "10.0.2." in pc.console.read() and "SHA256:" in pc.console.read()
            # What a module reports is on the console.
            report = '{"operation": "restore sda", "done": 50, "total": 100, "unit": "B", "rate": 1}'
            visitor.run(f"echo '{report}' > /run/fleet/progress.json")
            pc.console.wait_for("restore sda  [####################....................]  50 %", timeout=PATIENCE)
            visitor.run("systemctl reboot")
            pc.wait_off(PATIENCE)
    assert service.refused == []


@pytest.mark.whole
def test_a_root_that_does_not_match_is_refused_and_nothing_starts(built: Built, tmp_path: Path) -> None:
    http = tmp_path / "http/environment"
    http.mkdir(parents=True)
    root = bytearray(built.delivery.root.read_bytes())
    root[len(root) // 2] ^= 1
    (http / "root.img").write_bytes(root)
    with files(tmp_path / "http") as boot, machine(tmp_path / "m", built, f"fleet.boot={boot}") as pc:
        pc.power_on()
        mark = pc.console.wait_for("REFUSED: root.img of", timeout=PATIENCE)
        mark = pc.console.wait_for("Nothing was started", timeout=PATIENCE, after=mark)
        pc.console.wait_for("This station restarts in", timeout=PATIENCE, after=mark)
        assert "starting" not in pc.console.read()


@pytest.mark.whole
@pytest.mark.parametrize("firmware", ["bios", "secureboot"])
def test_the_medium_starts_without_a_boot_server(firmware: str, built: Built, tmp_path: Path) -> None:
    """As a USB key with Secure Boot enforced, and on a BIOS."""
    forward = free_port()
    direct = {"kernel": "", "initrd": ""}
    usb = str(built.delivery.medium)
    with machine(tmp_path / "m", built, "", forward, firmware=firmware, usb=usb, boot=("usb",), **direct) as pc:
        pc.power_on()
        pc.console.wait_for("Prêt, sans serveur d'amorçage", timeout=PATIENCE)
        assert "SHA256:" in pc.console.read()
