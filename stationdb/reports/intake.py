# Copyright: (c) 2026, Fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The two ends of the spool: ``accept`` puts a document in, ``process_spool`` takes all of it into the database.

spool.py keeps documents; formats/ reads them; identity.py says whose they are; dictionary.py numbers software; store.py writes what
differs; batch.py does these in a transaction for many documents at once; the command worker repeats it for ever.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from .spool import Spool

if TYPE_CHECKING:
    from .batch import Counts


_LABEL = "[A-Za-z0-9]([A-Za-z0-9_-]{0,61}[A-Za-z0-9])?"
STATION_NAME = re.compile(rf"(?!(?i:bulk)\Z)(?=.{{1,253}}\Z){_LABEL}(\.{_LABEL})*")
"""What a way may vouch for, with fullmatch: registry.fields.HOST_NAME without RESERVED_NAMES, for who does not load Django."""


def accept(data: bytes, source: str, *, station: str = "", address: str = "", agent: str = "", sites: list[int] | None = None) -> str:
    """Keep a document that came by a way (ssh, https, ocs, glpi, local); its id once it is safe on the disk.

    station is its name where the way vouches for it (STATION_NAME); sites are those whose stations the sender may report (None: all).
    NotNow when it cannot be kept now (TooMuch: too many of this sender are), ReportError when it is empty or too large.
    """
    return Spool().put(data, source, station=station, address=address, agent=agent, sites=sites)


def process_spool() -> Counts:
    """Take all that waits into the database, and say what became of it."""
    from .batch import Worker

    return Worker().run()
