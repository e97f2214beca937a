# Copyright: (c) 2026, Fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The table of filesystems of an installed system (fstab(5))."""

from __future__ import annotations

import re
from dataclasses import dataclass

_LIMIT = 1000


@dataclass(frozen=True)
class Mount:
    """One line: spec such as UUID=…, where it belongs (without a leading slash; empty for the root), type and options."""

    line: int
    spec: str
    where: str
    type: str
    options: tuple[str, ...]

    @property
    def is_swap(self) -> bool:
        return self.type == "swap"

    @property
    def is_needed(self) -> bool:
        """Whether the system does not start without it."""
        return not {"nofail", "noauto"} & set(self.options)

    @property
    def key(self) -> str:
        """The kind of name in spec: UUID, LABEL, PARTUUID, PARTLABEL, or empty for a path or a name."""
        return self.spec.partition("=")[0].upper() if "=" in self.spec else ""

    @property
    def value(self) -> str:
        return self.spec.partition("=")[2].strip('"') if "=" in self.spec else self.spec


def parse(text: str) -> list[Mount]:
    """The lines that name something; malformed ones are left out, as mount(8) does. Bounded: what is longer is not a table."""
    found = []
    for number, line in enumerate(text.splitlines()[:_LIMIT]):
        fields = line.split()
        if len(fields) < 3 or fields[0].startswith("#"):
            continue
        options = tuple(fields[3].split(",")) if len(fields) > 3 else ()
        found.append(Mount(number, _plain(fields[0]), _plain(fields[1]).strip("/"), fields[2], options))
    return found


def with_spec(text: str, mount: Mount, spec: str) -> str:
    """The text with another spec in the line of a mount; everything else stays, spaces included."""
    lines = text.splitlines(keepends=True)
    lines[mount.line] = re.sub(r"^(\s*)\S+", lambda match: match.group(1) + spec, lines[mount.line], count=1)
    return "".join(lines)


def _plain(text: str) -> str:
    return re.sub(r"\\([0-7]{3})", lambda match: chr(int(match.group(1), 8)), text)
