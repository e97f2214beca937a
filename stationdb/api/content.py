# Copyright: (c) 2026, Fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Images and packages that are registered: names of manifests in the content store."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Annotated, Any, TypeVar

from ninja import Query, Router
from ninja.responses import Status
from pydantic import BaseModel, Field

from ..accounts.middleware import Request
from ..accounts.perimeter import Perimeter
from ..accounts.rights import Right
from ..content.models import Content, Image, Package
from ..errors import Missing
from ..registry.models import Site, Station
from . import sites, stations
from .answers import changed, created, read, removed
from .auth import need
from .etags import IfMatch, locked, must_match
from .paging import Limit, Offset, Page, page
from .types import NO_NUL, ContentName, ContentVersion, Given

router = Router()

C = TypeVar("C", Image, Package)
SITE = "Short name of the site it is for; null: for all sites. Needs content.edit there."
Named = Annotated[str | None, Query(description="Only versions of this name.", pattern=NO_NUL, max_length=100)]


class ContentFields(Given):
    """What can be said of a version besides its name."""

    site: str | None = Field(None, description=SITE, examples=["paris"])
    description: str = Field("", examples=["Classrooms, autumn"])
    size: int | None = Field(None, ge=0, le=2**62, description="Bytes that a station ends up with.", examples=[8589934592])
    manifest: str = Field("", description="SHA-256 of the manifest in hexadecimal; empty: not known.", examples=["0" * 64])


class PackageNew(ContentFields):
    """A version of a package to register."""

    name: str = Field(examples=["libreoffice"])
    version: str = Field(examples=["24.2.7"])


class ImageNew(PackageNew):
    """A version of an image to register."""

    source: str | None = Field(None, description="Host name of the station it was captured from.", examples=["model01"])


class PackageChange(ContentFields):
    """What to change; what is left out stays."""


class ImageChange(ContentFields):
    """What to change; what is left out stays."""

    source: str | None = Field(None, description="Host name of the station it was captured from.", examples=["model01"])


class PackageOut(BaseModel):
    """A version of a package."""

    name: str = Field(examples=["libreoffice"])
    version: str = Field(examples=["24.2.7"])
    site: str | None = Field(description="The site it is for; null: for all sites.", examples=[None])
    description: str
    size: int | None = Field(description="Bytes that a station ends up with.")
    manifest: str = Field(description="SHA-256 of the manifest in hexadecimal; empty: not known.")
    created: datetime


class ImageOut(PackageOut):
    """A version of an image."""

    source: str | None = Field(description="Host name of the station it was captured from, if your perimeter shows it.")


def find(model: type[C], perimeter: Perimeter, name: str, version: str) -> C:
    """A version within the perimeter. Missing when it is not there, or elsewhere."""
    found = locked(model.objects.within(perimeter).filter(name=name, version=version)).first()
    if found is None:
        raise Missing("There is no such version.", f"Look at /api/v1/{model._meta.model_name}s for those there are.", "path.name")
    return found


def show(rows: Sequence[Content], perimeter: Perimeter) -> list[dict[str, Any]]:
    """Versions as they are answered."""
    slugs = dict(Site.objects.within(perimeter).filter(pk__in={row.site_id for row in rows if row.site_id}).values_list("pk", "slug"))
    ids = {row.source_id for row in rows if isinstance(row, Image) and row.source_id}
    sources = dict(Station.objects.within(perimeter).filter(pk__in=ids).values_list("pk", "name"))
    return [
        {name: getattr(row, name) for name in ("name", "version", "description", "size", "manifest", "created")}
        | {"site": slugs.get(row.site_id or 0)}
        | ({"source": sources.get(row.source_id or 0)} if isinstance(row, Image) else {})
        for row in rows
    ]


def write(request: Request, row: Content, wanted: Mapping[str, Any]) -> None:
    """Save what is wanted of a version. ValidationError and Missing for what cannot be."""
    if row.pk is not None:
        need(request, Right.CONTENT, row.site_id, "change it")
    if "site" in wanted:
        row.site = sites.find(request.perimeter, wanted["site"], where="body.site") if wanted["site"] else None
    need(request, Right.CONTENT, row.site_id, "register it")
    for name in ("name", "version", "description", "size", "manifest"):
        if name in wanted:
            setattr(row, name, wanted[name])
    if isinstance(row, Image) and "source" in wanted and (wanted["source"] or show([row], request.perimeter)[0]["source"]):
        row.source = stations.find(request.perimeter, wanted["source"]) if wanted["source"] else None
    row.full_clean(exclude=["site", "source"])
    row.save()


