# Copyright: (c) 2026, Fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A partition made longer for a while: the place where a filesystem is shrunk that does not fit the partition as it is.

The image's filesystem may have used blocks behind the end of a smaller partition. ``Span`` presents partition + overflow file as one
regular file of the image's size; the image is restored into it, ``Filesystem.shrink`` moves every block below the partition's end, and
the overflow is thrown away. device-mapper could do it too, but the kernels of containers and of CI have none, so the file is served by
the smallest FUSE server that resize2fs and ntfsresize are content with: one regular file, mounted on a regular file
(Linux, include/uapi/linux/fuse.h, protocol 7.31).
"""

from __future__ import annotations

import contextlib
import ctypes
import errno
import os
import select
import signal
import stat
import struct
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import NoReturn

from ansible_collections.fleet.core.plugins.module_utils.errors import FleetError

from ..disk.device import device_size

MAX_WRITE = 1 << 20

_IN_HEADER = struct.Struct("<IIQQIIIHH")
_OUT_HEADER = struct.Struct("<IiQ")
_IO = struct.Struct("<QQII")  # the head of fuse_read_in and fuse_write_in: handle, offset, size, flags
_IO_BYTES = 40
_ATTR = struct.Struct("<QQQQQQIIIIIIIIII")
_LOOKUP, _FORGET, _GETATTR, _SETATTR, _OPEN, _READ, _WRITE, _STATFS, _RELEASE = 1, 2, 3, 4, 14, 15, 16, 17, 18
_FSYNC, _FLUSH, _INIT, _INTERRUPT, _DESTROY, _BATCH_FORGET = 20, 25, 26, 36, 38, 42
_SILENT = (_FORGET, _BATCH_FORGET, _INTERRUPT)
_FEATURES = 1 << 0 | 1 << 5 | 1 << 22  # ASYNC_READ, BIG_WRITES, MAX_PAGES
_SETATTR_SIZE = 1 << 3
_KEEP_CACHE = 1 << 1
_MNT_DETACH = 2
_SECONDS = 3600

_libc = ctypes.CDLL(None, use_errno=True)


class SpanError(FleetError):
    """The longer partition could not be presented."""


@contextlib.contextmanager
def span(target: Path, size: int, work: Path) -> Iterator[Path]:
    """Present target (a device or file) followed by an overflow as one file of size bytes; yields the file's path.

    work is a folder for the overflow, which takes as much room as is written behind target's end. On leaving, target is synced, the
    overflow is gone. Raises SpanError when FUSE cannot be used here.
    """
    with tempfile.TemporaryDirectory(prefix="fleet-span-", dir=work) as folder, contextlib.ExitStack() as stack:
        point = Path(folder) / "span"
        point.touch(0o600)
        backing = stack.enter_context(_Backing.open(target, size, Path(folder) / "overflow"))
        server = _start(point, backing)
        try:
            yield point
        finally:
            _stop(point, *server)
            backing.sync_target()


class _Backing:
    """What the file is made of: target up to its end, then the overflow. Offsets are those of the whole."""

    def __init__(self, target: int, boundary: int, overflow: int, size: int) -> None:
        self.target, self.boundary, self.overflow, self.size = target, boundary, overflow, size
        self.limit = size

    @classmethod
    @contextlib.contextmanager
    def open(cls, target: Path, size: int, overflow: Path) -> Iterator[_Backing]:
        boundary = device_size(target)
        with contextlib.ExitStack() as stack:
            # Nobody may mount it meanwhile; shrinking moves its blocks about.
            target_fd = os.open(target, os.O_RDWR | os.O_CLOEXEC | (os.O_EXCL if target.is_block_device() else 0))
            stack.callback(os.close, target_fd)
            overflow_fd = os.open(overflow, os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
            stack.callback(os.close, overflow_fd)
            os.ftruncate(overflow_fd, max(0, size - boundary))
            yield cls(target_fd, boundary, overflow_fd, size)

    def read(self, offset: int, length: int) -> bytes:
        pieces = []
        for descriptor, position, amount in self._parts(offset, min(length, max(0, self.size - offset))):
            pieces.append(os.pread(descriptor, amount, position))
        return b"".join(pieces)

    def write(self, offset: int, data: memoryview) -> int:
        if offset + len(data) > self.size:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        done = 0
        for descriptor, position, amount in self._parts(offset, len(data)):
            while amount:
                written = os.pwrite(descriptor, data[done : done + amount], position)
                done, position, amount = done + written, position + written, amount - written
        return done

    def resize(self, size: int) -> None:
        if size > self.limit:
            raise OSError(errno.EFBIG, os.strerror(errno.EFBIG))
        self.size = size

    def sync(self) -> None:
        os.fsync(self.target)

    sync_target = sync

    def _parts(self, offset: int, length: int) -> Iterator[tuple[int, int, int]]:
        below = max(0, min(length, self.boundary - offset))
        if below:
            yield self.target, offset, below
        if length > below:
            yield self.overflow, offset + below - self.boundary, length - below


class _Server:
    """Answers the kernel's requests about the one file, until it is unmounted."""

    def __init__(self, channel: int, backing: _Backing) -> None:
        self.channel, self.backing = channel, backing
        self.now = int(time.time())

    def serve(self, parent: int) -> None:
        """Serve until unmounted, or until the other end of the pipe parent is closed by the end of its process."""
        buffer = bytearray(MAX_WRITE + 4096 * 2)
        poll = select.poll()
        poll.register(self.channel, select.POLLIN)
        poll.register(parent, select.POLLIN)
        while True:
            ready = {descriptor for descriptor, _events in poll.poll()}
            if self.channel not in ready:
                return
            try:
                received = os.readv(self.channel, [buffer])
            except OSError as error:
                if error.errno == errno.ENODEV:  # unmounted
                    return
                if error.errno in (errno.ENOENT, errno.EINTR, errno.EAGAIN):  # the request was interrupted before it was read
                    continue
                raise
            self._answer(memoryview(buffer)[:received])

    def _answer(self, request: memoryview) -> None:
        _length, opcode, unique, *_rest = _IN_HEADER.unpack_from(request)
        if opcode in _SILENT:
            return
        body, code = b"", 0
        try:
            body = self._handle(opcode, request[_IN_HEADER.size :])
        except OSError as error:
            code = -(error.errno or errno.EIO)
        with contextlib.suppress(FileNotFoundError):  # the request was interrupted meanwhile: nobody waits for the answer
            os.writev(self.channel, [_OUT_HEADER.pack(_OUT_HEADER.size + len(body), code, unique), body])

    def _handle(self, opcode: int, argument: memoryview) -> bytes:
        if opcode == _READ:
            _handle, offset, size, _flags = _IO.unpack_from(argument)
            return self.backing.read(offset, size)
        if opcode == _WRITE:
            _handle, offset, size, _flags = _IO.unpack_from(argument)
            return struct.pack("<II", self.backing.write(offset, argument[_IO_BYTES : _IO_BYTES + size]), 0)
        if opcode == _INIT:
            readahead = struct.unpack_from("<III", argument)[2]
            return struct.pack("<IIIIHHIIHH8I", 7, 31, readahead, _FEATURES, 16, 12, MAX_WRITE, 1, MAX_WRITE // 4096, 0, *[0] * 8)
        if opcode == _SETATTR and struct.unpack_from("<I", argument)[0] & _SETATTR_SIZE:
            self.backing.resize(struct.unpack_from("<Q", argument, 16)[0])
        if opcode in (_GETATTR, _SETATTR):
            return struct.pack("<QII", _SECONDS, 0, 0) + self._attributes()
        if opcode == _OPEN:
            return struct.pack("<QII", 0, _KEEP_CACHE, 0)
        if opcode == _STATFS:
            return struct.pack("<QQQQQIIII24x", *[self.backing.size // 4096] * 3, 1, 1, 4096, 255, 4096, 0)
        if opcode == _FSYNC:
            self.backing.sync()
        elif opcode not in (_FLUSH, _RELEASE, _DESTROY):
            raise OSError(errno.ENOSYS, os.strerror(errno.ENOSYS))
        return b""

    def _attributes(self) -> bytes:
        size = self.backing.size
        times = (self.now,) * 3
        return _ATTR.pack(1, size, -(-size // 512), *times, 0, 0, 0, stat.S_IFREG | 0o600, 1, os.getuid(), os.getgid(), 0, 4096, 0)


def _start(point: Path, backing: _Backing) -> tuple[int, int]:
    """Mount the file and fork its server; returns the server's process id and the pipe that keeps it alive."""
    try:
        channel = os.open("/dev/fuse", os.O_RDWR | os.O_CLOEXEC)
    except OSError as error:
        raise SpanError(
            f"FUSE is not available here: /dev/fuse: {error.strerror}", remedy="Load the kernel module fuse (modprobe fuse)"
        ) from error
    try:
        options = f"fd={channel},rootmode={stat.S_IFREG | 0o600:o},user_id={os.getuid()},group_id={os.getgid()}"
        if _libc.mount(b"fleet-span", os.fsencode(point), b"fuse", 0, options.encode()) != 0:
            reason = os.strerror(ctypes.get_errno())
            raise SpanError(f"{point} cannot be mounted through FUSE: {reason}", remedy="Run as root with CAP_SYS_ADMIN")
        reader, writer = os.pipe()
        try:
            child = os.fork()  # after the mount: reading the channel is an error before
        except OSError as error:
            _libc.umount2(os.fsencode(point), _MNT_DETACH)
            raise SpanError(f"No process for {point}: {error.strerror}") from error
        if child == 0:
            os.close(writer)
            _run_server(channel, backing, reader, point)
        os.close(reader)
    finally:
        os.close(channel)
    return child, writer


def _run_server(channel: int, backing: _Backing, parent: int, point: Path) -> NoReturn:
    """The life of the server's process. It never returns into the code that forked it."""
    code = 1
    try:
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            signal.signal(number, signal.SIG_IGN)  # the parent decides when it ends
        _Server(channel, backing).serve(parent)
        code = 0
    finally:
        _libc.umount2(os.fsencode(point), _MNT_DETACH)  # does something only when the parent died
        os._exit(code)


def _stop(point: Path, child: int, writer: int) -> None:
    """Unmount, which ends the server, and wait for it."""
    unmounted = _libc.umount2(os.fsencode(point), 0) == 0 or _libc.umount2(os.fsencode(point), _MNT_DETACH) == 0
    os.close(writer)
    _pid, status = os.waitpid(child, 0)
    if not unmounted or status != 0:
        raise SpanError(f"The server of {point} ended with status {status}")
