# Copyright: (c) 2026, Fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Stations from a table: what would change is shown first."""

from __future__ import annotations

import json

from django.contrib import messages
from django.db import transaction
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import ngettext

from ...accounts.rights import Right
from ...errors import StationDBError
from ...registry.table import COLUMNS
from ...registry.tableimport import ImportPlan
from .. import figures
from ..forms import TableForm
from .access import Request, page

SHOWN = 500
"""Changes and faults that a preview lists."""


@page(Right.EDIT, methods=("GET", "HEAD", "POST"))
@transaction.atomic
def imports(request: Request) -> HttpResponse:
    """The form, its preview, and with ``apply`` the import itself; a table with one fault changes nothing."""
    form = TableForm(request.POST or None, request.FILES or None)
    context = {"form": form, "columns": COLUMNS.items()}
    if request.method != "POST" or not form.is_valid():
        return render(request, "console/import.html", context, status=400 if form.errors else 200)
    table = form.cleaned_data["table"]
    plan = ImportPlan.read(table, request.perimeter)
    if "apply" in request.POST and not plan.errors:
        try:
            number = plan.apply()
        except StationDBError as error:
            messages.error(request, str(error))
        else:
            figures.forget()
            text = ngettext("%(number)s station was imported.", "%(number)s stations were imported.", number) % {"number": number}
            messages.success(request, text)
            return redirect("console:stations")
    context |= {
        "plan": plan,
        "changes": [
            (change, [(each.field, _said(each.before), _said(each.after)) for each in change.changes]) for change in plan.changes[:SHOWN]
        ],
        "errors": plan.errors[:SHOWN],
        "table": table,
        "more": max(len(plan.changes) - SHOWN, 0),
    }
    return render(request, "console/import.html", context)


def _said(value: object) -> str:
    """A field's value as one reads it."""
    if value in (None, "", [], {}):
        return ""
    if isinstance(value, list | tuple | set):
        return " ".join(map(str, value))
    return json.dumps(value, ensure_ascii=False, sort_keys=True) if isinstance(value, dict) else str(value)
