# Copyright: (c) 2026, Fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Sites: a tree with subnets, relays and variables."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Annotated, Any

from ninja import Router
from ninja.responses import Status
from pydantic import BaseModel, Field

from ..accounts.middleware import Request, perimeter_of
from ..accounts.perimeter import Perimeter
from ..accounts.rights import Right
from ..errors import Denied, Faulty, Missing
from ..registry.models import Site, Station, Subnet
from ..registry.moving import RIGHTS_MOVE, RIGHTS_REMEDY, rights_gained
from ..registry.subnets import refused_subnets
from .answers import changed, created, read, removed
from .auth import need
from .etags import IfMatch, locked, must_match
from .paging import Limit, Offset, Page, page
from .types import Given, SiteSlug, Variables

router = Router()

Subnets = Annotated[list[str], Field(max_length=1000, examples=[["10.1.2.0/24"]])]
PARENT = "Short name of the site it is part of; null for a site at the top."
RELAY = "Host name of the station that keeps content for the site."
URL = "Address of the relay's content; empty: the parent's."
SUBNETS = (
    "Its addresses in CIDR notation; the list replaces what there is. A subnet belongs to one site; the longest that fits decides. "
    "One that overlaps with another site's needs sites.edit there, unless it is part of one of a site above."
)


class SiteFields(Given):
    """What can be said of a site besides its names."""

    parent: str | None = Field(None, description=PARENT, examples=["paris"])
    time_zone: str = Field("", description="Empty: the parent's.", examples=["Europe/Paris"])
    relay: str | None = Field(None, description=RELAY, examples=["relay01"])
    content_url: str = Field("", description=URL, examples=["https://relay.paris.example/content"])
    variables: Variables = Field({}, description="Ansible variables of the site's group; the object replaces what there is.")
    subnets: Subnets = Field([], description=SUBNETS)


class SiteNew(SiteFields):
    """A site to add."""

    slug: str = Field(description="Short name; its group is site_<slug>.", examples=["paris"])
    name: str = Field(examples=["Paris, rue de Lille"])


class SiteChange(SiteFields):
    """What to change; what is left out stays."""

    slug: str = Field("", description="A new short name; its Ansible group changes with it.", examples=["paris"])
    name: str = Field("", examples=["Paris, rue de Lille"])


class SiteOut(BaseModel):
    """A site."""

    slug: str = Field(examples=["paris"])
    name: str = Field(examples=["Paris, rue de Lille"])
    parent: str | None = Field(description="The site it is part of, if your perimeter shows it.", examples=[None])
    time_zone: str = Field(examples=["Europe/Paris"])
    relay: str | None = Field(description=RELAY, examples=[None])
    content_url: str
    variables: dict[str, Any]
    subnets: list[str] = Field(description="Sorted.", examples=[["10.1.2.0/24"]])
    group: str = Field(description="Its group in Ansible's inventory.", examples=["site_paris"])
    stations: int = Field(description="Stations of it and of the sites below it that you see.", examples=[12])


def find(perimeter: Perimeter, slug: str, right: Right = Right.VIEW, where: str = "path.slug") -> Site:
    """A site of the perimeter. Missing when it is not there, or elsewhere."""
    site = locked(Site.objects.within(perimeter, right).filter(slug=slug).select_related("parent", "relay")).first()
    if site is None:
        raise Missing("There is no such site.", "Look at /api/v1/sites for the sites there are.", where)
    return site


def show(sites: Sequence[Site], perimeter: Perimeter) -> list[dict[str, Any]]:
    """Sites as they are answered."""
    parents = dict(Site.objects.within(perimeter).filter(pk__in={each.parent_id for each in sites}).values_list("pk", "slug"))
    relays = dict(Station.objects.within(perimeter).filter(pk__in={each.relay_id for each in sites}).values_list("pk", "name"))
    subnets: dict[int, list[str]] = {}
    for subnet in Subnet.objects.within(perimeter).filter(site__in=sites):
        subnets.setdefault(subnet.site_id, []).append(subnet.network)
    return [
        {
            "slug": site.slug,
            "name": site.name,
            "parent": parents.get(site.parent_id or 0),
            "time_zone": site.time_zone,
            "relay": relays.get(site.relay_id or 0),
            "content_url": site.content_url,
            "variables": site.variables,
            "subnets": sorted(subnets.get(site.pk, [])),
            "group": site.group_name,
            "stations": Station.objects.within(perimeter).filter(site__path__startswith=site.path).count(),
        }
        for site in sites
    ]


