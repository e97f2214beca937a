# Copyright: (c) 2026, Fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a worker does now and then: documents and old records expire, and stations that may have a site now are tried again."""

from __future__ import annotations

import logging
import time
from datetime import timedelta

from django.db import InterfaceError, OperationalError
from django.db.models import Max
from django.utils import timezone

from .batch import DatabaseGone
from .models import Report, Unplaced
from .spool import Spool
from .waiting import Waiting

log = logging.getLogger(__name__)

EVERY = 600.0
"""Seconds."""


class Upkeep:
    """Of one installation's spool and reports."""

    def __init__(self, spool: Spool, days: int, waiting_days: int = 30) -> None:
        """Documents and records are kept for so many days; reports of stations without a site wait for so many."""
        self.spool = spool
        self.days = days
        self.waiting_days = waiting_days
        self.waiting = Waiting(spool)
        self._next = 0.0

    def when_due(self) -> None:
        """Do it if the last time is long enough ago. DatabaseGone when the database does not answer."""
        if time.monotonic() >= self._next:
            self._next = time.monotonic() + EVERY
            self.now()

    def now(self) -> None:
        """Remove what is too old; let those reports of stations without a site that may find one be tried again."""
        self.spool.expire(self.days)
        if gone := self.spool.expire_waiting(self.waiting_days):
            log.warning("%s reports of stations without a site are removed: none wanted them for %s days.", gone, self.waiting_days)
        try:
            Unplaced.objects.filter(received__lt=timezone.now() - timedelta(days=self.waiting_days)).delete()
            self.spool.wake_waiting(self.waiting.ready())
            old = Report.objects.filter(received__lt=timezone.now() - timedelta(days=self.days))
            # The last of each station stays, so that its page says where its report came from.
            last = Report.objects.filter(station__in=old.values("station")).values("station").annotate(last=Max("received")).values("last")
            old.exclude(received__in=last).delete()
        except (OperationalError, InterfaceError) as error:
            raise DatabaseGone(str(error).strip()) from error
