# Copyright: (c) 2026, Fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Documents to print: a list, and the sheet of one station. Texts are drawn, never parsed as markup."""

from __future__ import annotations

import io
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any
from xml.sax.saxutils import escape

import reportlab
from django.utils import timezone
from django.utils.formats import date_format, number_format
from django.utils.translation import gettext as _
from reportlab.lib.colors import HexColor
from reportlab.lib.pagesizes import A4, landscape
from reportlab.lib.styles import ParagraphStyle
from reportlab.lib.units import mm
from reportlab.pdfbase import pdfmetrics
from reportlab.pdfbase.ttfonts import TTFont
from reportlab.pdfgen.canvas import Canvas
from reportlab.platypus import BaseDocTemplate, Flowable, Frame, KeepTogether, PageTemplate, Paragraph, Spacer, Table, TableStyle

INK, MUTED, LINE, STRIPE, ACCENT = (HexColor(each) for each in ("#17211f", "#5b6a67", "#d5dedb", "#f3f7f6", "#0b6b63"))
MARGIN = 14 * mm

_FONTS = (Path("/usr/share/fonts/truetype/dejavu"), Path(reportlab.__file__).parent / "fonts")
"""DejaVu of Debian's fonts-dejavu-core has more of the world's letters than Vera, which comes with reportlab and has French."""


@cache
def fonts() -> tuple[str, str]:
    """Names of the embedded fonts, plain and bold."""
    for folder, plain, bold in ((_FONTS[0], "DejaVuSans.ttf", "DejaVuSans-Bold.ttf"), (_FONTS[1], "Vera.ttf", "VeraBd.ttf")):
        if (folder / plain).exists() and (folder / bold).exists():
            pdfmetrics.registerFont(TTFont("Fleet", folder / plain))
            pdfmetrics.registerFont(TTFont("Fleet-Bold", folder / bold))
            pdfmetrics.registerFontFamily("Fleet", normal="Fleet", bold="Fleet-Bold", italic="Fleet", boldItalic="Fleet-Bold")
            return "Fleet", "Fleet-Bold"
    raise FileNotFoundError("There is no font for PDF documents: reinstall reportlab, or install fonts-dejavu-core.")


def clean(text: str) -> str:
    """Without control characters, which no font draws."""
    return "".join(letter if letter.isprintable() else " " for letter in text)


