# Copyright: (c) 2026, Fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The first stage's archive is the kernel's, the same each time; its modules are complete; its program decides rightly."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from ansible_collections.fleet.imaging.plugins.module_utils.environment import drivers, first_stage
from ansible_collections.fleet.imaging.plugins.module_utils.environment.archive import Node, pack

DEP = """\
kernel/drivers/net/ethernet/intel/e1000e/e1000e.ko: kernel/drivers/ptp/ptp.ko kernel/drivers/pps/pps_core.ko
kernel/drivers/ptp/ptp.ko: kernel/drivers/pps/pps_core.ko
kernel/drivers/pps/pps_core.ko:
kernel/drivers/net/ethernet/realtek/r8169.ko: kernel/drivers/net/phy/libphy.ko
kernel/drivers/net/phy/libphy.ko:
kernel/drivers/net/phy/realtek.ko: kernel/drivers/net/phy/libphy.ko
kernel/drivers/net/wireless/intel/iwlwifi/iwlwifi.ko: kernel/net/wireless/cfg80211.ko
kernel/net/wireless/cfg80211.ko:
kernel/fs/squashfs/squashfs.ko:
kernel/fs/xfs/xfs.ko: kernel/lib/libcrc32c.ko
kernel/lib/libcrc32c.ko:
kernel/crypto/crc32c_generic.ko:
kernel/drivers/gpu/drm/drm.ko:
"""


def listed(archive: bytes) -> list[str]:
    """What cpio(1) makes of an archive."""
    return subprocess.run(["cpio", "-tv", "--numeric-uid-gid"], input=archive, capture_output=True, check=True).stdout.decode().splitlines()


def test_an_archive_is_what_cpio_reads_and_the_same_each_time() -> None:
    nodes = {
        "init": Node.file(b"#!/bin/sh\n", 0o755),
        "bin/sh": Node.link("busybox"),
        "dev/console": Node.character(5, 1),
        "site": Node.folder(),
    }
    archive = pack(nodes)
    assert archive == pack(dict(reversed(nodes.items()))) and len(archive) % 4 == 0
    words = {line.split()[-1]: line.split() for line in listed(archive)}
    assert set(words) == {"init", "bin", "busybox", "dev", "dev/console", "site"}
    assert words["init"][0] == "-rwxr-xr-x" and words["init"][2:5] == ["0", "0", "10"]
    assert words["dev/console"][0] == "crw-------" and words["dev/console"][4:6] == ["5,", "1"]


def test_contents_survive(tmp_path: Path) -> None:
    archive = pack({f"deep/er/{size}": Node.file(bytes([65]) * size) for size in range(9)})
    subprocess.run(["cpio", "-id", "--quiet"], input=archive, cwd=tmp_path, check=True)
    assert [(tmp_path / f"deep/er/{size}").read_bytes() for size in range(9)] == [b"A" * size for size in range(9)]


def test_the_first_stage_has_every_wired_card_and_what_it_needs_and_no_more() -> None:
    softly = drivers.soft_dependencies("softdep r8169 pre: realtek\nsoftdep squashfs pre: crc32c_generic\nsoftdep xfs pre: drm\n")
    chosen = drivers.names(drivers.first_stage(drivers.dependencies(DEP), softly))
    assert chosen >= {"e1000e", "ptp", "pps_core", "r8169", "libphy", "realtek", "squashfs", "crc32c_generic"}
    assert not chosen & {"iwlwifi", "cfg80211", "xfs", "drm"}


def test_the_index_of_aliases_is_about_those_modules_only() -> None:
    text = "alias pci:v8086* e1000e\nalias pci:v10EC* r8169\nalias net-pf-16 drm\nsoftdep r8169 pre: realtek\n# comment\n"
    assert drivers.index(text, {"r8169"}) == "alias pci:v10EC* r8169\nsoftdep r8169 pre: realtek\n"


def test_firmware_is_what_the_module_names(tmp_path: Path) -> None:
    module = tmp_path / "x.ko"
    module.write_bytes(b"\x7fELF\0firmware=rtl_nic/a.fw\0author=x\0firmware=rtl_nic/b.fw\0\xff")
    assert drivers.firmware_of(module) == ["rtl_nic/a.fw", "rtl_nic/b.fw"]


def test_a_sites_archive_says_what_the_root_must_be() -> None:
    archive = first_stage.site({"etc/fleet/authorized_keys": b"ssh-ed25519 A\n"}, 7, "ab" * 32)
    assert archive == first_stage.site({"etc/fleet/authorized_keys": b"ssh-ed25519 A\n"}, 7, "ab" * 32)
    assert {"site/etc/fleet/authorized_keys", "fleet/size", "fleet/sha256"} <= {line.split()[-1] for line in listed(archive)}
    assert archive != first_stage.site({"etc/fleet/authorized_keys": b"ssh-ed25519 A\n"}, 8, "ab" * 32)


@pytest.mark.parametrize("shell", [["sh", "-n"], ["bash", "-n"]])
def test_the_program_is_a_shells(shell: list[str]) -> None:
    for program in (first_stage.INIT, first_stage.LEASE):
        done = subprocess.run([*shell, "/dev/stdin"], input=program, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr


def shell(functions: str, script: str, **environment: str) -> str:
    """Run functions of the first stage's program on this host."""
    start = first_stage.INIT.index(f"{functions}() {{")
    body = first_stage.INIT[start : first_stage.INIT.index("\n}\n", start) + 3]
    done = subprocess.run(
        ["sh", "-c", body + script], env={"PATH": "/bin:/usr/bin", **environment}, capture_output=True, text=True, check=True
    )
    return done.stdout


def test_only_a_root_of_the_right_size_and_digest_matches(tmp_path: Path) -> None:
    root = tmp_path / "root.img"
    root.write_bytes(b"squash" * 1000)
    sha256 = subprocess.run(["sha256sum", root], capture_output=True, text=True, check=True).stdout.split()[0]
    script = f'count() {{ :; }}; matches "{root}" && echo right || echo wrong'
    assert shell("matches", script, size="6000", sha256=sha256) == "right\n"
    assert shell("matches", script, size="6001", sha256=sha256) == "wrong\n"
    root.write_bytes(b"squash" * 999 + b"squasH")
    assert shell("matches", script, size="6000", sha256=sha256) == "wrong\n"
    root.unlink()
    assert shell("matches", script, size="6000", sha256=sha256) == "wrong\n"
