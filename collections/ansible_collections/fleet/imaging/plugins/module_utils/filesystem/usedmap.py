# Copyright: (c) 2026, Fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Used-block maps: which parts of a filesystem hold something, by the word of ``partclone.<fs> --domain``.

The map is a ddrescue domain file (GNU ddrescue manual, "Mapfile structure").
"""

from __future__ import annotations

import tempfile
from pathlib import Path

from ansible_collections.fleet.core.plugins.module_utils.command import run

from .base import Extent, FilesystemError

_STATUSES = frozenset("?*/-+")


def partclone_domain(tool: str, device: Path, size: int) -> list[Extent]:
    """The used extents of a clean filesystem on a device of size bytes.

    The map goes to a fresh file: partclone refuses an existing one and a pipe would hide its exit code. -f 1: partclone waits for its
    own progress display in the end, now and then, by default for two seconds.
    """
    with tempfile.TemporaryDirectory(prefix="fleet-domain-") as folder:
        domain = Path(folder) / "domain"
        run(
            [tool, "--domain", "-f", "1", "-s", str(device), "-o", str(domain), "-L", str(Path(folder) / "log")],
            remedy="Check the filesystem with its own tool, then capture again",
            killable=True,
        )
        text = domain.read_text(encoding="ascii", errors="replace") if domain.exists() else ""
    return parse_domain(text, size, f"{tool} --domain of {device}")


def parse_domain(text: str, size: int, source: str) -> list[Extent]:
    """The extents marked ``+`` in a domain file; raises FilesystemError when it is malformed, unordered or leaves the device."""
    lines = [line.split() for line in text.splitlines() if line.strip() and not line.startswith("#")]
    if len(lines) < 2:
        raise FilesystemError(f"{source} gave no map")
    extents: list[Extent] = []
    position = 0
    for fields in lines[1:]:  # the first line is the state of a run, not an extent
        try:
            offset, length, status = int(fields[0], 16), int(fields[1], 16), fields[2]
        except (ValueError, IndexError) as error:
            raise FilesystemError(f"{source} gave a malformed line: {' '.join(fields)!r}") from error
        if status not in _STATUSES or offset < position or length < 0:
            raise FilesystemError(f"{source} gave an impossible line: {' '.join(fields)!r}")
        if status == "+" and offset + length > size:
            raise FilesystemError(f"{source} gave an extent at {offset} of {length} bytes, outside the device of {size} bytes")
        position = offset + length
        if status == "+" and length:
            extents.append((offset, length))
    if not extents:
        raise FilesystemError(f"{source} gave a map without any used block")
    return extents
