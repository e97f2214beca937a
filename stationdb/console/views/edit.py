# Copyright: (c) 2026, Fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Adding, changing and removing stations, sites, groups, images and packages."""

from __future__ import annotations

from typing import Any

from django import forms
from django.contrib import messages
from django.db import IntegrityError, models, transaction
from django.db.models import ProtectedError
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from ...accounts.rights import Right
from ...content.models import Content, Image, Package
from ...registry.models import Group, Site, Station, StationValue
from .. import figures
from ..contentforms import ImageForm, PackageForm
from ..forms import GroupForm, SiteForm, StationForm
from .access import Request, page, require

BOTH = ("GET", "HEAD", "POST")


@page(Right.EDIT, methods=BOTH)
def station_add(request: Request) -> HttpResponse:
    """A new station."""
    return _edit(request, StationForm, None, _("New station"), "console:stations")


@page(Right.EDIT, methods=BOTH)
def station_edit(request: Request, pk: int) -> HttpResponse:
    """Change a station."""
    it = _mine(request, Station, pk, Right.EDIT)
    return _edit(request, StationForm, it, it.name, "console:station")


@page(Right.EDIT, methods=BOTH)
def station_remove(request: Request, pk: int) -> HttpResponse:
    """Remove a station with all that is known of it."""
    return _remove(request, _mine(request, Station, pk, Right.EDIT), "console:station", "console:stations")


@page(Right.SITES, methods=BOTH)
def site_add(request: Request) -> HttpResponse:
    """A new site."""
    return _edit(request, SiteForm, None, _("New site"), "console:sites")


@page(Right.SITES, methods=BOTH)
def site_edit(request: Request, pk: int) -> HttpResponse:
    """Change a site."""
    it = _mine(request, Site, pk, Right.SITES)
    return _edit(request, SiteForm, it, it.name, "console:site")


@page(Right.SITES, methods=BOTH)
def site_remove(request: Request, pk: int) -> HttpResponse:
    """Remove a site that holds nothing any more."""
    return _remove(request, _mine(request, Site, pk, Right.SITES), "console:site", "console:sites")


@page(Right.GROUPS, methods=BOTH)
def group_add(request: Request) -> HttpResponse:
    """A new group."""
    return _edit(request, GroupForm, None, _("New group"), "console:groups")


@page(Right.GROUPS, methods=BOTH)
def group_edit(request: Request, pk: int) -> HttpResponse:
    """Change a group."""
    it = _mine(request, Group, pk, Right.GROUPS)
    return _edit(request, GroupForm, it, it.name, "console:group")


@page(Right.GROUPS, methods=BOTH)
def group_remove(request: Request, pk: int) -> HttpResponse:
    """Remove a group; its stations stay."""
    return _remove(request, _mine(request, Group, pk, Right.GROUPS), "console:group", "console:groups")


@page(Right.CONTENT, methods=BOTH)
def image_add(request: Request) -> HttpResponse:
    """Register an image."""
    return _edit(request, ImageForm, None, _("Register an image"), "console:images")


@page(Right.CONTENT, methods=BOTH)
def image_edit(request: Request, pk: int) -> HttpResponse:
    """Change what is said of an image."""
    it = _mine(request, Image, pk, Right.CONTENT)
    return _edit(request, ImageForm, it, str(it), "console:image")


@page(Right.CONTENT, methods=BOTH)
def image_remove(request: Request, pk: int) -> HttpResponse:
    """Retire an image; the content store keeps its chunks until they are pruned."""
    it = _mine(request, Image, pk, Right.CONTENT)
    assigned = Station.objects.within(request.perimeter).filter(image=it).count()
    return _remove(request, it, "console:image", "console:images", assigned=assigned)


@page(Right.CONTENT, methods=BOTH)
def package_add(request: Request) -> HttpResponse:
    """Register a package."""
    return _edit(request, PackageForm, None, _("Register a package"), "console:packages")


@page(Right.CONTENT, methods=BOTH)
def package_edit(request: Request, pk: int) -> HttpResponse:
    """Change what is said of a package."""
    it = _mine(request, Package, pk, Right.CONTENT)
    return _edit(request, PackageForm, it, str(it), "console:package")


