# Copyright: (c) 2026, Fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Installers from mirrors with real signatures, made by keys of the test; what is not covered by one is not used."""

from __future__ import annotations

import functools
import hashlib
import http.server
import os
import shutil
import subprocess
import tempfile
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from ansible_collections.fleet.core.plugins.module_utils.errors import FleetError
from ansible_collections.fleet.imaging.plugins.module_utils.installer import images, signed
from ansible_collections.fleet.imaging.plugins.module_utils.installer.systems import SYSTEMS
from tests.ports import free_port

DEBIAN, UBUNTU = SYSTEMS["debian-12"], SYSTEMS["ubuntu-24.04"]


class Signer:
    """Somebody with a key."""

    def __init__(self, home: Path, name: str) -> None:
        home.mkdir(mode=0o700)
        self.home, self.keyring = home, home / "keyring.gpg"
        self._gpg("--passphrase", "", "--quick-generate-key", name, "ed25519", "sign")
        self._gpg("--output", str(self.keyring), "--export")

    def _gpg(self, *argv: str) -> None:
        subprocess.run(["gpg", "--batch", "--quiet", "--homedir", self.home, *argv], check=True, capture_output=True)

    def clear(self, text: str, target: Path) -> None:
        (self.home / "text").write_text(text)
        self._gpg("--yes", "--clearsign", "--output", str(target), str(self.home / "text"))

    def detach(self, path: Path) -> None:
        self._gpg("--yes", "--detach-sign", "--output", f"{path}.gpg", str(path))

    def stop(self) -> None:
        subprocess.run(["gpgconf", "--homedir", self.home, "--kill", "gpg-agent"], check=False)


@pytest.fixture
def signers() -> Iterator[tuple[Signer, Signer]]:
    """The distribution, and somebody else. Their agents' sockets need a short path."""
    with tempfile.TemporaryDirectory(prefix="install-", dir="/tmp", ignore_cleanup_errors=True) as folder:
        both = Signer(Path(folder) / "a", "Archive"), Signer(Path(folder) / "b", "Somebody")
        try:
            yield both
        finally:
            for each in both:
                each.stop()


