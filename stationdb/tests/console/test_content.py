# Copyright: (c) 2026, Fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Images and packages: registered, read, changed and retired on pages, by who may."""

from __future__ import annotations

import csv
import io

import pytest

from stationdb.accounts.rights import Right
from stationdb.content.models import Image, Package
from stationdb.registry.models import Site, Station
from stationdb.tests.console.conftest import signed_in, somebody
from stationdb.tests.console.test_changes import page_of

KINDS = [("image", Image), ("package", Package)]
DIGEST = "ab" * 32


def form(**change: str) -> dict[str, str]:
    given = {"name": "debian", "version": "13.1", "size": "14 GiB", "description": "Classrooms", "manifest": DIGEST}
    return {**given, "site": str(Site.objects.get(slug="agency0001").pk), **change}


@pytest.mark.parametrize(("kind", "model"), KINDS)
def test_a_version_is_registered_changed_and_retired(kind, model, editor):
    page = page_of(editor.post(f"/{kind}s/add/", form(source="pc00003"), follow=True))
    made = model.objects.get()
    assert (made.name, made.version, made.size, made.manifest) == ("debian", "13.1", 14 << 30, DIGEST)
    assert "debian 13.1 was saved." in page and "Agency 1" in page and DIGEST in page and "14 GiB" in page
    assert kind == "package" or (made.source.name == "pc00003" and ">pc00003</a>" in page)
    assert f'href="/{kind}s/{made.pk}/"' in page_of(editor.get(f"/{kind}s/"))
    shown = page_of(editor.get(f"/{kind}s/{made.pk}/edit/"))
    assert 'value="14 GiB"' in shown and 'value="debian"' in shown
    changed = form(name="other", version="14", size="1500000000", description="x", manifest="", source="")
    editor.post(f"/{kind}s/{made.pk}/edit/", changed)
    made.refresh_from_db()
    assert (made.name, made.version) == ("debian", "13.1"), "its name is for good"
    assert (made.size, made.description, made.manifest) == (1_500_000_000, "x", "")
    assert "pruned" in page_of(editor.get(f"/{kind}s/{made.pk}/remove/")) and model.objects.exists()
    assert "debian 13.1 was retired." in page_of(editor.post(f"/{kind}s/{made.pk}/remove/", follow=True))
    assert not model.objects.exists()


@pytest.mark.parametrize(("kind", "model"), KINDS)
@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("name", ""),
        ("name", "-x"),
        ("version", "1 2"),
        ("size", "-1"),
        ("size", "14 gallons"),
        ("size", "9" * 15 + " TiB"),
        ("size", str((1 << 62) + 1)),
        ("manifest", "xyz"),
        ("description", "a\x07b"),
        ("site", ""),
        ("site", "0"),
    ],
)
def test_what_is_wrong_is_said_and_nothing_saved(kind, model, field, value, editor):
    response = editor.post(f"/{kind}s/add/", form(**{field: value}))
    assert response.status_code == 400 and f'id="id_{field}_error"' in page_of(response)
    assert not model.objects.exists()


@pytest.mark.parametrize(("kind", "model"), KINDS)
def test_a_version_is_registered_once(kind, model, editor):
    editor.post(f"/{kind}s/add/", form())
    response = editor.post(f"/{kind}s/add/", form(size=""))
    assert response.status_code == 400 and "already exists" in page_of(response) and model.objects.count() == 1


@pytest.mark.parametrize(("kind", "model"), KINDS)
def test_what_is_for_all_sites_is_seen_by_all_and_changed_by_who_may_for_all(kind, model, editor, admin):
    admin.post(f"/{kind}s/add/", form(site=""))
    shared = model.objects.get(site=None)
    page = page_of(editor.get(f"/{kind}s/{shared.pk}/"))
    assert "all sites" in page and "/edit/" not in page and "/remove/" not in page
    for path in ("edit", "remove"):
        assert editor.post(f"/{kind}s/{shared.pk}/{path}/", form(description="mine")).status_code == 403
    assert model.objects.get().description == "Classrooms"
    assert admin.post(f"/{kind}s/{shared.pk}/edit/", form(site="", description="ours")).status_code == 302
    assert model.objects.get().description == "ours"


