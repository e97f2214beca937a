# Copyright: (c) 2026, Fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""One line of text that says which stations: criteria of dynamic groups, searches and inventory filters.

``language.lark`` is the grammar and ``syntax`` makes nodes from a text; ``fields`` says what each field means as a condition on Station;
``compiler`` puts these together. ``membership`` answers which stations are in a group; ``complete`` what could come next.
The reasons: docs/decisions/0021-criteria.md; the language: docs/station-database/criteria.md.
"""

from .compiler import compile
from .errors import CriteriaError, pointed

__all__ = ["CriteriaError", "compile", "pointed"]
