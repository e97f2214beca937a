# Copyright: (c) 2026, Fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Lists: what is found, in which order, from page to page, and what that costs."""

from __future__ import annotations

import csv
import io
import logging
import os
import re
import subprocess
import sys
from collections import Counter
from datetime import timedelta
from pathlib import Path

import pytest
from django.core.cache import cache
from django.db import connection
from django.http import QueryDict
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from stationdb.accounts.models import User
from stationdb.accounts.perimeter import Perimeter
from stationdb.accounts.rights import Right
from stationdb.console.holdings import counts, held_of, holders, seen
from stationdb.console.models import SavedFilter
from stationdb.console.paging import paged
from stationdb.console.places import places
from stationdb.console.views.stations import SORTS
from stationdb.registry.models import Group, Site, Station
from stationdb.reports.models import Holding, Software
from stationdb.tests.fleet import EDITOR, make_fleet


def names(response) -> list[str]:
    return re.findall(r'<th scope="row"><a href="/stations/\d+/">([^<]+)</a>', response.content.decode())


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("?q=pc00007", ["pc00007"]),
        ("?q=name+%3D+pc00003+or+name+%3D+pc00004", ["pc00003", "pc00004"]),
        ("?site=agency0003", ["pc00003", "pc00007", "pc00011", "pc00015", "pc00019"]),
        ("?site=north&q=name+~+1&sort=-name", ["pc00019", "pc00017", "pc00015", "pc00013", "pc00011", "pc00001"]),
        ("?group=kiosks", ["pc00001", "pc00011"]),
        ("?group=nobody", []),
        ("?state=nonsense", []),
        ("?state=repair", ["pc00002"]),
        ("?tag=-&q=not+site(north)", ["pc00006", "pc00012", "pc00018"]),
        ("?seen=never", ["pc00020"]),
        (f"?q=software+{EDITOR}+<+2.0+and+site(south)", ["pc00002", "pc00004", "pc00006"]),
    ],
)
def test_search_and_facets(admin, query, found):
    Station.objects.filter(name="pc00020").update(last_seen=None)
    Station.objects.filter(name="pc00002").update(state="repair")
    assert names(admin.get(f"/stations/{query}")) == found


def test_criteria_that_are_wrong_point_at_the_character(admin):
    page = admin.get("/stations/?q=ram+<+8+GiX").content.decode()
    assert "ram &lt; <mark>8 GiX</mark>" in page and 'role="alert"' in page and 'aria-invalid="true"' in page
    assert names(admin.get("/stations/?q=ram+<")) == []
    assert admin.get("/stations/export.csv?q=ram+<").status_code == 302


def test_htmx_gets_what_changes_and_nothing_else(admin):
    part = admin.get("/stations/?q=pc00007", headers={"HX-Request": "true"}).content.decode()
    assert "<html" not in part and "pc00007" in part and 'aria-live="polite"' in part


@pytest.mark.parametrize("sort", [*SORTS, *(f"-{key}" for key in SORTS)])
def test_pages_follow_each_other_in_any_order_and_back(fleet, sort):
    Station.objects.filter(name__in=["pc00003", "pc00009"]).update(last_seen=None, ram=None)
    rows = Station.objects.select_related("site")
    query, seen, pages = QueryDict(f"sort={sort}&q=x"), [], []
    while True:
        page = paged(rows, query, SORTS, size=7)
        pages.append([row.pk for row in page.rows])
        seen += page.rows
        if not page.later:
            break
        assert "q=x" in page.later
        query = QueryDict(page.later)
    assert len(pages) == 3 and len({row.pk for row in seen}) == 20
    values = [getattr(row, SORTS[sort.lstrip("-")].partition("__")[0]) for row in seen]
    present = [value for value in values if value is not None]
    assert values == present + [None] * (20 - len(present)), "what is empty comes last"
    if sort.lstrip("-") not in ("site", "name"):
        assert present == sorted(present, reverse=sort.startswith("-"))
    page = paged(rows, QueryDict(page.earlier), SORTS, size=7)
    assert [row.pk for row in page.rows] == pages[1]
    page = paged(rows, QueryDict(page.earlier), SORTS, size=7)
    assert [row.pk for row in page.rows] == pages[0] and not page.earlier


def test_filters_are_kept_for_their_user(admin, reader):
    admin.post("/stations/filters/", {"name": "Old ones", "query": "q=ram+<+8+GiB&state=ready&after=xx&evil=1"})
    saved = SavedFilter.objects.get()
    assert saved.query == "q=ram+%3C+8+GiB&state=ready"
    assert "Old ones" in admin.get("/stations/").content.decode() and "Old ones" not in reader.get("/stations/").content.decode()
    assert reader.post(f"/stations/filters/{saved.pk}/remove/").status_code == 404
    admin.post("/stations/filters/", {"name": "Old ones", "query": "state=new"})
    assert SavedFilter.objects.get().query == "state=new"
    admin.post(f"/stations/filters/{saved.pk}/remove/")
    assert not SavedFilter.objects.exists()


