# Copyright: (c) 2026, Fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The control channel: a TCP connection on which both ends prove that they know the session's secret, and then sign every message.

HMAC-SHA256 with the secret over both nonces authenticates; a key for each direction is made from them, and every message carries a MAC
over its number, so none can be forged, repeated, dropped or moved. Nothing is encrypted: a manifest's digests are no secret.
"""

from __future__ import annotations

import contextlib
import hmac
import os
import socket
import struct
from dataclasses import dataclass
from typing import Optional

from .interface import MulticastError
from .wire import LONGEST_MESSAGE, MAGIC, ProtocolError

NONCE_SIZE = 32
MAC_SIZE = 16
PROOF_SIZE = 32
SESSION_SIZE = 16
LONGEST_NAME = 255
SMALLEST_SECRET = 16
_BACKLOG = 8 << 20
"""Bytes that may wait for a peer that does not read."""
_READ = 1 << 16
"""Bytes that are read at once: whoever is listened to, others wait meanwhile."""

_LENGTH = struct.Struct("<I")
_HEAD = struct.Struct("<QB")
_TERMS = struct.Struct(f"<B{SESSION_SIZE}sHHHI")

ACCEPTED, OTHER_IMAGE, NAME_TAKEN = 0, 1, 2


class Disconnected(MulticastError):
    """The peer is gone."""


class Rejected(MulticastError):
    """The peer does not know the secret, or has another image."""


@dataclass(frozen=True)
class Terms:
    """What a receiver must know of a session."""

    status: int
    session: bytes
    source_port: int
    """UDP port that data comes from."""
    port: int
    """UDP port that data goes to."""
    segment: int
    window: int
    """Segments that the sender keeps."""

    def pack(self) -> bytes:
        """As the sender answers."""
        return _TERMS.pack(self.status, self.session, self.source_port, self.port, self.segment, self.window)

    @classmethod
    def unpack(cls, data: bytes) -> Terms:
        """Inverse of pack."""
        return cls(*_TERMS.unpack(data))


TERMS_SIZE = _TERMS.size


def _prove(secret: bytes, *parts: bytes) -> bytes:
    return hmac.digest(secret, b"".join(len(part).to_bytes(4, "little") + part for part in parts), "sha256")


def check_secret(secret: bytes) -> bytes:
    """The secret, when it is long enough."""
    if len(secret) < SMALLEST_SECRET:
        raise MulticastError(f"the session's secret has less than {SMALLEST_SECRET} bytes", remedy="Make one: secrets.token_bytes(32)")
    return secret


def receiver_hello(secret: bytes, image: bytes, name: str, greeting: bytes) -> tuple[bytes, bytes]:
    """A receiver's answer to the sender's greeting (MAGIC and nonce), and the nonce it made."""
    nonce = os.urandom(NONCE_SIZE)
    encoded = name.encode()
    proof = _prove(secret, b"receiver", greeting, nonce, image, encoded)
    return nonce + image + bytes([len(encoded)]) + encoded + proof, nonce


@dataclass(frozen=True)
class Hello:
    """What a receiver said."""

    nonce: bytes
    image: bytes
    name: str

    @classmethod
    def parse(cls, secret: bytes, greeting: bytes, data: bytes) -> Optional[tuple[Hello, int]]:
        """The hello at the start of data and its length; None while it is not whole; Rejected when the secret is another."""
        fixed = NONCE_SIZE + 32 + 1
        if len(data) < fixed or len(data) < fixed + data[fixed - 1] + PROOF_SIZE:
            return None
        nonce, image, name = data[:NONCE_SIZE], data[NONCE_SIZE : fixed - 1], data[fixed : fixed + data[fixed - 1]]
        end = fixed + len(name) + PROOF_SIZE
        if not hmac.compare_digest(_prove(secret, b"receiver", greeting, nonce, image, name), data[end - PROOF_SIZE : end]):
            raise Rejected("a receiver does not know the session's secret")
        return cls(nonce, image, name.decode(errors="replace")), end


def sender_answer(secret: bytes, greeting: bytes, nonce: bytes, terms: Terms) -> bytes:
    """The sender's proof and its terms."""
    packed = terms.pack()
    return packed + _prove(secret, b"sender", greeting, nonce, packed)


