# Copyright: (c) 2026, Fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""QMP: what QEMU is asked while it runs (docs/interop/qmp-spec.txt in QEMU's sources)."""

from __future__ import annotations

import json
import socket
from pathlib import Path
from typing import Any

from .process import MachineError


def execute(path: Path, command: str, arguments: dict[str, Any] | None = None, timeout: float = 60.0) -> Any:
    """Run one command on the monitor behind a socket and return what it returned; raise MachineError when QEMU refuses or is gone."""
    try:
        with socket.socket(socket.AF_UNIX) as connection:
            connection.settimeout(timeout)
            connection.connect(str(path))
            with connection.makefile("rwb") as stream:
                stream.readline()  # the greeting
                _ask(stream, "qmp_capabilities", {})
                return _ask(stream, command, arguments or {})
    except (OSError, ValueError) as error:
        raise MachineError(f"The monitor {path} does not answer: {error}", remedy="See whether the machine runs") from error


def _ask(stream: Any, command: str, arguments: dict[str, Any]) -> Any:
    stream.write(json.dumps({"execute": command, "arguments": arguments}).encode() + b"\n")
    stream.flush()
    while True:
        line = stream.readline()
        if not line:
            raise OSError("it closed the connection")
        answer = json.loads(line)
        if "error" in answer:
            raise MachineError(f"QEMU refuses {command}: {answer['error'].get('desc')}", remedy="See its console")
        if "return" in answer:
            return answer["return"]
