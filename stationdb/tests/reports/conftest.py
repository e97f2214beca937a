# Copyright: (c) 2026, Fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Each test has a spool of its own, and agents of no earlier test."""

from __future__ import annotations

from pathlib import Path

import pytest

from stationdb.reports.admission import admission
from stationdb.reports.spool import Spool


@pytest.fixture(autouse=True)
def spool(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Spool:
    monkeypatch.setenv("STATIONDB_HOME", str(tmp_path / "home"))
    admission.forget()
    return Spool()
