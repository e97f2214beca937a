# Copyright: (c) 2026, Fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""XML of unknown origin: no document type, so no entities and nothing fetched; nothing deeper or larger than libxml2's own limits."""

from __future__ import annotations

from lxml import etree

from ..errors import ReportError


def parse(document: bytes) -> etree._Element:
    """The root. ReportError for what is not well-formed, has a document type, or another encoding than it says."""
    # A parser of its own for each document: one that is shared grows a dictionary of every name that it ever met.
    parser = etree.XMLParser(
        resolve_entities=False, no_network=True, load_dtd=False, huge_tree=False, remove_comments=True, remove_pis=True, recover=False
    )
    try:
        root = etree.fromstring(document, parser)
    except (etree.XMLSyntaxError, ValueError, LookupError) as error:
        what = " ".join(str(error).replace("(<string>, ", "(").split())[:200]
        raise ReportError(f"The XML is not well-formed: {what}.", "Send it again; if it comes back, the agent writes bad XML.") from error
    if root.getroottree().docinfo.doctype:
        raise ReportError("The XML has a document type (<!DOCTYPE).", "No agent writes one: look at what the station sends.")
    return root


def text_of(element: etree._Element, name: str) -> str:
    """The text of a child; blank when it has none."""
    return (element.findtext(name) or "").strip()


def flat(element: etree._Element) -> dict[str, str]:
    """The values of an element's children by their names in lower case.

    Those of a name that is repeated are joined by commas; what lies deeper is named parent_child.
    """
    values: dict[str, str] = {}
    for child in element:
        tag, text = child.tag, child.text
        name = _NAMES.get(tag) or _named(tag)
        if len(child):
            for below, deeper in flat(child).items():
                _put(values, f"{name}_{below}", deeper)
        elif text:
            if name in values:
                _put(values, name, text)
            elif len(values) < _MOST:
                values[name] = text
    return values


_LONGEST = 1 << 17
"""Characters of values that are joined; more than of any value that is kept."""
_MOST = 1000
"""Values of an element; more than any row keeps."""
_NAMES: dict[str, str] = {}
"""Names of elements in lower case, as many as agents know."""


def _named(tag: object) -> str:
    name = str(tag).lower()
    if len(_NAMES) < 1000:
        _NAMES[str(tag)] = name
    return name


def _put(values: dict[str, str], name: str, text: str) -> None:
    """Neither many nor long values cost more than their number."""
    if (before := values.get(name)) is None:
        if len(values) < _MOST:
            values[name] = text
    elif len(before) < _LONGEST:
        values[name] = f"{before}, {text}"
