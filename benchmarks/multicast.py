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
from collections.abc import Sequence
from pathlib import Path

from ansible_collections.fleet.core.plugins.module_utils.zstd import Compressor

from .bench import Bench
from .multicast_segment import Hung, Segment, Transfer, ours_receiver, ours_sender, transfer, udpcast_receiver, udpcast_sender
from .report import Report

LINE = 100.0
"""Mbit/s."""
ROOM = 6
ROWS: tuple[tuple[int, float, int], ...] = ((1, 0, 0), (6, 0, 0), (1, 0.1, 1), (6, 0.1, 6), (1, 1, 1), (6, 1, 1), (6, 1, 6))
"""(receivers, percent of loss, on how many of them) of the line-limited comparison."""
_CHUNK = 1 << 20


class Comparison:
    """Runs of both methods in the same network."""

    def __init__(self, bench: Bench, report: Report) -> None:
        self._bench, self._report = bench, report
        self._small = self._image("small", 1)
        self.line = self._image("line", 96 if bench.quick else 1100)
        self.fast = self._image("fast", 256 if bench.quick else 1100)
        self.rounds = 1 if bench.quick else 5

    def _image(self, name: str, chunks: int) -> Path:
        """Frames of random chunks one after the other, and where each lies."""
        path, compressor, places, offset = self._bench.scratch / f"{name}.frames", Compressor(), {}, 0
        with path.open("wb") as file:
            for _chunk in range(chunks):
                data = os.urandom(_CHUNK)
                frame = compressor.compress(data)
                file.write(frame)
                places[hashlib.sha256(data).digest()] = (offset, len(frame))
                offset += len(frame)
        path.with_suffix(".places").write_bytes(pickle.dumps(places))
        return path

    def startup(self, method: str, receivers: int) -> float:
        """Median seconds that a method takes for next to nothing with so many receivers."""
        key = f"startup_{method}_{receivers}r_s"
        if key not in self._report.figures:
            with Segment(receivers) as segment:
                runs = [self._once(method, segment, self._small).seconds for _round in range(3)]
            self._report.figures[key] = round(statistics.median(runs), 2)
            self._bench.say(f"start-up of {method} with {receivers}: {self._report.figures[key]:.2f} s")
        return self._report.figures[key]

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
                self._report.figures[key] = self._report.figures.get(key, 0) + 1
                self._bench.say(f"{method} never began")
                if self._report.figures[key] > 20:
                    raise

    def both(
        self, label: str, data: Path, receivers: int, *, mbit: float = 0, loss: Sequence[float] = (), segmentation: bool = True
    ) -> tuple[float, float, Transfer]:
        """Median seconds of ours and of udpcast without their start-up, and the last transfer of ours."""
        seconds: dict[str, list[float]] = {"ours": [], "udpcast": []}
        last = None
        for number in range(self.rounds):
            for method in ("ours", "udpcast") if number % 2 else ("udpcast", "ours"):
                result = self._begun(method, data, receivers, mbit, loss, segmentation)
                seconds[method].append(max(result.seconds - self.startup(method, receivers), 0.01))
                wire = result.wire / data.stat().st_size
                self._bench.say(f"{label:<28} {method:<8} {seconds[method][-1]:7.2f} s  wire {wire:5.3f}  sender {result.cpu:5.2f} CPU-s")
                last = result if method == "ours" else last
        assert last is not None
        return statistics.median(seconds["ours"]), statistics.median(seconds["udpcast"]), last


def run(bench: Bench) -> Report:
    """All conditions, one after the other."""
    report = Report(bench.name)
    comparison = Comparison(bench, report)
    _line(comparison, report)
    _fast(comparison, report)
    _people(bench, comparison, report)
    return report


