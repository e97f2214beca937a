# Copyright: (c) 2026, Fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A fleet and somebody who opens its pages: ``python -m benchmarks.console_pages STATIONS SOFTWARE``.

Answers each line ``[kind, number]`` on standard input with one line of JSON.
"""

from __future__ import annotations

import json
import sys
import time
from typing import Any
from urllib.parse import quote

import django

django.setup()

from django.conf import settings  # noqa: E402  # after setup
from django.core.management import call_command  # noqa: E402
from django.db import connection  # noqa: E402
from django.test import Client  # noqa: E402

from stationdb.accounts.models import User  # noqa: E402
from stationdb.registry.models import Station  # noqa: E402
from stationdb.reports.models import Software  # noqa: E402
from stationdb.tests.fleet import EDITOR, make_fleet  # noqa: E402

SORTS = ("name", "-name", "seen", "-seen", "os", "ram", "tag", "site", "state", "model")
CRITERIA = (
    "ram < 8 GiB",
    "os ~ Debian and tag = ALPHA",
    "pc{number:05}",
    "last_seen < 30d and not group(kiosks)",
    'software "fleet-editor" < 2.0',
    "site(north) and cores >= {cores}",
    "serial ~ SN{number:X}",
    "state = new or product ~ Think",
)


class Visitor:
    """Opens pages. The number decides which page of its kind."""

    def __init__(self) -> None:
        settings.ALLOWED_HOSTS = ["*"]
        self.client = Client()
        self.client.force_login(User.objects.create_superuser("admin"))
        self.stations = list(Station.objects.order_by("pk").values_list("pk", flat=True))
        self.software = list(Software.objects.order_by("name").values_list("pk", "name"))
        self.editors = list(Software.objects.filter(name=EDITOR, source="deb").values_list("pk", flat=True))

    def path(self, kind: str, number: int) -> str:
        """An address that was not asked for before."""
        spread = number * 7919
        if kind == "dashboard":
            return "/"
        if kind == "list":
            return f"/stations/?sort={SORTS[number % len(SORTS)]}" + ("&site=north" if number % 3 == 1 else "")
        if kind == "search":
            text = CRITERIA[number % len(CRITERIA)].format(number=number, cores=number % 5)
            return f"/stations/?q={quote(text)}"
        if kind == "station":
            return f"/stations/{self.stations[spread % len(self.stations)]}/"
        if kind == "software":
            name = self.software[spread % len(self.software)][1]
            return f"/software/?q={quote(name[:4])}" if number % 2 else f"/software/?sort=name&q={quote(name[-2:])}"
        if kind == "software_detail":
            return f"/software/{self.software[spread % len(self.software)][0]}/"
        return f"/software/{self.editors[0]}/?below=2.0&_={number}"

    def open(self, kind: str, number: int) -> dict[str, Any]:
        """Open a page and say what it cost."""
        path = self.path(kind, number)
        started = time.perf_counter()
        response = self.client.get(path)
        took = time.perf_counter() - started
        # Software that nobody holds any more is not found, which is an answer as well.
        if response.status_code != 200 and not (kind == "software_detail" and response.status_code == 404):
            raise RuntimeError(f"{path}: {response.status_code}")
        return {
            "ms": round(took * 1000, 3),
            "bytes": len(response.content),
            "rows": response.content.count(b'<th scope="row"><a href="/stations/'),
        }


def main() -> None:
    """Fill the database, then answer."""
    call_command("migrate", verbosity=0)
    make_fleet(stations=int(sys.argv[1]), software=int(sys.argv[2]), outdated=40, sites=max(4, int(sys.argv[1]) // 100))
    _leave_ten_behind()
    connection.ensure_connection()
    with connection.cursor() as cursor:
        cursor.execute("VACUUM ANALYZE")
    visitor = Visitor()
    print("ready", flush=True)
    for line in sys.stdin:
        print(json.dumps(visitor.open(*json.loads(line))), flush=True)


def _leave_ten_behind() -> None:
    """Ten of Debian's stations have the old editor, at any size."""
    with connection.cursor() as cursor:
        cursor.execute(
            "UPDATE reports_held held SET bundle = held.bundle - (1 << (old.id & 3)) FROM (SELECT v.id FROM reports_softwareversion v "
            "JOIN reports_software s ON s.id = v.software_id WHERE s.name = %s AND v.version = '1.2') old "
            "WHERE (held.bundle >> 4) = (old.id >> 2) AND ((held.bundle >> (old.id & 3)) & 1) = 1 AND held.station_id NOT IN ("
            "SELECT h.station_id FROM reports_holding h "
            "JOIN reports_softwareversion v ON v.id = h.software_version_id JOIN reports_software s ON s.id = v.software_id "
            "WHERE s.name = %s AND s.source = 'deb' AND v.version = '1.2' ORDER BY h.station_id LIMIT 10)",
            [EDITOR, EDITOR],
        )


if __name__ == "__main__":
    main()
