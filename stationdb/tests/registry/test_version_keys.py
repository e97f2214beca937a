# Copyright: (c) 2026, Fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

import importlib

from django.apps import apps

from stationdb.registry.models import Site, Station
from stationdb.versions import version_key


def test_stations_that_were_there_before_get_their_keys(db):
    site = Site.objects.create(slug="root", name="All")
    for number, version in enumerate(("12.5", "12.5", "13.1", "")):
        Station.objects.create(name=f"pc{number}", site=site, os_version=version)
    importlib.import_module("stationdb.registry.migrations.0002_os_version_key").fill(apps, None)
    assert [bytes(each) for each in Station.objects.order_by("name").values_list("os_version_key", flat=True)] == [
        version_key(version) for version in ("12.5", "12.5", "13.1", "")
    ]


def test_the_database_keeps_what_is_searched(db):
    site = Site.objects.create(slug="root", name="All")
    station = Station.objects.create(name="pc1", site=site, serial="abc", address="10.0.0.1")
    Station.objects.filter(pk=station.pk).update(serial="éxyz", reported_address="10.0.0.2")
    assert Station.objects.get(pk=station.pk).searched.split("\n") == ["PC1", "éXYZ", "", "", "10.0.0.2", "10.0.0.1"]