def sha256(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


def debian_mirror(folder: Path, signer: Signer, kernel: bytes = b"kernel") -> None:
    netboot = folder / "dists/bookworm/main/installer-amd64/current/images/netboot/debian-installer/amd64"
    netboot.mkdir(parents=True, exist_ok=True)
    (netboot / "linux").write_bytes(kernel)
    (netboot / "initrd.gz").write_bytes(b"initrd" * 500000)
    sums = netboot.parents[2] / "SHA256SUMS"
    sums.write_text("".join(f"{sha256(netboot / name)}  ./netboot/debian-installer/amd64/{name}\n" for name in ("initrd.gz", "linux")))
    listed = f" {sha256(sums)} {sums.stat().st_size:8} main/installer-amd64/current/images/SHA256SUMS"
    signer.clear(f"Suite: stable\nMD5Sum:\n {'0' * 32} 1 main/x\nSHA256:\n{listed}\n", folder / "dists/bookworm/InRelease")


@pytest.fixture
def mirror(tmp_path: Path) -> Iterator[tuple[Path, str]]:
    """A folder, and its address."""

    class Quiet(http.server.SimpleHTTPRequestHandler):
        def log_message(self, *_args: object) -> None:
            pass

    (tmp_path / "mirror").mkdir()
    handler = functools.partial(Quiet, directory=str(tmp_path / "mirror"))
    with http.server.ThreadingHTTPServer(("127.0.0.1", free_port()), handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield tmp_path / "mirror", f"http://127.0.0.1:{server.server_address[1]}"
        server.shutdown()


def test_debians_installer_is_fetched_once_and_anew_when_it_changes(
    mirror: tuple[Path, str], signers: tuple[Signer, Signer], tmp_path: Path
) -> None:
    folder, url = mirror
    archive, served = signers[0], tmp_path / "served"
    debian_mirror(folder, archive)
    assert images.provide(DEBIAN, url, archive.keyring, served, check=True).changed
    assert not served.exists()
    first = images.provide(DEBIAN, url, archive.keyring, served)
    assert first == images.Images(True, "installers/debian-12/linux", "installers/debian-12/initrd.gz", "")
    assert (served / "http/installers/debian-12/linux").read_bytes() == b"kernel"
    assert os.path.samefile(served / "http" / first.initrd, served / "tftp" / first.initrd)
    assert not images.provide(DEBIAN, url, archive.keyring, served).changed
    debian_mirror(folder, archive, b"a point release later")
    assert images.provide(DEBIAN, url, archive.keyring, served).changed
    assert (served / "tftp" / first.kernel).read_bytes() == b"a point release later"
    assert sorted(path.name for path in (served / "http/installers/debian-12").iterdir()) == ["initrd.gz", "linux"]


def test_what_is_not_signed_is_not_used(mirror: tuple[Path, str], signers: tuple[Signer, Signer], tmp_path: Path) -> None:
    folder, url = mirror
    archive, somebody = signers
    served = tmp_path / "served"
    debian_mirror(folder, archive)
    images.provide(DEBIAN, url, archive.keyring, served)
    netboot = folder / "dists/bookworm/main/installer-amd64/current/images/netboot/debian-installer/amd64"

    def refused(said: str) -> None:
        with pytest.raises(FleetError, match=said):
            images.provide(DEBIAN, url, archive.keyring, served)
        assert (served / "http/installers/debian-12/linux").read_bytes() == b"kernel"

    debian_mirror(folder, somebody, b"another kernel")
    refused("not signed by a key")
    debian_mirror(folder, archive, b"a new kernel")
    (netboot / "linux").write_bytes(b"another kernel")
    refused("has the SHA-256")
    (netboot.parents[2] / "SHA256SUMS").write_text(f"{sha256(netboot / 'linux')}  ./netboot/debian-installer/amd64/linux\n")
    refused("has the SHA-256")
    (folder / "dists/bookworm/InRelease").write_text("SHA256:\n")
    refused("not signed by a key")
    shutil.rmtree(folder / "dists")
    refused("404")
    assert [path.name for path in (served / "http/installers/debian-12").iterdir() if path.suffix == ".part"] == []


def test_one_known_key_is_enough_and_one_wrong_signature_is_too_many(
    mirror: tuple[Path, str], signers: tuple[Signer, Signer], tmp_path: Path
) -> None:
    """A release signed by an old and a new key is accepted by who has the old one."""
    archive, somebody = signers
    text = tmp_path / "SHA256SUMS"
    text.write_text("a list\n")
    both = b""
    for signer in (somebody, archive):
        signer.detach(text)
        both += Path(f"{text}.gpg").read_bytes()
    assert signed.signed_text(b"a list\n", archive.keyring, "list", both) == "a list\n"
    with pytest.raises(signed.Unverified):
        signed.signed_text(b"a list.\n", archive.keyring, "list", both)


def test_debians_own_release_is_read_as_apt_reads_it() -> None:
    """A few lines of a real InRelease and a real SHA256SUMS."""
    text = (
        "MD5Sum:\n 8bda4ce4f0530ae601d1d7a7c47eb927    78509 main/installer-amd64/current/images/SHA256SUMS\n"
        "SHA256:\n 8e0a94d8488f7c60f5fe6723e69b450ec5d7000f592ccdb169481f4bfe863b62    78509 "
        "main/installer-amd64/current/images/SHA256SUMS\n"
        "cb24a28a5ba13dfb22e6e75bdd8ab997dbdee6e3ec6c1102f6c7f93044bd817d  ./netboot/debian-installer/amd64/initrd.gz\n"
        "cb24a28a5ba13dfb22e6e75bdd8ab997dbdee6e3ec6c1102f6c7f93044bd817e *ubuntu-24.04.3-live-server-amd64.iso\n"
    )
    assert {path: digest[:6] for path, digest in signed.digests(text).items()} == {
        "main/installer-amd64/current/images/SHA256SUMS": "8e0a94",
        "netboot/debian-installer/amd64/initrd.gz": "cb24a2",
        "ubuntu-24.04.3-live-server-amd64.iso": "cb24a2",
    }


def test_debians_installer_may_come_from_a_package(tmp_path: Path) -> None:
    folder = tmp_path / "text/debian-installer/amd64"
    with pytest.raises(FleetError, match="Install debian-installer-12-netboot-amd64"):
        images.provide(DEBIAN, str(tmp_path / "text"), Path("/none"), tmp_path / "served")
    folder.mkdir(parents=True)
    (folder / "linux").write_bytes(b"kernel")
    (folder / "initrd.gz").write_bytes(b"initrd")
    assert images.provide(DEBIAN, str(tmp_path / "text"), Path("/none"), tmp_path / "served").changed
    assert not images.provide(DEBIAN, str(tmp_path / "text"), Path("/none"), tmp_path / "served").changed
    assert (tmp_path / "served/tftp/installers/debian-12/linux").read_bytes() == b"kernel"


def test_ubuntus_kernel_is_taken_from_its_checked_medium(mirror: tuple[Path, str], signers: tuple[Signer, Signer], tmp_path: Path) -> None:
    folder, url = mirror
    archive, served = signers[0], tmp_path / "served"
    (tmp_path / "medium/casper").mkdir(parents=True)
    (tmp_path / "medium/casper/vmlinuz").write_bytes(b"kernel")
    (tmp_path / "medium/casper/initrd").write_bytes(b"initrd")
    iso = folder / "ubuntu-24.04.3-live-server-amd64.iso"
    subprocess.run(["xorriso", "-as", "mkisofs", "-quiet", "-r", "-o", iso, tmp_path / "medium"], check=True, capture_output=True)
    sums = folder / "SHA256SUMS"
    sums.write_text(f"{'0' * 64} *ubuntu-24.04.3-desktop-amd64.iso\n{sha256(iso)} *{iso.name}\n")
    archive.detach(sums)
    first = images.provide(UBUNTU, url, archive.keyring, served)
    assert first.medium == "installers/ubuntu-24.04/medium.iso"
    assert (served / "http" / first.medium).read_bytes() == iso.read_bytes()
    assert (served / "tftp" / first.kernel).read_bytes() == b"kernel"
    assert (served / "tftp" / first.initrd).read_bytes() == b"initrd"
    assert not (served / "tftp" / first.medium).exists()
    assert not images.provide(UBUNTU, url, archive.keyring, served).changed
    sums.write_text(sums.read_text().replace("0" * 64, "1" * 64))
    with pytest.raises(FleetError, match="not signed by a key"):
        images.provide(UBUNTU, url, archive.keyring, served)
    with pytest.raises(FleetError, match="There is no keyring"):
        images.provide(UBUNTU, url, tmp_path / "none.gpg", served)
