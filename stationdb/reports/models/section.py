# Copyright: (c) 2026, Fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a station says of itself, by section of the canonical report."""

from __future__ import annotations

from django.db import models
from django.utils.translation import gettext_lazy as _

from ...accounts.perimeter import ScopedQuerySet


class Section(models.Model):
    """The rows of one section as of the last report. Read them with reports.sections.rows()."""

    site_lookup = "station__site_id"

    pk = models.CompositePrimaryKey("station", "kind")
    station = models.ForeignKey("registry.Station", models.CASCADE, db_index=False, related_name="sections", verbose_name=_("station"))
    kind = models.CharField(_("section"), max_length=20)
    digest = models.BinaryField(max_length=16)
    """Of what it was last read from (reports.sections.digest): the same digest is the same section."""
    data = models.BinaryField()
    """Rows as reports.sections.pack_rows packs them; for softwares, ids of versions as pack_ids does."""
    changed = models.DateTimeField(_("changed"))

    objects = ScopedQuerySet.as_manager()

    class Meta:
        """Of a station."""

        verbose_name = _("section of a report")
        verbose_name_plural = _("sections of reports")
        indexes = [models.Index(fields=["digest"], condition=models.Q(kind="softwares"), name="section_software_digest")]


class SectionChange(models.Model):
    """What a report added to a section and removed from it. A section's first report is no change. Read: reports.sections.changes()."""

    site_lookup = "station__site_id"

    station = models.ForeignKey(
        "registry.Station", models.CASCADE, db_index=False, related_name="section_changes", verbose_name=_("station")
    )
    kind = models.CharField(_("section"), max_length=20)
    when = models.DateTimeField(_("when"))
    added = models.BinaryField()
    """Packed as Section.data is."""
    removed = models.BinaryField()

    objects = ScopedQuerySet.as_manager()

    class Meta:
        """Newest first."""

        ordering = ("-when", "-id")
        verbose_name = _("change of a section")
        verbose_name_plural = _("changes of sections")
        indexes = [models.Index(fields=["station", "when"], name="section_change_when")]
