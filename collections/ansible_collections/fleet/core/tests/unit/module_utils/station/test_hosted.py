# Copyright: (c) 2026, Fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Modems, virtual machines, antivirus and licences.

Taken from the programs themselves: the definition (of libvirt 9.0), ``clamscan --version`` (1.4.6 without signatures), a running QEMU.
Written after the formats' documents, because no such machine is here: ModemManager's JSON, VirtualBox's definition, the header of ClamAV's
signatures, Ubuntu's and SUSE's status, the table MSDM.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import time
from pathlib import Path

import pytest

from ansible_collections.fleet.core.plugins.module_utils.station import antivirus, licenses, modems, virtualmachines
from ansible_collections.fleet.core.plugins.module_utils.station.report import gather
from ansible_collections.fleet.core.plugins.module_utils.station.root import Root
from ansible_collections.fleet.core.plugins.module_utils.station.row import Row, clean

from .conftest import MakeRoot

PASSWD = "root:x:0:0::/root:/bin/sh\nwww:x:33:33::/var/www:/bin/sh\nann:x:1000:1000:Ann:/home/ann:/bin/sh\n"
LIBVIRT = (Path(__file__).parent / "samples/libvirt-9.0-lab-win11.xml").read_text()
REGISTRY = """<?xml version="1.0"?>
<VirtualBox xmlns="http://www.virtualbox.org/" version="1.12-linux">
  <Global><MachineRegistry>
    <MachineEntry uuid="{8a5c1dbb-0b2c-4a53-9f24-2a0f1f0c4d11}" src="/home/ann/VirtualBox VMs/XP/XP.vbox"/>
    <MachineEntry uuid="{00000000-0000-0000-0000-000000000001}" src="/home/ann/gone.vbox"/>
  </MachineRegistry></Global>
</VirtualBox>
"""
MACHINE = """<?xml version="1.0"?>
<VirtualBox xmlns="http://www.virtualbox.org/" version="1.19-linux">
  <Machine uuid="{8a5c1dbb-0b2c-4a53-9f24-2a0f1f0c4d11}" name="XP" OSType="WindowsXP" snapshotFolder="Snapshots">
    <Hardware>
      <CPU count="2"><PAE enabled="true"/></CPU>
      <Memory RAMSize="512"/>
      <Network>
        <Adapter slot="0" enabled="true" MACAddress="080027A1B2C3" type="82540EM"><NAT/></Adapter>
        <Adapter slot="1" MACAddress="080027FFFFFF"/>
      </Network>
    </Hardware>
  </Machine>
</VirtualBox>
"""


def machines(root: Root) -> list[Row]:
    return clean("virtualmachines", virtualmachines.collect(root))


def test_definitions_of_libvirt_and_virtualbox_are_found_where_users_have_them(make_root: MakeRoot) -> None:
    root = make_root(
        {
            "/etc/passwd": PASSWD,
            "/etc/libvirt/qemu/srv.xml": LIBVIRT.replace("lab-win11", "srv").replace("a73517b6", "b73517b6"),
            "/etc/libvirt/qemu/networks/default.xml": "<network><name>default</name></network>",
            "/home/ann/.config/libvirt/qemu/lab-win11.xml": LIBVIRT,
            "/home/ann/.config/VirtualBox/VirtualBox.xml": REGISTRY,
            "/home/ann/VirtualBox VMs/XP/XP.vbox": MACHINE,
            "/var/www/.config/libvirt/qemu/not-a-person.xml": LIBVIRT,
            "/proc/7/cmdline": b"/usr/bin/qemu-system-x86_64\0-name\0guest=srv,debug-threads=on\0-m\0size=4194304k\0",
            "/proc/8/cmdline": b"/usr/lib/virtualbox/VirtualBoxVM\0--comment\0XP\0--startvm\x008a5c1dbb-0b2c-4a53-9f24-2a0f1f0c4d11\0",
        }
    )
    common = {"vmtype": "qemu", "subsystem": "libvirt", "memory": 4096, "vcpu": 2, "mac": "52:54:00:12:34:56"}
    assert machines(root) == [
        {"name": "lab-win11", "uuid": "A73517B6-F91F-4681-8178-1F495D582CC7", "status": "off", "owner": "ann", **common},
        {"name": "srv", "uuid": "B73517B6-F91F-4681-8178-1F495D582CC7", "status": "running", "owner": "root", **common},
        {
            **{"name": "XP", "uuid": "8A5C1DBB-0B2C-4A53-9F24-2A0F1F0C4D11", "vmtype": "virtualbox", "subsystem": "virtualbox"},
            **{"status": "running", "operatingsystem": "WindowsXP", "memory": 512, "vcpu": 2, "mac": "08:00:27:a1:b2:c3", "owner": "ann"},
        },
    ]


