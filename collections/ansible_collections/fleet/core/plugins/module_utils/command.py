# Copyright: (c) 2026, Fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Running external tools: argument lists, C locale, exit code checked, stderr in the error."""

from __future__ import annotations

import contextlib
import os
import shlex
import shutil
import subprocess
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Optional, Union

from .errors import ToolError
from .stop import calling, check


@dataclass(frozen=True)
class Completed:
    """What a tool printed and how it ended."""

    argv: tuple[str, ...]
    rc: int
    stdout: str
    stderr: str


def run(
    argv: Sequence[str],
    *,
    stdin: Union[str, bytes] = "",
    ok: Optional[Collection[int]] = (0,),
    timeout: Optional[float] = None,
    remedy: str = "",
    killable: bool = False,
) -> Completed:
    """Run argv and return its output; raise ToolError unless the exit code is in ok (None accepts every code).

    timeout is in seconds. Never put a secret in argv: other users can read it. When the module shall end, no further tool is started and
    one that runs ends by itself, lest resize2fs leave a filesystem that nobody can mend; a killable one is killed.
    """
    environment = {**os.environ, "LC_ALL": "C", "LANG": "C"}
    data = stdin if isinstance(stdin, bytes) else stdin.encode()
    pipe = subprocess.PIPE
    check()
    try:
        with subprocess.Popen(list(argv), stdin=pipe, stdout=pipe, stderr=pipe, env=environment) as process:
            try:
                with calling(process.kill) if killable else contextlib.nullcontext():
                    printed, complaints = process.communicate(data, timeout)
            except BaseException:
                process.kill()
                raise
    except FileNotFoundError as error:
        raise ToolError(
            f"{argv[0]} is not installed on this host", remedy=remedy or f"Install the package that provides {argv[0]}"
        ) from error
    except subprocess.TimeoutExpired as error:
        raise ToolError(f"{shlex.join(argv)} did not end within {timeout} s", remedy=remedy) from error
    if killable:
        check()
    done = Completed(tuple(argv), process.returncode, printed.decode(errors="replace"), complaints.decode(errors="replace"))
    if ok is not None and done.rc not in ok:
        said = (done.stderr.strip() or done.stdout.strip())[-2000:]
        raise ToolError(f"{shlex.join(argv)} ended with code {done.rc}: {said}", remedy=remedy, rc=done.rc, stderr=done.stderr[-2000:])
    return done


def available(tool: str) -> bool:
    """Whether a tool is installed (sbin folders included, which a user's PATH may lack)."""
    path = os.pathsep.join([os.environ.get("PATH", ""), "/usr/local/sbin", "/usr/sbin", "/sbin"])
    return shutil.which(tool, path=path) is not None
