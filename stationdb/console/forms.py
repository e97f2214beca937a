# Copyright: (c) 2026, Fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Forms for stations, sites, groups, users and roles. What a user may choose is what the perimeter lets them change."""

from __future__ import annotations

import re
from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from ..accounts.models import Assignment, Role, User
from ..accounts.perimeter import Perimeter
from ..accounts.rights import Right
from ..content.models import Image
from ..criteria import CriteriaError, compile
from ..registry.fields import NetworkField, mac_address
from ..registry.models import Group, MacAddress, Site, Station, Subnet
from ..registry.moving import RIGHTS_MOVE, RIGHTS_REMEDY, SECRETS_MOVE, SECRETS_REMEDY, leave_groups, may_take_secrets, rights_gained
from ..registry.subnets import refused_subnets

VARIABLES = gettext_lazy('Ansible variables as JSON, such as {"room": 12}.')


class StationName(forms.CharField):
    """A station, written by its name: a fleet is too large to choose from."""

    perimeter = Perimeter()

    def prepare_value(self, value: Any) -> Any:
        if isinstance(value, int):
            station = Station.objects.within(self.perimeter).filter(pk=value).first()
            return station.name if station else ""
        return value

    def clean(self, value: Any) -> Any:
        name = super().clean(value).strip()
        if not name:
            return None
        station = Station.objects.within(self.perimeter).filter(name__iexact=name).first()
        if station is None:
            raise ValidationError(_("There is no station named %(name)s.") % {"name": name})
        return station

    def has_changed(self, initial: Any, data: Any) -> bool:
        return bool(self.prepare_value(initial) != data)


class Lines(forms.CharField):
    """Words on lines or between spaces."""

    widget = forms.Textarea(attrs={"rows": 3, "spellcheck": "false"})

    def clean(self, value: Any) -> Any:
        return re.split(r"[\s,;]+", text) if (text := super().clean(value).strip()) else []