@pytest.mark.parametrize(
    ("element", "mebibytes"),
    [
        ("<memory>2097152</memory>", 2048),
        ("<memory unit='GiB'>3</memory>", 3072),
        ("<memory unit='bytes'>1073741824</memory>", 1024),
        ("<memory unit='GB'>4</memory>", 3814),
        ("<memory unit='parsec'>1048576</memory>", 1024),
        ("<memory>much</memory>", None),
        ("", None),
    ],
)
def test_memory_in_any_of_libvirts_units_is_told_in_mebibytes(element: str, mebibytes: int | None, make_root: MakeRoot) -> None:
    root = make_root({"/etc/libvirt/qemu/a.xml": f"<domain type='kvm'><name>a</name>{element}</domain>"})
    [row] = machines(root)
    assert row.get("memory") == mebibytes


BOMB = '<!DOCTYPE d [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;">]><domain type="kvm"><name>&b;</name></domain>'


@pytest.mark.parametrize(
    "content",
    [
        BOMB,
        BOMB.encode("utf-16"),
        b"",
        b"\x00\xff\xfe",
        "<domain><name>unclosed",
        "<domain/>",
        f"<domain><name>{'a' * (1 << 20)}</name></domain>",
        "-> /dev/zero",
        "-> /etc",
        "-> missing",
    ],
)
def test_what_is_no_definition_is_no_machine_and_holds_nothing_up(content: str | bytes, make_root: MakeRoot) -> None:
    root = make_root({"/etc/passwd": PASSWD, "/home/ann/.config/libvirt/qemu/a.xml": content, "/etc/libvirt/qemu/good.xml": LIBVIRT})
    os.mkfifo(root.at("/home/ann/.config/libvirt/qemu/pipe.xml"))
    assert [row["name"] for row in machines(root)] == ["lab-win11"]


@pytest.mark.skipif(not shutil.which("qemu-system-x86_64"), reason="QEMU is not installed: run make setup")
def test_a_machine_that_runs_without_a_definition_is_found_while_it_runs() -> None:
    uuid = "0F5E4F0A-7B8C-4E58-9A5E-1DF1A7A0C0DE"
    argv = ["qemu-system-x86_64", "-S", "-nodefaults", "-display", "none", "-machine", "none", "-name", "fleet-hosted-test", "-m", "64"]
    process = subprocess.Popen([*argv, "-smp", "1", "-uuid", uuid], stdin=subprocess.DEVNULL)
    try:
        deadline = time.monotonic() + 60
        found: list[Row] = []
        while not found and time.monotonic() < deadline:  # until exec gave the process its name
            found = [row for row in machines(Root()) if row.get("uuid") == uuid]
            assert process.poll() is None
        named = {"name": "fleet-hosted-test", "uuid": uuid, "vmtype": "qemu", "subsystem": "qemu", "status": "running"}
        assert found == [{**named, "memory": 64, "vcpu": 1}]
    finally:
        process.kill()
        process.wait()
    assert [row for row in machines(Root()) if row.get("uuid") == uuid] == []


MANAGED = {
    "modem": {
        "3gpp": {"imei": "867698041234567", "operator-name": "--", "registration-state": "idle"},
        "generic": {
            "manufacturer": "Quectel",
            "model": "EM12-G",
            "revision": "EM12GPAR01A21M4G",
            "equipment-identifier": "867698041234567",
            "current-capabilities": ["gsm-umts, lte"],
        },
    }
}
PATH = "/org/freedesktop/ModemManager1/Modem/0"


