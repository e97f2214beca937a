# Copyright: (c) 2026, Fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What stations call themselves is not trusted anywhere."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterator

import pytest
from django.test import Client
from django.utils import timezone

from stationdb.accounts.models import Role, User
from stationdb.content.models import Image, Package
from stationdb.registry.models import Group, Site, Station
from stationdb.reports.models import Report, Section, SectionChange, Software
from stationdb.reports.sections import pack_rows
from stationdb.reports.spool import Spool
from stationdb.tests.console.pages import NAMES, POSTS, address
from stationdb.tests.fleet import install

EVIL = "\"><script>alert(1)</script><img src=x onerror=alert(2)>'{{7*7}}{% now %}"


@pytest.fixture
def hostile(fleet) -> Iterator[dict[str, int]]:
    """A station that lies in every field that reports write; names that forms would refuse came by another way."""
    site = Site.objects.get(slug="agency0001")
    Site.objects.filter(pk=site.pk).update(name=EVIL)
    station = fleet.stations[0]
    fields = ("manufacturer", "product", "os_name", "user", "cpu", "reported_name", "serial", "tag")
    Station.objects.filter(pk=station.pk).update(
        name=EVIL, comment=EVIL, **{field: EVIL[: Station._meta.get_field(field).max_length] for field in fields}
    )
    for kind, rows in (
        ("storages", [{"name": EVIL, "model": EVIL, "disksize": EVIL, "serial": EVIL}]),
        ("partitions", [{"device": EVIL, "size": "-1", "start": EVIL, "filesystem": EVIL}]),
        ("drives", [{"volumn": EVIL, "total": "9" * 400, "free": EVIL, "type": EVIL}]),
        ("printers", [{EVIL: EVIL, "name": EVIL}, {"name": "=1+1"}]),
        ("hardware", [{"name": EVIL, "memory": EVIL}]),
    ):
        Section.objects.update_or_create(
            station=station, kind=kind, defaults={"data": pack_rows(rows), "digest": b"", "changed": timezone.now()}
        )
        SectionChange.objects.create(station=station, kind=kind, when=timezone.now(), added=pack_rows(rows), removed=pack_rows(rows))
    install(station, (EVIL, EVIL), ("=HYPERLINK(1)", "@1"))
    Report.objects.filter(station=station).update(agent=EVIL, note=EVIL, changed=EVIL, received=timezone.now())
    group = Group.objects.create(name="evil", description=EVIL)
    group.stations.add(station)
    image = Image.objects.create(name=EVIL, version=EVIL, description=EVIL, source=station)
    package = Package.objects.create(name=EVIL, version=EVIL, description=EVIL)
    role = Role.objects.create(name=EVIL)
    spool = Spool()
    identity = spool.put(EVIL.encode(), "=way", station=EVIL, address="=1+1", agent=EVIL)
    claim = spool.claim(identity)
    assert claim is not None
    claim.refuse(f"={EVIL}")
    yield {
        "role": role.pk,
        "station": station.pk,
        "site": site.pk,
        "group": group.pk,
        "image": image.pk,
        "package": package.pk,
        "software": Software.objects.get(name=EVIL).pk,
        "user": User.objects.create_user("somebody").pk,
    }
    for path in spool.refused.glob(f"{identity}.*"):
        path.unlink()


@pytest.mark.parametrize("name", [name for name in NAMES if name not in POSTS and not name.endswith(("_csv", "_pdf"))])
def test_markup_in_names_is_text(name, hostile, admin):
    page = admin.get(address(name, hostile)).content.decode()
    assert (
        "<script>alert" not in page
        and "<img src=x" not in page
        and "{{7*7}}" not in page.replace("{{7*7}}", "", page.count("&#x27;{{7*7}}"))
    )
    assert not re.search(r"<[^>]+\son\w+=", page.replace("onerror=alert", ""))


@pytest.mark.parametrize("name", [name for name in NAMES if name.endswith("_csv")])
def test_no_cell_is_a_formula(name, hostile, admin):
    response = admin.get(address(name, hostile))
    assert response.status_code == 200 and response["Content-Type"] == "text/csv; charset=utf-8"
    assert re.fullmatch(r'attachment; filename="[A-Za-z0-9._-]+\.csv"', response["Content-Disposition"])
    rows = list(csv.reader(io.StringIO(b"".join(response.streaming_content).decode("utf-8-sig"))))
    assert len(rows) > 1 and {len(row) for row in rows} == {len(rows[0])}
    assert not [cell for row in rows for cell in row if cell.startswith(("=", "+", "-", "@", "\t", "\r"))]


@pytest.mark.parametrize("name", ["stations_pdf", "station_pdf"])
def test_documents_are_made_of_texts(name, hostile, admin):
    response = admin.get(address(name, hostile) + "?software=1")
    assert response.status_code == 200 and response.content.startswith(b"%PDF-")
    assert re.fullmatch(r'attachment; filename="[A-Za-z0-9._-]+\.pdf"', response["Content-Disposition"])
    assert b"/JavaScript" not in response.content and b"/URI" not in response.content


@pytest.mark.parametrize("name", [name for name in NAMES if name not in POSTS])
def test_queries_that_nobody_means_are_answered(name, hostile, admin):
    for value in (
        "%00",
        "%FF%FE",
        "'; DROP TABLE registry_station;--",
        "9" * 400,
        "{{7*7}}",
        "bnVsbA",
        "WzEsMl0",
        "W251bGwsMV0",
        "%F0%9F%92%A9" * 300,
    ):
        query = "&".join(
            f"{key}={value}" for key in ("q", "sort", "after", "before", "site", "os", "tag", "group", "seen", "section", "below", "open")
        )
        response = admin.get(f"{address(name, hostile)}?{query}")
        assert response.status_code in (200, 302), (name, value)
    assert Station.objects.count() == 20


@pytest.mark.parametrize("name", [name for name in NAMES if name not in POSTS and not name.endswith(("_csv", "_pdf"))])
def test_a_policy_and_nothing_inline(name, hostile, admin):
    response = admin.get(address(name, hostile))
    policy = response["Content-Security-Policy"]
    assert "default-src 'none'" in policy and "unsafe" not in policy and "*" not in policy
    page = response.content.decode()
    assert not re.search(r"<script(?![^>]*\bsrc=)", page)
    assert not re.search(r"<style|\sstyle=|javascript:", page)
    assert not re.search(r"(?:src|href)=\"(?:https?:)?//", page)
    assert response["X-Frame-Options"] == "DENY" and "no-store" in response["Cache-Control"]


def test_forms_are_protected_and_lead_nowhere_else(admin, fleet):
    client = Client(enforce_csrf_checks=True)
    assert client.post("/sign-in/", {"username": "root", "password": "x"}).status_code == 403
    assert client.post("/theme/", {"theme": "dark"}).status_code == 403
    for wanted in ("https://evil.example/", "//evil.example/", "/\\evil.example", "javascript:alert(1)"):
        assert admin.post("/theme/", {"theme": "dark", "next": wanted})["Location"] == "/"
