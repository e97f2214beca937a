# Copyright: (c) 2026, Fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The authority behind content stores' certificates, for hosts that are given it as text: they need no task that brings a file first."""

from __future__ import annotations

import contextlib
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Optional


@contextlib.contextmanager
def authority(certificates: str) -> Iterator[Optional[Path]]:
    """A file with the certificates, for as long as the context lasts; None when there are none."""
    if not certificates.strip():
        yield None
        return
    with tempfile.NamedTemporaryFile("w", prefix="fleet-ca-", suffix=".pem", encoding="ascii", errors="replace") as file:
        file.write(certificates)
        file.flush()
        yield Path(file.name)
