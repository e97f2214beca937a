# Copyright: (c) 2026, Fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The collectors on captured trees: what a notebook, a classroom station and an odd machine look like in /sys and /proc."""

from __future__ import annotations

import json
import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.fleet.core.plugins.module_utils.errors import InputError, ToolError
from ansible_collections.fleet.core.plugins.module_utils.station import (
    accounts,
    batteries,
    cpus,
    drives,
    hardware,
    inputs,
    logins,
    networks,
    operatingsystem,
    partitions,
    pci,
    printers,
    smart,
    storages,
    usbdevices,
)
from ansible_collections.fleet.core.plugins.module_utils.station.ids import parse
from ansible_collections.fleet.core.plugins.module_utils.station.report import COLLECTORS, gather
from ansible_collections.fleet.core.plugins.module_utils.station.root import Root
from ansible_collections.fleet.core.plugins.module_utils.station.row import clean, meaningful, plain

from .conftest import MakeRoot

IDS = """# a comment
8086  Intel Corporation
\t15e3  Ethernet Connection (5) I219-LM
\t\t1028 07a3  OptiPlex
\t1912  HD Graphics 530
10de  NVIDIA Corporation
\t1c82  GP107 [GeForce GTX 1050 Ti]
C 02  Network controller
\t00  Ethernet controller
C 03  Display controller
\t00  VGA compatible controller
\t\t00  VGA controller
"""


def pci_device(slot: str, **values: str) -> dict[str, str]:
    return {f"{pci.DEVICES}/{slot}/{name}": f"{value}\n" for name, value in values.items()}


def test_pci_devices_have_names_and_drivers(make_root: MakeRoot) -> None:
    card = pci_device(
        "0000:00:1f.6", vendor="0x8086", device="0x15e3", revision="0x31", subsystem_vendor="0x1028", subsystem_device="0x07a3"
    )
    root = make_root(
        {
            "/usr/share/misc/pci.ids": IDS,
            **card,
            f"{pci.DEVICES}/0000:00:1f.6/class": "0x020000\n",
            f"{pci.DEVICES}/0000:00:1f.6/driver": "-> ../../../bus/pci/drivers/e1000e",
            **pci_device("0001:01:00.0", vendor="0x10de", device="0xffff", revision="0xa1", **{"class": "0x030000"}),
        }
    )
    ethernet, display = clean("controllers", pci.controllers(root))
    assert ethernet == {
        "name": "Ethernet Connection (5) I219-LM",
        "caption": "Ethernet Connection (5) I219-LM",
        "manufacturer": "Intel Corporation",
        "type": "Ethernet controller",
        "driver": "e1000e",
        "pciclass": "0200",
        "pcislot": "00:1f.6",
        "vendorid": "8086",
        "productid": "15e3",
        "pcisubsystemid": "1028:07a3",
        "rev": "31",
    }
    assert (display["name"], display["pcislot"], display["type"]) == ("10de:ffff", "0001:01:00.0", "VGA compatible controller")


def test_a_graphics_adapter_has_memory_and_its_monitors_resolution(make_root: MakeRoot) -> None:
    slot = f"{pci.DEVICES}/0000:00:02.0"
    root = make_root(
        {
            "/usr/share/hwdata/pci.ids": IDS,
            **pci_device("0000:00:02.0", vendor="0x8086", device="0x1912", **{"class": "0x030000"}),
            f"{slot}/resource": "0x00000000de000000 0x00000000deffffff 0x0000000000140204\n"
            "0x00000000c0000000 0x00000000cfffffff 0x000000000014220c\nnonsense\n",
            f"{slot}/drm/card1/dev": "226:1",
            f"{pci.DISPLAYS}/card0-DP-1/status": "connected\n",
            f"{pci.DISPLAYS}/card0-DP-1/modes": "800x600\n",
            f"{pci.DISPLAYS}/card1-DP-1/status": "disconnected\n",
            f"{pci.DISPLAYS}/card1-HDMI-A-1/status": "connected\n",
            f"{pci.DISPLAYS}/card1-HDMI-A-1/modes": "1920x1080\n1280x720\n",
        }
    )
    assert pci.videos(root) == [
        {"name": "HD Graphics 530", "chipset": "VGA compatible controller", "memory": 256, "resolution": "1920x1080", "pcislot": "00:02.0"}
    ]


