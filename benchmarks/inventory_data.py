# Copyright: (c) 2026, Fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A station database of 100,000 stations: 100 sites of 1,000 in 10 regions, 15 host variables and 5 groups for each station."""

from __future__ import annotations

import os
import random
import sys
import uuid
from datetime import timedelta

SITES = 100
REGIONS = 10
STATIC, DYNAMIC = 20, 10
"""Groups; every station is in its site's, its kind's, two static and one dynamic one."""

MODELS = (("Dell Inc.", "OptiPlex 3050"), ("LENOVO", "ThinkCentre M70q"), ("HP", "ProDesk 600 G5"), ("FUJITSU", "ESPRIMO D7011"))


def build(stations: int) -> str:
    """Fill the database that the environment names; the secret of a token that may see everything."""
    os.environ["DJANGO_SETTINGS_MODULE"] = "stationdb.settings"
    import django
    from django.core.management import call_command

    django.setup()
    call_command("migrate", verbosity=0)
    _fill(stations)
    return _token()


def _fill(count: int) -> None:
    from stationdb.content.models import Image
    from stationdb.registry.models import Group, MacAddress, Site, Station, Subnet

    chance = random.Random(20261121)
    root = Site.objects.create(slug="all_sites", name="Everything", content_url="https://centre.example/content")
    regions = [Site.objects.create(slug=f"region{number}", name=f"Region {number}", parent=root) for number in range(REGIONS)]
    sites = [
        Site.objects.create(
            slug=f"site{number:03d}",
            name=f"Site {number}",
            parent=regions[number % REGIONS],
            content_url=f"https://relay{number:03d}.example/content",
            variables={"fleet_content_trust": f"/etc/fleet/trust/{number}"},
        )
        for number in range(SITES)
    ]
    Subnet.objects.bulk_create(Subnet(site=site, network=f"10.{number}.0.0/16") for number, site in enumerate(sites))
    images = [Image.objects.create(name=f"room{number}", version="20261101T060000Z") for number in range(10)]
    static = [Group.objects.create(name=f"static{number:02d}") for number in range(STATIC)]
    for number in range(DYNAMIC):
        Group.objects.create(name=f"dynamic{number:02d}", criteria=f'tag = "TAG{number}"', variables={"number": number})
    stations = []
    for number in range(count):
        at, within = number % SITES, number // SITES
        maker, product = MODELS[within % len(MODELS)]
        serial = f"{chance.getrandbits(40):010X}"
        stations.append(
            Station(
                name=f"s{at:03d}-r{within // 25:02d}-{within % 25:02d}",
                site=sites[at],
                tag=f"TAG{within % DYNAMIC}",
                serial=serial,
                address=f"10.{at}.{within >> 8}.{within & 255}",
                image=images[within % 10],
                disk_identity=f"serial:S4X{chance.getrandbits(48):012X}",
                variables={"room": f"r{within // 25}"},
                manufacturer=maker,
                product=product,
                os_name="Debian GNU/Linux",
                os_version=("12.5", "12.6", "13.1")[within % 3],
                architecture="x86_64",
                uuid=None if number else uuid.UUID(int=chance.getrandbits(128)),
            )
        )
    stations = Station.objects.bulk_create(stations, batch_size=5000)
    MacAddress.objects.bulk_create(
        (MacAddress(station=station, mac=f"52:54:{number >> 24:02x}:{number >> 16 & 255:02x}:{number >> 8 & 255:02x}:{number & 255:02x}")
         for number, station in enumerate(stations)), batch_size=5000
    )  # fmt: skip
    through = Group.stations.through
    rows = [
        through(station=station, group=static[number // SITES % 10 + half]) for number, station in enumerate(stations) for half in (0, 10)
    ]
    through.objects.bulk_create(rows, batch_size=10_000)
    from django.db import connection

    with connection.cursor() as cursor:
        cursor.execute("ANALYZE")


def _token() -> str:
    from stationdb.accounts.models import Token, User

    user = User.objects.create(username="benchmark", is_superuser=True)
    return Token.issue(user, "benchmark", ["stations.view"], timedelta(days=1))[1]


if __name__ == "__main__":
    print(build(int(sys.argv[1])))
