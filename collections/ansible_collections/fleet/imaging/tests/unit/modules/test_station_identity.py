# Copyright: (c) 2026, Fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""station_identity as Ansible runs it, on disks with real filesystems."""

from __future__ import annotations

import os
import re
import uuid
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from ansible_collections.fleet.imaging.tests.unit.conftest import command
from ansible_collections.fleet.imaging.tests.unit.filesystems import tree
from ansible_collections.fleet.imaging.tests.unit.installation import DOS, HOSTS, MODEL_MAC, STATION_MAC, Installed, install, put

Give = Callable[..., dict[str, Any]]
EVERYTHING = ["filesystems", "swap", "partitions"]


@pytest.fixture
def give(run: Any) -> Give:
    """The module, told what it must know and what else is given."""

    def call(system: Installed, **options: Any) -> dict[str, Any]:
        arguments = {"disk": str(system.disk.path), "disk_identity": system.identity, "hostname": "pc07", "domain": "example.org"}
        result: dict[str, Any] = run("station_identity", **{**arguments, **options})
        return result

    return call


@pytest.fixture
def system(loop_disk: Any, mounted: Any) -> Installed:
    """A model's system on ext4, restored to a station's disk."""
    return install(loop_disk, mounted)


def test_a_station_gets_its_name_machine_id_and_keys(give: Give, system: Installed) -> None:
    result = give(system)
    assert result["changed"] and result["old_hostname"] == "model" and result["system"].startswith("Debian")
    with system.files("ro") as root:
        assert (root / "etc/hostname").read_text() == "pc07\n"
        expected = HOSTS.replace("model.example.org model", "pc07.example.org pc07").replace("10.0.0.7 model", "10.0.0.7 pc07")
        assert (root / "etc/hosts").read_text() == expected
        assert (root / "etc/machine-id").read_text() == result["machine_id"] + "\n" != "0123456789abcdef0123456789abcdef\n"
        assert not (root / "var/lib/dhcp/dhclient.eth0.leases").exists() and not (root / "var/lib/systemd/random-seed").exists()
        for key in result["ssh_host_keys"]:
            private = root / f"etc/ssh/ssh_host_{key['type']}_key"
            assert private.stat().st_mode & 0o777 == 0o600
            assert command("ssh-keygen", "-y", "-f", private).split()[:2] == key["public"].split()
            public = private.with_suffix(".pub")
            assert key["fingerprint"] in command("ssh-keygen", "-l", "-f", public)
            assert public.read_text() != system.model_keys[key["type"]]
    assert [key["type"] for key in result["ssh_host_keys"]] == ["ecdsa", "ed25519"]
    assert command("e2fsck", "-f", "-n", system.device)


def test_nothing_else_on_the_disk_changes(give: Give, system: Installed) -> None:
    with system.files("ro") as root:
        before = tree(root)
    result = give(system)
    with system.files("ro") as root:
        after = tree(root)
    said = {each["after_header"].lstrip("/") for each in result["diff"] if "after_header" in each}
    touched = {path for path in before.keys() | after.keys() if before.get(path, ())[:2] != after.get(path, ())[:2]}
    folders = {"etc/fleet"}
    assert {path for path in touched if "ssh_host" not in path} - folders == said


@pytest.mark.parametrize("kind, subvolume", [("ext4", ""), ("xfs", ""), ("btrfs", ""), ("btrfs", "@rootfs")])
def test_a_second_run_changes_nothing_byte_for_byte(kind: str, subvolume: str, give: Give, loop_disk: Any, mounted: Any) -> None:
    system = install(loop_disk, mounted, kind, subvolume=subvolume)
    seed = str(uuid.uuid4())  # a btrfs that another test has, too, cannot be mounted
    first = give(system, unique=EVERYTHING, seed=seed)
    before = system.bytes()
    second = give(system, unique=EVERYTHING, seed=seed)
    assert not second["changed"] and second["diff"] == []
    assert system.bytes() == before
    assert second["machine_id"] == first["machine_id"] and second["ssh_host_keys"] == first["ssh_host_keys"]