def check_answer(secret: bytes, greeting: bytes, nonce: bytes, data: bytes) -> Terms:
    """The terms of a sender that knows the secret; else Rejected."""
    packed, proof = data[:TERMS_SIZE], data[TERMS_SIZE:]
    if not hmac.compare_digest(_prove(secret, b"sender", greeting, nonce, packed), proof):
        raise Rejected("the sender does not know the session's secret")
    return Terms.unpack(packed)


def greeting() -> bytes:
    """What a sender says to everybody who connects."""
    return MAGIC + os.urandom(NONCE_SIZE)


GREETING_SIZE = len(MAGIC) + NONCE_SIZE


class Channel:
    """Signed messages over a socket that never blocks."""

    def __init__(self, connection: socket.socket, secret: bytes, greeting: bytes, nonce: bytes, *, sender: bool) -> None:
        connection.setblocking(False)
        with contextlib.suppress(OSError):
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.connection = connection
        names = (b"to receiver", b"to sender")
        self._send_key, self._receive_key = (_prove(secret, name, greeting, nonce) for name in (names if sender else names[::-1]))
        self._sent = self._received = 0
        self._in = bytearray()
        self._out = bytearray()

    @property
    def waiting(self) -> int:
        """Bytes that could not be sent yet."""
        return len(self._out)

    def send(self, kind: int, body: bytes = b"") -> None:
        """Send a message, or keep it until the socket takes it; Disconnected when the peer is gone or reads nothing for too long."""
        mac = hmac.digest(self._send_key, _HEAD.pack(self._sent, kind) + body, "sha256")[:MAC_SIZE]
        self._sent += 1
        self._out += _LENGTH.pack(1 + len(body) + MAC_SIZE) + bytes([kind]) + body + mac
        self.flush()
        if len(self._out) > _BACKLOG:
            raise Disconnected("the peer reads nothing")

    def flush(self) -> None:
        """Send what waits."""
        while self._out:
            try:
                sent = self.connection.send(self._out)
            except (BlockingIOError, InterruptedError):
                return
            except OSError as error:
                raise Disconnected(f"the connection broke: {error.strerror}") from error
            del self._out[:sent]

    def receive(self) -> list[tuple[int, bytes]]:
        """Whole messages (kind, body) that have come, not all when they are many; ProtocolError for what nobody signed.

        Disconnected at the end.
        """
        try:
            data = self.connection.recv(_READ)
        except (BlockingIOError, InterruptedError):
            return []
        except OSError as error:
            raise Disconnected(f"the connection broke: {error.strerror}") from error
        if not data:
            raise Disconnected("the peer closed the connection")
        self._in += data
        messages = []
        start = 0
        while len(self._in) - start >= _LENGTH.size:
            (length,) = _LENGTH.unpack_from(self._in, start)
            if not MAC_SIZE < length <= LONGEST_MESSAGE:
                raise ProtocolError("a control message has an impossible length")
            end = start + _LENGTH.size + length
            if len(self._in) < end:
                break
            kind, body = self._in[start + _LENGTH.size], bytes(self._in[start + _LENGTH.size + 1 : end - MAC_SIZE])
            mac = hmac.digest(self._receive_key, _HEAD.pack(self._received, kind) + body, "sha256")[:MAC_SIZE]
            if not hmac.compare_digest(mac, bytes(self._in[end - MAC_SIZE : end])):
                raise ProtocolError("a control message is not signed by the peer")
            self._received += 1
            messages.append((kind, body))
            start = end
        del self._in[:start]
        return messages

    def close(self) -> None:
        """Let go of the socket."""
        self.connection.close()
