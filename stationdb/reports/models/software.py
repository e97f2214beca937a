# Copyright: (c) 2026, Fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Software: each name and each version is written once, and who holds some of four neighbours is a row of two numbers.

The dictionary only grows: workers remember its ids. Why Held and Holding are as they are: docs/decisions/0022-storing-reports.md.
"""

from __future__ import annotations

from django.db import models
from django.db.models.functions import Upper
from django.utils.translation import gettext_lazy as _

from ...accounts.perimeter import ScopedQuerySet


class Software(models.Model):
    """A program or package that a station reported. It belongs to no site: only who holds it does."""

    name = models.CharField(_("name"), max_length=255)
    source = models.CharField(_("source"), max_length=20, blank=True)
    """Where it is installed from: deb, rpm, flatpak, snap, registry …"""
    publisher = models.CharField(_("publisher"), max_length=255, blank=True)
    """As first seen."""

    class Meta:
        """Each name and source once."""

        ordering = ("name", "source")
        verbose_name = _("software")
        verbose_name_plural = _("software")
        constraints = [models.UniqueConstraint(fields=("name", "source"), name="software_once")]
        indexes = [models.Index(Upper("name"), name="software_name_upper")]

    def __str__(self) -> str:
        return self.name


class SoftwareVersion(models.Model):
    """A version of a software for an architecture."""

    id = models.AutoField(primary_key=True)
    software = models.ForeignKey(Software, models.PROTECT, related_name="versions", verbose_name=_("software"))
    version = models.CharField(_("version"), max_length=255, blank=True)
    version_key = models.BinaryField(editable=False, default=b"")
    """stationdb.versions.version_key of the version: its bytes are in the order of versions."""
    arch = models.CharField(_("architecture"), max_length=20, blank=True)

    class Meta:
        """Each version once."""

        ordering = ("software", "version_key", "arch")
        verbose_name = _("version of a software")
        verbose_name_plural = _("versions of software")
        constraints = [models.UniqueConstraint(fields=("software", "version", "arch"), name="software_version_once")]
        indexes = [models.Index(fields=["software", "version_key"], name="software_version_order")]

    def __str__(self) -> str:
        return f"{self.software} {self.version}"


class Bundle(models.Model):
    """A bundle that a version may be held in: eight for each version, from its id alone (reports.bundles)."""

    pk = models.CompositePrimaryKey("software_version", "bundle")
    software_version = models.ForeignKey(
        SoftwareVersion, models.DO_NOTHING, db_constraint=False, db_index=False, related_name="+", verbose_name=_("version")
    )
    bundle = models.IntegerField()

    class Meta:
        """Found by version."""

        verbose_name = _("version of a software")
        verbose_name_plural = _("versions of software")


class Held(models.Model):
    """A station holds exactly these of four versions that are neighbours in the dictionary (reports.bundles).

    Written by reports.store only, under the lock of the station's row. There are hundreds a station, so the database checks no foreign keys
    here; a station that is deleted takes its rows along by reports.signals.
    """

    site_lookup = "station__site_id"

    pk = models.CompositePrimaryKey("bundle", "station")
    bundle = models.IntegerField()
    station = models.ForeignKey(
        "registry.Station", models.DO_NOTHING, db_constraint=False, db_index=False, related_name="+", verbose_name=_("station")
    )

    objects = ScopedQuerySet.as_manager()

    class Meta:
        """Found by bundle, then station."""

        verbose_name = _("installed software")
        verbose_name_plural = _("installed software")


class Holding(models.Model):
    """A station has a version of a software. A view of Bundle and Held, to be read only; there are a thousand a station."""

    site_lookup = "station__site_id"

    pk = models.CompositePrimaryKey("software_version", "station")
    software_version = models.ForeignKey(
        SoftwareVersion, models.DO_NOTHING, db_constraint=False, db_index=False, related_name="holdings", verbose_name=_("version")
    )
    station = models.ForeignKey(
        "registry.Station", models.DO_NOTHING, db_constraint=False, db_index=False, related_name="holdings", verbose_name=_("station")
    )

    objects = ScopedQuerySet.as_manager()

    class Meta:
        """Found by version, then station."""

        managed = False
        verbose_name = _("installed software")
        verbose_name_plural = _("installed software")
