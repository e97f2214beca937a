# Copyright: (c) 2026, Fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Medians, ratios, goals: a table for people and one line of JSON for programs."""

from __future__ import annotations

import json
import os
import re
import statistics
import sys
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from .measure import Sample

GOALS: Mapping[str, Mapping[str, tuple[float, float]]] = {
    "capture": {"cpu_vs_partclone": (0.65, 0.5), "cpu_vs_partclone_nocrc": (1.0, 0.8), "bytes_vs_partclone": (1.05, 1.0)},
    "restore": {"cpu_vs_partclone": (0.85, 0.7), "wall_vs_partclone": (0.85, 0.7), "cpu_vs_partclone_nocrc": (1.1, 0.9)},
    "delta": {"fetched_vs_full": (0.01, 0.005), "cpu_vs_full": (0.5, 0.35), "cpu_vs_casync": (0.15, 0.1)},
    "multicast": {
        "vs_udpcast_line_min": (1.0, 1.05),
        "vs_udpcast_6x5pct": (1.5, 3.0),
        "vs_udpcast_gso": (2.0, 4.0),
        "vs_udpcast_single": (0.9, 1.2),
        "t6_vs_t1": (1.10, 1.03),
        "wire_no_loss": (1.05, 1.04),
        "wire_1pct": (1.12, 1.07),
        "late_join": (1.3, 1.2),
        "dead_delay_s": (6.0, 1.0),
        "slow_delay": (1.25, 1.05),
        "delta_wire": (0.03, 0.01),
        "sender_cpu_s_per_gb": (3.0, 1.5),
        "sender_rss_mib": (200.0, 100.0),
    },
    "netboot": {
        "tftp_mb_bios": (2.0, 1.0),
        "environment_mib": (160.0, 110.0),
        "min_ram_mib": (1024.0, 768.0),
        "boot_bios_vs_direct": (2.0, 1.3),
        "boot_secureboot_vs_direct": (2.0, 1.3),
        "local_disk_delay_s": (5.0, 2.0),
    },
    "console": {"page_growth": (2.0, 1.2), "software_query_growth": (3.0, 1.3)},
    "reports": {
        "new_cpu_vs_parse": (3.5, 2.0),
        "unchanged_cpu_vs_parse": (2.0, 1.3),
        "rewrite_vs_diff": (3.0, 8.0),
        "kb_per_station": (170.0, 60.0),
    },
    "inventory": {"load_cpu_vs_plain": (0.5, 0.33), "slice_cpu_vs_empty": (2.0, 1.5)},
}
"""Must and aim of each ratio (of reports and netboot, also of a figure); lower is better, unless the aim is higher than the must."""

GOAL_RSS = {"inventory": (450.0, 400.0)}
DISK_RSS = (200.0, 100.0)
"""MiB, of those benchmarks that GOAL_RSS does not name."""

_COLOURS = {"aim": "32", "must": "33", "missed": "31;1", "": ""}


def median(samples: Iterable[Sample], of: Callable[[Sample], float]) -> float:
    """The middle value of one thing that samples tell."""
    return statistics.median(of(sample) for sample in samples)


def ratio(ours: float, theirs: float) -> float:
    """How much of theirs ours is; lower is better. Four significant places suffice for every goal."""
    return round(ours / theirs, 4) if theirs else float("inf")


def verdict(value: float, must: float, aim: float) -> str:
    """aim, must or missed: which goal a value reaches."""
    if aim > must:  # higher is better
        value, must, aim = -value, -must, -aim
    return "aim" if value <= aim else "must" if value <= must else "missed"


