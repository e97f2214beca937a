# Copyright: (c) 2026, Fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The receiver's end of a session: finds its sender, receives, and finds it again when it was restarted or the network was cut."""

from __future__ import annotations

import contextlib
import socket
import time
from collections.abc import Set as AbstractSet
from typing import Optional

from ansible_collections.fleet.core.plugins.module_utils.errors import FleetError

from .channel import (
    GREETING_SIZE,
    LONGEST_NAME,
    NAME_TAKEN,
    OTHER_IMAGE,
    PROOF_SIZE,
    TERMS_SIZE,
    Channel,
    Disconnected,
    Rejected,
    Terms,
    check_answer,
    check_secret,
    receiver_hello,
)
from .interface import COMPLETE, FAILED, UNICAST, MulticastError, Outcome, Report, SessionState, Settings, Take
from .reception import Reception
from .sockets import resolve, version
from .taker import Taker
from .urgency import keep_memory, urgent
from .wants import Wants
from .wire import DONE, MAGIC, ProtocolError, pack_done

_CONNECT = 2.0
"""Seconds for a connection and for each answer on it."""
_PAUSE = 0.3
_REPORTS = 0.2


class ReceiveSession:
    """Receives what a station lacks."""

    def __init__(
        self,
        settings: Settings,
        secret: bytes,
        image: bytes,
        name: str,
        wanted: AbstractSet[bytes],
        take: Take,
        *,
        report: Report = lambda _state: None,
    ) -> None:
        """name: as the sender expects it; wanted: digests of chunks; secret, image: as for the sender."""
        if len(name.encode()) > LONGEST_NAME or not name:
            raise MulticastError(f"{name!r} is no name for a receiver: it must have 1 to {LONGEST_NAME} bytes")
        version(settings)
        self._settings = settings
        self._secret = check_secret(secret)
        self._image = image
        self._name = name
        self._wants = Wants(wanted)
        self._take = take
        self._report = report
        self._stopped = False
        self._reported = 0.0
        self._started = 0.0
        self._lost = 0.0
        self._rate = (0.0, 0, 0.0)
        """(when, bytes taken then, bytes a second), for reports."""
        self._port = 0

    def stop(self) -> None:
        """End it soon."""
        self._stopped = True

    def run(self) -> Outcome:
        """Receive until all is taken or the session is over."""
        if not self._wants.wanted:
            return Outcome(COMPLETE)
        keep_memory()
        taker = Taker(self._take)
        try:
            with urgent():
                reason = self._sessions(taker)
        finally:
            taker.close()
        self._wants.settle(taker.results)
        self._wants.none_begun()
        left = self._wants.left
        state = FAILED if taker.error else UNICAST if left else COMPLETE
        if taker.error:
            reason = str(taker.error)
        elif left and not reason:
            reason = "some chunks came damaged, or the sender could not read them"
        return Outcome(
            state,
            reason if state != COMPLETE else "",
            left,
            self._wants.chunks,
            self._wants.bytes,
            time.monotonic() - self._started if self._started else 0.0,
            self._wants.damaged,
            self._lost,
        )

    def _sessions(self, taker: Taker) -> str:
        """Connect and receive, again and again; the reason why it ended with something left."""
        reason = "no sender was found"
        deadline = time.monotonic() + 2 * self._settings.patience
        while time.monotonic() < deadline and not self._stopped:
            try:
                connected = self._find()
            except Rejected as error:
                reason = str(error)
                connected = None
                if isinstance(error, OtherImage):
                    return reason
            if connected is None:
                self._tell("waiting")
                time.sleep(_PAUSE)
                continue
            began, chunks = time.monotonic(), self._wants.chunks
            try:
                return self._receive(*connected, taker)
            except (Disconnected, ProtocolError) as error:
                reason = f"the sender was lost: {error}"
                if taker.error:
                    return reason
            except Exception as error:  # no group, or a fault of ours: disks are half written by now, and unicast can finish them
                with contextlib.suppress(MulticastError):
                    connected[0].send(DONE, pack_done(len(self._wants.left), self._wants.bytes))
                return str(error) if isinstance(error, FleetError) else f"{type(error).__name__}: {error}"
            finally:
                connected[0].close()
            if not self._wants.wanted:
                return ""
            if self._wants.chunks > chunks or time.monotonic() - began > self._settings.patience:
                deadline = time.monotonic() + 2 * self._settings.patience
            else:
                time.sleep(_PAUSE)  # a connection that was good for nothing: it must not be made for ever, nor at once
        return "stopped" if self._stopped else reason

    def _receive(self, channel: Channel, terms: Terms, taker: Taker) -> str:
        """One connection's worth; why it ended, when that was in order."""
        reception = Reception(self._settings, self._image, channel, terms, self._wants, taker)
        try:
            reception.run(lambda: self._stopped, lambda: self._tell("sending"))
            return reception.leave or ("stopped" if self._stopped else "")
        finally:
            self._lost = reception.lost
            self._started = self._started or reception.started
            reception.close()

    def _find(self) -> Optional[tuple[Channel, Terms]]:
        """The sender on one of the ports, the last one first; Rejected when somebody was there and nobody proved to be it."""
        first, last = self._settings.ports
        rejected: Optional[Rejected] = None
        ports = sorted(range(first, last + 1), key=lambda port: port != self._port)
        for port in ports:
            if self._stopped:
                return None
            try:
                found = self._connect(port)
            except Rejected as error:
                rejected = error
                if isinstance(error, OtherImage):
                    raise
            except socket.timeout:  # nobody answers: the other ports would take as long, and it may be back meanwhile
                return None
            except OSError:
                continue
            else:
                self._port = port
                return found
        if rejected:
            raise rejected
        return None

    def _connect(self, port: int) -> tuple[Channel, Terms]:
        family, address = resolve(self._settings.sender, port)
        connection = socket.socket(family, socket.SOCK_STREAM)
        try:
            connection.settimeout(_CONNECT)
            connection.connect(address)
            greeting = _exactly(connection, GREETING_SIZE)
            if not greeting.startswith(MAGIC):
                raise Rejected(f"port {port} of {self._settings.sender} is no multicast sender")
            hello, nonce = receiver_hello(self._secret, self._image, self._name, greeting)
            connection.sendall(hello)
            terms = check_answer(self._secret, greeting, nonce, _exactly(connection, TERMS_SIZE + PROOF_SIZE))
            if terms.status == OTHER_IMAGE:
                raise OtherImage("the sender sends another image")
            if terms.status == NAME_TAKEN:
                raise Rejected(f"another station of the name {self._name} is in the session")
            return Channel(connection, self._secret, greeting, nonce, sender=False), terms
        except BaseException:
            connection.close()
            raise

    def _tell(self, phase: str) -> None:
        now = time.monotonic()
        if now - self._reported < _REPORTS:
            return
        self._reported = now
        when, taken, rate = self._rate
        if now - when >= 1:
            rate = (self._wants.bytes - taken) / (now - when) if when else 0.0
            self._rate = (now, self._wants.bytes, rate)
        self._report(SessionState(phase, (self._name,), (), self._wants.bytes, self._wants.total, rate, (), self._port))


class OtherImage(Rejected):
    """The right secret, and another image."""


def _exactly(connection: socket.socket, size: int) -> bytes:
    data = b""
    while len(data) < size:
        try:
            part = connection.recv(size - len(data))
        except socket.timeout:
            part = b""
        if not part:
            raise Rejected("no session there accepts this secret")
        data += part
    return data
