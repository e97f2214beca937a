# Copyright: (c) 2026, Fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Fixtures for tests of images."""

from __future__ import annotations

import pytest

from ansible_collections.fleet.core.plugins.module_utils import progress as progress_module


@pytest.fixture
def every_report(monkeypatch: pytest.MonkeyPatch) -> None:
    """Progress reports every chunk, so that a test can act in the middle."""
    monkeypatch.setattr(progress_module, "INTERVAL", 0)