def add(request: Request, row: Content, wanted: Mapping[str, Any]) -> Status[dict[str, Any]]:
    """Register a version."""
    write(request, row, wanted)
    return Status(201, show([row], request.perimeter)[0])


def change(request: Request, row: Content, wanted: Mapping[str, Any], shape: type[BaseModel], if_match: str | None) -> dict[str, Any]:
    """Change a version."""
    must_match(if_match, shape, show([row], request.perimeter)[0])
    write(request, row, wanted)
    return show([row], request.perimeter)[0]


def remove(request: Request, row: Content, shape: type[BaseModel], if_match: str | None) -> Status[None]:
    """Forget a version; the content store keeps it until it is pruned."""
    need(request, Right.CONTENT, row.site_id, "remove it")
    must_match(if_match, shape, show([row], request.perimeter)[0])
    row.delete()
    return Status(204, None)


@router.get("/images", response=read(Page[ImageOut]), summary="Images of your perimeter", tags=["images"])
def list_images(request: Request, name: Named = None, limit: Limit = 100, offset: Offset = 0) -> dict[str, Any]:
    """By name, the newest version first: those of your sites, and those of all sites."""
    rows = Image.objects.within(request.perimeter).order_by("name", "-created", "id")
    return page(request, rows.filter(name=name) if name else rows, limit, offset, lambda found: show(found, request.perimeter))


@router.post("/images", response=created(ImageOut), summary="Register an image", tags=["images"])
def add_image(request: Request, given: ImageNew) -> Status[dict[str, Any]]:
    """Needs content.edit at its site; for all sites when it has none."""
    return add(request, Image(), given.model_dump(exclude_unset=True))


@router.get("/images/{name}/{version}", response=read(ImageOut), summary="An image", tags=["images"])
def get_image(request: Request, name: ContentName, version: ContentVersion) -> dict[str, Any]:
    """A version of it."""
    return show([find(Image, request.perimeter, name, version)], request.perimeter)[0]


@router.patch("/images/{name}/{version}", response=changed(ImageOut), summary="Change an image", tags=["images"])
def change_image(
    request: Request, name: ContentName, version: ContentVersion, given: ImageChange, if_match: IfMatch = None
) -> dict[str, Any]:
    """Only what is given changes."""
    row = find(Image, request.perimeter, name, version)
    return change(request, row, given.model_dump(exclude_unset=True), ImageOut, if_match)


@router.delete("/images/{name}/{version}", response=removed(), summary="Forget an image", tags=["images"])
def remove_image(request: Request, name: ContentName, version: ContentVersion, if_match: IfMatch = None) -> Status[None]:
    """Stations to which it was assigned have none afterwards; the content store keeps it until it is pruned."""
    return remove(request, find(Image, request.perimeter, name, version), ImageOut, if_match)


@router.get("/packages", response=read(Page[PackageOut]), summary="Packages of your perimeter", tags=["packages"])
def list_packages(request: Request, name: Named = None, limit: Limit = 100, offset: Offset = 0) -> dict[str, Any]:
    """By name, the newest version first: those of your sites, and those of all sites."""
    rows = Package.objects.within(request.perimeter).order_by("name", "-created", "id")
    return page(request, rows.filter(name=name) if name else rows, limit, offset, lambda found: show(found, request.perimeter))


@router.post("/packages", response=created(PackageOut), summary="Register a package", tags=["packages"])
def add_package(request: Request, given: PackageNew) -> Status[dict[str, Any]]:
    """Needs content.edit at its site; for all sites when it has none."""
    return add(request, Package(), given.model_dump(exclude_unset=True))


@router.get("/packages/{name}/{version}", response=read(PackageOut), summary="A package", tags=["packages"])
def get_package(request: Request, name: ContentName, version: ContentVersion) -> dict[str, Any]:
    """A version of it."""
    return show([find(Package, request.perimeter, name, version)], request.perimeter)[0]


@router.patch("/packages/{name}/{version}", response=changed(PackageOut), summary="Change a package", tags=["packages"])
def change_package(
    request: Request, name: ContentName, version: ContentVersion, given: PackageChange, if_match: IfMatch = None
) -> dict[str, Any]:
    """Only what is given changes."""
    row = find(Package, request.perimeter, name, version)
    return change(request, row, given.model_dump(exclude_unset=True), PackageOut, if_match)


@router.delete("/packages/{name}/{version}", response=removed(), summary="Forget a package", tags=["packages"])
def remove_package(request: Request, name: ContentName, version: ContentVersion, if_match: IfMatch = None) -> Status[None]:
    """The content store keeps it until it is pruned."""
    return remove(request, find(Package, request.perimeter, name, version), PackageOut, if_match)
