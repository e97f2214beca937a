# Copyright: (c) 2026, Fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What benchmarks/reports.py measures, in a process of its own that has a PostgreSQL server: prints one JSON object.

CPU is that of this process (spool with its fsync, worker, the client's half of the database) and of all processes of the server, a
CHECKPOINT included. The parser's CPU is taken on the same documents, in the same process, between the phases.
"""

from __future__ import annotations

import json
import statistics
import sys
import time
import zlib
from collections.abc import Callable, Sequence
from pathlib import Path

import django

django.setup()

from django.core.management import call_command  # noqa: E402
from django.db import connection, transaction  # noqa: E402
from lxml import etree  # noqa: E402

from stationdb.registry.models import Site  # noqa: E402
from stationdb.reports.batch import AT_ONCE, Worker  # noqa: E402
from stationdb.reports.intake import accept  # noqa: E402

from .measure import process_cpu  # noqa: E402
from .reports_data import Stations  # noqa: E402

OCS_TABLE = """CREATE TABLE ocs_softwares (id serial PRIMARY KEY, hardware_id integer NOT NULL, name text, version text, publisher text,
    comments text, source text, architecture text, filesize bigint);
    CREATE INDEX ON ocs_softwares (hardware_id); CREATE INDEX ON ocs_softwares (name, version)"""
"""As OCS has it: a row of texts for each software of each station, with its indexes."""


class Driver:
    """One database, one worker."""

    def __init__(self, postmaster: int) -> None:
        self.postmaster = postmaster
        self.worker = Worker()

    def server_cpu(self) -> float:
        """CPU seconds of the server: those processes that live, and those that the postmaster waited for."""
        children = Path(f"/proc/{self.postmaster}/task/{self.postmaster}/children").read_text().split()
        return process_cpu([self.postmaster, *map(int, children)])

    def checkpoint(self) -> None:
        """Let the server write what it still holds."""
        with connection.cursor() as cursor:
            cursor.execute("CHECKPOINT")

    def cost(self, work: Callable[[], None]) -> tuple[float, float, float]:
        """CPU seconds of this process and of the server, and seconds."""
        self.checkpoint()
        server, mine, started = self.server_cpu(), time.process_time(), time.monotonic()
        work()
        wall = time.monotonic() - started
        self.checkpoint()
        return time.process_time() - mine, self.server_cpu() - server, wall

    def take(self, sent: Sequence[bytes]) -> Callable[[], None]:
        """Spool documents and take them in."""

        def work() -> None:
            for each in sent:
                accept(each, "ocs", address="10.0.0.1")
            counts = self.worker.run()
            if counts.taken != len(sent):
                raise SystemExit(f"{counts} of {len(sent)} documents")

        return work


def parse(plain: Sequence[bytes]) -> float:
    """CPU seconds of lxml.etree.fromstring on each document."""
    started = time.process_time()
    for each in plain:
        etree.fromstring(each)
    return time.process_time() - started


def rewrite(plain: Sequence[bytes]) -> None:
    """The same change as OCS does it: parse all, delete all rows of the station, insert all; as many in a transaction as ours."""
    for first in range(0, len(plain), AT_ONCE):
        with transaction.atomic(), connection.cursor() as cursor:
            for number, document in enumerate(plain[first : first + AT_ONCE], first):
                root = etree.fromstring(zlib.decompress(document))
                rows = [{child.tag: child.text for child in row} for row in root.iterfind("CONTENT/SOFTWARES")]
                columns = [[row.get(key) for row in rows] for key in ("NAME", "VERSION", "PUBLISHER", "COMMENTS", "FROM", "ARCHITECTURE")]
                sizes = [int(row.get("FILESIZE") or 0) for row in rows]
                cursor.execute("DELETE FROM ocs_softwares WHERE hardware_id = %s", [number])
                cursor.execute(
                    "INSERT INTO ocs_softwares (hardware_id, name, version, publisher, comments, source, architecture, filesize) "
                    "SELECT %s, * FROM "
                    "unnest(%s::text[], %s::text[], %s::text[], %s::text[], %s::text[], %s::text[], %s::bigint[])",
                    [number, *columns, sizes],
                )


def size() -> int:
    """Bytes of the database."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_database_size(current_database())")
        return int(cursor.fetchone()[0])


def main() -> None:
    """Fill, measure, print."""
    postmaster, before, count, rounds = map(int, sys.argv[1:5])
    call_command("migrate", verbosity=0)
    Site.objects.create(slug="root", name="All")
    driver, stations = Driver(postmaster), Stations()
    found: dict[str, list[float]] = {}

    def note(name: str, value: float) -> None:
        found.setdefault(name, []).append(value)

    def compressed(numbers: range, **options: bool) -> tuple[list[bytes], list[bytes]]:
        plain = [stations.document(number, **options) for number in numbers]
        return plain, [zlib.compress(each) for each in plain]

    plain, sent = compressed(range(50))
    cold = driver.cost(driver.take(sent))
    note("cold_vs_parse", sum(cold[:2]) / parse(plain))
    for first in range(50, before, 500):
        driver.take(compressed(range(first, min(first + 500, before)))[1])()
    with connection.cursor() as cursor:
        cursor.execute(OCS_TABLE)
    bytes_before = 0
    grown = 0.0
    for number in range(rounds):
        numbers = range(before + number * count, before + (number + 1) * count)
        plain, sent = compressed(numbers)
        bytes_before = bytes_before or size()
        parsed = [parse(plain)]
        mine, server, _wall = driver.cost(driver.take(sent))
        parsed.append(parse(plain))
        note("new_client_ms", mine / count * 1000)
        note("new_server_ms", server / count * 1000)
        new = mine + server
        _plain, again = compressed(numbers, later=True)
        mine, server, _wall = driver.cost(driver.take(again))
        parsed.append(parse(plain))
        unit = statistics.median(parsed)
        note("parse_ms", unit / count * 1000)
        note("new_cpu_vs_parse", new / unit)
        note("unchanged_client_ms", mine / count * 1000)
        note("unchanged_server_ms", server / count * 1000)
        note("unchanged_cpu_vs_parse", (mine + server) / unit)
        _plain, upgraded = compressed(numbers, later=True, upgraded=True)
        mine, server, ours = driver.cost(driver.take(upgraded))
        note("change_cpu_vs_parse", (mine + server) / unit)
        grown = (size() - bytes_before) / (number + 1) / count / 1000
        rewrite(sent)  # what was there before
        theirs = driver.cost(lambda upgraded=upgraded: rewrite(upgraded))  # type: ignore[misc]
        note("rewrite_vs_diff", theirs[2] / ours)
        note("diff_ms", ours / count * 1000)
        note("rewrite_ms", theirs[2] / count * 1000)
        with connection.cursor() as cursor:
            cursor.execute("TRUNCATE ocs_softwares")
    with connection.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM reports_holding")
        rows = cursor.fetchone()[0]
        cursor.execute("SELECT count(*) FROM registry_station")
        total = cursor.fetchone()[0]
    note("kb_per_station", grown)  # of all rounds together, for pages fill up and split in turns
    note("software_rows", rows / total)
    note("document_kb", len(plain[0]) / 1000)
    print(json.dumps({name: statistics.median(values) for name, values in found.items()} | {"stations": total}))


if __name__ == "__main__":
    main()
