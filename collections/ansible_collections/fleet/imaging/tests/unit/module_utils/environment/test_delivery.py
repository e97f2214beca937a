# Copyright: (c) 2026, Fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A delivery is whole, the same each time, carries the site's keys, and refuses what would lock everybody out."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import subprocess
from pathlib import Path

import pytest

from ansible_collections.fleet.core.plugins.module_utils.errors import InputError
from ansible_collections.fleet.core.plugins.module_utils.progress import Progress
from ansible_collections.fleet.imaging.plugins.module_utils.environment import medium
from ansible_collections.fleet.imaging.plugins.module_utils.environment.delivery import Site, deliver, preview
from ansible_collections.fleet.imaging.plugins.module_utils.environment.errors import BuildError
from ansible_collections.fleet.imaging.plugins.module_utils.environment.image import Image, ImageCache, Options

KEY = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIE6kM3o1b8fQ7yq2b3b3rYkqk0m1Yw0i0s0vJq0XzQxZ admin@site"
CERTIFICATE = "-----BEGIN CERTIFICATE-----\nMIIBszCCAVmgAwIBAgIU\n-----END CERTIFICATE-----"


@pytest.fixture(scope="module")
def image(cache: Path) -> Image:
    """The image that tests, demo and benchmark share."""
    return ImageCache(cache).ensure(Options(), Progress())


def digests(folder: Path) -> dict[str, str]:
    return {path.name: hashlib.sha256(path.read_bytes()).hexdigest() for path in folder.iterdir()}


def test_the_same_site_gets_the_same_bytes(image: Image, tmp_path: Path) -> None:
    site = Site(KEY, CERTIFICATE, "fr", "fleet.boot=http://10.0.0.1")
    first, changed = deliver(image, site, tmp_path / "a")
    assert changed and deliver(image, site, tmp_path / "b")[1]
    assert digests(tmp_path / "a") == digests(tmp_path / "b")
    assert set(digests(tmp_path / "a")) == {"vmlinuz", "initrd.img", "root.img", "imaging.iso", "environment.json"}
    described = first.description()["files"]
    assert described["root.img"] == {"size": first.root.stat().st_size, "sha256": digests(tmp_path / "a")["root.img"]}
    # What stations get over the network is what a site with many of them can afford.
    assert sum(described[name]["size"] for name in ("vmlinuz", "initrd.img", "root.img")) < 160 << 20


@pytest.mark.slow
@pytest.mark.whole
def test_building_it_all_again_gives_the_same_bytes(image: Image, cache: Path, tmp_path: Path) -> None:
    """From the Debian root on, of the same packages."""
    for package in (cache / "environment/packages").glob("*.deb"):
        (tmp_path / "environment/packages").mkdir(parents=True, exist_ok=True)
        shutil.copyfile(package, tmp_path / "environment/packages" / package.name)
    again = ImageCache(tmp_path).ensure(Options(), Progress())
    if again.packages != image.packages:
        pytest.skip("Debian has newer packages than those of the image in the cache")
    for name in ("vmlinuz", "first-stage", "root.img"):
        assert (again.folder / name).read_bytes() == (image.folder / name).read_bytes(), name


def test_a_second_run_changes_nothing_and_a_new_key_or_a_damaged_file_does(image: Image, tmp_path: Path) -> None:
    site = Site(KEY)
    delivery, _changed = deliver(image, site, tmp_path, with_medium=False)
    assert not deliver(image, site, tmp_path, with_medium=False)[1]
    delivery.root.write_bytes(b"half")
    assert deliver(image, site, tmp_path, with_medium=False)[1]
    assert delivery.root.stat().st_size == image.root.stat().st_size
    before = digests(tmp_path)
    assert deliver(image, Site(KEY.replace("admin", "other")), tmp_path, with_medium=False)[1]
    after = digests(tmp_path)
    assert {name for name in before if before[name] != after[name]} == {"initrd.img", "environment.json"}


