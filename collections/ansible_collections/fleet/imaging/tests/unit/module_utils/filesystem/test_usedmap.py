# Copyright: (c) 2026, Fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Used maps of unknown origin: parsed strictly, whatever they hold."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.fleet.imaging.plugins.module_utils.filesystem import FilesystemError
from ansible_collections.fleet.imaging.plugins.module_utils.filesystem.base import merged
from ansible_collections.fleet.imaging.plugins.module_utils.filesystem.usedmap import parse_domain

SAMPLE = """\
# Domain logfile created by unset_name v0.3.23
# Source: /dev/loop0p1
# Offset: 0x00000000
# current_pos  current_status
0x04000000     ?
#      pos        size  status
0x00000000  0x00448400  +
0x00448400  0x003B8000  ?
0x00800400  0x00040800  +
0x00840C00  0x037BF400  ?
"""


def test_a_map_of_partclone_is_read() -> None:
    assert parse_domain(SAMPLE, 64 << 20, "sample") == [(0, 0x448400), (0x800400, 0x40800)]


@pytest.mark.parametrize(
    "text",
    [
        "",
        "0x0 ?\n",
        "0x0 ?\n0x0 0x10\n",
        "0x0 ?\n0x0 ten +\n",
        "0x0 ?\n0x0 0x10 !\n",
        "0x0 ?\n0x0 -0x10 +\n",
        "0x0 ?\n-0x10 0x20 +\n",
        "0x0 ?\n0x0 0x10 ?\n",
        "0x0 ?\n0x0 0x10 +\n0x8 0x10 +\n",
        "0x0 ?\n0x0 0x10 +\n0xfff0 0x20 +\n",
    ],
)
def test_a_map_that_is_malformed_unordered_or_leaves_the_device_is_refused(text: str) -> None:
    with pytest.raises(FilesystemError, match="sample"):
        parse_domain(text, 65536, "sample")


@given(st.text())
def test_any_text_is_a_map_or_refused(text: str) -> None:
    try:
        extents = parse_domain(text, 1 << 20, "sample")
    except FilesystemError:
        return
    assert extents == sorted(extents) and all(offset >= 0 and offset + length <= 1 << 20 for offset, length in extents)


@given(st.lists(st.tuples(st.integers(0, 300), st.integers(0, 60))), st.integers(0, 320))
def test_merged_extents_cover_the_same_bytes_sorted_and_apart(extents: list[tuple[int, int]], limit: int) -> None:
    result = merged(extents, limit)
    assert {at for offset, length in result for at in range(offset, offset + length)} == {
        at for offset, length in extents for at in range(offset, min(offset + length, limit))
    }
    assert all(before[0] + before[1] < after[0] for before, after in zip(result, result[1:]))
