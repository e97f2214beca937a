# Copyright: (c) 2026, Fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The two ends of a session."""

from __future__ import annotations

from .receiver import ReceiveSession
from .sender import SendSession

__all__ = ["ReceiveSession", "SendSession"]