class StationForm(forms.ModelForm):  # type: ignore[type-arg]  # not subscriptable when run
    """A station, its cards and its static groups."""

    model = StationName(
        label=gettext_lazy("Model"), required=False, help_text=gettext_lazy("Name of the station whose image it is meant to have.")
    )
    macs = Lines(label=gettext_lazy("MAC addresses"), required=False, help_text=gettext_lazy("One a line."))

    class Meta:
        """What people write; reports write the rest."""

        model = Station
        fields = (
            "name",
            "site",
            "state",
            "kind",
            "tag",
            "serial",
            "uuid",
            "address",
            "model",
            "image",
            "disk_identity",
            "variables",
            "comment",
        )
        help_texts = {
            "disk_identity": gettext_lazy("What images may be written to, such as serial:S4EVNX0M123456."),
            "variables": VARIABLES,
        }
        widgets = {"comment": forms.Textarea(attrs={"rows": 3}), "variables": forms.Textarea(attrs={"rows": 3, "spellcheck": "false"})}

    def __init__(self, perimeter: Perimeter, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        self.perimeter = perimeter
        self.fields["model"].perimeter = perimeter  # type: ignore[attr-defined]  # StationName
        choose(self, "site", Site.objects.within(perimeter, Right.EDIT))
        choose(self, "image", Image.objects.within(perimeter))
        if self.instance.pk:
            self.fields["macs"].initial = "\n".join(card.mac for card in self.instance.macs.all())

    def clean_name(self) -> str:
        """A name that is free, whatever its case; said beside the field, where the constraint's own message would not stand."""
        name: str = self.cleaned_data["name"]
        if Station.objects.filter(name__iexact=name).exclude(pk=self.instance.pk or 0).exists():
            raise ValidationError(_("The name is taken."))
        return name

    def clean_model(self) -> Station | None:
        """One that the asker does not see stays when they say none."""
        kept: Station | None = kept_unseen(self, "model", Station.objects.within(self.perimeter))
        return kept

    def clean_image(self) -> Image | None:
        """The same."""
        kept: Image | None = kept_unseen(self, "image", Image.objects.within(self.perimeter))
        return kept

    def clean_macs(self) -> list[str]:
        """Addresses in one spelling; one of another station is refused."""
        macs = sorted({mac_address(text) for text in self.cleaned_data["macs"]})
        taken = MacAddress.objects.filter(mac__in=macs).exclude(station=self.instance.pk).values_list("mac", flat=True)
        if taken:
            raise ValidationError(_("Another station has %(macs)s.") % {"macs": ", ".join(taken)})
        return macs

    def clean_site(self) -> Site:
        """Where its secret values are read by nobody who could not read them before, but for who may read them now."""
        site: Site = self.cleaned_data["site"]
        before = self.initial.get("site")
        if before and self.instance.values.exists() and not may_take_secrets(self.perimeter, before, site.pk):
            raise ValidationError(f"{SECRETS_MOVE} {SECRETS_REMEDY}")
        return site

    def save(self, commit: bool = True) -> Station:
        """The station with its cards, without the groups of a site that it left."""
        station: Station = super().save(commit)
        leave_groups([station.pk])
        station.macs.exclude(mac__in=self.cleaned_data["macs"]).delete()
        for mac in self.cleaned_data["macs"]:
            MacAddress.objects.get_or_create(mac=mac, station=station)
        return station


class SiteForm(forms.ModelForm):  # type: ignore[type-arg]  # not subscriptable when run
    """A site and its subnets. Its parent is a site that the user may change; none needs the right for all sites."""

    relay = StationName(label=gettext_lazy("Relay"), required=False, help_text=gettext_lazy("Name of a station."))
    subnets = Lines(label=gettext_lazy("Subnets"), required=False, help_text=gettext_lazy("One a line, such as 10.1.2.0/24."))

    class Meta:
        """All but the path."""

        model = Site
        fields = ("slug", "name", "parent", "time_zone", "relay", "content_url", "variables")
        help_texts = {"variables": VARIABLES}
        widgets = {"variables": forms.Textarea(attrs={"rows": 3, "spellcheck": "false"})}

    def __init__(self, perimeter: Perimeter, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        self.perimeter = perimeter
        self.fields["relay"].perimeter = perimeter  # type: ignore[attr-defined]  # StationName
        if self.instance.pk and not perimeter.covers(self.instance.parent_id, Right.SITES):
            # Who has no right for the parent does not move the site away from it, and perhaps may not even see it.
            del self.fields["parent"]
        else:
            choose(self, "parent", Site.objects.within(perimeter, Right.SITES).exclude(pk=self.instance.pk or 0))
            self.fields["parent"].required = not perimeter.everywhere(Right.SITES)
        if self.instance.pk:
            self.fields["subnets"].initial = "\n".join(subnet.network for subnet in self.instance.subnets.all())

    def clean_parent(self) -> Site | None:
        """Where the asker has no more rights than here."""
        parent: Site | None = self.cleaned_data["parent"]
        if self.instance.pk and (parent.pk if parent else None) != self.initial["parent"]:
            gained = rights_gained(self.perimeter, self.instance, parent)
            if gained:
                raise ValidationError(f"{RIGHTS_MOVE % {'rights': ', '.join(gained)}} {RIGHTS_REMEDY}")
        return parent

    def clean_relay(self) -> Station | None:
        """One that the asker does not see stays when they say none."""
        kept: Station | None = kept_unseen(self, "relay", Station.objects.within(self.perimeter))
        return kept

    def clean_subnets(self) -> list[str]:
        """Subnets in one spelling; one of another site is refused."""
        networks = sorted({str(NetworkField._normal(text)) for text in self.cleaned_data["subnets"]})
        taken = Subnet.objects.filter(network__in=networks).exclude(site=self.instance.pk or 0).values_list("network", flat=True)
        if taken:
            raise ValidationError(_("Another site has %(networks)s.") % {"networks": ", ".join(taken)})
        site = self.instance if self.instance.pk else None
        faults = refused_subnets(networks, site, self.cleaned_data.get("parent", self.instance.parent), self.perimeter)
        if faults:
            raise ValidationError([f"{fault.what} {fault.remedy}" for fault in faults])
        return networks

    def save(self, commit: bool = True) -> Site:
        """The site with its subnets."""
        site: Site = super().save(commit)
        site.subnets.exclude(network__in=self.cleaned_data["subnets"]).delete()
        for network in self.cleaned_data["subnets"]:
            Subnet.objects.get_or_create(network=network, site=site)
        return site


class GroupForm(forms.ModelForm):  # type: ignore[type-arg]  # not subscriptable when run
    """A group. With criteria it is dynamic."""

    class Meta:
        """All but the stations."""

        model = Group
        fields = ("name", "description", "site", "criteria", "variables")
        widgets = {
            "criteria": forms.Textarea(attrs={"rows": 2, "spellcheck": "false", "class": "criteria"}),
            "variables": forms.Textarea(attrs={"rows": 3, "spellcheck": "false"}),
        }
        help_texts = {
            "criteria": gettext_lazy("Which stations are in it; empty for a group whose stations are named."),
            "variables": VARIABLES,
        }

    def __init__(self, perimeter: Perimeter, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        self.perimeter = perimeter
        choose(self, "site", Site.objects.within(perimeter, Right.GROUPS))
        self.fields["site"].required = not perimeter.everywhere(Right.GROUPS)

    def clean_criteria(self) -> str:
        """Criteria that compile."""
        text: str = self.cleaned_data["criteria"].strip()
        if text:
            try:
                compile(text, self.perimeter, group=self.cleaned_data.get("name", ""))
            except CriteriaError as error:
                place = text[error.position : error.position + max(error.length, 1)] or _("the end")
                raise ValidationError(
                    _("At character %(number)s (%(place)s): %(message)s") % {"number": error.position + 1, "place": place, "message": error}
                ) from error
        return text

    def save(self, commit: bool = True) -> Group:
        """The group, without stations of other sites."""
        group: Group = super().save(commit)
        group.leave_out_others()
        return group


class UserForm(forms.ModelForm):  # type: ignore[type-arg]  # not subscriptable when run
    """A user, without roles and password."""

    class Meta:
        """Who it is."""

        model = User
        fields = ("username", "first_name", "last_name", "email", "language", "is_active")


class AssignmentForm(forms.ModelForm):  # type: ignore[type-arg]  # not subscriptable when run
    """One more role of a user."""

    class Meta:
        """Which role, where."""

        model = Assignment
        fields = ("role", "site")

    def __init__(self, perimeter: Perimeter, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        choose(self, "site", Site.objects.within(perimeter, Right.USERS))
        site = self.fields["site"]
        assert isinstance(site, forms.ModelChoiceField)
        site.required = not perimeter.everywhere(Right.USERS)
        site.empty_label = _("all sites") if not site.required else "---------"


class RoleForm(forms.ModelForm):  # type: ignore[type-arg]  # not subscriptable when run
    """A role and its rights."""

    rights = forms.MultipleChoiceField(
        label=gettext_lazy("Rights"), choices=Right.choices, widget=forms.CheckboxSelectMultiple, required=False
    )

    class Meta:
        """Name and rights."""

        model = Role
        fields = ("name", "rights")


class TableForm(forms.Form):
    """Stations as CSV, from a file or pasted."""

    file = forms.FileField(label=gettext_lazy("File"), required=False, widget=forms.FileInput(attrs={"accept": ".csv,text/csv"}))
    text = forms.CharField(
        label=gettext_lazy("Or pasted lines"), required=False, strip=False, widget=forms.Textarea(attrs={"rows": 6, "spellcheck": "false"})
    )

    def clean(self) -> dict[str, Any]:
        """The text in ``table``."""
        given = super().clean() or {}
        upload = given.get("file")
        try:
            given["table"] = upload.read().decode("utf-8-sig") if upload else given.get("text", "")
        except UnicodeDecodeError as error:
            raise ValidationError(_("The file is not UTF-8: byte %(place)s. Save it as “CSV UTF-8”.") % {"place": error.start}) from error
        if not str(given["table"]).strip():
            raise ValidationError(_("Choose a file, or paste lines."))
        return given


def kept_unseen(form: Any, name: str, seen: Any) -> Any:
    """What a form names; what is there already when it names nothing and who fills it in cannot see what is there."""
    given, there = form.cleaned_data[name], getattr(form.instance, f"{name}_id")
    return getattr(form.instance, name) if given is None and there and not seen.filter(pk=there).exists() else given


def choose(form: forms.BaseForm, name: str, choices: Any) -> None:
    """Let a field choose among some rows; sites stand in it as a tree."""
    field = form.fields[name]
    assert isinstance(field, forms.ModelChoiceField)
    field.queryset = choices
    if choices.model is Site:
        # How much lies above the highest site that is seen is not told.
        top = min((path.count("/") for path in choices.values_list("path", flat=True)), default=0)
        field.label_from_instance = lambda site: "\u2003" * (site.path.count("/") - top) + site.name  # type: ignore[method-assign,assignment]
