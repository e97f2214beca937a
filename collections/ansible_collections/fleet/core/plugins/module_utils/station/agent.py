# Copyright: (c) 2026, Fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The two commands of a station that reports: ``gather``, as root, and ``push``, as a user of its own."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from ..errors import FleetError, InputError
from .document import write
from .push import push
from .report import gather
from .root import Root
from .settings import FILE, Settings
from .spool import Spool

DONE, FAILED, USAGE, NOT_NOW = 0, 1, 2, 75
"""Exit codes; the last is EX_TEMPFAIL of sysexits.h."""

Answer = tuple[int, list[str]]


def run(arguments: Sequence[str], settings_file: Path = FILE) -> Answer:
    """Run a command; its exit code, and the lines to print."""
    commands = {"gather": gather_report, "push": push_reports}
    try:
        if len(arguments) != 1 or arguments[0] not in commands:
            raise InputError("fleet-report takes one word: gather or push")
        return commands[arguments[0]](Settings.load(settings_file))
    except InputError as error:
        return USAGE, [f"fleet-report: {error}"]
    except FleetError as error:
        return FAILED, [f"fleet-report: {error}"]


def gather_report(settings: Settings) -> Answer:
    """Gather, and put the report into the spool."""
    report = gather(Root(), settings.sections or None)
    data = write(report, settings.station, tag=settings.tag)
    path = Spool(settings.spool, settings.keep).put(data)
    lines = [f"the section {section} could not be gathered. {reason}" for section, reason in report.warnings.items()]
    return DONE, [*lines, f"{path}: {len(report.sections)} sections, {len(data)} bytes"]


def push_reports(settings: Settings) -> Answer:
    """Send what waits. A centre that is away is no failure; a report that it refused is one, for somebody should look."""
    outcome = push(settings)
    line = f"{outcome.accepted} accepted, {outcome.refused} refused, {outcome.waiting} waiting"
    return FAILED if outcome.refused else NOT_NOW if outcome.waiting else DONE, [*outcome.reasons, line]
