# Copyright: (c) 2026, Fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""fsarchiver(8): a filesystem's files as one archive, and back into a filesystem made anew.

It runs in a mount and a process namespace of its own, so that nothing of it (mounts, helpers) survives it, and dies with whoever
started it. It says on its standard output which file it is at and how far that is in percent, and ends with statistics; it ends with
code 0 although it left out files, so the statistics and everything else it complained about are read.
"""

from __future__ import annotations

import os
import re
import shlex
import subprocess
import tempfile
from collections.abc import Sequence
from pathlib import Path

from ansible_collections.fleet.core.plugins.module_utils.errors import FleetError, ToolError
from ansible_collections.fleet.core.plugins.module_utils.progress import Progress

NAME = "fsarchiver"

_COMPRESSION = "3"
"""zstd's; see docs/decisions/0014-files-engine.md."""

_ISOLATED = (
    *("setpriv", "--pdeathsig", "KILL", "--"),
    *("unshare", "--mount", "--pid", "--fork", "--kill-child", "--mount-proc", "--propagation", "slave", "--"),
    *("sh", "-c", 'mkdir -p /tmp/fsa && mount -t tmpfs fsa /tmp/fsa && fsarchiver "$@"', NAME),
)
"""It mounts below /tmp/fsa, which is a folder of nobody else this way, and leaves no empty folders there when it is killed."""

_PERCENT = re.compile(rb"-\[\d+\]\[ *(\d+)%\]")
_ERRORS = re.compile(r"^\* files with errors:\.*((?:\w+=\d+(?:, )?)+)$", re.MULTILINE)
_COMPLAINT = re.compile(r"^(?:\[errno=[^\n]*\]: )?\w+\.c#\d+,(?![^\n]*node for device [^\n]* does not exist)[^\n]*$", re.MULTILINE)
"""A complaint on the standard error, except that some mounted device has no node here: in a container, or /dev/root of a live system."""


class ArchiveError(FleetError):
    """fsarchiver failed, or did not archive or restore every file."""


def save(device: Path, archive: Path, progress: Progress) -> None:
    """Archive the filesystem on device; ArchiveError unless every file is in the archive. progress advances by percent."""
    _run(["-Z", _COMPRESSION, "savefs", str(archive), str(device)], f"The files on {device} could not be archived", progress)


def restore(archive: Path, device: Path, mkfs_options: str, progress: Progress) -> None:
    """Make the archive's filesystem on device, with its UUID, and its files; ArchiveError unless every file is there.

    Every block of the archive is verified by the archive's own checksums. The label is "incomplete": fsarchiver would put the archive's
    into a command line, where a quotation mark in it fails or worse. progress advances by percent.
    """
    options = f",mkfsopt={mkfs_options}" if mkfs_options else ""
    where = f"id=0,dest={device},label=incomplete{options}"
    _run(["restfs", str(archive), where], f"The files could not be restored to {device}", progress)


def _run(arguments: Sequence[str], failed: str, progress: Progress) -> None:
    argv = [*_ISOLATED, "-v", "-j", str(os.cpu_count() or 1), *arguments]
    with tempfile.TemporaryFile() as complaints:
        try:
            process = subprocess.Popen(
                argv, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=complaints, env={**os.environ, "LC_ALL": "C", "LANG": "C"}
            )
        except FileNotFoundError as error:
            raise ToolError(f"{argv[0]} is not installed on this host", remedy=f"Install the package that provides {argv[0]}") from error
        with process:
            try:
                _follow(process, progress)
            except BaseException:
                process.kill()
                raise
        complaints.seek(0)
        said = complaints.read().decode(errors="replace")
    fault = _fault(process.returncode, said)
    if fault:
        raise ArchiveError(f"{failed}: {fault}", command=shlex.join(argv))


def _follow(process: subprocess.Popen[bytes], progress: Progress) -> None:
    done = 0
    for line in process.stdout or ():
        found = _PERCENT.match(line)
        if found and int(found.group(1)) > done:
            progress.advance(int(found.group(1)) - done)
            done = int(found.group(1))


def _fault(code: int, said: str) -> str:
    """What went wrong, in words; empty when nothing did. said is the standard error."""
    complaints = _COMPLAINT.findall(said)
    statistics = _ERRORS.findall(said)
    if code == 0 and not complaints and statistics and not re.search(r"=[1-9]", "".join(statistics)):
        return ""
    details = "; ".join(complaints[-5:]) or " ".join(said.split())[-500:] or "it said nothing"
    if code < 0 or code > 128:
        return f"fsarchiver was killed (code {code})"
    if code:
        return f"fsarchiver ended with code {code}: {details}"
    if not statistics:
        return f"fsarchiver ended without its statistics: {details}"
    return f"fsarchiver left out files ({statistics[-1]}): {details}"