@given(st.text(max_size=300))
def test_any_file_of_ids_can_be_read(text: str) -> None:
    parse(text, ["8086"])


def test_usb_devices_are_told_without_the_hubs_of_the_kernel(make_root: MakeRoot) -> None:
    root = make_root(
        {
            "/usr/share/misc/usb.ids": "046d  Logitech, Inc.\n\tc31c  Keyboard K120\n",
            f"{usbdevices.DEVICES}/usb1/idVendor": "1d6b\n",
            f"{usbdevices.DEVICES}/1-1/idVendor": "046d\n",
            f"{usbdevices.DEVICES}/1-1/idProduct": "c31c\n",
            f"{usbdevices.DEVICES}/1-1/bDeviceClass": "00\n",
            f"{usbdevices.DEVICES}/1-1/1-1:1.0/bInterfaceClass": "03\n",
            f"{usbdevices.DEVICES}/1-1/1-1:1.0/bInterfaceSubClass": "01\n",
            f"{usbdevices.DEVICES}/1-1.4/idVendor": "1d6b\n",
        }
    )
    assert clean("usbdevices", usbdevices.collect(root)) == [
        {
            "name": "Keyboard K120",
            "caption": "Keyboard K120",
            "manufacturer": "Logitech, Inc.",
            "vendorid": "046d",
            "productid": "c31c",
            "class": "03",
            "subclass": "01",
        }
    ]


def test_batteries_of_the_station_count_and_those_of_mice_do_not(make_root: MakeRoot) -> None:
    def supply(name: str, **values: str) -> dict[str, str]:
        return {f"{batteries.SUPPLIES}/{name}/{key}": f"{value}\n" for key, value in values.items()}

    root = make_root(
        {
            **supply("AC", type="Mains"),
            **supply("BAT0", type="Battery", model_name="L23D3PG2", manufacturer="Sunwoda", serial_number=" 4711", technology="Li-poly"),
            **supply("BAT0", voltage_min_design="11310000", energy_full_design="57000000", energy_full="51000000", cycle_count="12"),
            **supply("BAT1", type="Battery", voltage_min_design="10800000", charge_full_design="4000000", charge_full="3000000"),
            **supply("hid-mouse", type="Battery", scope="Device"),
        }
    )
    energy, charge = clean("batteries", batteries.collect(root))
    assert energy == {
        "name": "L23D3PG2",
        "manufacturer": "Sunwoda",
        "serial": "4711",
        "chemistry": "Li-poly",
        "voltage": 11310,
        "capacity": 57000,
        "real_capacity": 51000,
        "cycles": 12,
    }
    assert (charge["capacity"], charge["real_capacity"]) == (43200, 32400)


CPUINFO = """processor\t: {0}
vendor_id\t: GenuineIntel
cpu family\t: 6
model\t\t: 94
model name\t: Intel(R) Core(TM) i5-6500T CPU @ 2.50GHz
stepping\t: 3
cpu MHz\t\t: 800.1
cache size\t: 6144 KB
physical id\t: {1}
core id\t\t: {2}
"""


def test_processors_are_counted_by_socket_with_cores_and_threads(make_root: MakeRoot) -> None:
    threads = [(0, 0, 0), (1, 0, 1), (2, 1, 0), (3, 1, 1), (4, 0, 0), (5, 0, 1), (6, 1, 0), (7, 1, 1)]
    root = make_root({"/proc/cpuinfo": "\n".join(CPUINFO.format(*thread) for thread in threads), "/proc/sys/kernel/arch": "x86_64\n"})
    first, second = clean("cpus", cpus.collect(root))
    assert first == second
    assert first == {
        "name": "Intel(R) Core(TM) i5-6500T CPU @ 2.50GHz",
        "manufacturer": "Intel",
        "arch": "x86_64",
        "familynumber": "6",
        "model": "94",
        "stepping": 3,
        "core": 2,
        "corecount": 2,
        "thread": 2,
        "speed": 2500,
        "cache": "6144 KB",
    }