def test_an_export_has_what_the_list_shows_and_is_read_again(reader):
    response = reader.get("/stations/export.csv?q=name+~+1&sort=-name")
    rows = list(csv.DictReader(io.StringIO(b"".join(response.streaming_content).decode("utf-8-sig"))))
    assert [row["name"] for row in rows] == ["pc00001", "pc00011", "pc00013", "pc00015", "pc00017", "pc00019"]
    assert rows[0]["site"] == "agency0001" and rows[0]["groups"] == "kiosks"


def test_documents_have_a_header_page_numbers_and_french_letters(fleet, admin):
    Site.objects.filter(slug="agency0001").update(name="Lycée – Œuvre d’été")
    User.objects.update(language="fr")
    pages = read(admin.get("/stations/export.pdf?site=agency0001").content)
    assert len(pages) == 1 and "Postes" in pages[0] and re.search(r"\b1 ?/ ?1$", pages[0], re.MULTILINE)
    assert pages[0].count("Lycée – Œuvre d’été") == 1 + 5, "the filter, and five rows"
    station = fleet.stations[0].pk
    pages = read(admin.get(f"/stations/{station}/sheet.pdf?software=1").content)
    assert len(pages) > 1
    for number, page in enumerate(pages, 1):
        assert "pc00001" in page and re.search(rf"\b{number} ?/ ?{len(pages)}$", page, re.MULTILINE)
    assert "Numéro de série" in pages[0] and EDITOR in "".join(pages)


def read(document: bytes) -> list[str]:
    """The text of each page."""
    done = subprocess.run(["pdftotext", "-layout", "-", "-"], input=document, capture_output=True, check=True)
    return done.stdout.decode().split("\f")[:-1]


def test_the_dashboard_counts(admin):
    now = timezone.now()
    for number, days in enumerate((0, 0, 3, 20, 60, 100)):
        Station.objects.filter(name=f"pc0000{number + 1}").update(last_seen=now - timedelta(days=days), state="ready")
    Station.objects.exclude(name__in=[f"pc0000{number}" for number in range(1, 7)]).update(last_seen=None, state="retired")
    page = " ".join(re.sub(r"<svg.*?</svg>|<[^>]+>", " ", admin.get("/").content.decode(), flags=re.DOTALL).split())
    for told in (
        "in the last day 2",
        "1 to 7 days ago 1",
        "7 to 30 days ago 1",
        "30 to 90 days ago 1",
        "more than 90 days ago 1",
        "never 14",
        "in service 6",
        "retired 14",
        "North 10",
        "All sites 20",
    ):
        assert told in page, told


def test_who_has_a_software_below_a_version(admin, reader):
    page = Software.objects.get(name=EDITOR, source="deb").pk
    expected = [name for name in sorted(_deb_stations()) if int(name[2:]) <= 6]
    assert names(admin.get(f"/software/{page}/?below=2.0")) == expected
    assert names(admin.get(f"/software/{page}/?below=1.2")) == []
    assert names(reader.get(f"/software/{page}/?below=2.0")) == [name for name in expected if int(name[2:]) % 2]
    assert names(admin.get(f"/software/{page}/?version=1.2")) == expected


def test_the_list_of_software_counts_stations_by_version(admin, reader, monkeypatch):
    def told(client) -> str:
        return " ".join(re.sub(r"<[^>]+>", " ", client.get(f"/software/?q={EDITOR}&source=deb").content.decode()).split())

    deb = _deb_stations()
    north = [name for name in deb if int(name[2:]) % 2]
    assert f"Office Project {len(deb)} " in told(admin)
    assert f"Office Project {len(north)} " in told(reader)
    # A perimeter of many stations is counted in another way, which must say the same.
    cache.clear()
    monkeypatch.setattr("stationdb.console.holdings.FEW", 1)
    assert f"Office Project {len(north)} " in told(reader)


def _deb_stations() -> list[str]:
    return list(Station.objects.filter(os_name__in=["Debian GNU/Linux", "Ubuntu"]).order_by("name").values_list("name", flat=True))


def test_groups_tell_who_is_in_them(admin, reader):
    dynamic = Group.objects.create(name="large", criteria="ram >= 16 GiB")
    expected = list(Station.objects.filter(ram__gte=16 << 30).values_list("name", flat=True))
    assert names(admin.get(f"/groups/{dynamic.pk}/")) == expected
    assert names(reader.get(f"/groups/{dynamic.pk}/")) == [name for name in expected if int(name[2:]) % 2]
    Group.objects.filter(pk=dynamic.pk).update(criteria="nonsense = 1")
    assert 'role="alert"' in admin.get(f"/groups/{dynamic.pk}/").content.decode()
    assert admin.get("/groups/").status_code == 200


PAGES = ("/", "/stations/", "/stations/?q=ram+<+8+GiB&site=north", "/software/", "/sites/", "/groups/")


