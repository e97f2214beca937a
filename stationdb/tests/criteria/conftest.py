# Copyright: (c) 2026, Fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Five stations that differ in everything criteria can ask for."""

from __future__ import annotations

import uuid
from collections.abc import Callable
from datetime import timedelta

import pytest
from django.utils import timezone

from stationdb.accounts.perimeter import Perimeter
from stationdb.accounts.rights import Right
from stationdb.content.models import Image
from stationdb.criteria import compile
from stationdb.registry.models import Group, MacAddress, Site, Station
from stationdb.tests.fleet import install
from stationdb.versions import version_key

GIB = 1 << 30

Found = Callable[..., set[str]]


@pytest.fixture
def sites(db) -> dict[str, Site]:
    root = Site.objects.create(slug="root", name="All")
    north = Site.objects.create(slug="north", name="North of the river", parent=root)
    lille = Site.objects.create(slug="lille", name="Agence de Lille", parent=north)
    south = Site.objects.create(slug="south", name="South", parent=root)
    return {site.slug: site for site in (root, north, lille, south)}


@pytest.fixture
def stations(sites) -> dict[str, Station]:
    now = timezone.now()
    image = Image.objects.create(name="debian13", version="2026.10")
    model = Station.objects.create(name="golden", site=sites["root"], kind="models", os_name="Debian GNU/Linux", os_version="13.1")
    made = {
        "golden": model,
        "pc1": Station.objects.create(
            name="pc1",
            site=sites["lille"],
            tag="ALPHA",
            uuid=uuid.UUID("4c4c4544-0042-3510-8053-b4c04f4d3232"),
            serial="B5S22",
            address="10.1.2.3",
            model=model,
            image=image,
            comment="Slow disk, 50% full",
            variables={"room": "B12", "seat": 4, "loud": True, "screen": {"size": 24}},
            last_seen=now - timedelta(hours=2),
            manufacturer="Dell Inc.",
            product="OptiPlex 3050",
            os_name="Debian GNU/Linux",
            os_version="12.5",
            architecture="x86_64",
            cpu="Intel(R) Core(TM) i5-7500T CPU @ 2.70GHz",
            cores=4,
            ram=4 * GIB,
            disk=500 * 10**9,
            disk_free=20 * 10**9,
            user="amélie",
        ),
        "pc2": Station.objects.create(
            name="pc2",
            site=sites["north"],
            state="repair",
            tag="BETA",
            reported_address="10.1.40.7",
            variables={"room": "B12", "seat": "4", "loud": False},
            last_seen=now - timedelta(days=40),
            manufacturer="LENOVO",
            product="ThinkPad E14 Gen 6",
            os_name="Debian GNU/Linux",
            os_version="12.10",
            cores=6,
            ram=16 * GIB,
            disk=512 * 10**9,
            disk_free=400 * 10**9,
            user="bob",
        ),
        "srv1": Station.objects.create(
            name="srv1", site=sites["south"], kind="relays", state="new", tag="alpha_2", reported_address="10.200.0.1"
        ),
        "fresh": Station.objects.create(name="fresh", site=sites["south"], state="retired", comment="never came"),
    }
    for station in made.values():
        station.os_version_key = version_key(station.os_version)
        station.save()
    MacAddress.objects.create(station=made["pc1"], mac="52:54:00:12:34:56")
    MacAddress.objects.create(station=made["pc1"], mac="52:54:00:12:34:57")
    MacAddress.objects.create(station=made["pc2"], mac="A4-BB-6D-00-00-01")
    install(made["pc1"], ("libreoffice", "4:24.2.1-1"), ("bash", "5.2.15-2+b2"), ("tool", "1.0~rc1"))
    install(made["pc2"], ("libreoffice", "4:24.10.0-1"), ("LibreOffice-l10n-fr", "24.2"), ("bash", "5.2.15-2+b2"), ("tool", "1.0"))
    install(made["srv1"], ("libreoffice", "3.6"), ("odd", ""))
    Group.objects.create(name="servers").stations.add(made["srv1"])
    Group.objects.create(name="small", criteria="ram < 8 GiB")
    Group.objects.create(name="small_alpha", criteria="group(small) and tag = ALPHA")
    Group.objects.create(name="debians_north", criteria="os ~ debian", site=sites["north"])
    return made


@pytest.fixture
def found(stations) -> Found:
    """Names of the stations that criteria find, within the given site or everywhere."""

    def names(criteria: str, site: Site | None = None) -> set[str]:
        perimeter = within(site) if site else Perimeter.everything()
        return set(Station.objects.within(perimeter).filter(compile(criteria, perimeter)).values_list("name", flat=True))

    return names


def within(site: Site) -> Perimeter:
    """Who may see this site and those below it."""
    return Perimeter({Right.VIEW.value: frozenset(site.with_descendants().values_list("id", flat=True))})
