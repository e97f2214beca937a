# Copyright: (c) 2026, Fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What goes along with a station that is removed."""

from __future__ import annotations

from typing import Any

from django.db import connections
from django.db.models.signals import pre_delete
from django.dispatch import receiver

from ..registry.models import Station
from .models import Section
from .sections import SOFTWARES, unpack_ids

_AT_ONCE = 500
"""Parameters a statement; SQLite takes 999 at least."""


@receiver(pre_delete, sender=Station)
def forget_software(sender: type[Station], instance: Station, using: str, **_signal: Any) -> None:
    """Remove what the station holds, found by the ids in its section: holdings have no index by station."""
    data = Section.objects.using(using).filter(station=instance, kind=SOFTWARES).values_list("data", flat=True).first()
    ids = unpack_ids(bytes(data)) if data else []
    with connections[using].cursor() as cursor:
        for first in range(0, len(ids), _AT_ONCE):
            part = ids[first : first + _AT_ONCE]
            places = ", ".join(["%s"] * len(part))
            cursor.execute(
                f"DELETE FROM reports_holding WHERE station_id = %s AND software_version_id IN ({places})",  # places only
                [instance.pk, *part],
            )
