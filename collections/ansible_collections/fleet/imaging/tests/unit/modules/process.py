# Copyright: (c) 2026, Fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A module as a process of its own: ``process.py MODULE '{"option": ...}'``. Every report and then its result is a line of JSON."""

from __future__ import annotations

import importlib
import json
import os
import sys
from typing import Any

from ansible.module_utils.testing import patch_module_args

from ansible_collections.fleet.core.plugins.module_utils import progress


def told(_class: type, _module: Any) -> progress.Progress:
    def tell(report: progress.Report) -> None:  # several threads do, and print() is not one write
        os.write(1, f"{json.dumps({report['operation']: report['done'], **report})}\n".encode())

    return progress.Progress(tell)


if __name__ == "__main__":
    progress.INTERVAL = 0
    progress.Progress.from_module = classmethod(told)  # type: ignore[assignment,method-assign]
    with patch_module_args(json.loads(sys.argv[2])):
        importlib.import_module(f"ansible_collections.fleet.imaging.plugins.modules.{sys.argv[1]}").main()
