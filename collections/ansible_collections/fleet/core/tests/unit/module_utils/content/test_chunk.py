# Copyright: (c) 2026, Fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A chunk's name and place."""

from __future__ import annotations

import hashlib

from ansible_collections.fleet.core.plugins.module_utils.content.chunk import CHUNK_FILE, CHUNK_SIZE, Chunk, chunk_path, digest, zero_digest


def test_a_chunk_is_named_by_its_sha_256_and_lies_where_nginx_serves_it() -> None:
    name = digest(b"contents")
    text = hashlib.sha256(b"contents").hexdigest()
    assert name.hex() == text
    assert str(chunk_path(name)) == f"chunks/sha256/{text[:2]}/{text}.zst"
    assert CHUNK_FILE.fullmatch(chunk_path(name).name) and not CHUNK_FILE.fullmatch("../x.zst")


def test_zeros_are_known_at_every_length() -> None:
    assert zero_digest(CHUNK_SIZE) == digest(bytes(CHUNK_SIZE)) != zero_digest(440)
    assert Chunk(0, 0, 440, zero_digest(440), ((0, 440),)).is_zero
    assert not Chunk(0, 0, 440, zero_digest(441), ((0, 440),)).is_zero


def test_the_used_bytes_of_a_chunk_are_those_of_its_slices() -> None:
    assert Chunk(0, 0, CHUNK_SIZE, bytes(32), ((0, 512), (4096, 1024))).used == 1536
