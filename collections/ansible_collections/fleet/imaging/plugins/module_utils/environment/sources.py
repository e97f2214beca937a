# Copyright: (c) 2026, Fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The host's own Debian package sources, as one-line entries for mmdebstrap.

Third-party entries would break a bare Debian root (unknown keys, conflicting packages), so they are left out.
Formats: sources.list(5), both the one-line style and deb822.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Optional

from .errors import BuildError

_LINE = re.compile(r"^deb\s+(?:\[(?P<options>[^\]]*)\]\s+)?(?P<uri>\S+)\s+(?P<suite>\S+)\s+(?P<components>.+)$")
_CARRIED = {"signed-by": "signed-by", "trusted": "trusted", "check-valid-until": "check-valid-until"}
"""deb822 fields (lower case) that a one-line entry can carry as options."""


@dataclass(frozen=True)
class Source:
    """One package source: options as in ``[signed-by=…]``, one URI, one suite, its components."""

    options: str
    uri: str
    suite: str
    components: str

    def __str__(self) -> str:
        options = f"[{self.options}] " if self.options else ""
        return f"deb {options}{self.uri} {self.suite} {self.components}"

    def is_debian(self, codename: str) -> bool:
        """Whether this is Debian's own archive, or a mirror of it, for this release."""
        suites = {codename, f"{codename}-updates", f"{codename}-security", f"{codename}/updates"}
        signed = re.search(r"signed-by=(\S+)", self.options)
        own_key = signed is None or "debian-archive" in signed.group(1)
        return self.suite in suites and "main" in self.components.split() and own_key and "debian" in self.uri


def one_line(text: str) -> Iterator[Source]:
    """Yield the binary sources of a ``.list`` file."""
    for line in text.splitlines():
        found = _LINE.match(line.split("#", 1)[0].strip())
        if found:
            yield Source((found["options"] or "").strip(), found["uri"], found["suite"], " ".join(found["components"].split()))


def deb822(text: str) -> Iterator[Source]:
    """Yield the binary, enabled sources of a ``.sources`` file."""
    for stanza in re.split(r"\n[ \t]*\n", re.sub(r"(?m)^#.*\n?", "", text)):
        fields: dict[str, str] = {}
        name: Optional[str] = None
        for line in stanza.splitlines():
            if line[:1] in (" ", "\t") and name:
                fields[name] += "\n" + line.strip()
            elif ":" in line:
                name, value = line.split(":", 1)
                name = name.strip().lower()
                fields[name] = value.strip()
        if "deb" not in fields.get("types", "").split() or fields.get("enabled", "yes").lower() in ("no", "false", "0"):
            continue
        # A key written into the stanza itself is never Debian's own packaging of its keys.
        if "\n" in fields.get("signed-by", ""):
            continue
        options = " ".join(f"{_CARRIED[field]}={value}" for field, value in fields.items() if field in _CARRIED)
        for uri in fields.get("uris", "").split():
            for suite in fields.get("suites", "").split():
                yield Source(options, uri, suite, " ".join(fields.get("components", "").split()))


def debian(codename: str, apt: Path = Path("/etc/apt")) -> list[str]:
    """Return the one-line entries of the host's Debian sources for a release; raise BuildError when there are none."""
    found: list[Source] = []
    for path in [apt / "sources.list", *sorted((apt / "sources.list.d").glob("*"))]:
        if path.is_file() and path.suffix in (".list", ".sources"):
            text = path.read_text(errors="replace")
            found.extend(deb822(text) if path.suffix == ".sources" else one_line(text))
    lines = list(dict.fromkeys(str(source) for source in found if source.is_debian(codename)))
    if not any(source.suite == codename for source in found if source.is_debian(codename)):
        raise BuildError(
            f"No Debian package source for {codename} in {apt}",
            remedy=f"Add Debian's own archive or a mirror of it, such as: deb http://deb.debian.org/debian {codename} main",
        )
    return lines