def list_document(
    title: str, subtitle: str, titles: Sequence[str], widths: Sequence[float], rows: Sequence[Sequence[str]], total: int
) -> bytes:
    """A table over as many pages as it needs, lines as high as one text; what is too wide ends in an ellipsis."""
    plain, bold = fonts()
    page = landscape(A4)
    buffer = io.BytesIO()
    canvas = Canvas(buffer, pagesize=page, pageCompression=1)
    _describe(canvas, title)
    step, top = 5.2 * mm, page[1] - 34 * mm
    per_page = int((top - 20 * mm) // step)
    pages = max(1, -(-len(rows) // per_page))
    scale = (page[0] - 2 * MARGIN) / sum(widths)
    places = [MARGIN + scale * sum(widths[:index]) for index in range(len(widths))]
    note = _("%(shown)s of %(total)s; the CSV file has all.") % {"shown": number_format(len(rows)), "total": number_format(total)}
    for number in range(pages):
        _frame(canvas, page, title, subtitle, f"{number + 1} / {pages}", note if total > len(rows) else "")
        canvas.setFillColor(MUTED)
        for place, width, text in zip(places, widths, titles, strict=True):
            canvas.setFont(bold, 7.5)
            canvas.drawString(place + 2, top + 2 * mm, fitted(text, bold, 7.5, scale * width - 6))
        canvas.setStrokeColor(ACCENT)
        canvas.line(MARGIN, top, page[0] - MARGIN, top)
        for index, row in enumerate(rows[number * per_page : (number + 1) * per_page]):
            low = top - (index + 1) * step
            if index % 2:
                canvas.setFillColor(STRIPE)
                canvas.rect(MARGIN, low, page[0] - 2 * MARGIN, step, stroke=0, fill=1)
            canvas.setFillColor(INK)
            canvas.setFont(plain, 7.5)
            for place, width, text in zip(places, widths, row, strict=True):
                canvas.drawString(place + 2, low + 1.6 * mm, fitted(text, plain, 7.5, scale * width - 6))
        canvas.showPage()
    canvas.save()
    return buffer.getvalue()


def fitted(text: str, font: str, size: float, width: float) -> str:
    """As much of a text as fits a width in points."""
    text = clean(text)[:400]
    if pdfmetrics.stringWidth(text, font, size) <= width:
        return text
    low, high = 0, len(text)
    while low < high:
        middle = (low + high + 1) // 2
        low, high = (middle, high) if pdfmetrics.stringWidth(text[:middle] + "…", font, size) <= width else (low, middle - 1)
    return text[:low] + "…"


@dataclass(frozen=True)
class Block:
    """A part of a sheet: names and values, or a table with a heading for each column."""

    title: str
    pairs: Sequence[tuple[str, str]] = ()
    titles: Sequence[str] = ()
    rows: Sequence[Sequence[str]] = ()


def sheet_document(title: str, subtitle: str, blocks: Sequence[Block]) -> bytes:
    """The blocks of a sheet under each other."""
    plain, bold = fonts()
    body = ParagraphStyle("body", fontName=plain, fontSize=8, leading=10.5, textColor=INK, splitLongWords=1, wordWrap="CJK")
    name = ParagraphStyle("name", parent=body, textColor=MUTED)
    head = ParagraphStyle("head", parent=body, fontName=bold, fontSize=10.5, leading=14, textColor=ACCENT, spaceBefore=9, spaceAfter=3)
    width = A4[0] - 2 * MARGIN
    story: list[Flowable] = []
    for block in blocks:
        story.append(
            KeepTogether([Paragraph(escape(clean(block.title)), head), *([_pairs(block, width, name, body)] if block.pairs else [])])
        )
        if block.rows:
            story.append(_rows(block, width, name, body))
        story.append(Spacer(1, 2 * mm))
    buffer = io.BytesIO()
    document = BaseDocTemplate(
        buffer,
        pagesize=A4,
        leftMargin=MARGIN,
        rightMargin=MARGIN,
        topMargin=30 * mm,
        bottomMargin=18 * mm,
        title=clean(title),
        author="Fleet",
    )
    area = Frame(MARGIN, 16 * mm, width, A4[1] - 46 * mm, leftPadding=0, rightPadding=0, topPadding=0, bottomPadding=0)
    document.addPageTemplates(PageTemplate(frames=[area]))

    class Numbered(Canvas):  # type: ignore[misc]  # reportlab has no types
        """Knows how many pages there are once all are drawn."""

        def __init__(self, *args: Any, **options: Any) -> None:
            super().__init__(*args, **options)
            self.drawn: list[dict[str, Any]] = []

        def showPage(self) -> None:
            self.drawn.append(dict(self.__dict__))
            self._startPage()

        def save(self) -> None:
            for number, state in enumerate(self.drawn, 1):
                self.__dict__.update(state)
                _frame(self, A4, title, subtitle, f"{number} / {len(self.drawn)}", "")
                super().showPage()
            super().save()

    document.build(story, canvasmaker=Numbered)
    return buffer.getvalue()


def _pairs(block: Block, width: float, name: ParagraphStyle, body: ParagraphStyle) -> Table:
    cells = [[Paragraph(escape(clean(key)), name), Paragraph(escape(clean(value)[:2000]), body)] for key, value in block.pairs]
    return Table(cells, colWidths=[0.3 * width, 0.7 * width], style=_style(0))


def _rows(block: Block, width: float, name: ParagraphStyle, body: ParagraphStyle) -> Table:
    shown = range(min(len(block.titles), 6))
    share = [max([len(str(block.titles[index])), *(min(len(row[index]), 40) for row in block.rows[:200])]) + 2 for index in shown]
    cells = [[Paragraph(escape(clean(str(block.titles[index]))), name) for index in shown]]
    cells += [[Paragraph(escape(clean(row[index])[:300]), body) for index in shown] for row in block.rows]
    return Table(cells, colWidths=[width * each / sum(share) for each in share], repeatRows=1, style=_style(1))


def _style(heads: int) -> TableStyle:
    return TableStyle(
        [
            ("VALIGN", (0, 0), (-1, -1), "TOP"),
            ("LINEBELOW", (0, 0), (-1, -1), 0.3, LINE),
            ("TOPPADDING", (0, 0), (-1, -1), 1.5),
            ("BOTTOMPADDING", (0, 0), (-1, -1), 2),
            ("LEFTPADDING", (0, 0), (-1, -1), 2),
            ("RIGHTPADDING", (0, 0), (-1, -1), 4),
            *([("LINEBELOW", (0, 0), (-1, heads - 1), 0.6, ACCENT)] if heads else []),
        ]
    )


def _describe(canvas: Any, title: str) -> None:
    canvas.setTitle(clean(title))
    canvas.setAuthor("Fleet")


def _frame(canvas: Any, page: tuple[float, float], title: str, subtitle: str, number: str, note: str) -> None:
    """Header and footer of a page."""
    plain, bold = fonts()
    _describe(canvas, title)
    width, height = page
    canvas.setFillColor(ACCENT)
    canvas.rect(MARGIN, height - 17.5 * mm, 2.2, 8 * mm, stroke=0, fill=1)
    canvas.setFillColor(INK)
    canvas.setFont(bold, 14)
    canvas.drawString(MARGIN + 4 * mm, height - 13.5 * mm, fitted(title, bold, 14, width - 2 * MARGIN - 40 * mm))
    canvas.setFont(plain, 8)
    canvas.setFillColor(MUTED)
    canvas.drawString(MARGIN + 4 * mm, height - 17.5 * mm, fitted(subtitle, plain, 8, width - 2 * MARGIN - 40 * mm))
    canvas.drawRightString(width - MARGIN, height - 13.5 * mm, "Fleet")
    made = date_format(timezone.localtime(), "DATETIME_FORMAT")
    canvas.drawString(MARGIN, 9 * mm, fitted(f"{made}   {note}", plain, 8, width - 2 * MARGIN - 30 * mm))
    canvas.drawRightString(width - MARGIN, 9 * mm, number)