@pytest.mark.parametrize("few_or_many", [20, 90])
def test_the_number_of_queries_does_not_grow(db, few_or_many):
    """The same bounds whatever the number of stations, sites and groups; session and user included."""
    cache.clear()
    fleet = make_fleet(stations=few_or_many, software=30, sites=few_or_many // 5)
    for number in range(few_or_many // 10):
        Group.objects.create(name=f"g{number}", criteria="ram < 8 GiB")
    client = Client()
    client.force_login(User.objects.create_superuser("root"))
    station = fleet.stations[0].pk
    program = Software.objects.get(name=EDITOR, source="deb").pk
    bounds = dict.fromkeys(PAGES, 14) | {
        f"/stations/{station}/": 18,
        f"/stations/{station}/hardware/": 6,
        f"/stations/{station}/software/": 9,
        f"/stations/{station}/history/": 8,
        f"/software/{program}/": 12,
        f"/sites/{Site.objects.get(slug='north').pk}/": 16,
        "/users/": 8,
    }
    for path, bound in bounds.items():
        for times in (1, 2):
            with CaptureQueriesContext(
                connection,
            ) as queries:
                assert client.get(path).status_code == 200
            assert len(queries) <= bound, f"{path}: {len(queries)} queries the {times}. time\n" + "\n".join(
                query["sql"][:150] for query in queries
            )


@pytest.mark.parametrize(
    ("text", "offered"),
    [
        ("", "name"),
        ("manuf", "manufacturer"),
        ("ram ", "<"),
        ("state = ", "ready"),
        ("ram < 8 GiB ", "and"),
        ("ram < 8 GiB and s", "software"),
        ("group(", "kiosks"),
        ("site = ag", "agency0001"),
        ("os = ", "Debian GNU/Linux"),
        ("software fleet", EDITOR),
        (f"software {EDITOR} ", "<"),
        ("tag in (ALPHA, ", "BETA"),
    ],
)
def test_the_box_offers_what_may_come_next(admin, text, offered):
    page = admin.get("/stations/complete/", {"q": text, "at": len(text)}).content.decode()
    assert f'<span class="mono">{offered.replace("<", "&lt;")}</span>' in page


def test_the_box_offers_nothing_of_other_sites(reader):
    for text in ("site = ", "site(", "name = ", "group(", "software "):
        page = reader.get("/stations/complete/", {"q": text}).content.decode()
        assert "agency0002" not in page and "pc00002" not in page and "south" not in page


@pytest.mark.parametrize("few", [0, 1500])
def test_what_is_counted_by_bundles_is_what_stations_hold(fleet, monkeypatch, few):
    monkeypatch.setattr("stationdb.console.holdings.FEW", few)
    north = {site.pk for site in Site.objects.filter(path__contains=Site.objects.get(slug="north").path)}
    for perimeter in (Perimeter.everything(), Perimeter({Right.VIEW.value: frozenset(north)})):
        held = list(Holding.objects.within(perimeter).values_list("software_version_id", "software_version__software", "station_id"))
        software = list(Software.objects.order_by("pk"))
        expected = {each.pk: Counter(version for version, owner, _station in held if owner == each.pk) for each in software}
        assert counts(software, perimeter) == expected
        assert set(seen(perimeter)) == {each for each in software if expected[each.pk]}
        for each in (software[0], software[7]):
            ids = list(each.versions.values_list("pk", flat=True))
            stations = {station for version, _owner, station in held if version in ids}
            assert set(holders(ids, perimeter).values_list("pk", flat=True)) == stations
            pairs = {(version, station) for version, _owner, station in held if version in ids}
            of = held_of(ids, fleet.stations)
            assert {(version, station) for station, versions in of.items() for version in versions if station in stations} == pairs


def test_a_site_that_came_another_way_since_the_tree_was_read_has_its_page(admin, fleet):
    assert admin.get("/sites/").status_code == 200
    new = Site.objects.create(name="Lyon", slug="lyon2")
    assert "Lyon" in admin.get(f"/sites/{new.pk}/").content.decode()


def test_what_is_changed_in_one_process_is_counted_anew_in_all(admin, fleet):
    """Each process that serves has a cache of its own: another cannot empty it, only name its entries anew."""
    assert len(places(Perimeter.everything())) == Site.objects.count()
    Site.objects.create(name="Lyon", slug="lyon2")
    assert len(places(Perimeter.everything())) == Site.objects.count() - 1
    subprocess.run([sys.executable, "-c", FORGET], check=True, cwd=Path(__file__).parents[3], env={**os.environ, "PYTHONPATH": "."})
    assert len(places(Perimeter.everything())) == Site.objects.count()


FORGET = "import django; django.setup(); from stationdb.console import figures; figures.forget()"


def test_a_page_that_fails_says_so_in_the_log_as_it_tells_its_reader(admin, monkeypatch):
    log = io.StringIO()
    [handler] = logging.getLogger("django").handlers
    monkeypatch.setattr(handler, "stream", log)
    monkeypatch.setattr("stationdb.console.views.sites.places", lambda _perimeter: 1 / 0)
    admin.raise_request_exception = False
    answer = admin.get("/sites/")
    assert answer.status_code == 500 and "stands in its log" in answer.content.decode()
    assert "ZeroDivisionError" in log.getvalue() and "/sites/" in log.getvalue()
