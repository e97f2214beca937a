# Copyright: (c) 2026, Fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Charts as SVG: drawn on the server, coloured by the style sheet, told in words to who does not see them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from django.utils.formats import number_format
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _


@dataclass(frozen=True)
class Bar:
    """A labelled number; tone is a class of the style sheet (t1, t2 …), address where a click leads."""

    label: str
    number: int
    tone: str = "t1"
    address: str = ""


def ring(bars: Sequence[Bar], title: str) -> SafeString:
    """Shares of a whole as a ring, with the whole in its middle. Its legend is the table beside it."""
    total = sum(bar.number for bar in bars)
    around = 100.0
    arcs, start = [], 0.0
    for bar in bars:
        if not bar.number:
            continue
        share = around * bar.number / total
        gap = 0.6 if share > 1.5 and share < 99 else 0.0
        length = max(share - gap, 0.4)
        arcs.append((bar.tone, f"{length:.2f} {around - length:.2f}", f"{25 - start:.2f}", bar.label, number_format(bar.number)))
        start += share
    return format_html(
        '<svg class="ring" viewBox="0 0 42 42" role="img" aria-label="{}"><circle class="ring-ground" cx="21" cy="21" r="15.9155"/>{}'
        '<text class="ring-number" x="21" y="21.5" text-anchor="middle">{}</text>'
        '<text class="ring-word" x="21" y="26" text-anchor="middle">{}</text></svg>',
        told(bars, title),
        format_html_join(
            "",
            '<circle class="arc {}" cx="21" cy="21" r="15.9155" stroke-dasharray="{}" stroke-dashoffset="{}">'
            "<title>{}: {}</title></circle>",
            arcs,
        ),
        number_format(total),
        _("stations"),
    )


def stacked(bars: Sequence[Bar], title: str, length: float = 1.0) -> SafeString:
    """Shares of a whole as one line, as long as that part of the place it has."""
    total = sum(bar.number for bar in bars) or 1
    parts, start = [], 0.0
    for bar in bars:
        width = 100 * length * bar.number / total
        if width:
            parts.append((bar.tone, f"{start:.2f}", f"{max(width - 0.3, 0.4):.2f}", bar.label, number_format(bar.number)))
        start += width
    return format_html(
        '<svg class="stacked" viewBox="0 0 100 6" preserveAspectRatio="none" role="img" aria-label="{}">{}</svg>',
        told(bars, title),
        format_html_join("", '<rect class="fill {}" x="{}" y="0" width="{}" height="6"><title>{}: {}</title></rect>', parts),
    )


def meter(part: float, tone: str = "t1") -> SafeString:
    """A bar for a share from 0 to 1. The number stands beside it, so that it is for eyes only."""
    width = min(max(part, 0.0), 1.0) * 100
    return format_html(
        '<svg class="meter" viewBox="0 0 100 4" preserveAspectRatio="none" aria-hidden="true" focusable="false">'
        '<rect class="meter-ground" width="100" height="4"/><rect class="fill {}" width="{}" height="4"/></svg>',
        tone,
        f"{width:.1f}",
    )


def told(bars: Sequence[Bar], title: str) -> str:
    """A chart in words."""
    return f"{title}: " + ", ".join(f"{bar.label} {number_format(bar.number)}" for bar in bars if bar.number)
