# Copyright: (c) 2026, Fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Software that stations of a perimeter have."""

from __future__ import annotations

from typing import Annotated, Any

from django.db.models import Count, Exists, OuterRef, QuerySet
from ninja import Query, Router
from pydantic import BaseModel, Field

from ..accounts.middleware import Request
from ..accounts.perimeter import Perimeter
from ..accounts.rights import Right
from ..reports.models import Holding, Software, SoftwareVersion
from .answers import read
from .auth import need_anywhere
from .paging import Limit, Offset, Page, page
from .types import NO_NUL

router = Router()

Search = Annotated[str, Query(description="Only software whose name contains this.", pattern=NO_NUL, max_length=255)]
Exact = Annotated[str, Query(description="The name of the software.", pattern=NO_NUL, min_length=1, max_length=255)]


class SoftwareOut(BaseModel):
    """A software that a station of your perimeter has."""

    name: str = Field(examples=["libreoffice"])
    source: str = Field(description="Where it is installed from.", examples=["deb"])
    publisher: str
    stations: int = Field(description="Stations of your perimeter that have it.", examples=[12])


class VersionOut(BaseModel):
    """A version that a station of your perimeter has."""

    name: str = Field(examples=["libreoffice"])
    source: str = Field(examples=["deb"])
    version: str = Field(examples=["4:24.2.7-1"])
    arch: str = Field(examples=["amd64"])
    stations: int = Field(description="Stations of your perimeter that have it.", examples=[12])


def held(perimeter: Perimeter, search: str) -> QuerySet[Software]:
    """Software that a station of the perimeter has."""
    there = Holding.objects.within(perimeter).filter(software_version__software=OuterRef("pk"))
    found = Software.objects.filter(Exists(there))
    return (found.filter(name__icontains=search) if search else found).order_by("name", "source")


@router.get("/software", response=read(Page[SoftwareOut]), summary="Software of your perimeter")
def list_software(request: Request, search: Search = "", limit: Limit = 100, offset: Offset = 0) -> dict[str, Any]:
    """In the order of names. Which stations have what below which version, /stations answers: `criteria=software "x" < 2.0`."""
    need_anywhere(request, Right.VIEW, "see software")

    def show(found: Any) -> list[dict[str, Any]]:
        counts = dict(
            Holding.objects.within(request.perimeter)
            .filter(software_version__software__in=found)
            .values_list("software_version__software")
            .annotate(stations=Count("station", distinct=True))
        )
        return [
            {"name": each.name, "source": each.source, "publisher": each.publisher, "stations": counts.get(each.pk, 0)} for each in found
        ]

    return page(request, held(request.perimeter, search), limit, offset, show)


@router.get("/software/versions", response=read(Page[VersionOut]), summary="Versions of a software")
def list_software_versions(request: Request, name: Exact, limit: Limit = 100, offset: Offset = 0) -> dict[str, Any]:
    """The oldest first, by the order of versions, with how many stations of your perimeter have each."""
    need_anywhere(request, Right.VIEW, "see software")
    there = Holding.objects.within(request.perimeter).filter(software_version=OuterRef("pk"))
    versions = SoftwareVersion.objects.filter(Exists(there), software__name=name).select_related("software")

    def show(found: Any) -> list[dict[str, Any]]:
        counts = dict(
            Holding.objects.within(request.perimeter)
            .filter(software_version__in=found)
            .values_list("software_version")
            .annotate(stations=Count("station", distinct=True))
        )
        return [
            {
                "name": each.software.name,
                "source": each.software.source,
                "version": each.version,
                "arch": each.arch,
                "stations": counts.get(each.pk, 0),
            }
            for each in found
        ]

    return page(request, versions.order_by("software__source", "version_key", "arch", "id"), limit, offset, show)
