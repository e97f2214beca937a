# Copyright: (c) 2026, Fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Versions as bytes whose order is the order of versions, so that a database compares them with an index.

The order is Debian's (deb-version(7), dpkg's verrevcmp): epoch, upstream version, revision; in each, texts and numbers take turns; ``~``
is before the end, the end before letters, letters before the rest. Versions of rpm, Windows and others have the same shape and fall in
the same order: 24.2 < 24.10, 1.0~rc1 < 1.0.

A key is the epoch, then the upstream version, then the revision. A number is the count of its bytes and its bytes. A text is one byte
for each character and END. A version ends with END where another would have a text.
"""

from __future__ import annotations

import re

MAX_KEY = 520
"""Bytes. As many as any version of 255 ASCII characters needs; what is longer is cut, which keeps the order up to there."""

_MAX_DIGITS = 255
_END = b"\x02"
_TILDE, _CARET = b"\x01", b"\x03"
_OTHERS = 0x80
_BEYOND_ASCII = b"\xff"

_PART = re.compile(r"([^0-9]*)([0-9]*)")
_EPOCH = re.compile(r"([0-9]+):(.*)", re.DOTALL)
_LETTER_V = re.compile(r"\A[vV](?=[0-9])")


def version_key(text: str) -> bytes:
    """A version's key, at most MAX_KEY bytes; empty for a blank version. Nothing is an error; equal versions (1.0, 1.0-0) have equal keys.

    A leading v (v1.2) does not count. rpm's ``^`` is between the end and letters: 1.0 < 1.0^git < 1.0.1.
    """
    text = _LETTER_V.sub("", text[: 4 * MAX_KEY].strip(), count=1)
    if not text:
        return b""
    epoch = _EPOCH.fullmatch(text)
    number, rest = epoch.groups() if epoch else ("0", text)
    upstream, hyphen, revision = rest.rpartition("-")
    if not hyphen:
        upstream, revision = rest, ""
    return (_number(number) + _parts(upstream) + _parts(revision))[:MAX_KEY]


def _parts(text: str) -> bytes:
    key = b""
    for part in _PART.finditer(text):
        if part.group() or not key:
            key += _text(part[1]) + _number(part[2])
    return key + _END


def _number(digits: str) -> bytes:
    value = int(digits.lstrip("0")[:_MAX_DIGITS] or "0")
    size = (value.bit_length() + 7) // 8
    return bytes((size,)) + value.to_bytes(size, "big")


def _text(characters: str) -> bytes:
    return b"".join(map(_character, characters)) + _END


def _character(character: str) -> bytes:
    if character == "~":
        return _TILDE
    if character == "^":
        return _CARET
    if not character.isascii() or character == "\x7f":
        return _BEYOND_ASCII + character.encode("utf-8", "surrogatepass")
    return character.encode() if character.isalpha() else bytes((_OTHERS + ord(character),))
