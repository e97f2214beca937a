# Copyright: (c) 2026, Fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""One image to a room by multicast, ours beside udpcast: on a line of 100 Mbit/s with and without losses, and as fast as the machine goes.

Both run from the sender's start until the last receiver has ended. What each takes for a single chunk in the same network (Python's start,
udpcast's waiting) is measured as its start-up cost, shown apart, and taken off its times: it does not grow with the image.
"""

from __future__ import annotations

import hashlib
import os
import pickle
import statistics
from collections.abc import Callable, Sequence
from pathlib import Path

from ansible_collections.fleet.core.plugins.module_utils.zstd import Compressor

from .bench import Bench, BenchError
from .multicast_drift import drifted_room
from .multicast_segment import Hung, Segment, Transfer, ours_receiver, ours_sender, transfer, udpcast_receiver, udpcast_sender
from .report import Report

LINE = 100.0
"""Mbit/s."""
ROOM = 6
CONDITIONS: tuple[tuple[int, float, int], ...] = ((1, 0, 0), (6, 0, 0), (1, 0.1, 1), (6, 0.1, 6), (1, 1, 1), (6, 1, 1), (6, 1, 6))
"""(receivers, percent of loss, on how many of them) of the line-limited comparison."""
_CHUNK = 1 << 20
_QUICK, _FULL = {"line": 96, "fast": 256}, {"line": 224, "fast": 1100}
"""MiB of the images."""
_FEWER = 3
"""Rounds of the rows that take long, or that are compared with no peer."""


class Comparison:
    """Runs of both methods in the same network."""

    def __init__(self, bench: Bench, report: Report) -> None:
        self.bench, self.report = bench, report
        self._images: dict[str, Path] = {}
        self._plain: dict[int, list[Transfer]] = {}

    def rounds(self, most: int) -> int:
        """How often a row is repeated."""
        return 1 if self.bench.quick else most

    def image(self, name: str) -> Path:
        """line, fast or small: frames of random chunks one after the other, and where each lies."""
        if name not in self._images:
            chunks = (_QUICK if self.bench.quick else _FULL).get(name, 1)
            path, compressor, places, offset = self.bench.scratch / f"{name}.frames", Compressor(), {}, 0
            with path.open("wb") as file:
                for _chunk in range(chunks):
                    data = os.urandom(_CHUNK)
                    frame = compressor.compress(data)
                    file.write(frame)
                    places[hashlib.sha256(data).digest()] = (offset, len(frame))
                    offset += len(frame)
            path.with_suffix(".places").write_bytes(pickle.dumps(places))
            self._images[name] = path
        return self._images[name]

    def startup(self, method: str, receivers: int, mbit: float = 0) -> float:
        """Median seconds that a method takes for next to nothing with so many receivers."""
        key = f"startup_{method}_{receivers}r{'_line' if mbit else ''}_s"
        if key not in self.report.figures:
            with Segment(receivers, mbit=mbit) as segment:
                runs = [self._once(method, segment, self.image("small")).seconds for _round in range(3 if self.bench.quick else 5)]
            self.report.figures[key] = round(statistics.median(runs), 3)
            self.bench.say(f"start-up of {method} with {receivers}: {' '.join(f'{each:.2f}' for each in sorted(runs))} s")
        return self.report.figures[key]

    def _once(self, method: str, segment: Segment, data: Path, *, segmentation: bool = True) -> Transfer:
        count = segment.receivers
        if method == "udpcast":
            return transfer(segment, udpcast_sender(data, count), [udpcast_receiver()] * count)
        return transfer(
            segment, ours_sender(data, count, segmentation=segmentation), [ours_receiver(data, number) for number in range(count)]
        )

    def _begun(self, method: str, data: Path, receivers: int, mbit: float, loss: Sequence[float], segmentation: bool) -> Transfer:
        """A transfer that began; those that did not are counted, as udpcast's greeting is not repeated when it was lost."""
        while True:
            try:
                with Segment(receivers, mbit=mbit, loss=loss) as segment:
                    return self._once(method, segment, data, segmentation=segmentation)
            except Hung:
                key = f"hung_{method}"
                self.report.figures[key] = self.report.figures.get(key, 0) + 1
                self.bench.say(f"{method} never began")
                if self.report.figures[key] > 20:
                    raise

    def both(
        self,
        label: str,
        data: Path,
        receivers: int,
        *,
        mbit: float = 0,
        loss: Sequence[float] = (),
        segmentation: bool = True,
        rounds: int = 5,
    ) -> tuple[float, float, list[Transfer]]:
        """Median seconds of ours and of udpcast without their start-up, and the transfers of ours; both take turns."""
        seconds: dict[str, list[float]] = {"ours": [], "udpcast": []}
        transfers = []
        total = self.rounds(rounds)
        for number in range(total):
            for method in ("ours", "udpcast") if number % 2 else ("udpcast", "ours"):
                result = self._begun(method, data, receivers, mbit, loss, segmentation)
                seconds[method].append(max(result.seconds - self.startup(method, receivers, mbit), 0.01))
                self.say(f"{label} {number + 1}/{total}", result, data, f"{method:<8} {seconds[method][-1]:7.2f} s")
                if method == "ours":
                    transfers.append(result)
        return statistics.median(seconds["ours"]), statistics.median(seconds["udpcast"]), transfers

    def say(self, label: str, result: Transfer, data: Path, text: str) -> None:
        """A line of progress."""
        wire = result.wire / data.stat().st_size
        self.bench.say(f"{label:<32} {text}  wire {wire:6.4f}  sender {result.cpu:5.2f} CPU-s")

    def plain(self, receivers: int) -> float:
        """Median seconds, start-up taken off, in which ours serves so many stations on the line when nothing happens."""
        if receivers not in self._plain:
            self.ours(f"line, {receivers}, nothing happens", receivers)
        return statistics.median(each.seconds for each in self._plain[receivers]) - self.startup("ours", receivers, LINE)

    def keep_plain(self, receivers: int, transfers: list[Transfer]) -> None:
        """Transfers of ours on the line in which nothing happened."""
        self._plain[receivers] = transfers

    def ours(
        self,
        label: str,
        receivers: int = ROOM,
        *,
        count: int = 0,
        slow: tuple[int, float] | None = None,
        at: dict[int, float] | None = None,
        cut: tuple[int, float] | None = None,
    ) -> list[Transfer]:
        """Ours alone on the line. count: receivers that begin it; slow: (receiver, Mbit/s), which may be let go; at, cut: see transfer."""
        data, transfers = self.image("line"), []
        stations = [
            ours_receiver(data, number, may_leave=slow is not None and slow[0] == number, held=number in (at or {}))
            for number in range(receivers)
        ]
        total = self.rounds(_FEWER)
        for number in range(total):
            with Segment(receivers, mbit=LINE, slow=slow) as segment:
                result = transfer(segment, ours_sender(data, receivers, count=count), stations, at=at, cut=cut)
            transfers.append(result)
            self.say(f"{label} {number + 1}/{total}", result, data, f"{result.seconds:7.2f} s")
        if count == 0 and not (slow or at or cut):
            self.keep_plain(receivers, transfers)
        return transfers