def test_check_mode_tells_what_would_change_and_changes_nothing(give: Give, run: Any, system: Installed) -> None:
    before = system.bytes()
    arguments = {"disk": str(system.disk.path), "disk_identity": system.identity, "hostname": "pc07", "unique": EVERYTHING}
    result = run("station_identity", check=True, **arguments)
    assert result["changed"] and result["new_ssh_host_keys"] and result["ssh_host_keys"] == []
    shown = {each.get("after_header") for each in result["diff"]}
    assert {"/etc/hostname", "/etc/hosts", "/etc/fstab", "/boot/grub/grub.cfg", "/etc/machine-id"} <= shown
    assert system.bytes() == before


def test_two_stations_are_two_and_each_is_always_the_same(give: Give, system: Installed, loop_disk: Any, mounted: Any) -> None:
    other = install(loop_disk, mounted)
    one, two = give(system), give(other, hostname="pc08")
    assert one["machine_id"] != two["machine_id"]
    assert not {key["public"] for key in one["ssh_host_keys"]} & {key["public"] for key in two["ssh_host_keys"]}
    again = give(other)  # what was pc08 becomes pc07: new keys, but the machine-id that pc07 always has
    assert again["machine_id"] == one["machine_id"] and again["new_ssh_host_keys"]
    assert give(other, seed="5c1ad6e4-secret-of-the-site")["machine_id"] != one["machine_id"]


@pytest.mark.parametrize("kind", ["ext4", "xfs", "btrfs"])
def test_identifiers_become_its_own_and_all_files_follow(kind: str, give: Give, loop_disk: Any, mounted: Any) -> None:
    system = install(loop_disk, mounted, kind)
    old = {number: system.uuid(number) for number in (2, 3, 4)}
    table = command("sfdisk", "--dump", system.disk.path)
    system.change(
        {"etc/crypttab": f"# UUID={old[3]}x\nswap UUID={old[3]} /dev/urandom swap\n", "etc/default/grub": f"X=UUID={old[4].upper()}"}
    )
    system.on_esp("EFI/debian/grub.cfg", f"search.fs_uuid {old[4]} root\n".encode())
    result = give(system, unique=EVERYTHING, seed=str(uuid.uuid4()))
    new = {number: system.uuid(number) for number in (2, 3, 4)}
    assert not set(old.values()) & set(new.values())
    assert {each["new"] for each in result["identifiers"]} >= set(new.values())
    with system.files("ro") as root:
        fstab = (root / "etc/fstab").read_text()
        assert re.findall(r"UUID=(\S+)", fstab) == [new[4], new[3], new[2]]
        assert (root / "etc/crypttab").read_text() == f"# UUID={old[3]}x\nswap UUID={new[3]} /dev/urandom swap\n"
        assert (root / "etc/default/grub").read_text() == f"X=UUID={new[4].upper()}"
        menu = (root / "boot/grub/grub.cfg").read_text()
        assert menu.count(new[4]) == 3 and f"resume=UUID={new[3]}" in menu and old[4] not in menu and "11111111-2222" in menu
        assert (root / "home/somebody/notes").read_text().startswith(f"model is written here, and {old[4]}")
    assert system.from_esp("EFI/debian/grub.cfg").decode() == f"search.fs_uuid {new[4]} root\n"
    now = command("sfdisk", "--dump", system.disk.path)
    assert re.sub(r"uuid=\S+|label-id: \S+", "", now) == re.sub(r"uuid=\S+|label-id: \S+", "", table)
    assert not set(re.findall(r"uuid=(\S+)", now)) & set(re.findall(r"uuid=(\S+)", table))
    checker = {"ext4": ["e2fsck", "-f", "-n"], "xfs": ["xfs_repair", "-n"], "btrfs": ["btrfs", "check"]}[kind]
    command(*checker, system.device)
    command("fsck.vfat", "-n", system.disk.partition(2).path)


def test_an_mbr_gets_another_signature_and_the_names_made_from_it(give: Give, loop_disk: Any, mounted: Any) -> None:
    system = install(loop_disk, mounted, script=DOS, root=1, swap=2)
    old = re.findall(r"label-id: 0x(\S+)", command("sfdisk", "--dump", system.disk.path))[0]
    system.change({"etc/fstab": f"PARTUUID={old}-01 / ext4 defaults 0 1\nPARTUUID={old}-02 none swap sw 0 0\n"})
    give(system, unique=["partitions"])
    new = re.findall(r"label-id: 0x(\S+)", command("sfdisk", "--dump", system.disk.path))[0]
    assert new != old
    assert system.text("etc/fstab") == f"PARTUUID={new}-01 / ext4 defaults 0 1\nPARTUUID={new}-02 none swap sw 0 0\n"
    assert not give(system, unique=["partitions"])["changed"]