INPUT = """I: Bus=0003 Vendor=046d Product=c31c Version=0110
N: Name="Logitech USB Keyboard"
H: Handlers=sysrq kbd event3 leds
B: KEY=1000000000007 ff9f207ac14057ff febeffdfffefffff fffffffffffffffe

I: Bus=0019 Vendor=0000 Product=0001 Version=0000
N: Name="Power Button"
H: Handlers=kbd event0
B: KEY=10000000000000 0

I: Bus=0018 Vendor=06cb Product=cd8b Version=0100
N: Name="SYNA8004:00 06CB:CD8B Touchpad"
H: Handlers=mouse1 event5
B: PROP=5
B: KEY=e520 10000 0 0 0 0

I: Bus=0003 Vendor=04f3 Product=0001 Version=0110
N: Name="ELAN Touchscreen"
H: Handlers=mouse2 event6
B: PROP=2
B: KEY=400 0 0 0 0 0
"""


def test_inputs_are_what_a_person_works_with(make_root: MakeRoot) -> None:
    root = make_root({"/proc/bus/input/devices": INPUT, "/etc/default/keyboard": 'XKBMODEL="pc105"\nXKBLAYOUT="fr"\n'})
    found = [(row["name"], row["type"], row["interface"], row.get("pointingtype", row.get("layout"))) for row in inputs.collect(root)]
    assert found == [
        ("Logitech USB Keyboard", "keyboard", "USB", "fr"),
        ("SYNA8004:00 06CB:CD8B Touchpad", "pointing", "I2C", "touchpad"),
        ("ELAN Touchscreen", "pointing", "USB", "touchscreen"),
    ]


ADDRESSES = [
    {"ifname": "lo", "link_type": "loopback", "addr_info": [{"local": "127.0.0.1", "prefixlen": 8}]},
    {},
    {
        **{"ifname": "eth0", "link_type": "ether", "address": "52:54:00:12:34:56", "operstate": "UP", "mtu": 1500},
        "addr_info": [
            {"local": "10.1.2.17", "prefixlen": 24},
            {"local": "2001:db8::17", "prefixlen": 64},
            {"local": "2001:db8::dead", "prefixlen": 64, "temporary": True},
        ],
    },
    {"ifname": "wlan0", "link_type": "ether", "address": "52:54:00:12:34:57", "operstate": "DOWN", "mtu": 1500},
    {
        **{"ifname": "host0", "link_type": "ether", "address": "52:54:00:12:34:58", "operstate": "odd", "mtu": 1500},
        "addr_info": [{"local": "10.9.9.9", "prefixlen": 8}],
    },
    {"ifname": "ifb0", "link_type": "ether", "address": "86:54:4f:32:f4:f7", "operstate": "DOWN"},
    {"ifname": "veth1", "link_type": "ether", "address": "86:54:4f:32:f4:f8", "addr_info": [{"local": "fe80::1", "prefixlen": 64}]},
    {"ifname": "br0", "link_type": "ether", "address": "86:54:4f:32:f4:f9", "operstate": "UP", "mtu": 1500},
]


def interface(name: str, **values: str) -> dict[str, str]:
    return {f"{networks.INTERFACES}/{name}/{key}": f"{value}\n" for key, value in values.items()}


