# Copyright: (c) 2026, Fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Packets out: a batch is one system call, whether the kernel cuts it into packets or takes them one by one."""

from __future__ import annotations

import errno
import socket
from array import array
from typing import Optional

from .interface import SendCount
from .mmsg import MESSAGES, BatchSender
from .sockets import can_segment, segment_option
from .wire import COMBINED, DATA, HEADER_SIZE, KIND_SHIFT, LINK, REPAIR, SYNC, Shape, pack_members

_LARGEST = 65000
"""Bytes of a buffer that the kernel cuts up; UDP's limit is 65,507."""
_MOST = 60
"""Packets of a buffer that the kernel cuts up; Linux takes 64."""
_NO_SEGMENTATION = (errno.EIO, errno.EINVAL, errno.EOPNOTSUPP, errno.ENOPROTOOPT, errno.EMSGSIZE)
_LATER = (errno.EAGAIN, errno.ENOBUFS, errno.ENETDOWN, errno.ENETUNREACH, errno.EHOSTUNREACH, errno.EPERM, errno.ECONNREFUSED, errno.ENODEV)
"""The socket is full, or the network is away: what is not sent now is sent when it is back."""


class Outlet:
    """The UDP socket of a sender."""

    def __init__(self, udp: socket.socket, shape: Shape, tag: int, view: memoryview, *, segmentation: bool) -> None:
        """view: the ring of the stream."""
        self._udp = udp
        self._shape = shape
        self._view = view
        self._segmenting = segmentation and can_segment(udp)
        self.batch = max(1, min(_MOST, _LARGEST // shape.combined)) if self._segmenting else MESSAGES
        """Packets in a batch, at most."""
        self._singly: Optional[BatchSender] = None
        count = max(self.batch, MESSAGES)
        self._headers = array("I", [tag, 0, 0] * count)
        headers = memoryview(self._headers).cast("B")
        self._slices = [headers[number * HEADER_SIZE : (number + 1) * HEADER_SIZE] for number in range(count)]
        self._held: list[memoryview] = []
        self._held_size = 0
        self._overhead = LINK + (48 if udp.family == socket.AF_INET6 else 28)
        self.number = 0
        """Of the next packet."""
        self.wire = 0
        """Bytes sent, headers of the link included."""
        self._packets = self._repairs = self._combined = self._bytes = 0

    def count(self, frames: int, unreadable: tuple[bytes, ...]) -> SendCount:
        """What was sent so far."""
        return SendCount(self._packets, self._repairs, self._combined, self._bytes, frames, unreadable)

    @property
    def blocked(self) -> bool:
        """Whether a batch waits for the socket; no other can be sent before it."""
        return bool(self._held)

    def data(self, first: int, offset: int, count: int) -> None:
        """Send count segments from first on, which lie at a byte of the ring, for the first time."""
        width, view = self._shape.segment, self._view
        payloads = [view[start : start + width] for start in range(offset, offset + count * width, width)]
        self._send(list(range(first | DATA << KIND_SHIFT, (first | DATA << KIND_SHIFT) + count)), payloads, self._shape.packet)

    def repair(self, segments: list[tuple[int, int]]) -> None:
        """Send segments, each with its place in the ring, again."""
        width = self._shape.segment
        payloads = [self._view[offset : offset + width] for _segment, offset in segments]
        self._repairs += len(segments)
        self._send([segment | REPAIR << KIND_SHIFT for segment, _offset in segments], payloads, self._shape.packet)

    def combined(self, groups: list[list[tuple[int, int]]]) -> None:
        """Send the XOR of each group of segments."""
        width = self._shape.segment
        payloads = []
        for group in groups:
            value = 0
            for _segment, offset in group:
                value ^= int.from_bytes(self._view[offset : offset + width], "little")
            payloads.append(memoryview(pack_members([segment for segment, _offset in group]) + value.to_bytes(width, "little")))
        self._combined += len(groups)
        self._send([len(group) | COMBINED << KIND_SHIFT for group in groups], payloads, self._shape.combined)

    def sync(self, position: int) -> None:
        """Say how far the stream is, in a packet as long as those of data: a way that is too narrow for them shows at once."""
        self._send([position | SYNC << KIND_SHIFT], [memoryview(bytes(self._shape.segment))], self._shape.packet)

    def _send(self, places: list[int], payloads: list[memoryview], size: int) -> None:
        count = len(places)
        self._headers[1 : 3 * count : 3] = array("I", range(self.number, self.number + count))
        self._headers[2 : 3 * count : 3] = array("I", places)
        parts = self._slices[:count] * 2
        parts[0::2] = self._slices[:count]
        parts[1::2] = payloads
        self.number += count
        self._packets += count
        self._bytes += count * size
        self.wire += count * (size + self._overhead)
        self._held, self._held_size = parts, size
        self.flush()

    def flush(self) -> None:
        """Send what is held, as far as the socket takes it."""
        while self._held:
            try:
                if self._segmenting:
                    self._udp.sendmsg(self._held, segment_option(self._held_size) if len(self._held) > 2 else [])
                    self._held = []
                else:
                    self._singly = self._singly or BatchSender(self._udp, self._shape.combined)
                    sent = self._singly.send(self._held[: 4 * MESSAGES], self._held_size)
                    self._held = self._held[2 * sent :]
            except OSError as error:
                if error.errno in _LATER:
                    return
                if not (self._segmenting and error.errno in _NO_SEGMENTATION):
                    raise
                self._segmenting = False
                self.batch = MESSAGES