def test_a_disk_with_windows_keeps_its_partitions_identifiers(give: Give, loop_disk: Any, mounted: Any) -> None:
    script = "label: gpt\nsize=1M\nsize=16M\nsize=8M, type=S\nsize=64M, type=L\n"
    system = install(loop_disk, mounted, script=script)
    command("mkfs.ntfs", "-q", "-f", system.disk.partition(2).path)
    before = system.bytes()
    result = give(system, unique=["partitions"])
    assert result["failed"] and "Windows" in result["msg"] and "Nothing was changed" in result["msg"]
    assert system.bytes() == before
    assert give(system, unique=["filesystems"])["changed"]
    assert command("ntfsresize", "--info", "--force", system.disk.partition(2).path)


def test_values_of_the_station_are_readable_by_root_only_and_never_shown(give: Give, system: Installed) -> None:
    files = [
        {"path": "/etc/cad/licence", "content": "LICENCE-4711-SECRET\n"},
        {"path": "/etc/motd", "content": "pc07\n", "mode": "0644", "uid": 5},
    ]
    result = give(system, files=files)
    assert "LICENCE" not in repr({key: value for key, value in result.items() if key != "invocation"})
    with system.files("ro") as root:
        licence, motd = (root / "etc/cad/licence").stat(), (root / "etc/motd").stat()
        assert (root / "etc/cad/licence").read_text() == "LICENCE-4711-SECRET\n"
        assert (licence.st_mode & 0o777, licence.st_uid, motd.st_mode & 0o777, motd.st_uid) == (0o600, 0, 0o644, 5)
    assert not give(system, files=files)["changed"]
    files[0]["content"] = "LICENCE-4712\n"
    assert give(system, files=files)["changed"]


@pytest.mark.parametrize("mac, expected", [(STATION_MAC, f"mac-address={STATION_MAC}\n"), ("", "")])
def test_settings_bound_to_the_models_card_are_loosened(mac: str, expected: str, give: Give, system: Installed) -> None:
    path = "etc/NetworkManager/system-connections/Wired.nmconnection"
    assert MODEL_MAC in system.text(path)
    give(system, mac=mac)
    assert system.text(path) == f"[connection]\nid=Wired\ntype=ethernet\n\n[ethernet]\n{expected}\n[ipv4]\nmethod=auto\n"


def test_a_static_address_is_set_for_who_manages_the_network(give: Give, system: Installed) -> None:
    network = {"address": "10.0.0.5/24", "gateway": "10.0.0.1", "dns": ["10.0.0.1"], "search": ["example.org"]}
    result = give(system, network=network, mac=STATION_MAC)
    assert result["network_manager"] == "NetworkManager"
    with system.files("ro") as root:
        path = root / "etc/NetworkManager/system-connections/fleet.nmconnection"
        assert path.stat().st_mode & 0o777 == 0o600  # NetworkManager ignores others
        assert "address1=10.0.0.5/24,10.0.0.1\ndns=10.0.0.1;\n" in path.read_text()
    assert not give(system, network=network, mac=STATION_MAC)["changed"]


def hook(folder: Path, name: str, script: str) -> None:
    folder.mkdir(exist_ok=True)
    (folder / name).write_text(f"#!/bin/sh\n{script}\n")
    (folder / name).chmod(0o755)


def test_hooks_of_the_site_run_in_order_with_what_they_must_know(give: Give, system: Installed, tmp_path: Path) -> None:
    hooks, log = tmp_path / "hooks", tmp_path / "log"
    hook(hooks, "20-second", f'echo "second $FLEET_STATION $FLEET_MACHINE_ID $(cat "$FLEET_ROOT/etc/hostname")" >> {log}')
    hook(hooks, "10-first", f'cat >> {log}; echo >> {log}; echo hello; echo mine > "$FLEET_ROOT/etc/mine"')
    hook(hooks, "30-backup~", f"echo backup >> {log}")
    (hooks / "README").write_text("not executable")
    result = give(system, hooks=str(hooks), values={"room": "b204"})
    assert log.read_text() == f'{{"room": "b204"}}\nsecond pc07 {result["machine_id"]} pc07\n'
    assert result["hooks"] == [{"name": "10-first", "output": "hello"}, {"name": "20-second", "output": ""}]
    assert system.text("etc/mine") == "mine\n"
    before = system.bytes()
    assert not give(system, hooks=str(hooks), values={"room": "b204"})["changed"]
    assert system.bytes() == before
    hook(hooks, "20-second", f"echo again >> {log}")
    assert [each["name"] for each in give(system, hooks=str(hooks), values={"room": "b204"})["hooks"]] == ["20-second"]