def test_interfaces_have_a_row_for_each_lasting_address(make_root: MakeRoot) -> None:
    files = {
        **interface("eth0", address="52:54:00:12:34:56", speed="1000"),
        f"{networks.INTERFACES}/eth0/device": "-> ../../../0000:00:1f.6",
        **{f"/sys/0000:00:1f.6/{name}": f"0x{number}\n" for name, number in [("vendor", "8086"), ("device", "15e3")]},
        **{f"/sys/0000:00:1f.6/{name}": f"0x{number}\n" for name, number in [("subsystem_vendor", "1028"), ("subsystem_device", "07a3")]},
        **interface("wlan0", address="52:54:00:12:34:57", **{"wireless/x": "", "device/x": ""}),
        **interface("br0", address="86:54:4f:32:f4:f9", **{"bridge/x": "", "brif/eth1/x": "", "brif/veth1/x": ""}),
        # Of another network: what /sys shows in a container.
        **interface("host0", address="02:fc:00:00:00:01", speed="10000"),
    }
    tools = {
        "ip -json address": json.dumps(ADDRESSES),
        "ip -4 -json route": json.dumps([{"dst": "default", "gateway": "10.1.2.1", "dev": "eth0"}]),
        "ip -6 -json route": "",
    }
    four, six, wireless, foreign, bridge = clean("networks", networks.collect(make_root(files, tools)))
    assert (four["ipaddress"], four["ipmask"], four["ipsubnet"]) == ("10.1.2.17", "255.255.255.0", "10.1.2.0")
    assert (four["mac"], four["speed"], four["mtu"], four["virtualdev"], four["status"]) == ("52:54:00:12:34:56", "1000", 1500, 0, "up")
    assert (four["ipgateway"], four["pciid"], four["pcislot"]) == ("10.1.2.1", "8086:15E3:07A3:1028", "00:1f.6")
    assert (six["ipaddress6"], six["ipsubnet6"], "ipgateway" in six, "ipaddress" in six) == ("2001:db8::17", "2001:db8::", False, False)
    assert (wireless["type"], wireless["status"]) == ("wifi", "down")
    assert foreign == {
        **{"description": "host0", "mac": "52:54:00:12:34:58", "status": "unknown", "type": "ethernet", "virtualdev": 1, "mtu": 1500},
        **{"ipaddress": "10.9.9.9", "ipmask": "255.0.0.0", "ipsubnet": "10.0.0.0"},
    }
    assert (bridge["type"], bridge["slaves"]) == ("bridge", "eth1,veth1")


@pytest.mark.parametrize("printed", ["no json", '[{"ifname": "e", "addr_info": [{"local": "nonsense", "prefixlen": 1}]}]'])
def test_addresses_that_are_none_are_told_instead_of_left_out(make_root: MakeRoot, printed: str) -> None:
    with pytest.raises(ToolError, match="ip"):
        networks.collect(make_root({}, {"ip -json address": printed, "ip -4": "", "ip -6": ""}))


LSBLK = {
    "blockdevices": [
        {"name": "loop0", "path": "/dev/loop0", "type": "loop", "size": 1},
        {"name": "mmcblk0boot0", "path": "/dev/mmcblk0boot0", "type": "disk", "size": 4194304},
        {"name": "zram0", "path": "/dev/zram0", "type": "disk", "size": 4194304},
        {
            **{"name": "sda", "path": "/dev/sda", "type": "disk", "size": 256060514304, "vendor": "ATA     ", "model": "SAMSUNG MZ7LN256"},
            **{"serial": "S2Y1NX0H", "rev": "1L0Q", "wwn": "0x5002538d", "tran": "sata", "hctl": "0:0:0:0", "rm": False, "rota": False},
            "children": [
                {"name": "sda1", "path": "/dev/sda1", "type": "part", "size": 536870912, "fstype": "vfat", "parttypename": "EFI System"},
                {"name": "sda2", "path": "/dev/sda2", "type": "part", "size": 1 << 30, "fstype": "ext4", "label": "racine", "uuid": "u-2"},
            ],
        },
        {"name": "sdb", "path": "/dev/sdb", "type": "disk", "size": 1 << 30, "tran": "usb", "rm": "1", "rota": "1"},
        {"name": "sr0", "path": "/dev/sr0", "type": "rom", "size": 1073741312, "vendor": "HL-DT-ST", "model": "DVD", "tran": "sata"},
    ]
}
SFDISK = {
    "partitiontable": {
        "label": "dos",
        "unit": "sectors",
        "sectorsize": 512,
        "partitions": [{"node": "/dev/sdb1", "start": 2048, "size": 409600, "type": "83"}],
    }
}


