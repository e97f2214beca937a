# Copyright: (c) 2026, Fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Boot entries in the firmware, from what efibootmgr prints (Debian 12's version 17, and 18 with its other form of paths).

No machine of the tests is started by UEFI: efibootmgr itself is not run.
"""

from __future__ import annotations

from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.fleet.imaging.plugins.module_utils.boot import entries

GUID, OTHER = "45f10888-ceac-184c-b972-214c12326f1f", "aaaaaaaa-0000-0000-0000-000000000001"
LISTED = f"""\
BootCurrent: 0003
Timeout: 0 seconds
BootOrder: 0003,0001,0000
Boot0000* UiApp\tFvVol(7cb8bdc9-f8eb-4f34-aaea-3ee4af6516a1)/FvFile(462caa21-7614-4503-836e-8ab6f4662331)
Boot0001* debian\tHD(1,GPT,{OTHER},0x800,0x100000)/File(\\EFI\\debian\\shimx64.efi)
Boot0002* UEFI PXEv4\tPciRoot(0x0)/Pci(0x2,0x0)/MAC(525400112233,1)/IPv4(0.0.0.0,0,DHCP,0.0.0.0,0.0.0.0,0.0.0.0)N.....YM....R,Y.
Boot0003* debian\tHD(2,GPT,{GUID.upper()},0x800,0x100000)/\\EFI\\DEBIAN\\SHIMX64.EFI
Boot0004  Windows Boot Manager\tHD(2,GPT,{GUID},0x800,0x100000)/File(\\EFI\\Microsoft\\Boot\\bootmgfw.efi)WINDOWS.........
"""


def test_entries_of_partitions_are_read() -> None:
    found = entries.parse(LISTED)
    assert [(each.number, each.label, each.partition, each.uuid) for each in found] == [
        ("0001", "debian", 1, OTHER),
        ("0003", "debian", 2, GUID),
        ("0004", "Windows Boot Manager", 2, GUID),
    ]
    assert found[0].loader == "\\EFI\\debian\\shimx64.efi"


@given(st.text())
def test_no_text_breaks_the_reader(text: str) -> None:
    entries.parse(text)


def test_one_that_leads_nowhere_goes_and_windows_stays(loop_disk: Any) -> None:
    disk = loop_disk(8 << 20)
    plan = entries.plan(disk, LISTED, "debian", 2, GUID, "EFI/debian/shimx64.efi", {GUID})
    assert plan.stale == ("0001",) and plan.is_there and plan.changed
    right = LISTED.replace("Boot0001* debian", "Boot0001* other")
    assert not entries.plan(disk, right, "debian", 2, GUID, "EFI/debian/shimx64.efi", {GUID}).changed
    missing = entries.plan(disk, "", "debian", 2, GUID, "EFI/debian/grubx64.efi", {GUID})
    assert missing.changed and not missing.is_there and missing.loader == "\\EFI\\debian\\grubx64.efi"


def test_one_that_leads_to_another_disk_of_this_machine_stays(loop_disk: Any) -> None:
    disk, other = loop_disk(8 << 20), loop_disk(8 << 20, f"label: gpt\nsize=1M, type=U, uuid={OTHER.upper()}\n")
    assert other.partition(1)
    there = entries.uuids()
    assert there is not None and OTHER in there
    plan = entries.plan(disk, LISTED, "debian", 2, GUID, "EFI/debian/shimx64.efi", there)
    assert plan.stale == () and not plan.changed


def test_nothing_goes_when_the_disks_cannot_all_be_read(loop_disk: Any) -> None:
    plan = entries.plan(loop_disk(8 << 20), LISTED, "debian", 2, GUID, "EFI/debian/shimx64.efi", None)
    assert plan.stale == ()
