# Copyright: (c) 2026, Fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The wire format: packets (UDP) and control messages (TCP). docs/multicast.md shows it byte by byte; all numbers are little-endian.

A session is one endless stream. Each frame begins at a segment of its own, so a segment belongs to one frame, every packet of a kind has
the same size (the kernel can cut them out of one buffer), and its number alone says where a packet belongs. A frame that has to be sent
again, for who came late, is simply put at the stream's end once more.
"""

from __future__ import annotations

import hashlib
import struct
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from ansible_collections.fleet.core.plugins.module_utils.content.chunk import CHUNK_SIZE, DIGEST_SIZE

from .interface import MulticastError

MAGIC = b"FLEETMC1"

HEADER = struct.Struct("<III")
"""Tag of the session, number of the packet, kind (2 bits) and segment (30 bits)."""
HEADER_SIZE = HEADER.size

DATA, REPAIR, COMBINED, SYNC = range(4)
"""Kinds of packets: a segment for the first time, again, the XOR of several segments, and the stream's position alone."""
KIND_SHIFT = 30
SEGMENT_MASK = (1 << KIND_SHIFT) - 1

MEMBERS = 8
"""Segments that a combined packet can hold at most."""
_MEMBERS = struct.Struct(f"<{MEMBERS}I")
NOBODY = 0xFFFFFFFF
LINK = 14
"""Bytes of an Ethernet header, for pacing."""

LARGEST_FRAME = CHUNK_SIZE + (CHUNK_SIZE >> 6) + 1024
"""Bytes; beyond zstd's own bound for a chunk."""

WINDOW_BYTES = 48 << 20
"""Of the stream, that sender and receivers keep: what can be repaired, and what combined packets are solved with."""


