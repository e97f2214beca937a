# Copyright: (c) 2026, Fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Changes that meet: each is done or refused with a reason, none ends in an error of the server."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from django.db import OperationalError, connection
from django.test.utils import CaptureQueriesContext

from stationdb.api import sites as site_operations
from stationdb.registry.models import Site, Station

from .conftest import wrong

WAIT = 120
"""Seconds after which a test gives up."""


@pytest.fixture
def together(transactional_db: None) -> Iterator[Callable[..., list[Any]]]:
    """Call functions in threads at once, each with its own connection; their results."""
    if connection.vendor != "postgresql":
        pytest.skip("SQLite has one writer at a time")
    begin = threading.Barrier(2, timeout=WAIT)

    def run(call: Callable[[], Any]) -> Any:
        try:
            begin.wait()
            return call()
        finally:
            connection.close()

    with ThreadPoolExecutor(2) as threads:
        yield lambda *calls: [done.result(WAIT) for done in [threads.submit(run, call) for call in calls]]


def test_sites_that_come_under_each_other_at_once(together, bearer, monkeypatch):
    everywhere = bearer(None)
    both = threading.Barrier(2, timeout=WAIT)
    move, tried = site_operations.move, []

    def meet(request: Any, site: Site, parent: str | None) -> None:
        """Each has locked its own site before either asks for the other's."""
        tried.append(site.slug)
        if len(tried) <= 2:
            both.wait()
        move(request, site, parent)

    monkeypatch.setattr(site_operations, "move", meet)
    answers = together(
        lambda: everywhere.patch("/sites/north1", {"parent": "south1"}), lambda: everywhere.patch("/sites/south1", {"parent": "north1"})
    )
    assert sorted(answer.status_code for answer in answers) == [200, 422], [answer.content for answer in answers]
    assert len(tried) > 2, "one was tried again"
    for site in Site.objects.all():
        assert site.path == f"{site.parent.path if site.parent else '/'}{site.pk}/"


def test_stations_that_change_places_at_once(together, bearer, sites):
    everywhere = bearer(None)
    names = [f"pc{number:02}" for number in range(40)]
    Station.objects.bulk_create(Station(name=name, site=sites["north1" if number % 2 else "south1"]) for number, name in enumerate(names))

    def moved(order: list[str], site: str) -> Callable[[], Any]:
        return lambda: everywhere.post("/stations/bulk", {"stations": [{"name": name, "site": site} for name in order]})

    for _round in range(8):
        answers = together(moved(names, "north1"), moved(names[::-1], "south1"))
        assert [answer.status_code for answer in answers] == [200, 200], [answer.content for answer in answers]
        assert Station.objects.values("site").distinct().count() == 1, "one after the other"


@pytest.mark.django_db
def test_stations_are_locked_in_one_order(bearer, sites):
    if connection.vendor != "postgresql":
        pytest.skip("SQLite locks no rows")
    Station.objects.bulk_create(Station(name=name, site=sites["north1"]) for name in "ab")
    with CaptureQueriesContext(
        connection,
    ) as asked:
        bearer("north").post("/stations/bulk", {"stations": [{"name": "b", "tag": "x"}, {"name": "a", "tag": "x"}]})
    [locking] = [each["sql"] for each in asked if "FOR UPDATE" in each["sql"] and "registry_station" in each["sql"]]
    assert 'ORDER BY "registry_station"."id" ASC FOR UPDATE' in locking


class Cause(Exception):
    sqlstate = "40P01"


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize(("times", "status"), [(1, 200), (4, 200), (5, 503)])
def test_a_change_that_gave_way_is_tried_again_and_then_told(bearer, monkeypatch, times, status):
    left = [times]

    def hindered(*given: Any) -> None:
        assert connection.in_atomic_block
        Site.objects.filter(slug="north").update(name="half")
        if left[0]:
            left[0] -= 1
            raise OperationalError("deadlock detected") from Cause()
        assert Site.objects.get(slug="north1").name == "North agency"

    north = bearer("north")
    monkeypatch.setattr(site_operations, "must_match", hindered)
    answer = north.patch("/sites/north1", {"name": "New"})
    if status == 503:
        assert wrong(answer, 503)[0]["remedy"].startswith("Send it again") and answer["Retry-After"] == "1"
        assert not Site.objects.filter(name__in=("half", "New")).exists(), "nothing was changed"
    else:
        assert answer.json()["name"] == "New" and left == [0]


@pytest.mark.django_db(transaction=True)
def test_a_database_that_is_gone_is_no_conflict(bearer, monkeypatch):
    north = bearer("north")

    def gone(*given: Any) -> None:
        raise OperationalError("the connection is closed")

    monkeypatch.setattr(site_operations, "must_match", gone)
    with pytest.raises(OperationalError, match="closed"):
        north.patch("/sites/north1", {"name": "New"})