def run(bench: Bench) -> Report:
    """The rows that were chosen, one after the other."""
    report = Report(bench.name)
    comparison = Comparison(bench, report)
    chosen = [name for name in ROWS if not bench.rows or name.startswith(bench.rows)]
    if not chosen:
        raise BenchError(f"there are no such rows: {', '.join(bench.rows)}", remedy=f"The rows are {', '.join(ROWS)}")
    for name in chosen:
        ROWS[name](comparison)
    line = {name: value for name, value in report.figures.items() if name.startswith("vs_udpcast_line_")}
    if len(line) == len(CONDITIONS):
        report.ratios["vs_udpcast_line_min"] = min(line.values())
    return report


def _line(receivers: int, percent: float, lossy: int) -> Callable[[Comparison], None]:
    """A condition of the line-limited comparison."""

    def row(comparison: Comparison) -> None:
        data, report = comparison.image("line"), comparison.report
        loss = [percent] * lossy + [0.0] * (receivers - lossy)
        ours, theirs, transfers = comparison.both(f"line {receivers} x {percent} % on {lossy}", data, receivers, mbit=LINE, loss=loss)
        report.figures[f"vs_udpcast_line_{receivers}r_{percent}pct_on_{lossy}"] = round(theirs / ours, 3)
        wire = statistics.median(each.wire for each in transfers) / data.stat().st_size
        if not percent:
            comparison.keep_plain(receivers, transfers)
        if not percent and receivers == ROOM:
            report.ratios["t6_vs_t1"] = round(ours / comparison.plain(1), 3)
            report.ratios["wire_no_loss"] = round(wire, 4)
        elif percent == 1 and lossy == ROOM:
            report.ratios["wire_1pct"] = round(wire, 4)

    return row


