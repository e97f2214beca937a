# Copyright: (c) 2026, Fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a report costs: the first of a station, one with nothing new, and one with three other versions of software.

Against PostgreSQL with fsync on; see reports_driver.py for what is measured, reports_data.py for the documents. The unit is the CPU that
``lxml.etree.fromstring`` takes for the same documents. Documents arrive compressed by zlib, as agents send them.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys

from stationdb.tests.postgresql import postgresql

from .bench import Bench, BenchError
from .report import Report

_RATIOS = ("new_cpu_vs_parse", "unchanged_cpu_vs_parse", "rewrite_vs_diff", "change_cpu_vs_parse", "cold_vs_parse")


def run(bench: Bench) -> Report:
    """Measure in a process of its own, which has a PostgreSQL server and a home of its own."""
    before, count, rounds = (400, 100, 3) if bench.quick else (1000, 200, 5)
    report = Report(bench.name)
    try:
        with postgresql(fsync="on") as server:
            bench.say(f"{before} stations fill the database; {rounds} rounds of {count} new ones are measured")
            environment = {
                **os.environ,
                "STATIONDB_HOME": str(bench.scratch / "home"),
                "STATIONDB_DATABASE_URL": server.url,
                "STATIONDB_INSECURE": "1",
                "DJANGO_SETTINGS_MODULE": "stationdb.settings",
            }
            (bench.scratch / "home").mkdir()
            argv = [sys.executable, "-m", "benchmarks.reports_driver", *map(str, (server.pid, before, count, rounds))]
            done = subprocess.run(argv, env=environment, stdout=subprocess.PIPE, text=True, check=False)
    except RuntimeError as error:
        raise BenchError(str(error)) from error
    if done.returncode:
        raise BenchError(f"the driver ended with code {done.returncode}")
    found: dict[str, float] = json.loads(done.stdout.splitlines()[-1])
    for name, value in found.items():
        (report.ratios if name in _RATIOS else report.figures)[name] = round(value, 3)
    report.notes.append(
        f"New: {found['software_rows']:.0f} rows of software; the dictionary is warm (cold_vs_parse: the first 50 stations of all)."
    )
    report.notes.append("rewrite_vs_diff: seconds of delete-all/insert-all of a station's rows as OCS has them, of ours; higher is better.")
    report.notes.append("kb_per_station: growth of the database by a new station, an unchanged report, and the history of one change.")
    return report
