# Copyright: (c) 2026, Fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Work on a filesystem that must be mounted for it: commands (xfs_growfs, btrfs), and reading files.

The mount lives in its own mount namespace: nobody else sees it, and it is gone when the command is, even if killed.
"""

from __future__ import annotations

import ctypes
import os
import threading
from collections.abc import Sequence
from pathlib import Path
from typing import Callable, TypeVar

from ansible_collections.fleet.core.plugins.module_utils.command import Completed, run
from ansible_collections.fleet.core.plugins.module_utils.errors import ToolError

from .mountpoint import finally_do, mount_point, unmount

Result = TypeVar("Result")

_CLONE_NEWNS = 0x20000
"""A mount namespace of one's own (unshare(2))."""

_READ_ONLY = {"ext3": "ro,noload", "ext4": "ro,noload", "xfs": "ro,norecovery,nouuid"}
"""Without these, a read-only mount writes to the log."""

_SCRIPT = 'mount -t "$1" -o "$2" "$3" "$4" || exit; point=$4; shift 4; "$@" "$point"; code=$?; umount "$point" && exit "$code"'


def run_mounted(kind: str, options: str, device: Path, argv: Sequence[str]) -> Completed:
    """Mount device, run argv with the mount point as its last argument, unmount; raises ToolError when any of these fails."""
    with mount_point("fleet-mount-") as point:
        inner = ["sh", "-c", _SCRIPT, "sh", kind, options, str(device), str(point), *argv]
        return run(["unshare", "--mount", "--propagation", "slave", "--", *inner])


def with_files(kind: str, device: Path, work: Callable[[Path], Result]) -> Result:
    """Let work read a clean filesystem's files below the folder it is given; nothing is written to the device, not even a log.

    While work runs, nobody else can mount the device for writing. The mount lives in the mount namespace of a thread and of the
    processes that work starts, and dies with them. Raises ToolError when the kernel cannot mount it.
    """

    def inside() -> Result:
        with mount_point("fleet-mount-") as point:
            run(["mount", "-t", kind, "-o", read_only(kind), str(device), str(point)])
            with finally_do(lambda: unmount(point)):
                return work(point)

    return privately(inside)


def read_only(kind: str) -> str:
    """Options of a mount that writes nothing to the device, not even to a log."""
    return _READ_ONLY.get(kind, "ro")


def privately(work: Callable[[], Result]) -> Result:
    """Do work in a thread with a mount namespace of its own: what it mounts nobody else sees, and dies with it and what it started.

    Raises what work raises, and ToolError when there can be no namespace.
    """
    results: list[Result] = []
    errors: list[BaseException] = []

    def inside() -> None:
        try:
            if ctypes.CDLL(None, use_errno=True).unshare(_CLONE_NEWNS):
                number = ctypes.get_errno()
                raise ToolError(f"There can be no mount namespace: {os.strerror(number)}", remedy="Run as root")
            run(["mount", "--make-rslave", "/"])
            results.append(work())
        except BaseException as error:  # handed to the caller's thread below
            errors.append(error)

    thread = threading.Thread(target=inside, name="mounted")
    thread.start()
    thread.join()
    if errors:
        raise errors[0]
    return results[0]