def test_a_hook_that_fails_fails_the_station_with_its_output_and_runs_again(give: Give, system: Installed, tmp_path: Path) -> None:
    hooks = tmp_path / "hooks"
    hook(hooks, "10-good", f"echo x >> {tmp_path}/good")
    hook(hooks, "20-bad", f'echo "no licence left" >&2; [ -e {tmp_path}/mended ] || exit 3')
    hook(hooks, "30-never", f"echo x >> {tmp_path}/never")
    result = give(system, hooks=str(hooks))
    assert result["failed"] and "20-bad" in result["msg"] and "code 3" in result["msg"] and "no licence left" in result["msg"]
    assert not (tmp_path / "never").exists()
    (tmp_path / "mended").touch()
    assert [each["name"] for each in give(system, hooks=str(hooks))["hooks"]] == ["20-bad", "30-never"]
    assert (tmp_path / "good").read_text() == "x\n"


@pytest.mark.parametrize(
    "options, says",
    [
        ({"hostname": "pc_07"}, "is not a host name"),
        ({"hostname": "pc07.example.org"}, "is not a host name"),
        ({"domain": "a b"}, "is not a domain"),
        ({"mac": "52:54"}, "is not a MAC address"),
        ({"network": {"address": "10.0.0.5"}}, "lacks the length of its prefix"),
        ({"network": {"address": "10.0.0.5/24", "gateway": "10.1.0.1"}}, "is not in 10.0.0.0/24"),
        ({"network": {"address": "10.0.0.5/24", "dns": ["x"]}}, "does not appear to be"),
        ({"network": {"address": "10.0.0.5/24", "interface": "eth0 up"}}, "is not the name of an interface"),
        ({"files": [{"path": "etc/x", "content": "x"}]}, "is not the absolute path"),
        ({"files": [{"path": "/etc/../../x", "content": "x"}]}, "is not the absolute path"),
        ({"files": [{"path": "/etc/x", "content": "x", "mode": "u+x"}]}, "has the mode"),
        ({"hooks": "/nowhere"}, "no folder /nowhere"),
        ({"disk_identity": "size:1234"}, "is not the disk that was named"),
        ({"disk_identity": "the first"}, "is not a disk identity"),
        ({"root": "9"}, "is no root filesystem"),
    ],
)
def test_what_cannot_be_is_refused_and_changes_nothing(options: dict[str, Any], says: str, give: Give, system: Installed) -> None:
    before = system.bytes()
    result = give(system, **options)
    assert result["failed"] and says in result["msg"]
    assert system.bytes() == before


def test_a_disk_in_use_is_refused(give: Give, system: Installed) -> None:
    with system.files():
        result = give(system)
    assert result["failed"] and "is in use" in result["msg"] and "imaging environment" in result["msg"]
    assert system.text("etc/hostname") == "model\n"


def test_a_disk_without_a_system_is_refused(give: Give, system: Installed, loop_disk: Any) -> None:
    command("mkfs.ext4", "-q", "-F", system.device)
    assert "There is no Linux system" in give(system)["msg"]
    empty = Installed(loop_disk(65 << 20), "ext4", None)
    assert "no partition table" in give(empty)["msg"]


def test_two_systems_on_a_disk_are_named_and_one_is_asked_for(give: Give, system: Installed, loop_disk: Any, mounted: Any) -> None:
    script = "label: gpt\nsize=1M\nsize=40M, type=L\nsize=8M, type=S\nsize=64M, type=L\n"
    both = install(loop_disk, mounted, script=script)
    other = both.disk.partition(2).path
    command("mkfs.ext4", "-q", "-F", other)
    with mounted(other, "ext4") as folder:
        put(folder, {"etc/os-release": 'PRETTY_NAME="Other Linux 3"\n', "usr/x": "", "etc/hostname": "other\n"})
    before = both.bytes()
    result = give(both)
    assert result["failed"] and "partition 2" in result["msg"] and "Other Linux 3" in result["msg"] and "partition 4" in result["msg"]
    assert "with root" in result["msg"] and both.bytes() == before
    assert give(both, root="2")["old_hostname"] == "other"
    assert both.text("etc/hostname") == "model\n"
    assert give(both, root=both.uuid(4))["old_hostname"] == "model"


