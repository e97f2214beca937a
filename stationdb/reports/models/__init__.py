# Copyright: (c) 2026, Fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What stations said: their sections as of the last report, what changed and when, and who holds which software."""

from .report import Report, Unplaced
from .section import Section, SectionChange
from .software import Bundle, Held, Holding, Software, SoftwareVersion

__all__ = ["Bundle", "Held", "Holding", "Report", "Section", "SectionChange", "Software", "SoftwareVersion", "Unplaced"]
