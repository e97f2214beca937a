# Copyright: (c) 2026, Fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Reports that wait for the centre: one file each, the oldest first, never more than a set number."""

from __future__ import annotations

import contextlib
import os
import time
from pathlib import Path
from typing import Optional

from ..errors import FleetError


class SpoolError(FleetError):
    """The spool cannot be read or written."""


class Spool:
    """A folder with ``new/`` (what waits) and ``refused/`` (what the centre will never take, with its reason beside it)."""

    def __init__(self, path: Path, keep: int) -> None:
        self.path = path
        self.new = path / "new"
        self.refused = path / "refused"
        self.keep = keep

    def put(self, data: bytes, moment: Optional[float] = None) -> Path:
        """Write a report so that it is there whole or not at all, and drop the oldest beyond the limit. SpoolError when it cannot."""
        moment = time.time() if moment is None else moment
        # Sorted by name they are sorted by age.
        name = f"{time.strftime('%Y%m%dT%H%M%S', time.gmtime(moment))}.{int(moment * 1e6) % 1_000_000:06d}Z.xml"
        try:
            _write(self.new / name, data)
        except OSError as error:
            raise SpoolError(
                f"cannot write a report to {self.new}: {error.strerror}", remedy="Free some space, or run the role fleet.core.reporting"
            ) from error
        _drop(self.waiting()[: -self.keep])
        return self.new / name

    def waiting(self) -> list[Path]:
        """Return the reports that wait, the oldest first."""
        try:
            return sorted(path for path in self.new.iterdir() if path.suffix == ".xml" and not path.name.startswith("."))
        except OSError as error:
            raise SpoolError(f"cannot read {self.new}: {error.strerror}", remedy="Run the role fleet.core.reporting") from error

    def delivered(self, report: Path) -> None:
        """Forget a report that the centre has."""
        _drop([report])

    def refuse(self, report: Path, reason: str) -> None:
        """Move a report aside that the centre will never take. As many are kept as may wait."""
        try:
            os.replace(report, self.refused / report.name)
            _write((self.refused / report.name).with_suffix(".why"), f"{reason}\n".encode())
            kept = sorted(path for path in self.refused.iterdir() if path.suffix == ".xml")
        except OSError as error:
            raise SpoolError(f"cannot move {report.name} to {self.refused}: {error.strerror}") from error
        _drop([other for path in kept[: -self.keep] for other in (path, path.with_suffix(".why"))])


def _write(path: Path, data: bytes) -> None:
    temporary = path.with_name(f".{path.name}.{os.getpid()}")
    # Whoever may write to the folder could have put something there.
    descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC, 0o640)
    try:
        with open(descriptor, "wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        os.replace(temporary, path)
        folder = os.open(path.parent, os.O_RDONLY | os.O_DIRECTORY)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)
    except BaseException:
        with contextlib.suppress(OSError):
            os.unlink(temporary)
        raise


def _drop(paths: list[Path]) -> None:
    """Remove files; one that another process removed meanwhile is gone as wanted."""
    for path in paths:
        with contextlib.suppress(FileNotFoundError):
            os.unlink(path)
