# Copyright: (c) 2026, Fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The command ``stationdb``."""

from __future__ import annotations

import os
import sys


def main() -> None:
    """Run a command of Django's or of the apps (``stationdb serve``, ``stationdb receive``; ``stationdb help`` lists them).

    A station's report (``receive``) is taken without loading Django: a thousand stations may send theirs in one hour.
    What an admin can mend is one line on standard error, and exit code 1.
    """
    if sys.argv[1:2] == ["receive"]:
        from .reports.receive import main as receive

        sys.exit(receive(sys.argv[2:]))
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "stationdb.settings")
    from django.core.management import execute_from_command_line

    from .errors import StationDBError
    from .serving import ground

    try:
        ground.check()
        execute_from_command_line([os.path.basename(sys.argv[0]), *(sys.argv[1:] or ["help"])])
    except StationDBError as error:
        sys.exit(f"stationdb: {error}")