@dataclass(frozen=True)
class Shape:
    """Sizes of a session's packets, from the path's MTU."""

    segment: int
    """Bytes of a frame in a packet; a multiple of 4."""

    @classmethod
    def of(cls, mtu: int, version: int) -> Shape:
        """version: 4 or 6."""
        segment = (mtu - (28 if version == 4 else 48) - HEADER_SIZE - _MEMBERS.size) // 4 * 4
        if not 256 <= segment <= 0xFFFC:
            raise MulticastError(f"an MTU of {mtu} bytes does not do", remedy="Say what the network passes; Ethernet has 1500")
        return cls(segment)

    @property
    def packet(self) -> int:
        """Bytes of every packet but a combined one, UDP's payload."""
        return HEADER_SIZE + self.segment

    @property
    def combined(self) -> int:
        """Bytes of a combined packet."""
        return HEADER_SIZE + _MEMBERS.size + self.segment

    @property
    def window(self) -> int:
        """Segments that both ends keep."""
        return WINDOW_BYTES // self.segment

    def segments(self, size: int) -> int:
        """Segments of a frame of size bytes."""
        return -(-size // self.segment)


def session_tag(session: bytes, image: bytes) -> int:
    """What every packet begins with: the session and its image in 32 bits, which are never 0."""
    return int.from_bytes(hashlib.sha256(session + image).digest()[:4], "little") | 1


def pack_members(segments: Sequence[int]) -> bytes:
    """The list of segments that a combined packet holds."""
    return _MEMBERS.pack(*segments, *[NOBODY] * (MEMBERS - len(segments)))


def unpack_members(packet: memoryview) -> list[int]:
    """The segments that a combined packet holds; packet: the whole one."""
    return [segment for segment in _MEMBERS.unpack_from(packet, HEADER_SIZE) if segment != NOBODY]


COMBINED_HEADER = HEADER_SIZE + _MEMBERS.size

# Control messages ---------------------------------------------------------------------------------------------------------------------

WANT, REPORT, DONE, FAIL = 1, 2, 3, 4
PLAN, START, TUNE, GONE, LACK, LEAVE = 16, 17, 18, 19, 20, 21

LONGEST_MESSAGE = 1 << 20
"""Bytes; a longer one ends the connection."""
DIGESTS_IN_MESSAGE = 16384
RANGES_IN_REPORT, SEGMENTS_IN_REPORT = 512, 8192
"""What a report may name as missing, at most: the sender looks at each segment, and everybody waits meanwhile. The rest has time."""

_REPORT = struct.Struct("<IIIIQ")
_RANGE = struct.Struct("<IH")
_PLACED = struct.Struct(f"<{DIGEST_SIZE}sI")
_NUMBER = struct.Struct("<I")
_TUNE = struct.Struct("<II")
_DONE = struct.Struct("<IQ")


class ProtocolError(MulticastError):
    """What came over the control channel is no message of this protocol."""


@dataclass(frozen=True)
class ReceiverReport:
    """How far a receiver is."""

    seen: int
    """One more than the highest packet number that came."""
    received: int
    """Packets that came."""
    low: int
    """All segments below are there, or not wanted."""
    room: int
    """Packets its socket holds before it drops some."""
    taken: int
    """Bytes of frames taken."""
    missing: tuple[tuple[int, int], ...] = ()
    """(first segment, count) of what is wanted, was sent, and is not there; within RANGES_IN_REPORT and SEGMENTS_IN_REPORT."""

    def pack(self) -> bytes:
        """The message's body."""
        fixed = _REPORT.pack(self.seen, self.received, self.low, self.room, self.taken)
        return fixed + b"".join(_RANGE.pack(*each) for each in self.missing)

    @classmethod
    def unpack(cls, body: bytes) -> ReceiverReport:
        """Inverse of pack; ProtocolError for more than a report may name."""
        if not 0 <= len(body) - _REPORT.size <= RANGES_IN_REPORT * _RANGE.size or (len(body) - _REPORT.size) % _RANGE.size:
            raise ProtocolError("a report has a wrong length")
        missing = tuple((first, count) for first, count in _RANGE.iter_unpack(body[_REPORT.size :]))
        if sum(count for _first, count in missing) > SEGMENTS_IN_REPORT:
            raise ProtocolError("a report names too many missing segments")
        seen, received, low, room, taken = _REPORT.unpack_from(body)
        return cls(seen, received, low, room, taken, missing)


def pack_digests(digests: Iterable[bytes], more: bool = False) -> bytes:
    """Body of WANT and LACK; more: another message of the kind belongs to it."""
    return bytes([more]) + b"".join(digests)


def unpack_digests(body: bytes) -> tuple[list[bytes], bool]:
    """Inverse of pack_digests."""
    if len(body) % DIGEST_SIZE != 1:
        raise ProtocolError("a list of chunks has a wrong length")
    return [body[start : start + DIGEST_SIZE] for start in range(1, len(body), DIGEST_SIZE)], bool(body[0])


def pack_plan(first: int, placed: Iterable[tuple[bytes, int]]) -> bytes:
    """Body of PLAN: from segment first on lie these frames (digest, bytes), one after the other."""
    return _NUMBER.pack(first) + b"".join(_PLACED.pack(*each) for each in placed)


def unpack_plan(body: bytes) -> tuple[int, list[tuple[bytes, int]]]:
    """Inverse of pack_plan; no frame is empty or larger than a chunk's can be."""
    if len(body) < _NUMBER.size or (len(body) - _NUMBER.size) % _PLACED.size:
        raise ProtocolError("a plan has a wrong length")
    placed = list(_PLACED.iter_unpack(body[_NUMBER.size :]))
    if any(not 0 < size <= LARGEST_FRAME for _digest, size in placed):
        raise ProtocolError("a plan has a frame of an impossible size")
    return _NUMBER.unpack_from(body)[0], placed


def pack_number(number: int) -> bytes:
    """Body of START (first segment that concerns the receiver) and GONE (what lies below is no more)."""
    return _NUMBER.pack(number)


def unpack_number(body: bytes) -> int:
    """Inverse of pack_number."""
    if len(body) != _NUMBER.size:
        raise ProtocolError("a number has a wrong length")
    return int(_NUMBER.unpack(body)[0])


def pack_tune(interval: int, number: int) -> bytes:
    """Body of TUNE: milliseconds between reports, and the number of the sender's next packet."""
    return _TUNE.pack(interval, number)


def unpack_tune(body: bytes) -> tuple[int, int]:
    """Inverse of pack_tune."""
    if len(body) != _TUNE.size:
        raise ProtocolError("the time between reports has a wrong length")
    interval, number = _TUNE.unpack(body)
    return interval, number


def pack_done(left: int, taken: int) -> bytes:
    """Body of DONE: chunks left for unicast, bytes of frames taken."""
    return _DONE.pack(left, taken)


def unpack_done(body: bytes) -> tuple[int, int]:
    """Inverse of pack_done."""
    if len(body) != _DONE.size:
        raise ProtocolError("the end of a receiver has a wrong length")
    left, taken = _DONE.unpack(body)
    return left, taken
