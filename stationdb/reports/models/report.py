# Copyright: (c) 2026, Fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Reports that were received."""

from __future__ import annotations

from django.db import models
from django.utils.translation import gettext_lazy as _

from ...accounts.perimeter import ScopedQuerySet


class Report(models.Model):
    """A report that was taken in; the id is the spool's, so that none is taken in twice."""

    site_lookup = "station__site_id"

    id = models.UUIDField(primary_key=True)
    station = models.ForeignKey("registry.Station", models.CASCADE, db_index=False, related_name="reports", verbose_name=_("station"))
    received = models.DateTimeField(_("received"))
    taken = models.DateTimeField(_("made"))
    """When the station made it; when it was received, if the station does not say or its clock is ahead."""
    format = models.CharField(_("format"), max_length=20)
    """fleet, ocs or glpi."""
    agent = models.CharField(_("agent"), max_length=100, blank=True)
    way = models.CharField(_("way"), max_length=10)
    """How it came: ssh, https, ocs, glpi, local."""
    address = models.CharField(_("from"), max_length=45, blank=True)
    changed = models.CharField(_("changed sections"), max_length=400, blank=True)
    """Kinds, between spaces."""
    note = models.CharField(_("note"), max_length=400, blank=True)
    """What an admin should know: a clock that is ahead, a station that was renamed, a card that moved."""

    objects = ScopedQuerySet.as_manager()

    class Meta:
        """Newest first."""

        ordering = ("-received",)
        verbose_name = _("report")
        verbose_name_plural = _("reports")
        indexes = [
            models.Index(fields=["station", "received"], name="report_station_received"),
            models.Index(fields=["received"], name="report_received"),
        ]

    def __str__(self) -> str:
        return f"{self.station}: {self.received:%Y-%m-%d %H:%M}"


class Unplaced(models.Model):
    """A report of a station that nobody knows and no site wants: it waits for a subnet or a root site. Seen with a right for all sites."""

    site_lookup = "site_id"

    id = models.UUIDField(primary_key=True)
    identity = models.CharField(max_length=100, unique=True)
    """Tells the same station again: its first card, UUID or name."""
    site = models.ForeignKey("registry.Site", models.CASCADE, null=True, editable=False, related_name="+", verbose_name=_("site"))
    """Always null: of no site, so that who sees all sites alone sees it."""
    received = models.DateTimeField(_("received"))
    name = models.CharField(_("name"), max_length=253, blank=True)
    address = models.CharField(_("address"), max_length=45, blank=True)
    macs = models.CharField(_("MAC addresses"), max_length=400, blank=True)
    serial = models.CharField(_("serial number"), max_length=100, blank=True)
    agent = models.CharField(_("agent"), max_length=100, blank=True)

    objects = ScopedQuerySet.as_manager()

    class Meta:
        """Newest first."""

        ordering = ("-received",)
        verbose_name = _("station without a site")
        verbose_name_plural = _("stations without a site")

    def __str__(self) -> str:
        return self.name or self.identity