def test_a_full_filesystem_is_refused_and_nothing_changes(give: Give, system: Installed) -> None:
    with system.files() as root, pytest.raises(OSError), (root / "filler").open("wb", buffering=0) as file:
        while True:
            file.write(bytes(65536))
    with system.files("ro") as root:
        before = tree(root)
    result = give(system)
    assert result["failed"] and "is full" in result["msg"] and "Nothing was changed" in result["msg"]
    with system.files("ro") as root:
        assert tree(root) == before


def test_a_disk_that_can_only_be_read_is_refused(give: Give, system: Installed) -> None:
    command("blockdev", "--setro", system.disk.path)
    try:
        result = give(system)
    finally:
        command("blockdev", "--setrw", system.disk.path)
    assert result["failed"] and "read-only" in result["msg"]


@pytest.mark.parametrize("kind", ["ext4", "xfs"])
def test_a_journal_with_changes_is_replayed_first(kind: str, give: Give, loop_disk: Any, mounted: Any, tmp_path: Path) -> None:
    system = install(loop_disk, mounted, kind)
    with system.files() as root:  # as the disk is when the power goes
        (root / "etc/late").write_text("late\n")
        os.sync()
        (tmp_path / "cut").write_bytes(system.bytes())
    with (tmp_path / "cut").open("rb") as file, system.disk.path.open("r+b") as disk:
        while block := file.read(1 << 20):
            disk.write(block)
    assert give(system)["changed"]
    assert system.text("etc/late") == "late\n" and system.text("etc/hostname") == "pc07\n"
    assert not give(system)["changed"]


def test_an_unknown_distribution_gets_what_it_has_files_for(give: Give, system: Installed) -> None:
    with system.files() as root:
        (root / "etc/os-release").unlink()
        for path in ("usr/sbin/NetworkManager", "usr/sbin/sshd"):
            (root / path).unlink()
        for key in (root / "etc/ssh").glob("ssh_host*"):
            key.unlink()
    result = give(system)
    assert result["system"] == "unknown Linux" and result["ssh_host_keys"] == [] and result["changed"]
    refused = give(system, network={"address": "10.0.0.5/24"})
    assert refused["failed"] and "no netplan, NetworkManager" in refused["msg"]


def test_a_system_that_points_out_of_its_disk_reaches_nothing(give: Give, system: Installed, tmp_path: Path) -> None:
    outside = tmp_path / "outside"
    outside.mkdir()
    for name in ("hostname", "hosts", "machine-id", "fstab"):
        (outside / name).write_text("precious\n")
    with system.files() as root:
        for name in ("hosts", "machine-id"):
            (root / "etc" / name).unlink()
            (root / "etc" / name).symlink_to(outside / name)
        (root / "etc/hostname").unlink()
        (root / "etc/hostname").symlink_to("../../../../../../../../.." + str(outside / "hostname"))
        (root / "etc/NetworkManager/system-connections").rename(root / "etc/away")
        (root / "etc/NetworkManager/system-connections").symlink_to(outside)
        (root / "boot/grub/grub.cfg").unlink()
        (root / "boot/grub").rmdir()
        (root / "boot/grub").symlink_to(outside)
    assert give(system, unique=["filesystems"])["changed"]
    assert {path.name: path.read_text() for path in outside.iterdir()} == dict.fromkeys(
        ("hostname", "hosts", "machine-id", "fstab"), "precious\n"
    )
    assert system.text("etc/hostname") == "pc07\n" and "pc07" in system.text("etc/hosts")


@pytest.mark.parametrize("trap", ["fifo", "huge", "folder", "loop"])
def test_traps_are_refused_at_once(trap: str, give: Give, system: Installed) -> None:
    with system.files() as root:
        path = root / "etc/hosts"
        path.unlink()
        if trap == "fifo":
            os.mkfifo(path)
        elif trap == "huge":
            with path.open("wb") as file:
                file.truncate(1 << 40)
        elif trap == "folder":
            path.mkdir()
        else:
            path.symlink_to("hosts")
    before = system.bytes()
    result = give(system)
    assert result["failed"] and "/etc/hosts" in result["msg"]
    assert system.bytes() == before
