# Copyright: (c) 2026, Fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""station_identity that is cut: whatever was done, the next run goes on, and what comes out is the same. And volume groups."""

from __future__ import annotations

import re
import shutil
from pathlib import Path
from typing import Any

import pytest

from ansible_collections.fleet.core.plugins.module_utils.errors import ToolError
from ansible_collections.fleet.imaging.plugins.module_utils.identity import identifiers
from ansible_collections.fleet.imaging.plugins.module_utils.identity.request import Request
from ansible_collections.fleet.imaging.plugins.module_utils.identity.station import give
from ansible_collections.fleet.imaging.plugins.module_utils.installed import lvm, tree
from ansible_collections.fleet.imaging.plugins.module_utils.installed.volume import InstalledError
from ansible_collections.fleet.imaging.tests.unit.conftest import command
from ansible_collections.fleet.imaging.tests.unit.installation import GPT, Installed, install, put

UNIQUE = ["filesystems", "swap", "partitions"]


class Cut(Exception):
    """The power went."""


def request(**options: Any) -> Request:
    return Request.parse({"hostname": "pc07", "unique": UNIQUE, **options})


def names(system: Installed) -> tuple[object, ...]:
    """What identifies the disk's parts, and what its files say of them."""
    with system.files("ro") as root:
        texts = [(root / path).read_text() for path in ("etc/fstab", "boot/grub/grub.cfg", "etc/hostname", "etc/machine-id")]
    table = command("sfdisk", "--dump", system.disk.path)
    return ([system.uuid(number) for number in (2, 3, 4)], re.findall(r"(?:uuid=|label-id: )(\S+)", table), texts)