@page(Right.CONTENT, methods=BOTH)
def package_remove(request: Request, pk: int) -> HttpResponse:
    """Retire a package; the content store keeps its chunks until they are pruned."""
    return _remove(request, _mine(request, Package, pk, Right.CONTENT), "console:package", "console:packages")


class ValueForm(forms.ModelForm):  # type: ignore[type-arg]  # not subscriptable when run
    """A secret value; saving one of the same name replaces it."""

    value = forms.CharField(label=gettext_lazy("Value"), max_length=4000, widget=forms.PasswordInput(attrs={"autocomplete": "off"}))

    class Meta:
        """Its name and what it is."""

        model = StationValue
        fields = ("name",)


@page(Right.EDIT, methods=("POST",))
def value_save(request: Request, pk: int) -> HttpResponse:
    """Keep a secret value of a station; needs both the right to change it and the right to read secrets."""
    it = _mine(request, Station, pk, Right.EDIT)
    require(request, it.site_id, Right.SECRETS)
    form = ValueForm(request.POST)
    if form.is_valid():
        StationValue.objects.update_or_create(station=it, name=form.cleaned_data["name"], defaults={"value": form.cleaned_data["value"]})
        messages.success(request, _("The value “%(name)s” was saved.") % {"name": form.cleaned_data["name"]})
    else:
        messages.error(request, " ".join(str(error) for errors in form.errors.values() for error in errors))
    return redirect("console:station", pk=pk)


@page(Right.EDIT, methods=("POST",))
def value_remove(request: Request, pk: int, value: int) -> HttpResponse:
    """Forget a secret value."""
    it = _mine(request, Station, pk, Right.EDIT)
    require(request, it.site_id, Right.SECRETS)
    get_object_or_404(StationValue, station=it, pk=value).delete()
    messages.success(request, _("The value was removed."))
    return redirect("console:station", pk=pk)


def _mine(request: Request, model: Any, pk: int, right: Right) -> Any:
    """A row that is seen (else 404) and may be changed (else 403)."""
    it = get_object_or_404(model.objects.within(request.perimeter), pk=pk)
    require(request, it.pk if model is Site else it.site_id, right)
    return it


def _edit(request: Request, form_class: Any, it: models.Model | None, title: str, back: str) -> HttpResponse:
    """Show a form, or save it. Where a row may go is what the form lets choose."""
    form = (
        form_class(request.perimeter, request.POST or None, instance=it)
        if request.method == "POST"
        else form_class(request.perimeter, instance=it)
    )
    if request.method == "POST" and form.is_valid():
        try:
            with transaction.atomic():
                saved = form.save()
        except IntegrityError:
            form.add_error(None, _("Somebody saved the same name or address at this moment. Look again."))
        else:
            figures.forget()
            messages.success(request, _("%(name)s was saved.") % {"name": saved})
            return redirect(f"console:{saved._meta.model_name}", pk=saved.pk)
    context = {"form": form, "title": title, "it": it, "back": back, "kind": form_class._meta.model._meta.model_name}
    return render(request, "console/edit.html", context, status=400 if form.errors else 200)


def _remove(request: Request, it: Any, page_of_it: str, list_of_them: str, **told: int) -> HttpResponse:
    """Ask (images and packages are retired, in words), then remove. What still holds others is not removed."""
    if request.method == "POST":
        name = str(it)
        try:
            with transaction.atomic():
                it.delete()
        except ProtectedError as error:
            held = ", ".join(str(each) for each in list(error.protected_objects)[:5])
            messages.error(request, _("%(name)s was not removed, because it is still used by: %(held)s") % {"name": it, "held": held})
            return redirect(page_of_it, pk=it.pk)
        figures.forget()
        text = _("%(name)s was retired.") if isinstance(it, Content) else _("%(name)s was removed.")
        messages.success(request, text % {"name": name})
        return redirect(list_of_them)
    template = "console/retire.html" if isinstance(it, Content) else "console/remove.html"
    return render(request, template, {"it": it, "back": page_of_it, "kind": it._meta.verbose_name, **told})