@pytest.mark.parametrize(("kind", "model"), KINDS)
def test_who_may_not_register_is_not_offered_to(kind, model, fleet):
    client = signed_in(somebody("viewer", *[right for right in Right if right not in (Right.CONTENT, Right.USERS)]))
    it = model.objects.create(name="debian", version="13", site=Site.objects.get(slug="north"))
    assert f"/{kind}s/add/" not in page_of(client.get(f"/{kind}s/")) and "/edit/" not in page_of(client.get(f"/{kind}s/{it.pk}/"))
    for path in (f"/{kind}s/add/", f"/{kind}s/{it.pk}/edit/", f"/{kind}s/{it.pk}/remove/"):
        assert client.post(path, form(description="mine")).status_code == 403, path
    assert [(each.name, each.description) for each in model.objects.all()] == [("debian", "")]


def test_an_image_tells_the_stations_of_the_perimeter_that_have_it(editor, admin):
    image = Image.objects.create(name="debian", version="13", site=Site.objects.get(slug="root"))
    older = Image.objects.create(name="debian", version="12", site=Site.objects.get(slug="north"))
    Station.objects.filter(name__in=["pc00001", "pc00002", "pc00003"]).update(image=image)
    Station.objects.filter(name="pc00005").update(image=older)
    page = page_of(admin.get(f"/images/{image.pk}/"))
    assert "Assigned to 3 stations" in page and f'href="/images/{older.pk}/"' in page
    listed = page_of(admin.get("/stations/", {"q": 'image = "debian 13"'}))
    assert "pc00002" in listed and "pc00005" not in listed
    assert editor.get(f"/images/{image.pk}/").status_code == 404
    Image.objects.filter(pk=image.pk).update(site=Site.objects.get(slug="north"))
    page = page_of(editor.get(f"/images/{image.pk}/"))
    assert "Assigned to 2 stations" in page and "pc00002" not in page
    assert "2 stations have it assigned" in page_of(editor.get(f"/images/{image.pk}/remove/"))
    editor.post(f"/images/{image.pk}/remove/")
    assert not Station.objects.exclude(name="pc00005").exclude(image=None).exists()


def test_the_source_that_an_editor_does_not_see_is_not_taken_away(editor):
    hidden = Station.objects.get(name="pc00002")
    image = Image.objects.create(name="debian", version="13.1", site=Site.objects.get(slug="north"), source=hidden)
    assert "pc00002" not in page_of(editor.get(f"/images/{image.pk}/")) + page_of(editor.get(f"/images/{image.pk}/edit/"))
    editor.post(f"/images/{image.pk}/edit/", form(source=""))
    image.refresh_from_db()
    assert (image.description, image.source) == ("Classrooms", hidden)
    assert "no station named" in page_of(editor.post(f"/images/{image.pk}/edit/", form(source="pc00002")))


@pytest.mark.parametrize(("kind", "model"), KINDS)
def test_the_list_as_csv(kind, model, reader):
    model.objects.create(name="debian", version="13", site=Site.objects.get(slug="north"), size=1 << 30, description="=1+1")
    model.objects.create(name="hidden", version="1", site=Site.objects.get(slug="south"))
    text = b"".join(reader.get(f"/{kind}s/export.csv").streaming_content).decode("utf-8-sig")
    rows = list(csv.DictReader(io.StringIO(text)))
    assert [(row["Name"], row["Version"], row["Site"], row["Size"]) for row in rows] == [("debian", "13", "North", str(1 << 30))]
    assert not rows[0]["Description"].startswith("=")