@pytest.mark.parametrize("where", ["replace 1", "replace 5", "replace 9", "device 1", "device 2", "device 3", "table"])
def test_a_run_that_was_cut_goes_on(where: str, loop_disk: Any, mounted: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    system = install(loop_disk, mounted)
    what, _space, number = where.partition(" ")
    owner: Any = {"replace": tree.Tree, "device": identifiers, "table": identifiers.PartitionTable}[what]
    name = {"replace": "_replace", "device": "_write", "table": "apply"}[what]
    real, calls = getattr(owner, name), [0]

    def cut(*arguments: Any) -> Any:
        calls[0] += 1
        if calls[0] == int(number or 1):
            raise Cut
        return real(*arguments)

    monkeypatch.setattr(owner, name, cut)
    with pytest.raises(Cut):
        give(system.disk, "", request(), check=False)
    monkeypatch.undo()
    assert give(system.disk, "", request(), check=False).changed
    assert not give(system.disk, "", request(), check=False).changed
    uuids, _table, (fstab, menu, hostname, _machine) = names(system)
    assert hostname == "pc07\n" and set(re.findall(r"UUID=(\S+)", fstab)) == set(uuids)
    assert set(re.findall(r"root=UUID=(\S+)|--set=root (\S+)", menu)) >= {(uuids[2], ""), ("", uuids[2])}
    other = install(loop_disk, mounted)
    give(other.disk, "", request(), check=False)
    assert names(other) == names(system)


@pytest.fixture
def grouped(loop_disk: Any, mounted: Any) -> Any:
    """A system beside a volume group, whose physical volume is the fifth partition."""
    system = install(loop_disk, mounted, script=GPT + "size=8M, type=E6D6D379-F507-44C2-A23C-238F2A3DF928\n")
    device = system.disk.partition(5).path
    command("pvcreate", "--quiet", "--devices", device, device)
    command("vgcreate", "--quiet", "--devices", device, "model-vg", device)
    return system


def test_a_volume_group_gets_a_uuid_and_a_name_of_its_own(grouped: Installed) -> None:
    device = grouped.disk.partition(5).path
    grouped.change({"etc/crypttab": "x /dev/mapper/model--vg-data none\ny /dev/model-vg/data none\n"})

    def group() -> dict[str, str]:
        [row] = lvm.rows([device], "vgs", "vg_name", "vg_uuid")
        return row

    before, physical = group(), lvm.rows([device], "pvs", "pv_uuid")
    asked = request(unique=["lvm"], volume_group="pc07")
    assert give(grouped.disk, "", asked, check=True).changed and group() == before
    give(grouped.disk, "", asked, check=False)
    after = group()
    assert after["vg_name"] == "pc07" and after["vg_uuid"] != before["vg_uuid"] and lvm.rows([device], "pvs", "pv_uuid") != physical
    bytes_before = grouped.bytes()
    assert not give(grouped.disk, "", asked, check=False).changed
    assert group() == after and grouped.bytes() == bytes_before


@pytest.mark.skipif(not lvm.usable(), reason="this kernel has no device mapper")
def test_a_root_in_a_volume_group_is_found_and_follows_its_new_name(loop_disk: Any, mounted: Any) -> None:
    disk = loop_disk(100 << 20, "label: gpt\nsize=8M, type=S\ntype=E6D6D379-F507-44C2-A23C-238F2A3DF928\n")
    device = disk.partition(2).path
    command("pvcreate", "--quiet", "--devices", device, device)
    command("vgcreate", "--quiet", "--devices", device, "model", device)
    command("lvcreate", "--quiet", "--devices", device, "--size", "64M", "--name", "root", "model")
    volume = Path("/dev/model/root")
    try:
        command("mkfs.ext4", "-q", "-F", volume)
        with mounted(volume, "ext4") as root:
            (root / "etc").mkdir()
            (root / "usr").mkdir()
            (root / "etc/fstab").write_text("/dev/mapper/model-root / ext4 defaults 0 1\n")
            (root / "etc/os-release").write_text("ID=debian\n")
    finally:
        command("vgchange", "--devices", device, "--activate", "n", "model")
    assert give(disk, "", request(unique=["lvm"], volume_group="pc07"), check=False).root == "model/root"
    assert not give(disk, "", request(unique=["lvm"], volume_group="pc07"), check=False).changed


def test_a_tool_that_fails_says_what_to_do(loop_disk: Any, mounted: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    system = install(loop_disk, mounted)
    monkeypatch.setattr(identifiers, "_of_filesystem", lambda *_arguments: "no identifier")
    with pytest.raises(ToolError, match="Run it again"):
        give(system.disk, "", request(unique=["swap"]), check=False)


CURIOUS = """\
#!/bin/sh
while read name value rest; do
    case $name in CapEff:|CapBnd:|NoNewPrivs:) echo "$name $value" >&2 ;; esac
done < /proc/self/status
while read name rest; do echo "net $name" >&2; done < /proc/net/dev
for each in /dev/*; do echo "$each" >&2; done
echo "process $$" >&2
(echo other > /proc/self/comm) 2> /dev/null && echo "proc can be written" >&2
[ -e /etc/mended ] || exit 3
echo made > /boot/initrd.img-6.1.0
"""


def test_the_systems_own_tool_runs_confined_and_again_after_it_failed(loop_disk: Any, mounted: Any) -> None:
    system = install(loop_disk, mounted)
    with system.files() as root:
        for library in re.findall(r"(/\S+)", command("ldd", "/bin/sh")):
            (root / library.lstrip("/")).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(library, root / library.lstrip("/"))
        (root / "bin").mkdir(exist_ok=True)
        shutil.copy("/bin/sh", root / "bin/sh")
        put(root, {"usr/sbin/update-initramfs": CURIOUS, "boot/initrd.img-6.1.0": "old\n"})
        (root / "usr/sbin/update-initramfs").chmod(0o755)
    with pytest.raises(InstalledError, match="initramfs could not be made again") as refused:
        give(system.disk, "", request(unique=["swap"]), check=False)
    said = str(refused.value)
    assert "CapEff: 00000000000000db" in said and "CapBnd: 00000000000000db" in said and "NoNewPrivs: 1" in said
    assert re.findall(r"net (\w+):", said) == ["lo"] and not re.search("/dev/(loop|sd|vd)", said)
    assert "proc can be written" not in said
    system.change({"etc/mended": ""})
    assert give(system.disk, "", request(unique=["swap"]), check=False).changed
    assert system.text("boot/initrd.img-6.1.0") == "made\n"
    assert not give(system.disk, "", request(unique=["swap"]), check=False).changed
