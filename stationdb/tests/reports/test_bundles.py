# Copyright: (c) 2026, Fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Who holds which software: what is written four versions at a time reads as it was, and so does what older releases wrote."""

from __future__ import annotations

import random

import pytest
from django.db import connection
from django.db.migrations.executor import MigrationExecutor
from hypothesis import given
from hypothesis import strategies as st

from stationdb.registry.models import Site, Station
from stationdb.reports.bundles import announce, bundled, bundles_of, remove, write
from stationdb.reports.models import Held, Holding, Software, SoftwareVersion


def unbundled(bundles: set[int]) -> set[int]:
    return {(bundle >> 4 << 2) + place for bundle in bundles for place in range(4) if bundle >> place & 1}


@given(st.sets(st.integers(1, 1 << 29)))
def test_bundles_say_which_versions(ids):
    assert unbundled(bundled(ids)) == ids
    assert len(bundled(ids)) == len({each >> 2 for each in ids})
    for each in ids:
        assert len(bundles_of(each)) == 8 and len(bundled(ids) & set(bundles_of(each))) == 1


def dictionary(count: int) -> list[int]:
    software = Software.objects.create(name="kernel")
    return [SoftwareVersion.objects.create(software=software, version=str(number)).pk for number in range(count)]


def stations(count: int) -> list[Station]:
    site = Site.objects.create(slug="root", name="All")
    return [Station.objects.create(name=f"pc{number}", site=site) for number in range(count)]


@pytest.mark.django_db
def test_every_version_is_found_again_with_its_stations():
    dice = random.Random(1)
    versions = dictionary(60)
    held = {station.pk: set(dice.sample(versions, 25)) for station in stations(20)}
    with connection.cursor() as cursor:
        announce(cursor, versions)
        write(cursor, [(bundle, pk) for pk, ids in held.items() for bundle in bundled(ids)])
    pairs = {(pk, version) for pk, ids in held.items() for version in ids}
    assert set(Holding.objects.values_list("station_id", "software_version_id")) == pairs
    for version in versions:
        holders = {pk for pk, ids in held.items() if version in ids}
        assert set(Holding.objects.filter(software_version=version).values_list("station_id", flat=True)) == holders
    gone = next(iter(held))
    with connection.cursor() as cursor:
        remove(cursor, [(bundle, gone) for bundle in bundled(held[gone])])
    assert set(Holding.objects.values_list("station_id", "software_version_id")) == {pair for pair in pairs if pair[0] != gone}


@pytest.mark.django_db(transaction=True)
def test_holdings_of_an_older_release_are_kept_and_can_go_back():
    dice = random.Random(2)
    try:
        versions, fleet = dictionary(30), stations(5)
        held = {(version, station.pk) for station in fleet for version in dice.sample(versions, 13)}
        MigrationExecutor(connection).migrate([("reports", "0003_software_digest")])
        with connection.cursor() as cursor:
            cursor.executemany("INSERT INTO reports_holding (software_version_id, station_id) VALUES (%s, %s)", sorted(held))
        MigrationExecutor(connection).migrate([("reports", "0004_bundles")])
        assert set(Holding.objects.values_list("software_version_id", "station_id")) == held
        wanted = {(bundle, station.pk) for station in fleet for bundle in bundled(v for v, pk in held if pk == station.pk)}
        assert set(Held.objects.values_list("bundle", "station_id")) == wanted
        MigrationExecutor(connection).migrate([("reports", "0003_software_digest")])
        with connection.cursor() as cursor:
            cursor.execute("SELECT software_version_id, station_id FROM reports_holding")
            assert set(cursor.fetchall()) == held
    finally:
        executor = MigrationExecutor(connection)
        executor.migrate(executor.loader.graph.leaf_nodes())
