# Copyright: (c) 2026, Fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The installers' kernels and initial RAM disks on the boot server, in ``installers/<system>/`` below both folders that it serves."""

from __future__ import annotations

import os
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ansible_collections.fleet.core.plugins.module_utils.command import run
from ansible_collections.fleet.core.plugins.module_utils.errors import FleetError

from . import signed
from .systems import System

KERNEL, INITRD, MEDIUM = "linux", "initrd.gz", "medium.iso"
KEYRINGS = {
    "debian": Path("/usr/share/keyrings/debian-archive-keyring.gpg"),
    "ubuntu": Path("/usr/share/keyrings/ubuntu-archive-keyring.gpg"),
}
_DEBIAN_IMAGES = "main/installer-amd64/current/images"
_DEBIAN_NETBOOT = "netboot/debian-installer/amd64"


@dataclass(frozen=True)
class Images:
    """Where a station finds the installer, from the root of what is served; medium is empty for Debian."""

    changed: bool
    kernel: str
    initrd: str
    medium: str

    def as_dict(self) -> dict[str, Any]:
        return {"changed": self.changed, "kernel": self.kernel, "initrd": self.initrd, "medium": self.medium}


def provide(system: System, source: str, keyring: Path, served: Path, *, check: bool = False) -> Images:
    """Make the files in served (``http/`` and ``tftp/``) those that the distribution signed; fetches what differs.

    source: a Debian mirror, or the folder of an Ubuntu release with its media and SHA256SUMS. For Debian it may be a folder of this host,
    that of the package debian-installer-12-netboot-amd64, which apt has checked.
    """
    place = f"installers/{system.name}"
    provider = _ubuntu if system.family == "ubuntu" else _package if source.startswith("/") else _debian
    changed = provider(system, source.rstrip("/"), keyring, served / "http" / place, check)
    if not check:
        changed |= _link(served / "http" / place, served / "tftp" / place)
    medium = "" if system.family == "debian" else f"{place}/{MEDIUM}"
    return Images(changed, f"{place}/{KERNEL}", f"{place}/{INITRD}", medium)


def _debian(system: System, source: str, keyring: Path, target: Path, check: bool) -> bool:
    """InRelease signs the digest of the images' SHA256SUMS, which has those of the images (deb.debian.org, dists/)."""
    suite = f"{source}/dists/{system.suite}"
    release = signed.digests(signed.signed_text(signed.fetch_text(f"{suite}/InRelease"), keyring, f"{suite}/InRelease"))
    sums = f"{_DEBIAN_IMAGES}/SHA256SUMS"
    listing = signed.checked(signed.fetch_text(f"{suite}/{sums}"), _digest(release, sums, suite), f"{suite}/{sums}")
    images = signed.digests(listing.decode("utf-8", "replace"))
    changed = False
    for name in (INITRD, KERNEL):
        wanted = _digest(images, f"{_DEBIAN_NETBOOT}/{name}", f"{suite}/{sums}")
        if signed.sha256(target / name) != wanted:
            changed = True
            if not check:
                signed.fetch_file(f"{suite}/{_DEBIAN_IMAGES}/{_DEBIAN_NETBOOT}/{name}", wanted, target / name)
    return changed


def _package(_system: System, source: str, _keyring: Path, target: Path, check: bool) -> bool:
    """From a folder of this host, whose files a package brought."""
    changed = False
    for name in (INITRD, KERNEL):
        wanted = signed.sha256(Path(source) / "debian-installer/amd64" / name)
        if not wanted:
            raise FleetError(f"There is no installer in {source}", remedy="Install debian-installer-12-netboot-amd64, or name a mirror")
        if signed.sha256(target / name) != wanted:
            changed = True
            if not check:
                signed.fetch_file((Path(source) / "debian-installer/amd64" / name).as_uri(), wanted, target / name)
    return changed


def _ubuntu(system: System, source: str, keyring: Path, target: Path, check: bool) -> bool:
    """SHA256SUMS.gpg signs SHA256SUMS, which has the digest of the live server's medium; kernel and initrd are in it, in casper/."""
    sums, signature = signed.fetch_text(f"{source}/SHA256SUMS"), signed.fetch_text(f"{source}/SHA256SUMS.gpg")
    media = signed.digests(signed.signed_text(sums, keyring, f"{source}/SHA256SUMS", signature))
    names = sorted(name for name in media if name.startswith(f"ubuntu-{system.version}") and name.endswith("-live-server-amd64.iso"))
    if not names:
        raise FleetError(f"{source}/SHA256SUMS has no medium of ubuntu-{system.version} for servers", remedy="Name the release's folder")
    medium = target / MEDIUM
    changed = signed.sha256(medium) != media[names[-1]]
    if changed and not check:
        signed.fetch_file(f"{source}/{names[-1]}", media[names[-1]], medium)
    missing = changed or not (target / KERNEL).exists() or not (target / INITRD).exists()
    if missing and not check:
        _extract(medium, {"/casper/vmlinuz": target / KERNEL, "/casper/initrd": target / INITRD})
    return missing


def _digest(listed: dict[str, str], path: str, where: str) -> str:
    try:
        return listed[path]
    except KeyError:
        raise FleetError(f"{where} does not list {path}", remedy="Name a mirror of Debian with its installer") from None


def _extract(medium: Path, wanted: dict[str, Path]) -> None:
    with tempfile.TemporaryDirectory(prefix=".extract-", dir=medium.parent) as folder:
        for inside, target in wanted.items():
            partial = Path(folder) / target.name
            argv = ["xorriso", "-osirrox", "on", "-indev", f"stdio:{medium}", "-extract", inside, str(partial)]
            run(argv)
            partial.chmod(0o644)
            os.replace(partial, target)


def _link(source: Path, target: Path) -> bool:
    """The same kernel and initrd for who asks by TFTP, without a second copy."""
    changed = False
    try:
        target.mkdir(mode=0o755, parents=True, exist_ok=True)
        for name in (INITRD, KERNEL):
            if not (target / name).exists() or not os.path.samefile(source / name, target / name):
                with tempfile.TemporaryDirectory(prefix=".link-", dir=target) as folder:
                    os.link(source / name, f"{folder}/{name}")
                    os.replace(f"{folder}/{name}", target / name)
                changed = True
    except OSError as error:
        raise FleetError(f"{target} cannot be written: {error.strerror}", remedy="http/ and tftp/ must be on one filesystem") from error
    return changed
