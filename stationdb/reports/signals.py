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
from .bundles import bundled, remove
from .models import Section
from .sections import SOFTWARES, unpack_ids


@receiver(pre_delete, sender=Station)
def forget_software(sender: type[Station], instance: Station, using: str, **_signal: Any) -> None:
    """Remove what the station holds, found by the ids in its section: what stations hold has no index by station."""
    data = Section.objects.using(using).filter(station=instance, kind=SOFTWARES).values_list("data", flat=True).first()
    ids = unpack_ids(bytes(data)) if data else []
    if ids:
        with connections[using].cursor() as cursor:
            remove(cursor, [(bundle, instance.pk) for bundle in bundled(ids)])
