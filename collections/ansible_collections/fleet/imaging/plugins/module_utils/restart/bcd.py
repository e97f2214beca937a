# Copyright: (c) 2026, Fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A UEFI firmware's entries as Windows shows them: ``bcdedit /enum firmware``.

The names of its fields are in the language of Windows, the identifiers and the order of what it prints are not; entries do not show their
network card. So an entry counts only when its description says that it is the network's, and when it is the only one.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from .choice import HTTP, LOCAL, OTHER_NETWORK, PXE, Choice, Entry, choose

_ID = re.compile(r"\{[0-9a-zA-Z-]+\}")
_NETWORK = re.compile(r"(?i)\b(pxe|ipv?[46]|pxev?[46]|https?v?[46]?|network|netzwerk|r[ée]seau|lan|nic|ethernet)\b")
_MANAGER = "{fwbootmgr}"


def entries(text: str) -> list[Entry]:
    """The entries, in the order of the firmware, then those outside of it."""
    order: list[str] = []
    found: dict[str, Entry] = {}
    for block in _blocks(text):
        number = _ID.search(block[0])
        if number and number.group().lower() == _MANAGER:
            order = max(_lists(block[1:]), key=len, default=[])
        elif number:
            found[number.group().lower()] = _entry(number.group().lower(), block[1:])
    return [found.get(each, Entry(each, "", LOCAL)) for each in order] + [entry for each, entry in found.items() if each not in order]


def network(text: str) -> Choice:
    """What to tell the firmware before Windows restarts into the network."""
    listed = entries(text)
    if not listed:
        return Choice("", "Windows shows no entries of the firmware, as on a BIOS; the firmware's own order decides")
    return choose(listed, (), macs_shown=False)


def _entry(number: str, lines: list[str]) -> Entry:
    # Device and path of an entry for a file follow its identifier; one for the network has its description alone.
    values = [_value(line) for line in lines]
    has_file = any(value.startswith(("partition=", "\\")) for value in values)
    label = next((value for value in values if value and not _ID.search(value) and not value.startswith(("partition=", "\\"))), "")
    said = _NETWORK.search(label)
    if not said or has_file:
        return Entry(number, label, LOCAL)
    if re.search(r"(?i)(ip|pxe|http)s?v?6|wi-?fi|wlan|wireless", label):
        return Entry(number, label, OTHER_NETWORK)
    return Entry(number, label, HTTP if re.search(r"(?i)http", label) else PXE)


def _blocks(text: str) -> Iterator[list[str]]:
    """The lines of each entry, without its heading; the first has the identifier."""
    block: list[str] = []
    for line in [*text.replace("\r", "").splitlines(), ""]:
        if re.fullmatch(r"-+", line.strip()):
            block = []
        elif line.strip():
            block.append(line)
        elif block:
            yield block
            block = []


def _lists(lines: list[str]) -> Iterator[list[str]]:
    """Values that are identifiers, of which each further one has a line of its own."""
    values: list[str] = []
    for line in lines:
        if not line[:1].isspace():
            yield values
            values = []
        if _ID.search(line):
            values.append(_ID.findall(line)[0].lower())
    yield values


def _value(line: str) -> str:
    parts = re.split(r"\s{2,}|(?<=\w)\s+(?=\{)", line.strip(), maxsplit=1)
    return parts[1].strip() if len(parts) > 1 else ""
