# Copyright: (c) 2026, Fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""From each format that agents speak to the canonical report. One file a format; each has ``read(document, memory) -> Reported``.

``canonical`` says what a report is and cleans its values; ``markup`` parses XML of unknown origin; ``repeated`` remembers the rows of
software that were read before, so that a document is hardly ever parsed whole.
"""

from __future__ import annotations

from ..errors import ReportError
from . import fleet, glpi, ocs
from .canonical import Reported
from .repeated import Memory

__all__ = ["Memory", "Reported", "read"]


def read(document: bytes, memory: Memory | None = None) -> Reported:
    """The report in a document, whatever its format. ReportError when it is none; nothing is changed then."""
    memory = memory if memory is not None else Memory()
    beginning = document[:400].lstrip(b"\xef\xbb\xbf \t\r\n")
    if beginning[:1] in (b"{", b"["):
        return glpi.read(document, memory)
    if beginning[:1] != b"<" and document[:2] not in (b"\xff\xfe", b"\xfe\xff", b"\x00<", b"<\x00"):
        raise ReportError("The document is neither XML nor JSON.", "Known formats: fleet-report-1, OCS inventory XML, GLPI inventory JSON.")
    return fleet.read(document, memory) if b"<report" in document[:1000] else ocs.read(document, memory)
