# Copyright: (c) 2026, Fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What may come next in the criteria box, as the page shows it."""

from __future__ import annotations

from dataclasses import dataclass

from django.utils.translation import gettext as _

from ..accounts.perimeter import Perimeter
from ..criteria import complete

MOST = 36
"""Options at once."""


@dataclass(frozen=True)
class Option:
    """A text that takes the place of what is written from start to the cursor; what it is."""

    start: int
    text: str
    shown: str
    what: str


def completions(text: str, perimeter: Perimeter) -> list[Option]:
    """Options for the end of a text."""
    found = complete.complete(text, len(text), perimeter)
    return [Option(found.start, f"{option.text} ", option.shown or option.text, _what(option)) for option in found.options[:MOST]]


def _what(option: complete.Option) -> str:
    """What an option is, in words."""
    if option.kind == "value":
        return {"software": _("software"), "version": _("version")}.get(option.of, option.of)
    named = {"software": _("installed software"), "has": _("has a value")}
    kinds = {"field": _("field"), "operator": _("operator"), "word": _("connective")}
    return named.get(option.text) or kinds[option.kind]
