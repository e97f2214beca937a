# Copyright: (c) 2026, Fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Restarting the system that a task runs in: by a process of its own, which outlives the task's connection."""

from __future__ import annotations

import subprocess
from collections.abc import Sequence
from pathlib import Path

from ansible_collections.fleet.core.plugins.module_utils.errors import FleetError

BOOT_ID = Path("/proc/sys/kernel/random/boot_id")
_USUAL = "systemctl --no-wall -i reboot || reboot || reboot -f"


def boot_id() -> str:
    """What this start of the system is called; the next one has another."""
    try:
        return BOOT_ID.read_text(encoding="ascii").strip()
    except OSError as error:
        raise FleetError(f"{BOOT_ID} cannot be read: {error.strerror}", remedy="Only Linux can be restarted in this way") from error


def restart(delay: int, command: Sequence[str] = ()) -> None:
    """Restart in delay seconds; command: what to run for it, in place of the usual. Returns at once."""
    # A session of its own: sshd hangs up on what belongs to the one of the task.
    argv = ["sh", "-c", 'sleep "$0"; "$@"', str(delay), *(command or ("sh", "-c", _USUAL))]
    null = subprocess.DEVNULL
    try:
        subprocess.Popen(argv, stdin=null, stdout=null, stderr=null, cwd="/", start_new_session=True)  # pylint: disable=consider-using-with
    except OSError as error:
        raise FleetError(f"The station cannot be restarted: {error.strerror}", remedy="Restart it by hand") from error
