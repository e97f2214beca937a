# Copyright: (c) 2026, Fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What may come next in the criteria box."""

from __future__ import annotations

from ..accounts.perimeter import Perimeter


def completions(text: str, perimeter: Perimeter) -> list[object]:
    """What may follow a text."""
    return []
