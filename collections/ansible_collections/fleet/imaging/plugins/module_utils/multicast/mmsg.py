# Copyright: (c) 2026, Fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Many packets in one system call: recvmmsg(2) and sendmmsg(2), which Python does not have, through ctypes.

A station's time goes into system calls, not into bytes. With GRO a single message may be a train of packets of the same size.
"""

from __future__ import annotations

import ctypes
import errno
import functools
import mmap
import os
import socket
from collections.abc import Sequence
from typing import Any

MESSAGES = 32
SLOT = 1 << 16
"""Bytes for each message: a train of packets that GRO put together is at most as long."""


class _Vector(ctypes.Structure):
    _fields_ = (("base", ctypes.c_void_p), ("length", ctypes.c_size_t))


class _Message(ctypes.Structure):
    """struct mmsghdr of Linux."""

    _fields_ = (
        ("name", ctypes.c_void_p),
        ("name_length", ctypes.c_uint32),
        ("vectors", ctypes.POINTER(_Vector)),
        ("vector_count", ctypes.c_size_t),
        ("control", ctypes.c_void_p),
        ("control_length", ctypes.c_size_t),
        ("flags", ctypes.c_int),
        ("padding", ctypes.c_int),  # struct msghdr ends here, and is as long as its alignment asks for
        ("length", ctypes.c_uint),
    )


@functools.cache
def _library() -> Any:
    library = ctypes.CDLL(None, use_errno=True)
    for name, arguments in (("recvmmsg", 5), ("sendmmsg", 4)):
        function = getattr(library, name)
        function.restype = ctypes.c_int
        function.argtypes = [ctypes.c_int, ctypes.c_void_p, ctypes.c_uint, ctypes.c_int, ctypes.c_void_p][:arguments]
    return library


def _address(buffer: mmap.mmap) -> int:
    return ctypes.addressof(ctypes.c_char.from_buffer(buffer))


class BatchReceiver:
    """Takes what waits in a UDP socket, up to MESSAGES messages at once; message i begins at byte ``i * SLOT`` of ``view``."""

    def __init__(self, udp: socket.socket) -> None:
        self._udp = udp
        self._memory = mmap.mmap(-1, MESSAGES * SLOT)
        self.view = memoryview(self._memory)
        self.words = self.view.cast("I")
        """The same in words of 32 bits."""
        base = _address(self._memory)
        self._vectors = (_Vector * MESSAGES)(*[_Vector(base + number * SLOT, SLOT) for number in range(MESSAGES)])
        self._messages = (_Message * MESSAGES)()
        for number, message in enumerate(self._messages):
            message.vectors = ctypes.pointer(self._vectors[number])
            message.vector_count = 1
        words = memoryview(self._messages).cast("B").cast("I")
        stride = ctypes.sizeof(_Message) // 4
        self._lengths = words[_Message.length.offset // 4 :: stride]
        self._receive = _library().recvmmsg

    def receive(self) -> list[int]:
        """Lengths of the messages that came; empty when none waits."""
        count = self._receive(self._udp.fileno(), self._messages, MESSAGES, socket.MSG_DONTWAIT, None)
        if count <= 0:
            number = ctypes.get_errno()
            if number not in (0, errno.EAGAIN, errno.EINTR, errno.ECONNREFUSED, errno.ENETDOWN, errno.ENETUNREACH, errno.EHOSTUNREACH):
                raise OSError(number, os.strerror(number))
            return []
        lengths: list[int] = self._lengths[:count].tolist()
        return lengths


class BatchSender:
    """Sends packets singly, as many as the socket takes in one call: for kernels and interfaces that cannot segment."""

    def __init__(self, udp: socket.socket, packet: int) -> None:
        """packet: bytes of the largest packet."""
        self._udp = udp
        self._packet = packet
        self._memory = mmap.mmap(-1, MESSAGES * 2 * packet)
        self._view = memoryview(self._memory)
        base = _address(self._memory)
        count = MESSAGES * 2
        self._vectors = (_Vector * count)(*[_Vector(base + number * packet, packet) for number in range(count)])
        self._messages = (_Message * count)()
        for number, message in enumerate(self._messages):
            message.vectors = ctypes.pointer(self._vectors[number])
            message.vector_count = 1
        self._length = 0
        self._send = _library().sendmmsg

    def send(self, parts: Sequence[memoryview], size: int) -> int:
        """Send packets of size bytes, each made of two parts; return how many the socket took. BlockingIOError when it took none."""
        count = len(parts) // 2
        packet, view = self._packet, self._view
        head = len(parts[0])
        for number in range(count):
            start = number * packet
            view[start : start + head] = parts[2 * number]
            view[start + head : start + size] = parts[2 * number + 1]
        if size != self._length:
            self._length = size
            for vector in self._vectors:
                vector.length = size
        sent: int = self._send(self._udp.fileno(), self._messages, count, socket.MSG_DONTWAIT)
        if sent < 0:
            number = ctypes.get_errno()
            raise OSError(number, os.strerror(number))  # EAGAIN becomes BlockingIOError
        return sent
