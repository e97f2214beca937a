# Copyright: (c) 2026, Fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A receiver while it is connected to a sender: packets in, reports out, whole frames to the taker."""

from __future__ import annotations

import contextlib
import select
import time
from collections.abc import Collection
from typing import Callable, Optional

from .channel import Channel, Disconnected, Terms
from .counting import PacketCount
from .interface import Settings
from .mmsg import MESSAGES, SLOT, BatchReceiver
from .sockets import receiving
from .taker import Taker
from .wants import Wants
from .window import Window
from .wire import (
    COMBINED,
    DIGESTS_IN_MESSAGE,
    DONE,
    FAIL,
    GONE,
    HEADER,
    HEADER_SIZE,
    KIND_SHIFT,
    LACK,
    LEAVE,
    PLAN,
    REPORT,
    SEGMENT_MASK,
    START,
    SYNC,
    TUNE,
    WANT,
    ProtocolError,
    ReceiverReport,
    Shape,
    pack_digests,
    pack_done,
    session_tag,
    unpack_digests,
    unpack_number,
    unpack_plan,
    unpack_tune,
)

NAP = 0.002
"""Seconds between two looks at the socket while packets come: they gather in the kernel, and one call takes many."""
_IDLE_NAP = 0.02
_SOONER = 4
"""So many times sooner than usual a receiver reports when the sender has nothing else to send and something is missing here."""
_SILENT = 4.0
"""Seconds without a control message after which the connection is made anew; a sender says something every second."""


class SenderSilent(ProtocolError):
    """The sender has not said anything for too long."""


