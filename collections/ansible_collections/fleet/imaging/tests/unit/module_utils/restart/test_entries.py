# Copyright: (c) 2026, Fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which entry of a firmware leads to the network: from what efibootmgr prints, and from what bcdedit does as Microsoft documents it."""

from __future__ import annotations

import pytest

from ansible_collections.fleet.imaging.plugins.module_utils.restart import bcd, firmware
from ansible_collections.fleet.imaging.plugins.module_utils.restart.choice import Choice, choose

MAC, OTHER = "52:54:00:77:00:01", "52:54:00:77:00:02"
GUID = "8be4df61-93ca-11d2-aa0d-00e098032b8c"
CARD = "PciRoot(0x0)/Pci(0x2,0x0)/MAC(525400770001,1)"
END = "N.....YM....R,Y."

LINES = {
    "app": "Boot0000* UiApp\tFvVol(7cb8bdc9-f8eb-4f34-aaea-3ee4af6516a1)/FvFile(462caa21-7614-4503-836e-8ab6f4662331)",
    "pxe": f"Boot0001* UEFI PXEv4 (MAC:525400770001)\t{CARD}/IPv4(0.0.0.00.0.0.0,0,0){END}",
    "disk": f"Boot0002* debian\tHD(1,GPT,{GUID},0x800,0x20000)/File(\\EFI\\debian\\shimx64.efi)",
    "pxe6": f"Boot0003* UEFI PXEv6 (MAC:525400770001)\t{CARD}/IPv6([::]:<->[::]:,0,0){END}",
    "http": f"Boot000A* UEFI HTTPv4 (MAC:525400770001)\t{CARD}/IPv4(0.0.0.00.0.0.0,0,0)/Uri(){END}",
    "second": f"Boot000B* UEFI PXEv4 (MAC:525400770002)\t{CARD.replace('0001', '0002')}/IPv4(0.0.0.00.0.0.0,0,0){END}",
    "off": f"Boot000C  UEFI PXEv4 (MAC:525400770001)\t{CARD}/IPv4(0.0.0.00.0.0.0,0,0){END}",
    "old": "Boot000D* Network Card\tBBS(Network,,0x0)0000",
    "vendor": f"Boot000E* Onboard NIC(IPV4)\t{CARD}",
}


def listing(order: str, *names: str) -> str:
    return "\n".join(["BootCurrent: 0002", "Timeout: 3 seconds", f"BootOrder: {order}", *(LINES[name] for name in names)]) + "\n"


@pytest.mark.parametrize(
    ("text", "macs", "number"),
    [
        (listing("0002,0001,0003,0000", "app", "pxe", "disk", "pxe6"), [MAC], "0001"),
        (listing("0000,0001,0002", "app", "pxe", "disk"), [MAC], ""),  # the network first, but for the firmware's own program
        (listing("0003,0002,0001", "pxe", "disk", "pxe6"), [MAC], "0001"),  # IPv6 first is not served
        (listing("0002,000A", "disk", "http"), [MAC], "000A"),
        (listing("0002,000A,0001", "disk", "http", "pxe"), [MAC], "0001"),
        (listing("0002", "disk", "pxe"), [MAC], "0001"),  # an entry that is not in the order
        (listing("0002,000C", "disk", "off"), [MAC], ""),
        (listing("0002,000D", "disk", "old"), [MAC], ""),  # which card is that?
        (listing("0002,000E", "disk", "vendor"), [MAC], "000E"),
        (listing("0002,0001,000B", "disk", "pxe", "second"), [MAC], "0001"),
        (listing("0002,0001,000B", "disk", "pxe", "second"), [MAC, OTHER], ""),  # which one has the cable?
        (listing("0002,000B", "disk", "second"), [MAC], ""),
        (listing("000B,0002,0001", "disk", "pxe", "second"), [MAC], "0001"),  # first is a card that the boot server does not know
        ("No BootOrder is set; firmware will attempt recovery\n", [MAC], ""),
        ("", [MAC], ""),
    ],
)
def test_linux_takes_an_entry_that_is_beyond_doubt_and_no_other(text: str, macs: list[str], number: str) -> None:
    choice = choose(firmware.entries(text), macs)
    assert choice.number == number and choice.note


def test_a_bios_has_no_entries(tmp_path: object, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(firmware, "VARIABLES", tmp_path)
    assert firmware.prepare([MAC], check=False) == Choice("", "The station was started by a BIOS, whose own order decides")


PXE, DISK, PXE6 = "{0b1c0a11-1111-11ee-8000-000000000001}", "{bootmgr}", "{0b1c0a11-1111-11ee-8000-000000000006}"
SECOND = "{0b1c0a11-1111-11ee-8000-000000000002}"

WINDOWS = f"""\

Firmware Boot Manager
---------------------
identifier              {{fwbootmgr}}
displayorder            {DISK}
                        {PXE}
                        {PXE6}
timeout                 1

Windows Boot Manager
--------------------
identifier              {{bootmgr}}
device                  partition=\\Device\\HarddiskVolume1
path                    \\EFI\\Microsoft\\Boot\\bootmgfw.efi
description             Windows Boot Manager
locale                  en-US
default                 {{current}}

Firmware Application (101fffff)
-------------------------------
identifier              {PXE}
description             UEFI: PXE IPv4 Realtek PCIe GBE Family Controller

Firmware Application (101fffff)
-------------------------------
identifier              {PXE6}
description             UEFI: PXE IPv6 Realtek PCIe GBE Family Controller
"""
FRENCH = WINDOWS.replace("identifier   ", "identificateur").replace("Firmware Boot Manager", "Gestionnaire de démarrage du microprogramme")


def with_entry(label: str) -> str:
    """One more of the firmware's entries."""
    return f"{WINDOWS}\nFirmware Application (101fffff)\n---\nidentifier              {SECOND}\ndescription             {label}\n"


@pytest.mark.parametrize(
    ("text", "number"),
    [
        (WINDOWS, PXE),
        (WINDOWS.replace("\n", "\r\n"), PXE),
        (FRENCH, PXE),
        (WINDOWS.replace(f"displayorder            {DISK}\n                        {PXE}\n", f"displayorder            {PXE}\n"), ""),
        (with_entry("UEFI: PXE IPv4 Intel(R) Ethernet"), ""),
        (with_entry("UEFI: SanDisk Ultra USB"), PXE),
        (with_entry("UEFI: HTTP IPv4 Realtek PCIe GBE Family Controller"), PXE),
        (WINDOWS.replace("IPv4", "Boot").replace("PXE", "Setup"), ""),
        ("The boot configuration data store could not be opened.\n", ""),
        ("", ""),
    ],
)
def test_windows_takes_the_only_entry_for_the_network(text: str, number: str) -> None:
    choice = bcd.network(text)
    assert choice.number == number and choice.note
