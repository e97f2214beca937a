# Copyright: (c) 2026, Fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A new empty filesystem like the model's: same type, identifier and label."""

from __future__ import annotations

from typing import Any

import pytest

from ansible_collections.fleet.imaging.plugins.module_utils.filesystem import FilesystemError, probe
from ansible_collections.fleet.imaging.plugins.module_utils.filesystem.make import MAKEABLE, make_like
from ansible_collections.fleet.imaging.tests.unit.filesystems import KINDS, MIB, make

UUID = "0b1d3f02-1111-4222-8333-444455556666"
IDENTIFIERS = {"vfat": "0B1D-3F02", "exfat": "0B1D-3F02", "ntfs": "0B1D3F0211114222"}


@pytest.mark.parametrize("kind", MAKEABLE)
def test_given_what_a_manifest_says_then_it_reads_back_the_same(kind: str, loop_device: Any) -> None:
    device = loop_device({"xfs": 300, "btrfs": 128}.get(kind, 64) * MIB)
    make(KINDS["ext4-1k"], device)  # something older
    meta = {"type": kind, "uuid": IDENTIFIERS.get(kind, UUID), "label": "DATA", "size": 1, "block_size": 4096}
    made = make_like(device, meta)
    assert {key: made.as_meta()[key] for key in ("type", "uuid", "label")} == {key: meta[key] for key in ("type", "uuid", "label")}
    assert made.state().clean and probe(device).type == kind
    made.check()


@pytest.mark.parametrize(
    "wrong",
    [
        {"type": "raw"},
        {"type": "ext4", "uuid": "x"},
        {"type": "ntfs", "uuid": UUID},
        {"type": "ext4", "label": "-O"},
        {"type": "ext4", "label": "a\nb"},
        {},
    ],
)
def test_given_what_no_mkfs_accepts_then_it_is_refused_before_anything_is_written(wrong: dict[str, str], loop_device: Any) -> None:
    device = loop_device(MIB, fill=0xA5)
    with pytest.raises(FilesystemError):
        make_like(device, wrong)
    assert device.read_bytes() == b"\xa5" * MIB
