# Copyright: (c) 2026, Fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""fsarchiver(8): a filesystem's files as one archive, and back into a filesystem made anew.

It runs in a mount and a process namespace of its own, so that nothing of it (mounts, helpers) survives it, and dies with whoever
started it. It says on its standard output which file it is at and how far that is in percent, and ends with statistics; it ends with
code 0 although it left out files, so the statistics and everything else it complained about are read. Its threads wait for each other,
and have been seen to wait for ever (https://github.com/fdupoux/fsarchiver/issues/119): then it is killed, and that is said.
"""

from __future__ import annotations

import os
import re
import selectors
import shlex
import subprocess
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Optional

from ansible_collections.fleet.core.plugins.module_utils.errors import FleetError, ToolError
from ansible_collections.fleet.core.plugins.module_utils.progress import Progress
from ansible_collections.fleet.core.plugins.module_utils.stop import calling, check

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


PATIENCE = 900.0
"""Seconds without a word and without any work after which fsarchiver hangs: flushing all it wrote to a slow disk takes less."""


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
                with calling(process.kill):
                    alive = _follow(process, progress)
                check()
                if not alive:
                    process.kill()
            except BaseException:
                process.kill()
                raise
        complaints.seek(0)
        said = complaints.read().decode(errors="replace")
    fault = _fault(process.returncode, said) if alive else f"fsarchiver did nothing for {PATIENCE:g} seconds, and was killed"
    if fault:
        raise ArchiveError(f"{failed}: {fault}", command=shlex.join(argv))


def _follow(process: subprocess.Popen[bytes], progress: Progress) -> bool:
    """Tell how far it is until it closes its output; False when it hangs."""
    done = 0
    for line in _lines(process):
        if line is None:
            return False
        found = _PERCENT.match(line)
        if found and int(found.group(1)) > done:
            progress.advance(int(found.group(1)) - done)
            done = int(found.group(1))
    return True


def _lines(process: subprocess.Popen[bytes]) -> Iterator[Optional[bytes]]:
    """What it prints, by lines; None, as the last, when it neither printed nor worked for a long time."""
    output = process.stdout
    if output is None:
        return
    rest, worked = b"", -1
    with selectors.DefaultSelector() as selector:
        selector.register(output, selectors.EVENT_READ)
        while True:
            if not selector.select(PATIENCE):
                before, worked = worked, _processor_time(process.pid)
                if worked == before:
                    yield None
                    return
                continue
            piece = os.read(output.fileno(), 1 << 16)
            *lines, rest = (rest + piece).split(b"\n")
            yield from lines
            if not piece:
                return


def _processor_time(pid: int) -> int:
    """Clock ticks that a process and its descendants have used (proc_pid_stat(5)); a big file is one line and much work."""
    parents, used = {}, {}
    for stat in Path("/proc").glob("[0-9]*/stat"):
        try:
            fields = stat.read_text(errors="replace").rpartition(")")[2].split()
        except OSError:
            continue
        parents[int(stat.parent.name)], used[int(stat.parent.name)] = int(fields[1]), int(fields[11]) + int(fields[12])
    family = {pid}
    while True:
        more = {child for child, parent in parents.items() if parent in family} - family
        if not more:
            return sum(used.get(member, 0) for member in family)
        family |= more


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
