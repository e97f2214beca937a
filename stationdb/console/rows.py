# Copyright: (c) 2026, Fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Rows of the list of stations, written here: a template takes five times as long for fifty of them, which was half of the page."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from django.urls import reverse
from django.utils.html import escape
from django.utils.safestring import SafeString, mark_safe
from django.utils.translation import gettext as _

from ..registry.models import Station
from .templatetags.console import ago, freshness, size


def station_rows(stations: Iterable[Station], sites: Mapping[int, str]) -> SafeString:
    """A table row for each station, in the columns of parts/stations.html; every text of it is escaped. Sites are names by id."""
    site, state, system, machine, memory, address, tag, seen = (
        escape(title) for title in (_("Site"), _("State"), _("System"), _("Machine"), _("Memory"), _("Address"), _("Tag"), _("Last seen"))
    )
    labels = {value: escape(str(label)) for value, label in Station.State.choices}
    before, _slash, behind = reverse("console:station", args=[0]).rpartition("0")
    return mark_safe(  # each text is escaped
        "\n".join(
            f'<tr><th scope="row"><a href="{before}{row.pk}{behind}">{escape(row.name)}</a></th>'
            f'<td class="place" data-title="{site}">{escape(sites.get(row.site_id) or row.site.name)}</td>'
            f'<td data-title="{state}"><span class="badge {escape(row.state)}">{labels.get(row.state, escape(row.state))}</span></td>'
            f'<td data-title="{system}">{escape(row.os_name)} <span class="muted">{escape(row.os_version)}</span></td>'
            f'<td data-title="{machine}">{escape(row.manufacturer)} {escape(row.product)}</td>'
            f'<td class="number" data-title="{memory}">{escape(size(row.ram)) if row.ram else ""}</td>'
            f'<td class="mono" data-title="{address}">{escape(row.address or row.reported_address)}</td>'
            f'<td data-title="{tag}">{escape(row.tag)}</td>'
            f'<td class="seen {freshness(row.last_seen)}" data-title="{seen}">{escape(ago(row.last_seen))}</td></tr>'
            for row in stations
        )
    )