def test_disks_drives_and_partitions(make_root: MakeRoot) -> None:
    root = make_root({"/sys/block/sda/sda1/start": "2048\n"}, {"lsblk": json.dumps(LSBLK), "sfdisk --json /dev/sdb": json.dumps(SFDISK)})
    disk, key, drive = clean("storages", storages.collect(root))
    assert disk == {
        "name": "sda",
        "model": "SAMSUNG MZ7LN256",
        "serial": "S2Y1NX0H",
        "firmware": "1L0Q",
        "wwn": "0x5002538d",
        "disksize": 244198,
        "interface": "SATA",
        "type": "disk",
        "description": "solid-state disk",
        **{"scsi_coid": "0", "scsi_chid": "0", "scsi_unid": "0", "scsi_lun": "0"},
    }
    assert (key["description"], key["interface"]) == ("removable hard disk", "USB")
    assert (drive["type"], drive["manufacturer"], "disksize" in drive) == ("cd-rom", "HL-DT-ST", False)
    assert clean("partitions", partitions.collect(root)) == [
        {"device": "/dev/sda1", "size": 512, "type": "EFI System", "filesystem": "vfat", "start": 1048576},
        {"device": "/dev/sda2", "size": 1024, "filesystem": "ext4", "label": "racine", "uuid": "u-2"},
        {"device": "/dev/sdb1", "start": 1048576, "size": 200, "type": "83"},
    ]


@pytest.mark.parametrize("printed", ["", "[]", '{"blockdevices": [{"name": "sda"}]}', "lsblk: unknown column"])
def test_what_lsblk_should_not_print_is_an_error(make_root: MakeRoot, printed: str) -> None:
    with pytest.raises(ToolError, match="lsblk printed"):
        storages.collect(make_root({}, {"lsblk": printed}))


ATA = {
    "smartctl": {"exit_status": 64},
    "model_name": "WDC",
    "serial_number": "W1",
    "smart_status": {"passed": True},
    "temperature": {"current": 31},
    "power_on_time": {"hours": 20011},
    "ata_smart_attributes": {"table": [{"id": 5, "name": "Reallocated_Sector_Ct", "raw": {"value": 8}}]},
}
NVME = {
    "smartctl": {"exit_status": 8},
    "smart_status": {"passed": False},
    "nvme_smart_health_information_log": {"media_errors": 3, "temperature_sensors": [40]},
}


@pytest.mark.parametrize(
    ("answer", "expected"),
    [
        (
            ATA,
            [
                {
                    **{"device": "/dev/sda", "passed": 1, "temperature": 31, "power_on_hours": 20011, "reallocated": 8},
                    **{"attributes": "Reallocated_Sector_Ct=8", "model": "WDC", "serial": "W1"},
                }
            ],
        ),
        (NVME, [{"device": "/dev/sda", "passed": 0, "reallocated": 3, "attributes": "media_errors=3"}]),
        ({"smartctl": {"exit_status": 2}}, []),
        ({}, []),
    ],
    ids=["ata", "nvme", "asleep or no disk", "nothing"],
)
def test_smart(make_root: MakeRoot, answer: dict[str, object], expected: list[dict[str, object]]) -> None:
    device = {"name": "sda", "path": "/dev/sda", "type": "disk", "size": 1}
    root = make_root({}, {"lsblk": json.dumps({"blockdevices": [device]}), "smartctl": json.dumps(answer)})
    assert clean("smart", smart.collect(root)) == expected


def test_mounted_filesystems_count_once_and_those_in_memory_never(make_root: MakeRoot) -> None:
    mounts = """/dev/sda2 / ext4 rw 0 0
proc /proc proc rw 0 0
tmpfs /run tmpfs rw 0 0
/dev/sda2 /srv/bind ext4 rw 0 0
/dev/sdb1 /media/cl\\303\\251\\040usb vfat rw 0 0
/dev/loop3 /snap/core/1 squashfs ro 0 0
server:/home /home nfs4 rw 0 0
overlay /var/lib/docker/overlay2/x/merged overlay rw 0 0
nonsense
"""
    root = make_root({"/proc/mounts": mounts, "/dev/disk/by-uuid/1f-2": "-> ../../sda2", "/dev/disk/by-label/my\\x20disk": "-> ../../sda2"})
    found = clean("drives", drives.collect(root))
    assert [(row["type"], row["volumn"], row["filesystem"]) for row in found] == [
        ("/", "/dev/sda2", "ext4"),
        ("/media/clé usb", "/dev/sdb1", "vfat"),
        ("/home", "server:/home", "nfs4"),
    ]
    assert (found[0]["serial"], found[0]["label"], found[0]["systemdrive"]) == ("1f-2", "my disk", 1)


