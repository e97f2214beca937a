# Copyright: (c) 2026, Fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Sites and their subnets."""

from __future__ import annotations

from typing import Any

from django.core.exceptions import ValidationError
from django.db import models, transaction
from django.utils.translation import gettext_lazy as _

from ...accounts.perimeter import ScopedQuerySet
from ..fields import GROUP_NAME, PLAIN_TEXT, NetworkField, time_zone


class Site(models.Model):
    """An entity with subnets and perhaps a relay; sites nest. Its slug is ``site_<slug>`` in Ansible's inventory."""

    site_lookup = "id"

    slug = models.CharField(_("short name"), max_length=63, unique=True, validators=[GROUP_NAME])
    name = models.CharField(_("name"), max_length=100, validators=[PLAIN_TEXT])
    parent = models.ForeignKey("self", models.PROTECT, null=True, blank=True, related_name="children", verbose_name=_("part of"))
    path = models.CharField(max_length=255, unique=True, editable=False)
    """Ids from the root, each between slashes, so that the sites below one begin with its path."""
    time_zone = models.CharField(_("time zone"), max_length=64, blank=True, validators=[time_zone])
    """Blank: the parent's."""
    relay = models.ForeignKey("registry.Station", models.SET_NULL, null=True, blank=True, related_name="relay_of", verbose_name=_("relay"))
    content_url = models.URLField(_("address of the relay's content"), blank=True)
    """https://relay.site.example/content; blank: the parent's. The root's is the centre."""
    variables = models.JSONField(_("variables"), default=dict, blank=True)
    """Ansible variables of the site's group."""

    objects = ScopedQuerySet.as_manager()

    class Meta:
        """Order as a tree."""

        ordering = ("path",)
        verbose_name = _("site")
        verbose_name_plural = _("sites")
        indexes = [
            models.Index(fields=["path"], name="site_path_prefix", opclasses=["varchar_pattern_ops"]),
            models.Index(fields=["name"], name="site_name_order"),
        ]
        constraints = [models.CheckConstraint(condition=~models.Q(parent=models.F("id")), name="site_is_not_its_parent")]

    def __str__(self) -> str:
        return self.name

    @property
    def group_name(self) -> str:
        """Its group in Ansible's inventory."""
        return f"site_{self.slug}"

    def with_descendants(self) -> models.QuerySet[Site]:
        """This site and all below it."""
        return Site.objects.filter(path__startswith=self.path)

    def ancestor_ids(self) -> list[int]:
        """Ids of this site and those it is part of, nearest first."""
        return [int(each) for each in reversed(self.path.strip("/").split("/"))]

    def clean(self) -> None:
        """A site cannot be part of itself."""
        if self.parent and self.pk and self.parent.path.startswith(self.path or "no"):
            raise ValidationError({"parent": _("%(site)s cannot be part of itself or of a site below it.") % {"site": self}})
        if not isinstance(self.variables, dict):
            raise ValidationError({"variables": _("Variables are an object of names and values.")})

    @transaction.atomic
    def save(self, *args: Any, **options: Any) -> None:
        """Keep the paths of this site and of those below it."""
        self.clean()
        before = self.path
        if not self.pk:
            self.path = f"new-{self.slug}"
            super().save(*args, **options)
            options = {}
            args = ()
        self.path = f"{self.parent.path if self.parent else '/'}{self.pk}/"
        super().save(*args, **options)
        if before and before != self.path:
            for below in Site.objects.filter(path__startswith=before).exclude(pk=self.pk):
                Site.objects.filter(pk=below.pk).update(path=self.path + below.path[len(before) :])


class Subnet(models.Model):
    """Addresses of a site. The longest that contains an address decides."""

    site_lookup = "site_id"

    site = models.ForeignKey(Site, models.CASCADE, related_name="subnets", verbose_name=_("site"))
    network = NetworkField(_("subnet"), unique=True)

    objects = ScopedQuerySet.as_manager()

    class Meta:
        """Order by network."""

        ordering = ("network",)
        verbose_name = _("subnet")
        verbose_name_plural = _("subnets")

    def __str__(self) -> str:
        return self.network