@dataclass
class Report:
    """What a benchmark found."""

    name: str
    samples: dict[str, list[Sample]] = field(default_factory=dict)
    figures: dict[str, float] = field(default_factory=dict)
    ratios: dict[str, float] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)

    def add(self, samples: Mapping[str, Sequence[Sample]]) -> None:
        """Samples by method."""
        for name, each in samples.items():
            self.samples.setdefault(name, []).extend(each)

    def cpu(self, method: str) -> float:
        """Median CPU seconds of a method's process tree."""
        return median(self.samples[method], lambda sample: sample.cpu)

    def wall(self, method: str) -> float:
        """Median seconds of a method."""
        return median(self.samples[method], lambda sample: sample.wall)

    def machine(self, method: str) -> float:
        """Median CPU seconds of the whole machine while a method ran."""
        return median(self.samples[method], lambda sample: sample.machine)

    def bytes(self, method: str) -> float:
        """Median bytes stored or sent."""
        return median(self.samples[method], lambda sample: sample.bytes)

    def compare(self, kind: str, ours: str, theirs: str, key: str) -> None:
        """Add the ratio of ours to theirs in cpu, wall, machine or bytes under a key."""
        of: Callable[[str], float] = getattr(self, kind)
        self.ratios[key] = ratio(of(ours), of(theirs))

    def peak_rss(self, samples: Iterable[Sample]) -> None:
        """Record the largest resident set of ours."""
        largest = max(sample.rss_mib for sample in samples)
        self.figures["peak_rss_mib"] = round(max(largest, self.figures.get("peak_rss_mib", 0.0)), 1)

    def as_json(self) -> str:
        """One line: benchmark, figures, ratios."""
        for method, samples in self.samples.items():
            key = re.sub(r"[^a-z0-9]+", "_", method)
            for kind in ("cpu", "wall", "machine"):
                self.figures[f"{key}_{kind}_s"] = round(getattr(self, kind)(method), 3)
            self.figures[f"{key}_bytes"] = round(self.bytes(method))
            self.figures[f"{key}_runs"] = len(samples)
        return json.dumps({"benchmark": self.name, "figures": self.figures, "ratios": self.ratios})

    def print(self) -> None:
        """The table, the goals, the notes; the JSON last."""
        print(f"\n{self.name}: medians\n")
        print(f"  {'':<34}{'runs':>5}{'CPU s':>9}{'(min–max)':>15}{'wall s':>9}{'machine':>9}{'server':>8}{'MB':>10}{'MiB rss':>9}")
        for method, samples in self.samples.items():
            cpus = sorted(sample.cpu for sample in samples)
            spread = f"{cpus[0]:.2f}–{cpus[-1]:.2f}"
            server = median(samples, lambda sample: sample.server)
            rss = max(sample.rss_mib for sample in samples)
            print(
                f"  {method:<34}{len(samples):>5}{self.cpu(method):>9.2f}{spread:>15}{self.wall(method):>9.2f}"
                f"{self.machine(method):>9.2f}{server:>8.2f}{self.bytes(method) / 1e6:>10.2f}{rss:>9.0f}"
            )
        print(f"\n  {'ratio (lower is better)':<44}{'value':>8}{'must':>8}{'aim':>8}")
        goals = GOALS.get(self.name, {})
        for key in sorted(self.ratios, key=lambda key: (key not in goals, list(goals).index(key) if key in goals else 0)):
            self._goal(key, self.ratios[key], goals.get(key))
        for key in goals.keys() & self.figures.keys():
            self._goal(f"figures.{key}", self.figures[key], goals[key])
        if "peak_rss_mib" in self.figures:
            self._goal("figures.peak_rss_mib", self.figures["peak_rss_mib"], GOAL_RSS.get(self.name, DISK_RSS))
        for note in self.notes:
            print(f"\n  {note}", end="")
        print(f"\n\n{self.as_json()}", flush=True)

    def _goal(self, key: str, value: float, goal: tuple[float, float] | None) -> None:
        reached = verdict(value, *goal) if goal else ""
        said = {"aim": "aim reached", "must": "must reached", "missed": "MISSED", "": ""}[reached]
        columns = f"{goal[0]:>8g}{goal[1]:>8g}" if goal else ""
        print(f"  {key:<44}{value:>8.4g}{columns}  {_coloured(said, reached)}")


def _coloured(text: str, reached: str) -> str:
    if not sys.stdout.isatty() or os.environ.get("NO_COLOR") or not _COLOURS[reached]:
        return text
    return f"\033[{_COLOURS[reached]}m{text}\033[0m"