def _line(comparison: Comparison, report: Report) -> None:
    data, size = comparison.line, comparison.line.stat().st_size
    ratios, alone = [], 0.0
    for receivers, percent, lossy in ROWS:
        label = f"line {receivers} x {percent} % on {lossy}"
        loss = [percent] * lossy + [0.0] * (receivers - lossy)
        ours, theirs, last = comparison.both(label, data, receivers, mbit=LINE, loss=loss)
        ratios.append(theirs / ours)
        report.figures[f"vs_udpcast_line_{receivers}r_{percent}pct_on_{lossy}"] = round(theirs / ours, 3)
        if not percent and receivers == 1:
            alone = ours
        elif not percent:
            report.ratios["t6_vs_t1"] = round(ours / alone, 3)
            report.ratios["wire_no_loss"] = round(last.wire / size, 4)
        elif percent == 1 and lossy == ROOM:
            report.ratios["wire_1pct"] = round(last.wire / size, 4)
    report.ratios["vs_udpcast_line_min"] = round(min(ratios), 3)
    ours, theirs, _last = comparison.both("line 6 x 5 %", data, ROOM, mbit=LINE, loss=[5.0] * ROOM)
    report.ratios["vs_udpcast_6x5pct"] = round(theirs / ours, 3)


def _fast(comparison: Comparison, report: Report) -> None:
    data = comparison.fast
    for key, segmentation in (("gso", True), ("single", False)):
        ours, theirs, last = comparison.both(f"no limit, {key}", data, 2, segmentation=segmentation)
        report.ratios[f"vs_udpcast_{key}"] = round(theirs / ours, 3)
        report.figures[f"sender_cpu_s_per_gb_{key}"] = round(last.cpu / data.stat().st_size * 1e9, 2)
    report.figures["sender_cpu_s_per_gb"] = report.figures.pop("sender_cpu_s_per_gb_gso")


def _people(bench: Bench, comparison: Comparison, report: Report) -> None:
    """Who comes late, dies, is slow or lacks little; and a large room."""
    data, startup = comparison.line, comparison.startup("ours", ROOM)
    size, startup_alone = data.stat().st_size, comparison.startup("ours", 1)

    def ours(**options: object) -> Transfer:
        receivers = [ours_receiver(data, number) for number in range(ROOM)]
        with Segment(ROOM, mbit=LINE) as segment:
            return transfer(segment, ours_sender(data, ROOM, count=1 if "at" in options else 0), receivers, **options)  # type: ignore[arg-type]

    plain = ours()
    with Segment(1, mbit=LINE) as segment:
        alone = transfer(segment, ours_sender(data, 1), [ours_receiver(data, 0)]).seconds - startup_alone
    joins = {number: startup + alone / 3 * number / ROOM for number in range(1, ROOM)}
    late = ours(at=joins)
    report.ratios["late_join"] = round((late.seconds - startup) / alone, 3)
    dead = ours(cut=(ROOM - 1, startup + alone / 2))
    report.figures["dead_delay_s"] = round(max(dead.seconds - plain.seconds, 0.0), 2)
    receivers = [ours_receiver(data, number) for number in range(ROOM - 1)]
    leaving = [*ours_receiver(data, ROOM - 1)]
    leaving[-1] = leaving[-1].replace("{", '{"may_leave": true, ', 1)
    with Segment(ROOM, mbit=LINE, slow=(ROOM - 1, LINE / 10)) as segment:
        slow = transfer(segment, ours_sender(data, ROOM), [*receivers, leaving])
    report.ratios["slow_delay"] = round((max(slow.finished[:-1]) - startup) / (plain.seconds - startup), 3)
    with Segment(ROOM, mbit=LINE) as segment:
        delta = transfer(segment, ours_sender(data, ROOM), [ours_receiver(data, number, share=0.02) for number in range(ROOM)])
    report.ratios["delta_wire"] = round(delta.wire / size, 4)
    with Segment(30) as segment:
        many = transfer(segment, ours_sender(data, 30), [ours_receiver(data, number) for number in range(30)])
    report.figures["sender_rss_mib"] = round(many.rss_mib, 1)
    for label, result in (("plain", plain), ("late", late), ("one cut off", dead), ("one slow", slow), ("delta", delta), ("30", many)):
        bench.say(f"{label:<28} {result.seconds:7.2f} s  wire {result.wire / size:5.3f}  sender {result.rss_mib:.0f} MiB")
