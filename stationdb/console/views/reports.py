# Copyright: (c) 2026, Fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Reports for who looks after all sites: what came last, what waits, and what was refused and why."""

from __future__ import annotations

from django.http import HttpResponse, HttpResponseBase
from django.shortcuts import render
from django.utils.translation import gettext_lazy

from ...accounts.rights import Right
from ...reports.models import Report, Unplaced
from .. import sheet
from ..intake import Refused, intake, refused
from ..sheet import Column
from .access import Request, page

SHOWN = 50
"""Reports of each kind on the page."""

EXPORTED = 5000

REFUSED_COLUMNS: list[Column[Refused]] = [
    Column(gettext_lazy("Received"), lambda row: row.received),
    Column(gettext_lazy("Station"), lambda row: row.station),
    Column(gettext_lazy("Address"), lambda row: row.address),
    Column(gettext_lazy("Agent"), lambda row: row.agent),
    Column(gettext_lazy("Way"), lambda row: row.way),
    Column(gettext_lazy("Why"), lambda row: row.reason),
    Column(gettext_lazy("File"), lambda row: row.id),
]


@page(Right.VIEW, everywhere=True)
def reports(request: Request) -> HttpResponse:
    """What no site can be told of: refused documents, stations without a site, documents that wait for a worker."""
    unplaced = Unplaced.objects.within(request.perimeter)
    context = {
        "intake": intake(),
        "refused": refused(SHOWN),
        "unplaced": unplaced[:SHOWN],
        "unplaced_number": unplaced.count(),
        "reports": Report.objects.within(request.perimeter).select_related("station__site").order_by("-received")[:SHOWN],
    }
    return render(request, "console/reports.html", context)


@page(Right.EXPORT, everywhere=True)
def refused_csv(request: Request) -> HttpResponseBase:
    """What was refused, as CSV."""
    return sheet.csv_list("refused", REFUSED_COLUMNS, refused(EXPORTED))
