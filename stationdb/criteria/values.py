# Copyright: (c) 2026, Fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What words of criteria mean as values: sizes, numbers, moments. A value that is none is told with an example of one."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime, time, timedelta

from django.utils import timezone
from django.utils.dateparse import parse_date, parse_datetime
from django.utils.translation import gettext as _

from .syntax import Word

_UNITS = {
    "": {"": 1},
    "k": {"": 10**3, "i": 2**10},
    "m": {"": 10**6, "i": 2**20},
    "g": {"": 10**9, "i": 2**30},
    "t": {"": 10**12, "i": 2**40},
}
SIZE_UNITS = ("KB", "MB", "GB", "TB", "KiB", "MiB", "GiB", "TiB")
_SIZE = re.compile(r"([0-9]{1,15}(?:\.[0-9]{1,9})?) ?(?:([kmgt]?)(i?)[bo])?", re.IGNORECASE)
_MAX_SIZE = 2**63 - 1

_AGO = re.compile(r"([0-9]{1,6}) (minute|hour|day|week|month|year)s? ago", re.IGNORECASE)
_SHORT = re.compile(r"([0-9]{1,6})([hdw])", re.IGNORECASE)
_SPANS = {
    "h": timedelta(hours=1),
    "d": timedelta(days=1),
    "w": timedelta(weeks=1),
    "minute": timedelta(minutes=1),
    "hour": timedelta(hours=1),
    "day": timedelta(days=1),
    "week": timedelta(weeks=1),
    "month": timedelta(days=30),
    "year": timedelta(days=365),
}


def text(word: Word) -> str:
    """One word, or what stands between quotes. Two words without quotes are a mistake more often than a name."""
    if word.parts:
        second = word.parts[1]
        raise second.wrong(
            _("“and” or “or” is missing before “%(text)s”.") % {"text": second.text},
            _('Or put quotes around a text with spaces: "%(text)s".') % {"text": word.text},
        )
    return word.text


def size(word: Word) -> int:
    """Bytes: 8 GiB, 500GB, 1.5 TB; French units (Go, Gio) as well."""
    found = _SIZE.fullmatch(word.text)
    if not found:
        raise word.wrong(_("“%(text)s” is not a size.") % {"text": word.text}, _("Write it as 8 GiB or 500 GB."))
    number, prefix, binary = found.groups()
    if prefix is None and float(number):
        raise word.wrong(
            _("A unit is missing after “%(text)s”.") % {"text": word.text}, _("Write one of %(units)s.") % {"units": ", ".join(SIZE_UNITS)}
        )
    factor = _UNITS[(prefix or "").lower()].get((binary or "").lower())
    if factor is None:
        raise word.wrong(_("“%(text)s” is not a size.") % {"text": word.text}, _("Write it as 8 GiB or 500 GB."))
    whole, _point, fraction = number.partition(".")
    value = int(whole) * factor + (int(fraction) * factor // 10 ** len(fraction) if fraction else 0)
    if value > _MAX_SIZE:
        raise word.wrong(_("“%(text)s” is too large.") % {"text": word.text})
    return value


def number(word: Word) -> int:
    """A whole number."""
    if not re.fullmatch(r"[0-9]{1,9}", word.text):
        raise word.wrong(_("“%(text)s” is not a whole number.") % {"text": word.text}, _("Write it as 4."))
    return int(word.text)


@dataclass(frozen=True)
class Moment:
    """From start until end, which no longer belongs to it; an instant has the same for both."""

    start: datetime
    end: datetime

    @property
    def is_instant(self) -> bool:
        """Whether it is shorter than anything that could happen in it."""
        return self.start == self.end


def moment(word: Word, now: datetime) -> Moment:
    """A day (2026-01-31, today, yesterday) in the time zone in force, a minute of it (2026-01-31 12:00), or a time before now."""
    given = word.text.strip()
    midnight = timezone.localtime(now).replace(hour=0, minute=0, second=0, microsecond=0)
    try:
        if given.lower() in ("today", "yesterday"):
            day = midnight.date() - timedelta(days=given.lower() == "yesterday")
            return _day(datetime.combine(day, time.min))
        ago = _AGO.fullmatch(re.sub(r"\s+", " ", given)) or _SHORT.fullmatch(given)
        if ago:
            instant = now - int(ago[1]) * _SPANS[ago[2].lower()]
            return Moment(instant, instant)
        date = parse_date(given)
        if date:
            return _day(datetime.combine(date, time.min))
        minute = parse_datetime(given)
        if minute:
            start = minute if timezone.is_aware(minute) else timezone.make_aware(minute)
            return Moment(start, start + timedelta(minutes=1))
    except (ValueError, OverflowError):
        pass
    raise word.wrong(
        _("“%(text)s” is not a time.") % {"text": word.text}, _("Write it as 30 days ago, 2026-01-31, today, yesterday or never.")
    )


def _day(start: datetime) -> Moment:
    return Moment(timezone.make_aware(start), timezone.make_aware(start + timedelta(days=1)))
