# Copyright: (c) 2026, Fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Sending what waits to the centre: over SSH, to the forced command ``stationdb receive``, one report a connection."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from enum import Enum

from ..command import Completed, run
from ..errors import ToolError
from .settings import Settings
from .spool import Spool

_ACCEPTED = re.compile(r"accepted \S+\s*")
_REFUSED = re.compile(r"^stationdb receive: (.+)$", re.MULTILINE)
REFUSED_CODE = 1
"""Exit code with which ``stationdb receive`` refuses a report for good."""


class Verdict(Enum):
    """What became of a report."""

    ACCEPTED = "accepted"
    REFUSED = "refused"
    NOT_NOW = "not now"


@dataclass
class Outcome:
    """What became of all that waited."""

    accepted: int = 0
    refused: int = 0
    waiting: int = 0
    reasons: list[str] = field(default_factory=list)
    """Why something was refused or still waits."""


def push(settings: Settings) -> Outcome:
    """Send what waits, the oldest first, and stop at the first that the centre does not take now. SpoolError for a broken spool."""
    spool, outcome = Spool(settings.spool, settings.keep), Outcome()
    reports = spool.waiting()
    for number, report in enumerate(reports):
        try:
            data = report.read_bytes()
        except FileNotFoundError:
            continue  # dropped by a newer one meanwhile
        verdict, reason = deliver(settings, data)
        if verdict is Verdict.ACCEPTED:
            spool.delivered(report)
            outcome.accepted += 1
        elif verdict is Verdict.REFUSED:
            spool.refuse(report, reason)
            outcome.refused += 1
            outcome.reasons.append(f"{report.name} was refused: {reason}")
        else:
            outcome.waiting = len(reports) - number
            outcome.reasons.append(reason)
            break
    return outcome


def deliver(settings: Settings, data: bytes) -> tuple[Verdict, str]:
    """Send one report; the verdict, and the reason when it was not accepted."""
    try:
        done = run(command(settings), stdin=data, ok=None, timeout=settings.timeout)
    except ToolError as error:
        return Verdict.NOT_NOW, str(error)
    return judge(done)


def judge(done: Completed) -> tuple[Verdict, str]:
    """Tell what an answer of the centre means. Only its own clear word loses a report; anything else is tried again."""
    if done.rc == 0 and _ACCEPTED.fullmatch(done.stdout):
        return Verdict.ACCEPTED, ""
    refused = _REFUSED.search(done.stderr)
    if done.rc == REFUSED_CODE and refused:
        return Verdict.REFUSED, refused[1]
    said = " ".join((done.stderr.strip() or done.stdout.strip() or "it said nothing").split())[-500:]
    return Verdict.NOT_NOW, f"the centre did not take a report (exit code {done.rc}): {said}"


def command(settings: Settings) -> list[str]:
    """Return the command line of ssh: this key, these host keys, no question, nothing forwarded, nothing of the user's configuration."""
    options = {
        "BatchMode": "yes",
        "StrictHostKeyChecking": "yes",
        "UserKnownHostsFile": f'"{settings.known_hosts}"',
        "GlobalKnownHostsFile": "none",
        "UpdateHostKeys": "no",
        "IdentitiesOnly": "yes",
        "IdentityAgent": "none",
        "PreferredAuthentications": "publickey",
        "ForwardAgent": "no",
        "ForwardX11": "no",
        "ClearAllForwardings": "yes",
        "PermitLocalCommand": "no",
        "ControlPath": "none",
        "Compression": "yes",
        "ConnectTimeout": "20",
        "ServerAliveInterval": "15",
        "ServerAliveCountMax": "4",
        "LogLevel": "ERROR",
    }
    given = [f"-o{name}={value}" for name, value in options.items()]
    return ["ssh", "-F", "none", "-T", "-i", str(settings.key), "-p", str(settings.port), *given, "--", settings.destination]