def test_modems_are_what_modemmanager_says(make_root: MakeRoot) -> None:
    tools = {"mmcli --list-modems": json.dumps({"modem-list": [PATH]}), f"mmcli --modem={PATH}": json.dumps(MANAGED)}
    told = {"name": "Quectel EM12-G", "manufacturer": "Quectel", "model": "EM12-G", "description": "EM12GPAR01A21M4G"}
    assert clean("modems", modems.collect(make_root({}, tools))) == [{**told, "type": "gsm-umts, lte", "imei": "867698041234567"}]


STICK = {
    f"{modems.USB}/1-2/idVendor": "12d1\n",
    f"{modems.USB}/1-2/idProduct": "1506\n",
    f"{modems.USB}/1-2/product": "HUAWEI Mobile\n",
    f"{modems.USB}/1-2/manufacturer": "HUAWEI\n",
    f"{modems.USB}/1-2/1-2:1.0/driver": "-> ../../../../bus/usb/drivers/option",
    f"{modems.USB}/1-3/idVendor": "2341\n",
    f"{modems.USB}/1-3/idProduct": "0043\n",
    f"{modems.USB}/1-3/product": "Arduino Uno\n",
    f"{modems.USB}/1-3/1-3:1.0/driver": "-> ../../../../bus/usb/drivers/cdc_acm",
    f"{modems.USB}/1-4/idVendor": "0baf\n",
    f"{modems.USB}/1-4/idProduct": "0303\n",
    f"{modems.USB}/1-4/product": "USB Modem\n",
    f"{modems.USB}/1-4/serial": "0002\n",
    f"{modems.USB}/1-4/1-4:1.0/driver": "-> ../../../../bus/usb/drivers/cdc_acm",
    f"{modems.PCI}/0000:05:00.0/class": "0x0d4000\n",
    f"{modems.PCI}/0000:05:00.0/vendor": "0x14c3\n",
    f"{modems.PCI}/0000:05:00.0/device": "0x4d75\n",
    f"{modems.PCI}/0000:06:00.0/class": "0x020000\n",
    "/usr/share/misc/usb.ids": "0baf  U.S. Robotics\n\t0303  USR5637 56K Faxmodem\n",
    "/usr/share/misc/pci.ids": "14c3  MEDIATEK Corp.\n\t4d75  T700 5G Modem\n",
}
FOUND = [
    {"name": "HUAWEI Mobile", "model": "HUAWEI Mobile", "manufacturer": "HUAWEI", "type": "USB"},
    {"name": "USB Modem", "model": "USB Modem", "manufacturer": "U.S. Robotics", "serial": "0002", "type": "USB"},
    {"name": "T700 5G Modem", "model": "T700 5G Modem", "manufacturer": "MEDIATEK Corp.", "type": "PCI"},
]


@pytest.mark.parametrize("said", [None, "", '{"modem-list": []}', "no JSON", "[1]", '{"modem-list": 7}'])
def test_without_modemmanager_they_are_what_the_kernel_drives_as_one(said: str | None, make_root: MakeRoot) -> None:
    root = make_root(STICK, None if said is None else {"mmcli": said})
    assert clean("modems", modems.collect(root)) == FOUND


def header(when: float, number: int) -> bytes:
    """The first bytes of a file of signatures; the file goes on with 512 bytes in all, and an archive."""
    text = f"ClamAV-VDB:{time.strftime('%d %b %Y %H-%M', time.gmtime(when))} +0000:{number}:2067321:90:X:X:raynman:{int(when)}"
    return text.encode().ljust(512) + bytes(100)


def protection(make_root: MakeRoot, files: dict[str, str | bytes], version: str = "ClamAV 1.4.6\n") -> list[Row]:
    return clean("antivirus", antivirus.collect(make_root({"/usr/bin/clamscan": "", **files}, {"clamscan --version": version})))


