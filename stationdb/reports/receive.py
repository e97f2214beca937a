# Copyright: (c) 2026, Fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""``stationdb receive --station NAME``: the forced command of a station's SSH key. One document on standard input goes to the spool.

In authorized_keys: ``restrict,command="stationdb receive --station pc01" ssh-ed25519 …``. It needs no database, so reports are taken while
that is down, and it does not load Django, so that a thousand stations an hour cost little.

Exit codes: 0 accepted; 1 refused for good; 2 asked for something else; 75 (EX_TEMPFAIL of sysexits.h) not now, try again.
"""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Mapping, Sequence
from typing import BinaryIO

from ..errors import StationDBError
from .document import LARGEST_SENT
from .errors import NotNow, ReportError
from .intake import STATION_NAME
from .spool import Spool

ALLOWED = frozenset({"", "stationdb receive", "receive", "report"})
"""What a station may ask for over SSH: nothing, or what it gets anyhow."""


def main(arguments: Sequence[str], environment: Mapping[str, str] = os.environ, source: BinaryIO | None = None) -> int:
    """Run the command; its exit code."""
    parser = argparse.ArgumentParser(prog="stationdb receive", description="Take a report of a station from standard input.")
    add_arguments(parser)
    options = parser.parse_args(arguments)
    return receive(options.station, environment, source or sys.stdin.buffer)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The options."""
    parser.add_argument("--station", required=True, help="the station's name, for which its key vouches")


def receive(station: str, environment: Mapping[str, str], source: BinaryIO) -> int:
    """Spool one document; the exit code."""
    if (asked := environment.get("SSH_ORIGINAL_COMMAND", "").strip()) not in ALLOWED:
        return _say(f"This key takes reports only; it does not run {asked[:80]!r}. Send the report on standard input without a command.", 2)
    if not STATION_NAME.fullmatch(station):
        return _say(f"{station[:80]!r} is no station's name. Correct --station in authorized_keys.", 2)
    address = environment.get("SSH_CONNECTION", "").partition(" ")[0]
    try:
        data = source.read(LARGEST_SENT + 1)
        print(f"accepted {Spool().put(data, 'ssh', station=station, address=address)}", flush=True)
    except NotNow as error:
        return _say(str(error), os.EX_TEMPFAIL)
    except ReportError as error:
        return _say(str(error), 1)
    except (OSError, StationDBError) as error:
        return _say(f"The report cannot be kept: {error}. Senders try again.", os.EX_TEMPFAIL)
    return 0


def _say(text: str, code: int) -> int:
    print(f"stationdb receive: {text}", file=sys.stderr, flush=True)
    return code
