# Copyright: (c) 2026, Fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Whoever manages one site claims no addresses of others: stations there would fetch from their relay, and Ansible would go there."""

from __future__ import annotations

import json

import pytest
from django.test import Client

from stationdb.accounts.models import Assignment, Role, User
from stationdb.accounts.rights import Right
from stationdb.registry.models import Site, Subnet

pytestmark = pytest.mark.django_db


@pytest.fixture
def sites() -> dict[str, Site]:
    """A centre with a default, a region with two agencies, and another region whose subnets are none of the first's."""
    centre = Site.objects.create(slug="centre", name="Centre")
    north = Site.objects.create(slug="north", name="North", parent=centre)
    found = {"centre": centre, "north": north, "south": Site.objects.create(slug="south", name="South", parent=centre)}
    for slug in ("one", "two"):
        found[slug] = Site.objects.create(slug=slug, name=slug, parent=north)
    for slug, network in (
        ("centre", "0.0.0.0/0"),
        ("centre", "192.0.2.0/24"),
        ("north", "10.1.0.0/16"),
        ("two", "10.1.2.0/24"),
        ("south", "10.2.0.0/16"),
    ):
        Subnet.objects.create(site=found[slug], network=network)
    return found


def editor(site: Site | None) -> Client:
    user = User.objects.create_user("editor")
    Assignment.objects.create(user=user, role=Role.objects.create(name="editors", rights=[Right.VIEW, Right.SITES]), site=site)
    client = Client()
    client.force_login(user)
    return client


def claim(client: Client, site: Site, *networks: str) -> tuple[int, str]:
    """By the API and by the console, which agree."""
    before = sorted(site.subnets.values_list("network", flat=True))
    form = {"slug": site.slug, "name": site.name, "parent": site.parent_id or "", "variables": "{}", "subnets": " ".join(networks)}
    page = client.post(f"/sites/{site.pk}/edit/", form)
    after = sorted(site.subnets.values_list("network", flat=True))
    assert (page.status_code, after) == ((302, sorted(networks)) if page.status_code == 302 else (400, before))
    Subnet.objects.filter(site=site).delete()
    Subnet.objects.bulk_create(Subnet(site=site, network=network) for network in before)
    answer = client.patch(
        f"/api/v1/sites/{site.slug}",
        json.dumps({"subnets": list(networks)}),
        content_type="application/json",
        headers={"X-CSRFToken": "x"},
    )
    assert (answer.status_code == 200) == (page.status_code == 302), (answer.content, page.content)
    errors = answer.json().get("errors", [])
    assert all(
        error["where"] == "body.subnets" and error["remedy"] and error["what"].split()[0] in page.content.decode() for error in errors
    )
    return answer.status_code, " ".join(error["what"] for error in errors)


@pytest.mark.parametrize(
    ("slug", "network"),
    [
        ("one", "10.1.3.0/24"),  # part of the region's
        ("one", "192.0.2.128/25"),  # part of the centre's
        ("one", "172.16.0.0/16"),  # nobody's but the default's
        ("one", "2001:db8::/32"),
        ("north", "10.1.2.128/25"),  # of a site below, which the region's editor may change
        ("north", "10.0.0.0/16"),
    ],
)
def test_what_may_be_claimed(sites, slug, network):
    assert claim(editor(sites[slug]), sites[slug], network) == (200, "")


@pytest.mark.parametrize(
    ("slug", "network", "told"),
    [
        ("one", "0.0.0.0/1", "too wide"),
        ("one", "8.0.0.0/7", "too wide"),
        ("one", "2000::/16", "too wide"),
        ("one", "10.1.2.0/25", "a subnet of another site"),
        ("one", "10.0.0.0/15", "a subnet of another site"),
        ("one", "10.2.3.0/24", "a subnet of another site"),
        ("north", "10.0.0.0/8", "a subnet of another site"),
        ("north", "192.0.2.0/23", "a subnet of another site"),
    ],
)
def test_what_may_not(sites, slug, network, told):
    status, text = claim(editor(sites[slug]), sites[slug], network, "172.16.0.0/24")
    assert status == 422 and network in text and told in text
    assert not any(name in text.lower() for name in ("south", "two", "centre")), "what lies elsewhere is not told"


def test_who_sees_the_other_site_is_told_its_subnet(sites):
    client = editor(sites["one"])
    Assignment.objects.create(user=User.objects.get(), role=Role.objects.create(name="readers", rights=[Right.VIEW]))
    assert "overlaps with 10.2.0.0/16" in claim(client, sites["one"], "10.2.3.0/24")[1]


def test_what_the_site_has_stays_and_who_may_change_all_claims_all(sites):
    Subnet.objects.create(site=sites["one"], network="0.0.0.0/1")
    Subnet.objects.create(site=sites["one"], network="10.2.7.0/24")
    client = editor(sites["one"])
    assert claim(client, sites["one"], "0.0.0.0/1", "10.2.7.0/24", "172.16.0.0/24") == (200, "")
    Assignment.objects.update(site=None)
    assert claim(client, sites["one"], "128.0.0.0/1", "10.2.9.0/24") == (200, "")


def test_a_new_site_as_well(sites):
    client = editor(sites["north"])
    form = {"slug": "three", "name": "Three", "parent": sites["north"].pk, "variables": "{}"}
    assert client.post("/sites/add/", {**form, "subnets": "10.2.3.0/24"}).status_code == 400
    assert client.post("/sites/add/", {**form, "subnets": "10.1.3.0/24"}).status_code == 302
    assert Site.objects.get(slug="three").subnets.count() == 1
