# Copyright: (c) 2026, Fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Files that appear whole or not at all, under the lock that the boot service takes as well."""

from __future__ import annotations

import contextlib
import fcntl
import os
import pwd
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Optional

from ansible_collections.fleet.core.plugins.module_utils.errors import FleetError, InputError


@contextlib.contextmanager
def locked(state: Path) -> Iterator[None]:
    """While nobody else changes what stations start. FleetError when there is no state to lock."""
    try:
        with open(state / "lock", "a", encoding="ascii") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            yield
    except FileNotFoundError as error:
        raise InputError(f"{error.filename} is not there", remedy="Run playbooks/boot_server.yml for this host first") from error


def read(path: Path) -> Optional[str]:
    """The text of a file; None when there is none."""
    try:
        return path.read_text(encoding="utf-8", errors="replace")
    except FileNotFoundError:
        return None


def write(path: Path, text: str, *, mode: int, owner: str = "") -> None:
    """Put a file in its place, or leave the one that is there. FleetError when that fails; nothing is left behind then."""
    try:
        handle, name = tempfile.mkstemp(prefix=f".{path.name}.", dir=path.parent)
        try:
            with os.fdopen(handle, "w", encoding="utf-8") as file:
                file.write(text)
                file.flush()
                os.fchmod(file.fileno(), mode)
                if owner and os.geteuid() == 0:
                    account = pwd.getpwnam(owner)
                    os.fchown(file.fileno(), account.pw_uid, account.pw_gid)
                os.fsync(file.fileno())
            os.replace(name, path)
        except BaseException:
            with contextlib.suppress(FileNotFoundError):
                os.unlink(name)
            raise
        _sync(path.parent)
    except KeyError as error:
        raise FleetError(f"There is no user {owner} on this host", remedy="Run playbooks/boot_server.yml for this host first") from error
    except OSError as error:
        raise FleetError(
            f"{path} cannot be written: {error.strerror}", remedy="Make room or mend the folder; nothing was changed there"
        ) from error


def remove(path: Path) -> None:
    """Remove a file that may be gone already. FleetError when it stays."""
    try:
        path.unlink()
        _sync(path.parent)
    except FileNotFoundError:
        return
    except OSError as error:
        raise FleetError(f"{path} cannot be removed: {error.strerror}") from error


def _sync(folder: Path) -> None:
    handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