def test_the_initrd_is_the_sites_archive_and_the_first_stage(image: Image, tmp_path: Path) -> None:
    delivery, _changed = deliver(image, Site(KEY, CERTIFICATE), tmp_path, with_medium=False)
    script = 'cd "$1" && cpio -id --quiet < "$2"'
    (tmp_path / "x").mkdir()
    subprocess.run(["sh", "-ec", script, "sh", tmp_path / "x", delivery.initrd], check=True)
    assert (tmp_path / "x/site/etc/fleet/authorized_keys").read_text() == KEY + "\n"
    assert (tmp_path / "x/site/etc/fleet/ca.pem").read_text() == CERTIFICATE + "\n"
    assert (tmp_path / "x/fleet/sha256").read_text().strip() == hashlib.sha256(delivery.root.read_bytes()).hexdigest()
    packed = subprocess.run(["zstd", "-dc", image.first_stage], capture_output=True, check=True).stdout
    listing = subprocess.run(["cpio", "-t", "--quiet"], input=packed, capture_output=True, check=True).stdout.decode()
    for driver in ("e1000e.ko", "igb.ko", "igc.ko", "r8169.ko", "tg3.ko", "virtio_net.ko", "r8152.ko", "ax88179_178a.ko", "usb-storage.ko"):
        assert f"/{driver}\n" in listing, driver


def test_the_medium_is_labelled_and_hybrid(image: Image, tmp_path: Path) -> None:
    delivery, _changed = deliver(image, Site(KEY), tmp_path)
    said = subprocess.run(["blkid", "--probe", delivery.medium], capture_output=True, text=True, check=True).stdout
    assert 'LABEL="FLEET"' in said
    table = json.loads(subprocess.run(["sfdisk", "--json", delivery.medium], capture_output=True, text=True, check=True).stdout)
    assert any(each["type"].upper() == "C12A7328-F81F-11D2-BA4B-00A0C93EC93B" for each in table["partitiontable"]["partitions"])
    report = subprocess.run(
        ["xorriso", "-indev", f"stdio:{delivery.medium}", "-report_el_torito", "plain"], capture_output=True, text=True, check=True
    )
    assert "BIOS" in report.stdout and "UEFI" in report.stdout


def test_the_root_has_no_secret_and_starts_what_a_station_needs(image: Image) -> None:
    listing = subprocess.run(["unsquashfs", "-l", image.root], capture_output=True, text=True, check=True).stdout
    names = {line.removeprefix("squashfs-root/") for line in listing.splitlines()}
    assert not any(name.startswith("etc/ssh/ssh_host_") for name in names)
    for name in ("usr/sbin/partclone.ntfs", "usr/bin/partclone.ntfs"):
        if name in names:
            break
    else:
        pytest.fail("no partclone for NTFS")
    assert {"usr/lib/fleet/station.py", "etc/systemd/system/ssh.service.requires/fleet-station.service"} <= names
    assert image.packages["partclone"] and image.packages["grub-pc-bin"] and image.kernel.endswith("-amd64")


@pytest.mark.parametrize(
    ("site", "reason"),
    [
        (Site(""), "Nothing was given as a public SSH key"),
        (Site("# a comment\n"), "Nothing was given"),
        (Site(f"{KEY}\nssh-ed25519 short"), "'ssh-ed25519 short' is not a public SSH key"),
        (Site("-----BEGIN OPENSSH PRIVATE KEY-----"), "not a public SSH key"),
        (Site(KEY, "hello"), "is no certificate"),
        (Site(KEY, f"-----BEGIN PRIVATE KEY-----\nx\n{CERTIFICATE}"), "private key was given"),
        (Site(KEY, CERTIFICATE, "de"), "no texts in 'de'"),
        (Site(KEY, arguments="a\n}\nmenuentry x {"), "kernel's command line"),
        (Site(KEY, arguments="$(x)"), "kernel's command line"),
    ],
)
def test_a_site_that_cannot_be_is_refused_before_anything_is_written(site: Site, reason: str, tmp_path: Path) -> None:
    with pytest.raises(InputError, match=reason.replace("(", r"\(")):
        preview(Options(), site, cache=tmp_path / "cache", folder=tmp_path / "out")
    assert list(tmp_path.iterdir()) == []


def test_keys_with_options_are_keys() -> None:
    Site(f'from="10.0.0.0/8",no-pty {KEY}\n\n# the other admin\n{KEY}\n').check()


def test_the_menu_speaks_french_and_takes_arguments() -> None:
    config = medium.menu("fr", "fleet.boot=http://10.0.0.1")
    assert "Démarrer du disque local" in config and "fleet.language=fr fleet.boot=http://10.0.0.1 console=" in config


def test_nobody_but_root_builds(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    with pytest.raises(BuildError, match="needs root"):
        ImageCache(tmp_path).ensure(Options(), Progress())


def test_other_choices_are_other_images() -> None:
    choices = [Options(), Options(packages=("gpart",)), Options(firmware=("firmware-realtek",)), Options(kernel="linux-image-cloud-amd64")]
    assert len({each.digest() for each in choices}) == 4 and Options().digest() == Options().digest()