class Reception:
    """One connection's worth of receiving."""

    def __init__(self, settings: Settings, image: bytes, channel: Channel, terms: Terms, wants: Wants, taker: Taker) -> None:
        self._channel = channel
        self._wants = wants
        self._taker = taker
        local = channel.connection.getsockname()[0]
        self._udp, self._room = receiving(settings, terms.port, terms.source_port, local)
        self._batch = BatchReceiver(self._udp)
        self._shape = Shape(terms.segment)
        self._tag = session_tag(terms.session, image)
        self._window: Optional[Window] = None
        self._interval = 0.05
        self._count = PacketCount()
        self._lacks = False
        """Whether the sender said last that it waits, and something is missing here."""
        self.leave = ""
        """Why the sender let this receiver go."""
        self.started = 0.0
        """When the first segment came (monotonic seconds)."""

    def close(self) -> None:
        """Leave the group."""
        self._udp.close()
        if self._window:
            self._window.close()

    @property
    def lost(self) -> float:
        """Share of the packets that did not arrive."""
        return self._count.lost

    def run(self, stopped: Callable[[], bool], tick: Callable[[], None]) -> None:
        """Until nothing is wanted, the sender lets go, or the taker fails; Disconnected or ProtocolError when the connection is no good.

        tick is called with every report.
        """
        self._ask(self._wants.wanted)
        poll = select.poll()
        poll.register(self._channel.connection, select.POLLIN)
        due = reported = heard = time.monotonic()
        nap = _IDLE_NAP
        while True:
            came = self._packets()
            if poll.poll(0 if came >= MESSAGES // 2 else nap * 1000):
                for kind, body in self._channel.receive():
                    heard = time.monotonic()
                    self._message(kind, body)
            self._hand_over()
            now = time.monotonic()
            if now >= due or (self._lacks and now - reported > self._interval / _SOONER):
                due, reported = now + self._interval, now
                self._lacks = False
                nap = NAP if self.started and self._count.received else _IDLE_NAP
                tick()
                try:
                    self._report()
                except Disconnected:
                    self._last_words()
                    if not self.leave:
                        raise
                if now - heard > _SILENT:
                    raise SenderSilent("the sender is silent")
            if self._taker.error or stopped() or self.leave:
                break
            if not self._wants.wanted:
                break
        self._end()

    def _last_words(self) -> None:
        """What the sender said before it closed the connection: it can be read although nothing can be sent any more."""
        with contextlib.suppress(Disconnected):
            while messages := self._channel.receive():
                for kind, body in messages:
                    self._message(kind, body)

    def _end(self) -> None:
        error = self._taker.error
        if error:
            self._channel.send(FAIL, str(error).encode()[:4096])
            return
        try:
            self._channel.send(DONE, pack_done(len(self._wants.left), self._wants.bytes))
        except Disconnected:
            if not self.leave:  # who let us go need not hear it
                raise

    # Packets --------------------------------------------------------------------------------------------------------------------------

    def _packets(self) -> int:
        """Take what waits in the socket; return the number of messages."""
        lengths = self._batch.receive()
        window = self._window
        if not lengths or window is None:
            if lengths:
                self._probe(lengths)
            return len(lengths)
        packet, view = self._shape.packet, self._batch.view
        if lengths.count(packet) == len(lengths):
            self._train(window, 0, SLOT, len(lengths))
            return len(lengths)
        for number, length in enumerate(lengths):
            start = number * SLOT
            if length % packet == 0 and length:
                self._train(window, start, packet, length // packet)
                continue
            combined = self._shape.combined
            for offset in range(start, start + length, combined):
                end = min(offset + combined, start + length)
                if end - offset == combined:
                    self._combined(window, view[offset:end])
                elif end - offset == packet:
                    self._train(window, offset, packet, 1)
        return len(lengths)

    def _train(self, window: Window, offset: int, stride: int, count: int) -> None:
        """Packets of one size, the first at a byte of the batch, the next each stride bytes on."""
        words, first, end, step = self._batch.words, offset // 4, (offset + count * stride) // 4, stride // 4
        tags, numbers, places = (words[first + word : end : step].tolist() for word in range(3))
        if tags.count(self._tag) != count or max(places) >= COMBINED << KIND_SHIFT or not self._count.plausible(max(numbers)):
            for index in range(count):
                if tags[index] == self._tag:
                    self._single(window, offset + index * stride, numbers[index], places[index])
            return
        self._count.add(max(numbers), min(numbers), count)
        window.put(self._batch.view, offset, stride, places)

    def _single(self, window: Window, offset: int, number: int, place: int) -> None:
        kind = place >> KIND_SHIFT
        if kind == COMBINED or not self._count.plausible(number):
            return  # of the size of another kind, or from the future: not ours
        self._count.add(number, number, 1)
        if kind == SYNC:
            window.sync(place & SEGMENT_MASK)
            self._lacks = window.low < window.position
        else:
            window.put(self._batch.view, offset, SLOT, [place])

    def _combined(self, window: Window, packet: memoryview) -> None:
        tag, number, place = HEADER.unpack_from(packet)
        if tag == self._tag and place >> KIND_SHIFT == COMBINED and self._count.plausible(number):
            self._count.add(number, number, 1)
            window.combined(packet)

    def _probe(self, lengths: list[int]) -> None:
        """Packets before START: they only tell that multicast is heard."""
        for number, length in enumerate(lengths):
            if length >= HEADER_SIZE:
                tag, count, _place = HEADER.unpack_from(self._batch.view, number * SLOT)
                if tag == self._tag and self._count.plausible(count):
                    self._count.add(count, count, 1)

    # Frames ---------------------------------------------------------------------------------------------------------------------------

    def _hand_over(self) -> None:
        """Whole frames to the taker, and what became of earlier ones."""
        window, taker = self._window, self._taker
        if window is not None and window.whole:
            while window.whole and not taker.full:
                taken = window.frame(window.whole.pop(0))
                if taken and self._wants.begin(taken[0]):
                    taker.put(*taken)
        again = self._wants.settle(taker.results)
        if again:
            self._ask(again)

    def _ask(self, digests: Collection[bytes]) -> None:
        """Ask the sender for chunks, at the start and when they were lost."""
        names = list(digests)
        for start in range(0, max(len(names), 1), DIGESTS_IN_MESSAGE):
            self._channel.send(WANT, pack_digests(names[start : start + DIGESTS_IN_MESSAGE], start + DIGESTS_IN_MESSAGE < len(names)))

    def _abandon(self, floor: int = 0) -> None:
        if self._window is not None:
            lost = [digest for digest in self._window.abandoned(floor) if digest in self._wants.wanted]
            if lost:
                self._ask(lost)

    # Control --------------------------------------------------------------------------------------------------------------------------

    def _report(self) -> None:
        self._channel.flush()
        if self._channel.waiting:
            return  # the network is cut or the sender stands still: what is true then will be said then
        window = self._window
        if window is None:
            report = ReceiverReport(self._count.seen, self._count.received, 0, self._room, self._wants.bytes)
        else:
            self._abandon()
            missing = () if self._taker.full else tuple(window.missing())
            report = ReceiverReport(self._count.seen, self._count.received, window.low, self._room, self._wants.bytes, missing)
        self._channel.send(REPORT, report.pack())

    def _message(self, kind: int, body: bytes) -> None:
        if kind == PLAN and self._window is not None:
            first, placed = unpack_plan(body)
            self._window.plan(first, placed, self._wants.wanted)  # what is begun may turn out damaged
        elif kind == START:
            self._window = Window(self._shape, unpack_number(body))
            self.started = self.started or time.monotonic()
        elif kind == TUNE:
            interval, number = unpack_tune(body)
            self._interval = min(max(interval / 1000, 0.005), 5.0)
            self._count.told(number)
        elif kind == GONE:
            self._abandon(unpack_number(body))
        elif kind == LACK:
            self._wants.set_aside(unpack_digests(body)[0])
        elif kind == LEAVE:
            self.leave = body.decode(errors="replace") or "the sender let go"
