# Copyright: (c) 2026, Fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the dashboard and the page of reports tell is what is in the database and in the spool."""

from __future__ import annotations

import re
from datetime import timedelta
from html import unescape

import pytest
from django.core.cache import cache
from django.db.models import Q
from django.utils import timezone

from stationdb.accounts.rights import Right
from stationdb.registry.models import Site, Station
from stationdb.reports.intake import process_spool
from stationdb.reports.models import Unplaced
from stationdb.reports.spool import Spool
from stationdb.tests.console.conftest import signed_in, somebody
from stationdb.tests.console.test_changes import page_of

WORDS = {"new": "new", "ready": "in service", "repair": "in repair", "retired": "retired"}
AGES = {
    "in the last day": (0, 1),
    "1 to 7 days ago": (1, 7),
    "7 to 30 days ago": (7, 30),
    "30 to 90 days ago": (30, 90),
    "more than 90 days ago": (90, 9999),
    "never": None,
}


@pytest.fixture
def varied(fleet):
    """Stations in every state, of every age."""
    now = timezone.now()
    for number, station in enumerate(fleet.stations):
        seen = (0.5, 3, 20, 60, 100, None)[number % 6]
        state = list(WORDS)[number % 4]
        Station.objects.filter(pk=station.pk).update(state=state, last_seen=None if seen is None else now - timedelta(days=seen))
    return now


def told(page: str, section: str) -> dict[str, int]:
    """The numbers of a table, by their words."""
    table = re.search(rf'aria-labelledby="{section}">.*?<tbody>(.*?)</tbody>', page, re.DOTALL)[1]
    rows = re.findall(r"<tr>(.*?)</tr>", re.sub(r"<svg.*?</svg>", "", table, flags=re.DOTALL), re.DOTALL)
    cells = [[unescape(re.sub(r"<[^>]+>", "", cell)).strip() for cell in re.findall(r"<t[hd].*?</t[hd]>", row, re.DOTALL)] for row in rows]
    return {row[0]: int(row[-1]) for row in cells}


def divided(page: str) -> dict[str, dict[str, int]]:
    """What the picture of each site says, by the site's name and the words."""
    found = {}
    for label in re.findall(r'<svg class="stacked"[^>]*aria-label="([^"]*)"', page.partition('id="by-site"')[2]):
        name, _colon, parts = unescape(label).partition(": ")
        found[name] = {part.rpartition(" ")[0]: int(part.rpartition(" ")[2]) for part in parts.split(", ")}
    return found


def counts(stations, conditions) -> dict[str, int]:
    numbers = {words: stations.filter(condition).count() for words, condition in conditions.items()}
    return {words: number for words, number in numbers.items() if number}


@pytest.mark.parametrize("who", ["admin", "reader"])
def test_every_number_is_that_of_the_database(who, varied, request):
    client = request.getfixturevalue(who)
    seen = Station.objects.filter(site__path__startswith=Site.objects.get(slug="root" if who == "admin" else "north").path)
    states = {words: Q(state=state) for state, words in WORDS.items()}
    since = {
        words: Q(last_seen=None)
        if days is None
        else Q(last_seen__gt=varied - timedelta(days=days[1]), last_seen__lte=varied - timedelta(days=days[0]))
        for words, days in AGES.items()
    }
    systems = {name: Q(os_name=name) for name in set(seen.values_list("os_name", flat=True))}
    sites = {site.name: seen.filter(site__path__startswith=site.path) for site in Site.objects.all()}
    page = page_of(client.get("/"))
    assert f'<p class="sub">{seen.count()} stations</p>' in page
    assert {words: number for words, number in told(page, "by-state").items() if number} == counts(seen, states)
    assert {words: number for words, number in told(page, "by-age").items() if number} == counts(seen, since)
    assert told(page, "by-os") == counts(seen, systems)
    shown = told(page, "by-site")
    assert len(shown) == 3 and shown == {name: sites[name].count() for name in shown}
    assert divided(page) == {name: counts(sites[name], states) for name in shown}
    assert divided(page_of(client.get("/?by=os"))) == {name: counts(sites[name], systems) for name in shown}
    assert divided(page_of(client.get("/?by=seen"))) == {name: counts(sites[name], since) for name in shown}
    assert divided(page_of(client.get("/?by=nonsense"))) == divided(page)


def test_a_change_is_counted_at_once(editor):
    before = divided(page_of(editor.get("/")))["North"]
    site = Site.objects.get(slug="agency0001").pk
    form = {"name": "lab1", "site": str(site), "state": "retired", "kind": "stations", "variables": "{}", "macs": ""}
    assert editor.post("/stations/add/", form).status_code == 302
    assert divided(page_of(editor.get("/")))["North"] == {**before, "retired": before.get("retired", 0) + 1}


def test_what_waits_and_what_was_refused_is_told_with_its_reason(admin):
    spool = Spool()
    for path in [path for folder in (spool.incoming, spool.refused) for path in folder.iterdir()]:
        path.unlink()
    assert "No report was refused." in page_of(admin.get("/reports/"))
    spool.put(b"<script>alert(1)</script>", "https", station="pc00002", address="10.0.1.2", agent="agent/<b>1")
    assert process_spool().refused == 1
    [(identity, reason)] = spool.reasons()
    spool.put(b"<report/>", "ssh")
    Unplaced.objects.create(
        id="00000000-0000-0000-0000-000000000001", identity="x", received=timezone.now(), name="lost", address="10.9.9.9"
    )
    cache.clear()
    page = page_of(admin.get("/"))
    assert "<strong>1</strong><span>reports that wait" in page and "<strong>1</strong><span>refused reports" in page
    page = page_of(admin.get("/reports/"))
    for words in (reason, "pc00002", "10.0.1.2", "agent/<b>1", "lost", "10.9.9.9"):
        assert words in unescape(page), words
    assert "<b>1" not in page and "the oldest came" in page
    text = b"".join(admin.get("/reports/refused.csv").streaming_content).decode()
    assert identity in text and "pc00002" in text and reason.replace('"', '""') in text
    # One whose document was tried again or whose envelope nobody can read.
    (spool.refused / f"{identity}.report").write_bytes(b"\xff[1]\n")
    (spool.refused / "zz.txt").write_text("nonsense")
    assert "nonsense" in page_of(admin.get("/reports/"))
    for path in [path for folder in (spool.incoming, spool.refused) for path in folder.iterdir()]:
        path.unlink()


def test_what_belongs_to_no_site_is_for_who_sees_all_sites(reader, fleet):
    everywhere = signed_in(somebody("everywhere", Right.VIEW, site=None))
    assert everywhere.get("/reports/").status_code == 200 and everywhere.get("/reports/refused.csv").status_code == 403
    assert 'href="/reports/"' in page_of(everywhere.get("/"))
    assert reader.get("/reports/").status_code == 403 and reader.get("/reports/refused.csv").status_code == 403
    assert "/reports/" not in page_of(reader.get("/"))


def test_a_spool_that_cannot_be_read_is_an_empty_one(admin, monkeypatch):
    def closed() -> None:
        raise PermissionError

    monkeypatch.setattr("stationdb.console.intake.Spool", closed)
    assert "No report was refused." in page_of(admin.get("/reports/")) and admin.get("/").status_code == 200
