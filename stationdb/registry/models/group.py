# Copyright: (c) 2026, Fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Groups of stations."""

from __future__ import annotations

from django.core.exceptions import ValidationError
from django.db import models
from django.utils.translation import gettext_lazy as _

from ...accounts.perimeter import ScopedQuerySet
from ..fields import GROUP_NAME, PLAIN_TEXT
from .station import Station

RESERVED = ("all", "ungrouped", *Station.Kind.values)
"""Groups of Ansible, and of every station of a kind, whatever the site: variables of a site's group of that name would reach them all."""


class Group(models.Model):
    """Stations that are named (static), or those that meet criteria (dynamic). Its name is an Ansible group.

    A group of a site holds stations of that site and those below; one without a site belongs to all: whoever sees stations sees it, with
    the stations of their perimeter in it.
    """

    site_lookup = "site_id"
    shared_when_siteless = True

    name = models.CharField(_("name"), max_length=63, unique=True, validators=[GROUP_NAME])
    description = models.CharField(_("description"), max_length=200, blank=True, validators=[PLAIN_TEXT])
    site = models.ForeignKey("registry.Site", models.PROTECT, null=True, blank=True, related_name="groups", verbose_name=_("site"))
    criteria = models.TextField(_("criteria"), blank=True)
    """Blank: the group is static."""
    stations = models.ManyToManyField("registry.Station", blank=True, related_name="groups", verbose_name=_("stations"))
    """Of a static group."""
    variables = models.JSONField(_("variables"), default=dict, blank=True)

    objects = ScopedQuerySet.as_manager()

    class Meta:
        """Order by name."""

        ordering = ("name",)
        verbose_name = _("group")
        verbose_name_plural = _("groups")

    def __str__(self) -> str:
        return self.name

    @property
    def is_dynamic(self) -> bool:
        """Whether criteria say who is in it."""
        return bool(self.criteria)

    def leave_out_others(self) -> None:
        """A group that becomes a site's loses the stations of others."""
        if self.site:
            self.stations.remove(*self.stations.exclude(site__path__startswith=self.site.path))

    def clean(self) -> None:
        """Names that Ansible or the sites use are taken, and criteria go with a group that names no stations."""
        if self.is_dynamic and self.pk and self.stations.exists():
            names_them = _("The group names its stations, so that criteria cannot say who is in it as well. Take its stations out first.")
            raise ValidationError({"criteria": names_them})
        if self.name in RESERVED or self.name.startswith("site_"):
            raise ValidationError(
                {"name": _("%(name)s is a name of Ansible's, of a site's group or of a kind of stations.") % {"name": self.name}}
            )
        if not isinstance(self.variables, dict):
            raise ValidationError({"variables": _("Variables are an object of names and values.")})
