# Copyright: (c) 2026, Fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A disk as a line of text that shows its partitions and how full they are."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ansible.errors import AnsibleFilterError

DOCUMENTATION = r"""
name: disk_bar
short_description: Draw a disk's partitions and how full they are
version_added: "0.1.0"
author: Fleet contributors (@fleet)
description:
  - Draws a disk of M(fleet.imaging.disk_info) as one line, in which each partition is as wide as its share of the disk. What is in use
    is dark, what is free is light, and what belongs to no partition is blank.
options:
  _input:
    description: One of the C(disks) that M(fleet.imaging.disk_info) returns.
    type: dict
    required: true
  width:
    description: Characters between the ends of the line.
    type: int
    default: 64
"""

EXAMPLES = r"""
- name: Show the disks of a station
  ansible.builtin.debug:
    msg: "{{ found.disks | map('fleet.imaging.disk_bar') }}"
"""

RETURN = r"""
_value:
  description: The line.
  type: str
  sample: "▕█░│██████████████░░░░░░░░░░░│▒▒  ▏"
"""

USED = "█"
FREE = "░"
UNKNOWN = "▒"
NOBODYS = " "


def disk_bar(disk: Mapping[str, Any], width: int = 64) -> str:
    """Draw a disk; AnsibleFilterError when it is not a disk of disk_info."""
    try:
        cells = [NOBODYS] * width
        for partition in disk["partitions"]:
            if partition["filesystem"] is None:  # an extended partition: the logical ones are drawn
                continue
            first = min(width - 1, round(partition["start"] * width / disk["size"]))
            last = max(first + 1, round((partition["start"] + partition["size"]) * width / disk["size"]))
            _fill(cells, first, min(last, width), partition["used"], partition["size"])
    except (KeyError, TypeError, ZeroDivisionError) as error:
        raise AnsibleFilterError("disk_bar draws a disk as fleet.imaging.disk_info returns it") from error
    return "▕" + "".join(cells) + "▏"


def _fill(cells: list[str], first: int, last: int, used: int | None, size: int) -> None:
    if used is None:
        cells[first:last] = UNKNOWN * (last - first)
    else:
        dark = min(last - first, -(-used * (last - first) // size))  # rounded up: what holds something is never shown empty
        cells[first:last] = USED * dark + FREE * (last - first - dark)
    if first and last - first > 1:
        cells[first] = "│"


class FilterModule:
    """The filter."""

    def filters(self) -> dict[str, Any]:
        """Filters by name."""
        return {"disk_bar": disk_bar}
