# SPDX-License-Identifier: GPL-3.0-or-later
"""A real Debian on a disk without a boot loader is given its identity and made to start: under real firmware, SeaBIOS and OVMF.

The disk is a loop device with the table of a usual PC; nothing of the host boots it. QEMU emulates the processor: a start takes half a
minute on a good day.
"""

from __future__ import annotations

import contextlib
import os
import re
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from ansible_collections.fleet.core.plugins.module_utils.progress import Progress
from ansible_collections.fleet.imaging.plugins.module_utils.boot.repair import repair
from ansible_collections.fleet.imaging.plugins.module_utils.disk.device import Disk
from ansible_collections.fleet.imaging.plugins.module_utils.environment.recipe import Recipe
from ansible_collections.fleet.imaging.plugins.module_utils.environment.root import RootCache
from ansible_collections.fleet.imaging.plugins.module_utils.filesystem import probe
from ansible_collections.fleet.imaging.plugins.module_utils.identity.request import Request
from ansible_collections.fleet.imaging.plugins.module_utils.identity.station import give

REPOSITORY = Path(__file__).parents[2]
MIB = 1 << 20
PATIENCE = 300
"""Seconds until a start counts as failed."""

PACKAGES = (
    *("systemd", "systemd-sysv", "udev", "kmod", "e2fsprogs", "xfsprogs", "btrfs-progs", "openssh-server"),
    *("linux-image-cloud-amd64", "initramfs-tools", "zstd", "grub2-common", "grub-pc-bin", "grub-efi-amd64-bin"),
)
TABLE = """\
label: gpt
size=1M, type=21686148-6449-6E6F-744E-656564454649
size=40M, type=U
size=16M, type=S
type=L
"""
MARKER = """\
#!/bin/sh
mount -t proc proc /proc
mount -t sysfs sys /sys
firmware=bios
[ ! -d /sys/firmware/efi ] || firmware=uefi
echo "FLEET-MARKER $(cat /etc/hostname) $(findmnt --noheadings --output UUID /) $firmware."
systemctl poweroff --force --force
"""
MENU = """\
set timeout=0
terminal_output console
search --no-floppy --fs-uuid --set=root {uuid}
linux /boot/vmlinuz root=UUID={uuid} ro console=ttyS0 init=/usr/local/sbin/marker
initrd /boot/initrd.img
boot
"""

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(shutil.which("qemu-system-x86_64") is None, reason="QEMU is not installed"),
]


@dataclass(frozen=True)
class Model:
    """A disk whose system was installed for another one: its identifiers are gone, and it has no boot loader."""

    disk: Disk
    image: Path

    def uuid(self, number: int) -> str:
        return probe(self.disk.partition(number).path).uuid


def command(*argv: object, stdin: str = "") -> str:
    done = subprocess.run([str(each) for each in argv], input=stdin, capture_output=True, text=True, check=False)
    assert done.returncode == 0, f"{argv}: {done.stderr or done.stdout}"
    return done.stdout


@pytest.fixture(scope="module")
def root() -> Path:
    """The files of a Debian with a kernel, kept between runs like the virtual room's."""
    cache = Path(os.environ.get("FLEET_CACHE") or REPOSITORY / ".cache")
    return RootCache(cache).ensure(Recipe(packages=PACKAGES), Progress())


@contextlib.contextmanager
def loop_disk(image: Path, size: int) -> Iterator[Disk]:
    with image.open("wb") as file:
        file.truncate(size)
    path = command("losetup", "--find", "--show", image).strip()
    try:
        command("sfdisk", "--quiet", "--no-reread", "--no-tell-kernel", path, stdin=TABLE)
        disk = Disk.open(path)
        disk.refresh()
        yield disk
    finally:
        subprocess.run(["partx", "--delete", "--nr", "1:128", path], capture_output=True, check=False)
        subprocess.run(["losetup", "--detach", path], check=False)