PRINTERS = """# Printer configuration file for CUPS
<DefaultPrinter Salle12>
UUID urn:uuid:1
Info Laserjet of room 12
Location Room 12
MakeModel HP LaserJet 4050 Series
DeviceURI smb://lectern:s3cret@prints/Salle12
State Idle
Shared Yes
</DefaultPrinter>
<Printer USB>
MakeModel EPSON L3150
DeviceURI usb://EPSON/L3150?serial=58373&interface=1
State Stopped
Shared No
</Printer>
"""


def test_printers_are_told_without_the_passwords_of_their_queues(make_root: MakeRoot) -> None:
    network, local = clean("printers", printers.collect(make_root({printers.CONFIGURATION: PRINTERS})))
    assert network == {
        "name": "Salle12",
        "driver": "HP LaserJet 4050 Series",
        "port": "smb://prints/Salle12",
        "description": "Laserjet of room 12",
        "comment": "Room 12",
        "network": 1,
        "shared": 1,
    }
    assert (local["serial"], local["network"], local["shared"]) == ("58373", 0, 0)


def test_without_the_right_to_read_the_configuration_lpstat_is_asked(make_root: MakeRoot) -> None:
    root = make_root({}, {"lpstat -v": "device for Salle12: ipp://user@prints:631/printers/Salle12\nlpstat: nonsense\n"})
    assert [(row["name"], row["port"]) for row in printers.collect(root)] == [("Salle12", "ipp://prints:631/printers/Salle12")]


@pytest.mark.parametrize("uri", ["smb://u:p@h/x", "smb://u:p@[broken", "smb://u:p@h:port@y/x"])
def test_no_spelling_lets_a_password_through(uri: str) -> None:
    assert "p@" not in printers.without_secrets(uri)
    assert ":p" not in printers.without_secrets(uri).replace(":port", "")


def utmp(kind: int, user: str, seconds: int, pid: int = 1) -> bytes:
    return struct.pack("<hxxi32s4s32s256shhiii4i20x", kind, pid, b"tty1", b"1", user.encode(), b"", 0, 0, 0, seconds, 0, 0, 0, 0, 0)


def test_who_is_logged_in_and_who_was_last(make_root: MakeRoot) -> None:
    records = utmp(2, "reboot", 5) + utmp(7, "alice", 100) + utmp(7, "bob", 1700000000) + utmp(8, "bob", 1700000100)
    root = make_root({"/run/utmp": records, "/var/log/wtmp": records})
    assert logins.collect(root) == [{"login": "alice"}, {"login": "bob"}]
    assert logins.last_login(root) == logins.Login("bob", "2023-11-14 22:13:20")


@given(st.binary(max_size=1000))
def test_broken_login_records_never_fail(data: bytes) -> None:
    list(logins._records(data))


def test_without_utmp_the_sessions_of_systemd_are_told(make_root: MakeRoot) -> None:
    sessions = [{"session": "1", "uid": 1000, "user": "alice"}, {"session": "c1", "uid": 110, "user": "lightdm"}]
    assert logins.collect(make_root({}, {"loginctl": json.dumps(sessions)})) == [{"login": "alice"}]
    assert logins.collect(make_root({}, {"loginctl": "No sessions."})) == []


def test_accounts_of_the_station(make_root: MakeRoot) -> None:
    passwd = "root:x:0:0:root:/root:/bin/bash\nalice:x:1000:1000:Alice Martin,,,:/home/alice:/bin/bash\n+nis\n+::::::\nbroken:x\n"
    root = make_root({"/etc/passwd": passwd, "/etc/group": "sudo:x:27:alice,bob\n\n"})
    assert accounts.users(root)[1] == {"login": "alice", "id": "1000", "name": "Alice Martin", "home": "/home/alice", "shell": "/bin/bash"}
    assert len(accounts.users(root)) == 2
    assert accounts.groups(root) == [{"name": "sudo", "id": "27", "members": "alice,bob"}]


