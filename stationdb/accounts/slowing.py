# Copyright: (c) 2026, Fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Sign-ins are slowed for who guesses: per account, per address, and per account from an address.

After some failures in a row each further one doubles the wait, up to MAX_WAIT; a success, or an hour without attempts, ends it. No
account is ever locked: whoever signed in from an address within the last month is not kept out of it by what others try elsewhere.
An attempt is counted before the password is looked at, so that many at once count as many.
"""

from __future__ import annotations

import hashlib
import ipaddress
import logging
import unicodedata
from dataclasses import dataclass
from datetime import timedelta

from django.db import transaction
from django.utils import timezone

from .models import Attempts

log = logging.getLogger(__name__)

MAX_WAIT = timedelta(minutes=5)
FORGOTTEN = timedelta(hours=1)
"""After this without an attempt, failures no longer count."""
KNOWN = timedelta(days=30)
FREE = {"account": 5, "pair": 5, "address": 20}
"""Failures that cost nothing. An address may be that of a whole site behind one router."""


@dataclass(frozen=True)
class Attempt:
    """A sign-in that may go on: tell how it ended. One that is not told has failed."""

    keys: dict[str, str]
    wait: timedelta = timedelta()
    """Longer than zero: it may not go on until then."""

    @property
    def refused(self) -> bool:
        """Whether the password may not even be looked at."""
        return self.wait > timedelta()

    def succeeded(self) -> None:
        """Forget the failures of the account; those of the address stay, for it may have guessed others' passwords."""
        now = timezone.now()
        with transaction.atomic():
            Attempts.objects.filter(key=self.keys["account"]).delete()
            Attempts.objects.update_or_create(key=self.keys["pair"], defaults={"failures": 0, "last": now, "until": None, "known": now})
            row = Attempts.objects.select_for_update().filter(key=self.keys["address"]).first()
            if row is not None:
                row.failures -= 1
                row.until = None
                row.save()


def attempt(name: str, address: str) -> Attempt:
    """Begin a sign-in of a name from an address: count it as failed, or refuse it."""
    keys = keys_of(name, address)
    with transaction.atomic():
        rows = {kind: _row(key) for kind, key in sorted(keys.items())}
        now = timezone.now()  # not before the rows are locked: others may have held them for long
        for row in rows.values():
            if row.last < now - FORGOTTEN:
                row.failures, row.until = 0, None
        known = rows["pair"].known is not None and rows["pair"].known > now - KNOWN
        counted = {kind: row for kind, row in rows.items() if not (known and kind == "account")}
        wait = max((row.until - now for row in counted.values() if row.until and row.until > now), default=timedelta())
        if wait > timedelta():
            log.warning("A sign-in from %s is slowed: it may be tried again in %d s", address, wait.total_seconds())
            return Attempt(keys, wait)
        for kind, row in counted.items():
            row.failures += 1
            row.last = now
            wait = wait_after(row.failures - FREE[kind])
            row.until = now + wait if wait else None
            row.save()
        Attempts.objects.filter(last__lt=now - KNOWN).delete()
        Attempts.objects.filter(last__lt=now - FORGOTTEN, known=None).delete()
    return Attempt(keys)


def wait_after(failures: int) -> timedelta:
    """The wait after so many failures more than are free: 1 s, 2 s, 4 s and so on."""
    return min(timedelta(seconds=2 ** min(failures - 1, 20)), MAX_WAIT) if failures > 0 else timedelta()


def keys_of(name: str, address: str) -> dict[str, str]:
    """What an attempt counts for. IPv6 addresses of one network are one: everybody has 2**64 of them."""
    account = unicodedata.normalize("NFKC", name).casefold().strip()[:150]
    try:
        parsed = ipaddress.ip_address(address)
        network = str(ipaddress.ip_network((parsed, 64), strict=False)) if parsed.version == 6 else str(parsed)
    except ValueError:
        network = address
    parts = {"account": (account,), "address": (network,), "pair": (account, network)}
    return {kind: hashlib.sha256("\0".join((kind, *values)).encode("utf-8", "surrogatepass")).hexdigest() for kind, values in parts.items()}


def _row(key: str) -> Attempts:
    """The row, locked until the end of the transaction."""
    while True:
        Attempts.objects.get_or_create(key=key, defaults={"last": timezone.now()})
        row = Attempts.objects.select_for_update().filter(key=key).first()
        if row is not None:  # nobody forgot it meanwhile: who signs in does
            return row
