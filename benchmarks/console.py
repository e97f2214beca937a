# Copyright: (c) 2026, Fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Pages of the console at 100 and at 10,000 fully inventoried stations, and "who has X below Y" at 1,000 and 10,000.

Each fleet has a database of its own on one PostgreSQL server, and a process that opens pages as an administrator and times them. The
sizes take turns page by page, so that whatever else the machine does meets all of them. No page is asked for twice with the same
query, but for the dashboard: what the console remembers for some minutes helps as much as it does real users, and not more.
"""

from __future__ import annotations

import contextlib
import json
import os
import statistics
import subprocess
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from .bench import HOUSE, Bench, BenchError
from .report import Report, ratio

SMALL, MIDDLE, LARGE = 100, 1_000, 10_000
KINDS = ("dashboard", "list", "search", "station", "software", "software_detail")
MATCHES = 10
"""Stations that have X below Y, at any size."""


@dataclass
class Fleet:
    """A process with a fleet of this size."""

    size: int
    process: subprocess.Popen[str]

    def ask(self, kind: str, number: int) -> dict[str, Any]:
        """Open the number-th page of a kind: milliseconds, queries, bytes."""
        assert self.process.stdin is not None and self.process.stdout is not None
        print(json.dumps([kind, number]), file=self.process.stdin, flush=True)
        line = self.process.stdout.readline()
        if not line:
            raise BenchError(f"the process of {self.size} stations ended")
        answer: dict[str, Any] = json.loads(line)
        return answer


def run(bench: Bench) -> Report:
    """Medians and 95th percentiles of each page, and how they grow."""
    from stationdb.tests.postgresql import postgresql

    report = Report(bench.name)
    software = 300 if bench.quick else 1_100
    rounds = 30 if bench.quick else 60
    with postgresql(shared_buffers="512MB") as server, contextlib.ExitStack() as stack:
        fleets = {size: stack.enter_context(_fleet(bench, server.url, size, software)) for size in (SMALL, MIDDLE, LARGE)}
        bench.say("opening each page three times, not counted")
        for kind in (*KINDS, "below"):
            for fleet in fleets.values():
                for number in range(3):
                    fleet.ask(kind, number)
        times: dict[tuple[str, int], list[float]] = {}
        bench.say(f"opening {rounds} pages of each kind at {SMALL} and {LARGE} stations in turns")
        for number in range(3, 3 + rounds):
            for kind in KINDS:
                for size in (SMALL, LARGE):
                    times.setdefault((kind, size), []).append(fleets[size].ask(kind, number)["ms"])
            for size in (MIDDLE, LARGE):
                answer = fleets[size].ask("below", number)
                if answer["rows"] != MATCHES:
                    raise BenchError(f"{answer['rows']} stations instead of {MATCHES} have the software below the version")
                times.setdefault(("below", size), []).append(answer["ms"])
    for (kind, size), values in times.items():
        report.figures[f"{kind}_{size}_p95_ms"] = round(percentile(values), 2)
        report.figures[f"{kind}_{size}_median_ms"] = round(statistics.median(values), 2)
    small, large = ([each for kind in KINDS for each in times[kind, size]] for size in (SMALL, LARGE))
    report.ratios["page_growth"] = ratio(percentile(large), percentile(small))
    report.ratios["software_query_growth"] = ratio(statistics.median(times["below", LARGE]), statistics.median(times["below", MIDDLE]))
    for kind in KINDS:
        report.ratios[f"{kind}_growth"] = ratio(percentile(times[kind, LARGE]), percentile(times[kind, SMALL]))
        report.ratios[f"{kind}_median_growth"] = ratio(statistics.median(times[kind, LARGE]), statistics.median(times[kind, SMALL]))
    report.figures["software_rows_per_station"] = software
    report.figures["pages_per_kind"] = rounds
    return report


def percentile(values: Sequence[float]) -> float:
    """The 95th percentile."""
    return statistics.quantiles(values, n=20, method="inclusive")[18]


@contextlib.contextmanager
def _fleet(bench: Bench, url: str, size: int, software: int) -> Iterator[Fleet]:
    """Fill a database of its own and start the process that opens its pages."""
    import psycopg

    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute(f"CREATE DATABASE fleet{size}")
    environment = {
        **os.environ,
        "STATIONDB_HOME": str(bench.scratch / f"home{size}"),
        "STATIONDB_DATABASE_URL": f"{url.rpartition('/')[0]}/fleet{size}",
        "STATIONDB_INSECURE": "1",
        "DJANGO_SETTINGS_MODULE": "stationdb.settings",
    }
    bench.say(f"filling PostgreSQL with {size} stations of {software} software rows each")
    log = Path(bench.scratch / f"log{size}")
    with log.open("wb") as errors:
        argv = [sys.executable, "-m", "benchmarks.console_pages", str(size), str(software)]
        process = subprocess.Popen(
            argv, env=environment, cwd=HOUSE, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=errors, text=True
        )
        try:
            assert process.stdout is not None
            if process.stdout.readline().strip() != "ready":
                raise BenchError(f"filling the database failed: {log.read_text(errors='replace')[-2000:]}")
            yield Fleet(size, process)
        finally:
            process.terminate()
            process.wait(30)