@router.get("/sites", response=read(Page[SiteOut]), summary="Sites of your perimeter")
def list_sites(request: Request, limit: Limit = 100, offset: Offset = 0) -> dict[str, Any]:
    """In the order of their short names."""
    return page(
        request, Site.objects.within(request.perimeter).order_by("slug"), limit, offset, lambda sites: show(sites, request.perimeter)
    )


@router.post("/sites", response=created(SiteOut), summary="Add a site")
def add_site(request: Request, given: SiteNew) -> Status[dict[str, Any]]:
    """Needs sites.edit at the site it is to be part of; for all sites when it is at the top."""
    parent = find(request.perimeter, given.parent, where="body.parent") if given.parent else None
    need(request, Right.SITES, parent.pk if parent else None, "add a site")
    site = Site(parent=parent)
    write(site, given.model_dump(exclude_unset=True), request.perimeter)
    # The perimeter was read before the site was there.
    return Status(201, show([site], perimeter_of(request))[0])


@router.get("/sites/{slug}", response=read(SiteOut), summary="A site")
def get_site(request: Request, slug: SiteSlug) -> dict[str, Any]:
    """With its subnets and variables."""
    return show([find(request.perimeter, slug)], request.perimeter)[0]


@router.patch("/sites/{slug}", response=changed(SiteOut), summary="Change a site")
def change_site(request: Request, slug: SiteSlug, given: SiteChange, if_match: IfMatch = None) -> dict[str, Any]:
    """Only what is given changes. Needs sites.edit at it; to move it, also where it is and where it comes to be."""
    site = find(request.perimeter, slug)
    need(request, Right.SITES, site.pk, "change a site")
    before = show([site], request.perimeter)[0]
    must_match(if_match, SiteOut, before)
    wanted = given.model_dump(exclude_unset=True)
    if "parent" in wanted and wanted["parent"] != before["parent"]:
        move(request, site, wanted["parent"])
    write(site, wanted, request.perimeter)
    return show([site], perimeter_of(request))[0]


@router.delete("/sites/{slug}", response=removed(), summary="Remove a site")
def remove_site(request: Request, slug: SiteSlug, if_match: IfMatch = None) -> Status[None]:
    """Which has no stations, groups, contents and sites below it any more."""
    site = find(request.perimeter, slug)
    need(request, Right.SITES, site.pk, "remove a site")
    must_match(if_match, SiteOut, show([site], request.perimeter)[0])
    site.delete()
    return Status(204, None)


def move(request: Request, site: Site, parent: str | None) -> None:
    """Make a site part of another."""
    new = find(request.perimeter, parent, where="body.parent") if parent else None
    need(request, Right.SITES, site.parent_id, "move a site away from where it is")
    need(request, Right.SITES, new.pk if new else None, "move a site there")
    gained = rights_gained(request.perimeter, site, new)
    if gained:
        raise Denied(RIGHTS_MOVE % {"rights": ", ".join(gained)}, str(RIGHTS_REMEDY), "body.parent")
    site.parent = new


def write(site: Site, wanted: Mapping[str, Any], perimeter: Perimeter) -> None:
    """Save what is wanted of a site, its parent excepted. ValidationError and Faulty for what cannot be."""
    for name in ("slug", "name", "time_zone", "content_url", "variables"):
        if name in wanted:
            setattr(site, name, wanted[name])
    if "relay" in wanted:
        site.relay = relay(wanted["relay"], site, perimeter)
    site.full_clean(exclude=["path", "parent", "relay"])
    site.save()
    if "subnets" in wanted:
        write_subnets(site, wanted["subnets"], perimeter)


def relay(name: str | None, site: Site, perimeter: Perimeter) -> Station | None:
    """The station that a site's relay is to be; the one that the asker does not see stays when they say none."""
    seen = Station.objects.within(perimeter)
    if name is None:
        return None if site.relay_id is None or seen.filter(pk=site.relay_id).exists() else site.relay
    found = seen.filter(name__iexact=name).first()
    if found is None:
        raise Missing("There is no such station.", "Give the name of a station of your perimeter.", "body.relay")
    return found


def write_subnets(site: Site, wanted: Sequence[str], perimeter: Perimeter) -> None:
    """Make a site's subnets what is wanted. Faulty for those that whoever asks cannot claim."""
    field = Subnet._meta.get_field("network")
    networks = {field.to_python(each) for each in wanted}
    faults = refused_subnets(sorted(networks), site, site.parent, perimeter)
    if faults:
        raise Faulty([replace(fault, where="body.subnets") for fault in faults])
    site.subnets.exclude(network__in=networks).delete()
    for network in sorted(networks - set(site.subnets.values_list("network", flat=True))):
        subnet = Subnet(site=site, network=network)
        subnet.full_clean(exclude=["site"])
        subnet.save()