def _lossy(comparison: Comparison) -> None:
    data = comparison.image("line")
    ours, theirs, _transfers = comparison.both("line 6 x 5 %", data, ROOM, mbit=LINE, loss=[5.0] * ROOM, rounds=_FEWER)
    comparison.report.ratios["vs_udpcast_6x5pct"] = round(theirs / ours, 3)


def _fast(key: str, *, segmentation: bool, rounds: int) -> Callable[[Comparison], None]:
    """No limit but the machine, two receivers."""

    def row(comparison: Comparison) -> None:
        data, report = comparison.image("fast"), comparison.report
        ours, theirs, transfers = comparison.both(f"no limit, {key}", data, 2, segmentation=segmentation, rounds=rounds)
        report.ratios[f"vs_udpcast_{key}"] = round(theirs / ours, 3)
        cpu = statistics.median(each.cpu for each in transfers) / data.stat().st_size * 1e9
        report.figures["sender_cpu_s_per_gb" if segmentation else f"sender_cpu_s_per_gb_{key}"] = round(cpu, 2)

    return row


def _late(comparison: Comparison) -> None:
    """Joins spread evenly over the first third of what a single station takes."""
    alone, startup = comparison.plain(1), comparison.startup("ours", 1, LINE)  # it begins with the first
    joins = {number: alone / 3 * number / ROOM for number in range(1, ROOM)}
    runs = comparison.ours("five come late", count=1, at=joins)
    comparison.report.ratios["late_join"] = round((statistics.median(each.seconds for each in runs) - startup) / alone, 3)


def _dead(comparison: Comparison) -> None:
    """A cable is pulled at half."""
    plain, startup = comparison.plain(ROOM), comparison.startup("ours", ROOM, LINE)
    runs = comparison.ours("one cut off at half", cut=(ROOM - 1, startup + plain / 2))
    delay = statistics.median(each.seconds for each in runs) - startup - plain
    comparison.report.figures["dead_delay_s"] = round(max(delay, 0.0), 2)


def _slow(comparison: Comparison) -> None:
    """A station at a tenth of the rate; what the others take is compared."""
    runs = comparison.ours("one at a tenth of the rate", slow=(ROOM - 1, LINE / 10))
    others = statistics.median(max(each.finished[:-1]) for each in runs) - comparison.startup("ours", ROOM, LINE)
    comparison.report.ratios["slow_delay"] = round(others / comparison.plain(ROOM), 3)


def _delta(comparison: Comparison) -> None:
    """Six stations that drifted, each for itself; see multicast_drift."""
    room = drifted_room(comparison.bench, ROOM)
    with Segment(ROOM, mbit=LINE) as segment:
        stations = [ours_receiver(room.data, number, wanted=room.wanted[number]) for number in range(ROOM)]
        result = transfer(segment, ours_sender(room.data, ROOM), stations)
    report = comparison.report
    report.ratios["delta_wire"] = round(result.wire / room.full, 4)
    report.figures["delta_union_of_full"] = round(room.data.stat().st_size / room.full, 4)
    report.figures["delta_one_of_full"] = round(statistics.median(room.lacking) / room.full, 4)
    comparison.bench.say(f"six that drifted: {result.seconds:.2f} s, {result.wire / 1e6:.1f} MB on the wire of {room.full / 1e6:.0f} MB")


def _many(comparison: Comparison) -> None:
    """Thirty receivers, without limit; a small image also in a full run."""
    data = comparison.image("line")
    with Segment(30) as segment:
        result = transfer(segment, ours_sender(data, 30), [ours_receiver(data, number) for number in range(30)])
    comparison.report.figures["sender_rss_mib"] = round(result.rss_mib, 1)
    comparison.say("thirty receivers", result, data, f"{result.seconds:7.2f} s  {result.rss_mib:.0f} MiB")


ROWS: dict[str, Callable[[Comparison], None]] = {
    **{f"line_{receivers}r_{percent}pct_on_{lossy}": _line(receivers, percent, lossy) for receivers, percent, lossy in CONDITIONS},
    "6x5pct": _lossy,
    "gso": _fast("gso", segmentation=True, rounds=5),
    "single": _fast("single", segmentation=False, rounds=_FEWER),
    "late": _late,
    "dead": _dead,
    "slow": _slow,
    "delta": _delta,
    "room30": _many,
}
"""What can be measured, and chosen by the beginning of its name."""