def test_clamav_with_signatures_of_today(make_root: MakeRoot) -> None:
    when = time.time() // 60 * 60 - 86400
    files: dict[str, str | bytes] = {
        "/var/lib/clamav/daily.cld": header(when, 27533),
        "/var/lib/clamav/daily.cvd": header(when - 90 * 86400, 27440),  # freshclam leaves the older one beside it for a while
        "/run/clamav/clamd.ctl": "",
    }
    assert protection(make_root, files, "ClamAV 1.4.6/27533/Sat Nov 21 09:35:33 2026\n") == [
        {
            **{"name": "ClamAV", "company": "Cisco", "version": "1.4.6", "base_version": "27533", "enabled": 1, "uptodate": 1},
            "base_creation": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(when)),
        }
    ]


def test_clamav_with_old_signatures_and_without_any(make_root: MakeRoot) -> None:
    [old] = protection(make_root, {"/var/lib/clamav/daily.cvd": header(time.time() - 8 * 86400, 27440)})
    assert (old["uptodate"], old["enabled"], old["base_version"]) == (0, 0, "27440")


@pytest.mark.parametrize("content", [None, b"", b"ClamAV-VDB:45 Foo 2026 09-35 +0000:1:", b"\xff" * 600])
def test_clamav_without_signatures_is_not_up_to_date(content: bytes | None, make_root: MakeRoot) -> None:
    files: dict[str, str | bytes] = {} if content is None else {"/var/lib/clamav/daily.cvd": content}
    assert protection(make_root, files) == [{"name": "ClamAV", "company": "Cisco", "version": "1.4.6", "enabled": 0, "uptodate": 0}]


def test_licences_of_firmware_ubuntu_and_suse(make_root: MakeRoot) -> None:
    table = b"MSDM" + bytes(32) + b"".join(number.to_bytes(4, "little") for number in (1, 0, 1, 0, 29)) + b"ABCDE-FGH12-34567-KLMNO-PQRST"
    ubuntu = {
        "attached": True,
        "contract": {"id": "cAJ4NHcl2qAld2CbJt5cufzZNHgVZ0YTPIH96Ihsy4bU", "name": "school@example.org"},
        "services": [{"name": "livepatch", "status": "disabled"}, {"name": "esm-infra", "status": "enabled"}],
    }
    suse = [
        {"identifier": "SLED", "version": "15.5", "arch": "x86_64", "status": "Registered", "regcode": "0123456789ABCDEF"},
        {"identifier": "PackageHub", "version": "15.5", "arch": "x86_64", "status": "Not Registered"},
    ]
    root = make_root({licenses.MSDM: table, licenses.UBUNTU: json.dumps(ubuntu)}, {"SUSEConnect --status": json.dumps(suse)})
    assert clean("licenseinfos", licenses.collect(root)) == [
        {"name": "Windows", "fullname": "Windows licence in the firmware", "key": "PQRST"},
        {
            **{"name": "Ubuntu Pro", "fullname": "school@example.org", "components": "esm-infra"},
            "productid": "cAJ4NHcl2qAld2CbJt5cufzZNHgVZ0YTPIH96Ihsy4bU",
        },
        {"name": "SLED", "fullname": "SLED 15.5 x86_64", "key": "BCDEF"},
    ]


@pytest.mark.parametrize("text", ["", "no JSON", "[]", "7", '{"attached": false}', '{"attached": true, "services": 7, "contract": 7}'])
def test_odd_statuses_end_nothing(text: str, make_root: MakeRoot) -> None:
    root = make_root({licenses.MSDM: b"MSDM" + bytes(60), licenses.UBUNTU: text}, {"SUSEConnect --status": text})
    assert {row["name"] for row in licenses.collect(root)} <= {"Ubuntu Pro"}


def test_a_station_without_any_of_these_says_nothing_of_them(make_root: MakeRoot) -> None:
    report = gather(make_root({"/etc/passwd": PASSWD}), ["modems", "virtualmachines", "antivirus", "licenseinfos"])
    assert (report.sections, report.warnings) == ({}, {})