def test_the_machine_and_its_system(make_root: MakeRoot) -> None:
    root = make_root(
        {
            "/proc/sys/kernel/hostname": "pc01\n",
            "/etc/resolv.conf": "search ecole.example.\nnameserver 10.1.2.1\nnameserver 10.1.2.2\n",
            "/proc/meminfo": "MemTotal:       16314020 kB\nSwapTotal:       2097148 kB\n",
            "/proc/net/route": "Iface\tDestination\tGateway\n" + "\t".join(["eth0", "0" * 8, "0102010A", "3", "0", "0", "0", "0" * 8]),
            "/etc/os-release": 'PRETTY_NAME="Debian GNU/Linux 12 (bookworm)"\nNAME="Debian GNU/Linux"\nVERSION_ID="12"\nID=debian\n',
            "/etc/debian_version": "12.8\n",
            "/proc/stat": "cpu 1\nbtime 1700000000\n",
            "/etc/localtime": "-> /usr/share/zoneinfo/Europe/Paris",
            "/etc/ssh/ssh_host_ed25519_key.pub": "ssh-ed25519 AAAA root@pc01\n",
        }
    )
    (machine,) = clean("hardware", hardware.collect(root))
    assert machine == {
        **{"name": "pc01", "vmsystem": "Physical", "memory": 15931, "swap": 2047, "defaultgateway": "10.1.2.1"},
        **{"dns": "10.1.2.1/10.1.2.2", "workgroup": "ecole.example"},
    }
    (system,) = clean("operatingsystem", operatingsystem.collect(root))
    assert (system["name"], system["version"], system["fqdn"], system["boot_time"]) == (
        "Debian",
        "12.8",
        "pc01.ecole.example",
        "2023-11-14 22:13:20",
    )
    assert (system["timezone"], system["ssh_key"]) == ("Europe/Paris", "ssh-ed25519 AAAA")


def test_a_failing_collector_is_named_and_the_others_report(make_root: MakeRoot, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(root: Root) -> list[dict[str, str | int]]:
        raise IndexError("odd\thardware")

    monkeypatch.setitem(COLLECTORS, "monitors", broken)
    report = gather(make_root({"/etc/passwd": "root:x:0:0::/:\n", "/etc/group": "root:x:0:\n"}), ["monitors", "local_users", "partitions"])
    assert list(report.sections) == ["local_users"]
    assert report.warnings["monitors"] == "IndexError: odd hardware"
    assert "lsblk cannot be run" in report.warnings["partitions"]


def test_an_empty_tree_gives_a_report_with_warnings_only_for_what_every_station_has(make_root: MakeRoot) -> None:
    report = gather(make_root())
    assert set(report.warnings) == {"storages", "partitions", "drives", "networks", "local_users", "local_groups"}
    assert set(report.sections) <= {"hardware", "operatingsystem"}


def test_a_section_that_there_is_none_of_is_refused() -> None:
    with pytest.raises(InputError, match="no section envs, processes. Sections are hardware, bios"):
        gather(Root(), ["processes", "envs"])


@given(st.text())
def test_no_text_carries_what_xml_cannot(text: str) -> None:
    assert all(character >= " " and character not in "\ufffe\uffff" and not 0xD800 <= ord(character) <= 0xDFFF for character in plain(text))


@pytest.mark.parametrize(
    "text", ["To Be Filled By O.E.M.", "Default string", "0", "00000000", " N/A ", "Not Specified", "--", "", "FFFFFFFF", "."]
)
def test_what_makers_leave_in_empty_fields_means_nothing(text: str) -> None:
    assert meaningful(text) == ""


@pytest.mark.parametrize("text", ["S2Y1NX0H", "OptiPlex 3050", "4711", "LENOVO"])
def test_other_texts_mean_something(text: str) -> None:
    assert meaningful(text) == text
