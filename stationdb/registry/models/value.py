# Copyright: (c) 2026, Fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Values of one station, such as its licence key."""

from __future__ import annotations

from django.core.validators import RegexValidator
from django.db import models
from django.utils.translation import gettext_lazy as _

from ...accounts.perimeter import ScopedQuerySet
from ..fields import EncryptedField


class StationValue(models.Model):
    """A named secret of a station. It is stored encrypted, and read by whoever has the right stations.secrets."""

    site_lookup = "station__site_id"

    station = models.ForeignKey("registry.Station", models.CASCADE, related_name="values", verbose_name=_("station"))
    name = models.CharField(
        _("name"), max_length=63, validators=[RegexValidator(r"\A[a-z][a-z0-9_]*\Z", _("Use lowercase letters, digits and underscores."))]
    )
    value = EncryptedField(_("value"))

    objects = ScopedQuerySet.as_manager()

    class Meta:
        """A station has each value once."""

        ordering = ("name",)
        verbose_name = _("secret value")
        verbose_name_plural = _("secret values")
        constraints = [models.UniqueConstraint(fields=("station", "name"), name="station_value_once")]

    def __str__(self) -> str:
        return f"{self.station}: {self.name}"
