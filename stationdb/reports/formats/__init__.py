# Copyright: (c) 2026, Fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""From each format that agents speak to the canonical report. One file a format; each has ``read(document, memory) -> Reported``.

``canonical`` says what a report is and cleans its values; ``markup`` parses XML of unknown origin; ``repeated`` remembers the rows of
software that were read before, so that a document is hardly ever parsed whole.
"""

from __future__ import annotations

from collections.abc import Container

from ..errors import ReportError
from . import fleet, glpi, ocs
from .canonical import Reported
from .repeated import Cut, Memory, cut

__all__ = ["Document", "Memory", "Reported", "read"]


class Document:
    """A decompressed document whose format is known, and whose rows of software are set apart if they can be."""

    def __init__(self, text: bytes) -> None:
        """ReportError for what is neither XML nor JSON."""
        self.text = text
        self.cut: Cut | None = None
        beginning = text[:400].lstrip(b"\xef\xbb\xbf \t\r\n")
        self.format = "glpi" if beginning[:1] in (b"{", b"[") else "fleet" if b"<report" in text[:1000] else "ocs"
        if self.format == "glpi":
            return
        if beginning[:1] != b"<" and text[:2] not in (b"\xff\xfe", b"\xfe\xff", b"\x00<", b"<\x00"):
            raise ReportError("The document is neither XML nor JSON.", "Known: fleet-report-1, OCS inventory XML, GLPI inventory JSON.")
        self.cut = cut(text, fleet.SHAPE if self.format == "fleet" else ocs.SHAPE)

    @property
    def software_digest(self) -> bytes | None:
        """Of the rows of software, where they are set apart."""
        return self.cut.digest if self.cut else None


def read(document: Document | bytes, memory: Memory | None = None, known: Container[bytes] = frozenset()) -> Reported:
    """The report in a document, whatever its format. ReportError when it is none; nothing is changed then.

    known are digests of software that was read before, and is left unread now.
    """
    if isinstance(document, bytes):
        document = Document(document)
    memory = memory if memory is not None else Memory()
    if document.format == "glpi":
        return glpi.read(document.text, memory)
    unread = document.cut is not None and document.cut.digest in known
    if document.format == "fleet":
        return fleet.read(document.text, memory, document.cut, unread)
    return ocs.read(document.text, memory, document.cut, unread)
