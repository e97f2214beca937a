# Copyright: (c) 2026, Fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""fstab and the files that name identifiers."""

from __future__ import annotations

import uuid

from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.fleet.imaging.plugins.module_utils.installed import fstab
from ansible_collections.fleet.imaging.plugins.module_utils.installed.references import replaced

ROOT, SWAP = "759a01b2-53b2-4093-a3f5-f81585a1b858", "7d3c3c5c-9a55-4c5e-8e59-0f5d3e0d6a11"
NEW = "11111111-aaaa-bbbb-cccc-222222222222"
TABLE = f"""\
# /etc/fstab
UUID={ROOT}\t/   ext4  errors=remount-ro 0 1
  LABEL="data"  /srv/my\\040files xfs defaults,nofail
/dev/mapper/vg-home /home ext4
broken
UUID={SWAP} none swap sw 0 0
"""


def test_a_table_of_filesystems_is_read_with_its_escapes() -> None:
    root, data, home, swap = fstab.parse(TABLE)
    assert (root.key, root.value, root.where, root.is_needed) == ("UUID", ROOT, "", True)
    assert (data.key, data.value, data.where, data.is_needed) == ("LABEL", "data", "srv/my files", False)
    assert (home.key, home.value) == ("", "/dev/mapper/vg-home")
    assert swap.is_swap and swap.line == 5


def test_one_name_changes_and_all_else_stays() -> None:
    root = fstab.parse(TABLE)[0]
    assert fstab.with_spec(TABLE, root, f"UUID={NEW}") == TABLE.replace(ROOT, NEW)


@given(st.text())
def test_no_text_breaks_the_reader_of_fstab(text: str) -> None:
    for mount in fstab.parse(text):
        assert fstab.parse(fstab.with_spec(text, mount, "UUID=x"))


def test_whole_identifiers_are_replaced_in_the_letters_that_stand_there() -> None:
    new = {ROOT: NEW, "ABCD-1234": "EEEE-FFFF", "/dev/vg": "/dev/own", "/dev/mapper/vg-root": "/dev/mapper/own-root"}
    text = (
        f"{ROOT} {ROOT.upper()} x{ROOT} {ROOT}-1 ABCD-1234 abcd-1234 root=/dev/mapper/vg-root /dev/vg/root /dev/vg2/x /dev/mapper/vg-root-2"
    )
    assert replaced(text, new) == (
        f"{NEW} {NEW.upper()} x{ROOT} {ROOT}-1 EEEE-FFFF eeee-ffff root=/dev/mapper/own-root /dev/own/root /dev/vg2/x /dev/mapper/vg-root-2"
    )


@given(st.text(), st.uuids(), st.uuids())
def test_a_text_without_them_stays_and_replacing_is_undone_by_the_reverse(text: str, old: uuid.UUID, new: uuid.UUID) -> None:
    assert replaced(text, {str(old): str(new)}) == text
    line = f"UUID={old} /"
    assert replaced(replaced(line, {str(old): str(new)}), {str(new): str(old)}) == line
