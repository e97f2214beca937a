# Copyright: (c) 2026, Fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Forms for images and packages: the names of manifests in the content store, and what people say of them."""

from __future__ import annotations

from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from ..accounts.perimeter import Perimeter
from ..accounts.rights import Right
from ..content.models import Content, Image, Package
from ..criteria import CriteriaError
from ..criteria.syntax import Word
from ..criteria.values import size
from ..registry.models import Site, Station
from .forms import StationName, choose, kept_unseen

LARGEST = 2**62
"""Bytes, as in the API."""


class Size(forms.CharField):
    """Bytes, written with a unit as in criteria, or as a bare number; None when nothing is written."""

    def prepare_value(self, value: Any) -> Any:
        """In the largest unit of which it is a whole number."""
        if not isinstance(value, int):
            return value
        for unit, factor in ((_("TiB"), 1 << 40), (_("GiB"), 1 << 30), (_("MiB"), 1 << 20), (_("KiB"), 1 << 10)):
            if value and value % factor == 0:
                return f"{value // factor} {unit}"
        return str(value)

    def clean(self, value: Any) -> int | None:
        text: str = super().clean(value).strip()
        if not text:
            return None
        try:
            number = size(Word(f"{text} B" if text.isdecimal() else text, 0, len(text)))
        except CriteriaError as error:
            raise ValidationError(str(error)) from error
        if number > LARGEST:
            raise ValidationError(gettext_lazy("“%(text)s” is too large."), params={"text": text})
        return number

    def has_changed(self, initial: Any, data: Any) -> bool:
        return bool(self.prepare_value(initial) != data)


class ContentForm(forms.ModelForm):  # type: ignore[type-arg]  # not subscriptable when run
    """A version. Its name is for good: others know it by that."""

    size = Size(
        label=gettext_lazy("Size"), required=False, max_length=40, help_text=gettext_lazy("What a station ends up with, such as 14 GiB.")
    )

    def __init__(self, perimeter: Perimeter, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        self.perimeter = perimeter
        choose(self, "site", Site.objects.within(perimeter, Right.CONTENT))
        site = self.fields["site"]
        assert isinstance(site, forms.ModelChoiceField)
        site.required = not perimeter.everywhere(Right.CONTENT)
        site.empty_label = "---------" if site.required else str(gettext_lazy("all sites"))
        self.fields["manifest"].widget.attrs |= {"spellcheck": "false", "autocomplete": "off"}
        for name in ("name", "version"):
            self.fields[name].disabled = self.instance.pk is not None


MANIFEST = {"manifest": gettext_lazy("SHA-256 of the manifest in the content store, in hexadecimal; empty when it is not known.")}


class ImageForm(ContentForm):
    """An image, and the station it was captured from."""

    source = StationName(label=gettext_lazy("Captured from"), required=False, help_text=gettext_lazy("Name of a station."))

    class Meta:
        """All that is said of it."""

        model: type[Content] = Image
        fields = ("name", "version", "site", "source", "size", "description", "manifest")
        help_texts = MANIFEST

    def __init__(self, perimeter: Perimeter, *args: Any, **options: Any) -> None:
        super().__init__(perimeter, *args, **options)
        self.fields["source"].perimeter = perimeter  # type: ignore[attr-defined]  # StationName

    def clean_source(self) -> Station | None:
        """One that the asker does not see stays when they say none."""
        kept: Station | None = kept_unseen(self, "source", Station.objects.within(self.perimeter))
        return kept


class PackageForm(ContentForm):
    """A package."""

    class Meta:
        """All that is said of it."""

        model: type[Content] = Package
        fields = ("name", "version", "site", "size", "description", "manifest")
        help_texts = MANIFEST
