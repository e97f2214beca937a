# Copyright: (c) 2026, Fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A document as it travels: plain, or compressed by zlib or gzip. What comes out is capped, whatever the compressed bytes promise."""

from __future__ import annotations

import zlib

from .errors import ReportError

LARGEST = 32 << 20
"""Bytes of a document; a real one has half a million."""

LARGEST_SENT = 16 << 20
"""Bytes of a document as it is sent."""

_GZIP = b"\x1f\x8b"


def is_compressed(data: bytes) -> bool:
    """Whether it begins as zlib (RFC 1950) or gzip (RFC 1952) data do."""
    return data[:2] == _GZIP or (len(data) > 1 and data[0] & 15 == 8 and data[0] >> 4 <= 7 and (data[0] << 8 | data[1]) % 31 == 0)


def plain(data: bytes, largest: int = LARGEST) -> bytes:
    """The document itself. ReportError when it is too large, cut off, or empty."""
    if is_compressed(data):
        data = _decompressed(data, largest)
    if len(data) > largest:
        raise _too_large(largest)
    if not data.strip():
        raise ReportError("The document is empty.", "Look at the agent's own log on the station.")
    return data


def _decompressed(data: bytes, largest: int) -> bytes:
    engine = zlib.decompressobj(zlib.MAX_WBITS | 32)
    try:
        out = engine.decompress(data, largest + 1)
    except zlib.error as error:
        raise ReportError(f"The compressed document is damaged ({error}).", "Send it again.") from error
    if len(out) > largest:
        raise _too_large(largest)
    if not engine.eof:
        raise ReportError("The compressed document ends too early.", "Send it again; it was cut off on the way.")
    return out


def _too_large(largest: int) -> ReportError:
    return ReportError(f"The document has more than {largest >> 20} MiB.", "No report is that large: look at what the station sends.")
