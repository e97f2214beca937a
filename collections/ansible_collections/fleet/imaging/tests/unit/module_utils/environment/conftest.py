# Copyright: (c) 2026, Fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Where roots and images of the imaging environment are kept between runs, and shared with the virtual room."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).parents[8]


@pytest.fixture(scope="session")
def cache() -> Path:
    """The folder that RootCache and the builder of the imaging environment are given."""
    return Path(os.environ.get("FLEET_CACHE") or REPOSITORY / ".cache")
