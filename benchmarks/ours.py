# Copyright: (c) 2026, Fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Our side: the modules image_capture and image_restore themselves, each run in a process of its own as Ansible would start them.

The time that Python and the module need to start is part of what is measured; what Ansible spends to bring a module to a station is not.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

from ansible_collections.fleet.core.plugins.module_utils.command import run

from .disks import LoopDisk

IMAGE = "model"
_MODULES = "ansible_collections.fleet.imaging.plugins.modules"


class Keys:
    """A signing key, and who is trusted."""

    def __init__(self, folder: Path) -> None:
        folder.mkdir()
        self.private = folder / "key"
        run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", "", "-f", str(self.private)])
        self.allowed_signers = f"centre {(folder / 'key.pub').read_text()}"


def capture(folder: Path, disk: LoopDisk, store: Path, keys: Keys, version: str = "1") -> list[str]:
    """The command that captures a disk into a store in a folder, signed."""
    return _module(
        folder,
        "image_capture",
        {"image": IMAGE, "version": version, "disk": str(disk.path), "store": str(store), "signing_key": str(keys.private)},
    )


def restore(
    folder: Path, disk: LoopDisk, url: str, keys: Keys, *, mode: str = "delta", verify: bool = True, check: bool = False
) -> list[str]:
    """The command that restores a disk from a store's URL: signature, hashes and, with verify, the disk read back."""
    arguments = {
        "image": IMAGE,
        "version": "1",
        "sources": [url],
        "allowed_signers": keys.allowed_signers,
        "disk": str(disk.path),
        "erase": f"size:{disk.size}",
        "mode": mode,
        "verify": verify,
        "_ansible_check_mode": check,
    }
    return _module(folder, "image_restore", arguments)


def result(output: str) -> dict[str, Any]:
    """What a module answered."""
    answer = json.loads(output)
    if not isinstance(answer, dict) or answer.get("failed"):
        raise ValueError(f"the module failed: {answer}")
    return answer


def _module(folder: Path, name: str, arguments: dict[str, Any]) -> list[str]:
    path = folder / f"{name}.json"
    path.write_text(json.dumps({"ANSIBLE_MODULE_ARGS": arguments}))
    return [sys.executable, "-m", f"{_MODULES}.{name}", str(path)]