@pytest.fixture(scope="module")
def model(root: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Model]:
    """The disk of a model after it was restored."""
    folder = tmp_path_factory.mktemp("boot")
    with loop_disk(folder / "disk.img", 1000 * MIB) as disk:
        model = Model(disk, folder / "disk.img")
        command("mkfs.vfat", "-F", "32", disk.partition(2).path)
        command("mkswap", "-q", disk.partition(3).path)
        command("mkfs.ext4", "-q", "-F", "-E", "lazy_itable_init=0,lazy_journal_init=0", disk.partition(4).path)
        script = 'mount "$1" "$2" && trap \'umount "$2"\' EXIT && cp -a "$3/." "$2/" && cp -a "$4/." "$2/"'
        layer, point = folder / "layer", folder / "mnt"
        point.mkdir()
        uuid, swap = model.uuid(4), model.uuid(3)
        kernel = next((root / "boot").glob("vmlinuz-*")).name
        files = {
            "etc/hostname": "model\n",
            "etc/fstab": f"UUID={uuid} / ext4 defaults 0 1\nUUID={swap} none swap sw 0 0\nUUID={model.uuid(2)} /boot/efi vfat nofail 0 1\n",
            "etc/initramfs-tools/conf.d/resume": f"RESUME=UUID={swap}\n",
            "boot/grub/grub.cfg": MENU.format(uuid=uuid),
            "usr/local/sbin/marker": MARKER,
        }
        for name, text in files.items():
            (layer / name).parent.mkdir(parents=True, exist_ok=True)
            (layer / name).write_text(text)
        (layer / "usr/local/sbin/marker").chmod(0o755)
        (layer / "boot/vmlinuz").symlink_to(kernel)
        (layer / "boot/initrd.img").symlink_to(kernel.replace("vmlinuz", "initrd.img"))
        command("unshare", "--mount", "--propagation=slave", "sh", "-ec", script, "sh", disk.partition(4).path, point, root, layer)
        yield model


@pytest.fixture(scope="module")
def station(model: Model) -> Model:
    """The disk once it is a station's own and was repaired."""
    before = {model.uuid(number) for number in (2, 3, 4)}
    request = Request.parse({"hostname": "pc07", "unique": ["filesystems", "swap", "partitions"]})
    given = give(model.disk, "", request, check=False)
    assert given.changed and not before & {model.uuid(number) for number in (2, 3, 4)}
    repaired = repair(model.disk, "", ["bios", "uefi"], check=False)
    assert repaired.targets == ["bios", "uefi"] and "GRUB for BIOS" in repaired.repaired
    return model


def firmware(name: str, folder: Path) -> list[str]:
    if name == "bios":
        return ["-M", "pc"]
    variables = folder / "vars.fd"
    shutil.copy("/usr/share/OVMF/OVMF_VARS_4M.fd", variables)
    code = "if=pflash,format=raw,readonly=on,file=/usr/share/OVMF/OVMF_CODE_4M.fd"
    return ["-M", "q35", "-drive", code, "-drive", f"if=pflash,format=raw,file={variables}"]


def start(image: Path, name: str, folder: Path) -> str:
    """What a machine with this disk says on its serial console until the marker, or until it has had time enough."""
    console = folder / "console"
    argv = ["qemu-system-x86_64", "-accel", "tcg,thread=multi", "-cpu", "max", "-m", "768", "-display", "none", "-nic", "none"]
    argv += [
        "-no-reboot",
        "-serial",
        f"file:{console}",
        "-drive",
        f"if=virtio,format=raw,snapshot=on,file={image}",
        *firmware(name, folder),
    ]
    machine = subprocess.Popen(argv, stdin=subprocess.DEVNULL, stdout=sys.stderr, stderr=sys.stderr)
    try:
        deadline = time.monotonic() + PATIENCE
        while time.monotonic() < deadline and machine.poll() is None:
            if console.exists() and re.search(rb"FLEET-MARKER .*\.", console.read_bytes()):
                break
            time.sleep(0.5)
    finally:
        machine.kill()
        machine.wait()
    return console.read_text(errors="replace") if console.exists() else ""


@pytest.mark.parametrize("name", ["bios", "uefi"])
def test_the_firmware_finds_the_loader_and_the_loader_the_system(name: str, station: Model, tmp_path: Path) -> None:
    said = start(station.image, name, tmp_path)
    assert f"FLEET-MARKER pc07 {station.uuid(4)} {name}." in said, said[-3000:]


def test_the_initramfs_looks_for_the_stations_own_swap(station: Model, tmp_path: Path) -> None:
    script = 'mount -o ro,noload "$1" "$2" && trap \'umount "$2"\' EXIT && cat "$2"/boot/initrd.img-* > "$3"'
    (tmp_path / "mnt").mkdir()
    command("unshare", "--mount", "sh", "-ec", script, "sh", station.disk.partition(4).path, tmp_path / "mnt", tmp_path / "initrd")
    packed = (tmp_path / "initrd").read_bytes()
    files = subprocess.run(["zstd", "-dc"], input=packed[packed.index(b"\x28\xb5\x2f\xfd") :], capture_output=True, check=False).stdout
    assert re.findall(rb"RESUME=UUID=(\S+)", files) == [station.uuid(3).encode()]


def test_a_second_run_changes_nothing_byte_for_byte(station: Model) -> None:
    command("blockdev", "--flushbufs", station.disk.path)
    before = station.image.read_bytes()
    request = Request.parse({"hostname": "pc07", "unique": ["filesystems", "swap", "partitions"]})
    assert not give(station.disk, "", request, check=False).changed
    assert repair(station.disk, "", ["bios", "uefi"], check=False).repaired == []
    assert station.image.read_bytes() == before
