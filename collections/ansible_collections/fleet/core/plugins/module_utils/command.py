# Copyright: (c) 2026, Fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Running external tools: argument lists, C locale, exit code checked, stderr in the error."""

from __future__ import annotations

import os
import shlex
import shutil
import subprocess
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Optional, Union

from .errors import ToolError


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
) -> Completed:
    """Run argv and return its output; raise ToolError unless the exit code is in ok (None accepts every code).

    timeout is in seconds. Never put a secret in argv: other users can read it.
    """
    environment = {**os.environ, "LC_ALL": "C", "LANG": "C"}
    try:
        process = subprocess.run(
            list(argv),
            input=stdin if isinstance(stdin, bytes) else stdin.encode(),
            capture_output=True,
            env=environment,
            timeout=timeout,
            check=False,
        )
    except FileNotFoundError as error:
        raise ToolError(
            f"{argv[0]} is not installed on this host", remedy=remedy or f"Install the package that provides {argv[0]}"
        ) from error
    except subprocess.TimeoutExpired as error:
        raise ToolError(f"{shlex.join(argv)} did not end within {timeout} s", remedy=remedy) from error
    done = Completed(tuple(argv), process.returncode, process.stdout.decode(errors="replace"), process.stderr.decode(errors="replace"))
    if ok is not None and done.rc not in ok:
        said = (done.stderr.strip() or done.stdout.strip())[-2000:]
        raise ToolError(f"{shlex.join(argv)} ended with code {done.rc}: {said}", remedy=remedy, rc=done.rc, stderr=done.stderr[-2000:])
    return done


def available(tool: str) -> bool:
    """Whether a tool is installed (sbin folders included, which a user's PATH may lack)."""
    path = os.pathsep.join([os.environ.get("PATH", ""), "/usr/local/sbin", "/usr/sbin", "/sbin"])
    return shutil.which(tool, path=path) is not None
