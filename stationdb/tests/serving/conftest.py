# Copyright: (c) 2026, Fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Databases of their own, of either kind."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from ..postgresql import postgresql

Database = dict[str, str]


@pytest.fixture(params=["sqlite", "postgresql"])
def database(request: pytest.FixtureRequest) -> Iterator[Database]:
    """What names the database in the environment; nothing for SQLite."""
    if request.param == "sqlite":
        yield {}
        return
    with postgresql() as server:
        yield {"STATIONDB_DATABASE_URL": server.url}
