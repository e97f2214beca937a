# Copyright: (c) 2026, Fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Tags of the console's templates."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django import template
from django.http import QueryDict
from django.utils import timezone
from django.utils.dateformat import DateFormat
from django.utils.formats import get_format, number_format
from django.utils.html import avoid_wrapping, format_html
from django.utils.safestring import SafeString, mark_safe
from django.utils.timesince import TIME_STRINGS, timesince
from django.utils.translation import gettext as _

from ...accounts.perimeter import Perimeter
from ...accounts.rights import Right
from .. import charts, icons
from ..words import labels

register = template.Library()


@register.simple_tag
def icon(name: str) -> SafeString:
    """An icon of icons.py; words stand beside it, so that it is for eyes only."""
    return mark_safe(  # of our own file
        f'<svg class="icon" viewBox="0 0 24 24" aria-hidden="true" focusable="false">{icons.ICONS[name]}</svg>'
    )


@register.filter
def number(value: int | None) -> str:
    """With separators of thousands."""
    return "" if value is None else number_format(value, force_grouping=True)


@register.filter
def size(value: int | str | None) -> str:
    """Bytes as GiB and so on."""
    try:
        left = float(value or 0)
    except ValueError:
        return str(value)
    for unit in (_("B"), _("KiB"), _("MiB"), _("GiB"), _("TiB")):
        if left < 1024 or unit == _("TiB"):
            return f"{number_format(left, 0 if left >= 100 or left == int(left) else 1)} {unit}"
        left /= 1024
    return ""


@register.filter
def ago(when: datetime | None) -> SafeString | str:
    """How long ago, with the exact time for who points at it."""
    if when is None:
        return _("never")
    seconds = int((timezone.now() - when).total_seconds())
    said = _("just now") if seconds < 60 else _("%(time)s ago") % {"time": _since(when, seconds)}
    exact = DateFormat(timezone.localtime(when)).format(get_format("DATETIME_FORMAT"))
    return format_html('<time datetime="{}" title="{}">{}</time>', when.isoformat(), exact, said)


def _since(when: datetime, seconds: int) -> str:
    """As timesince(when, depth=1), whose calendar is needed from a week on only."""
    for unit, span in (("day", 86400), ("hour", 3600), ("minute", 60)):
        if span <= seconds < 7 * 86400:
            number = seconds // span
            return avoid_wrapping(TIME_STRINGS[unit] % {"num": number})
    return timesince(when, depth=1)


@register.filter
def freshness(when: datetime | None) -> str:
    """A class: fresh within a day, recent within a week, old after a month."""
    if when is None:
        return "never"
    days = (timezone.now() - when).total_seconds() / 86400
    return "fresh" if days <= 1 else "recent" if days <= 7 else "stale" if days <= 30 else "old"


@register.filter
def meter(part: float, tone: str = "t1") -> SafeString:
    """A bar for a share from 0 to 1."""
    return charts.meter(part, tone)


@register.filter
def label(key: str, kind: str = "") -> str:
    """The words for a key of a report's row, or for a section."""
    return labels(kind).get(key) or key.replace("_", " ")


@register.filter
def sections(kinds: str) -> str:
    """The words for the sections that a report changed, which stand between spaces."""
    known = labels("section")
    return ", ".join(str(known.get(kind, kind)) for kind in kinds.split())


@register.filter
def may(perimeter: Perimeter, right: str) -> bool:
    """Whether a right is had anywhere."""
    return perimeter.has(Right[right])


@register.filter
def may_everywhere(perimeter: Perimeter, right: str) -> bool:
    """Whether a right is had for all sites."""
    return perimeter.everywhere(Right[right])


@register.simple_tag(takes_context=True)
def with_query(context: template.Context, **change: Any) -> str:
    """The query of this address with some of it changed; what is empty goes, and so does the place in a list."""
    query: QueryDict = context["request"].GET.copy()
    for name in ("after", "before"):
        query.pop(name, None)
    for name, value in change.items():
        if value in (None, ""):
            query.pop(name, None)
        else:
            query[name] = str(value)
    return f"?{query.urlencode()}"


@register.simple_tag(takes_context=True)
def without(context: template.Context, name: str) -> str:
    """The query of this address without one of its parts."""
    return with_query(context, **{name: ""})


@register.inclusion_tag("console/parts/heading.html", takes_context=True)
def heading(context: template.Context, key: str, title: str, sort: str, align: str = "") -> dict[str, Any]:
    """The heading of a column by which a table can be sorted."""
    active = sort.lstrip("-") == key
    descending = active and sort.startswith("-")
    return {
        "address": with_query(context, sort=key if not active or descending else f"-{key}"),
        "title": title,
        "state": ("descending" if descending else "ascending") if active else "",
        "align": align,
    }
