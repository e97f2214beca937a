# Copyright: (c) 2026, Fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A module as a process of its own: ``process.py MODULE '{"option": ...}'``. Every report and then its result is a line of JSON.

With the environment variable FLEET_TEST_STOP, ``["restore", 0.5, 15]``, it gets a signal when so much of an operation is done.
"""

from __future__ import annotations

import importlib
import json
import os
import signal
import sys
from typing import Any

from ansible.module_utils.testing import patch_module_args

from ansible_collections.fleet.core.plugins.module_utils import progress


def told(_class: type, _module: Any) -> progress.Progress:
    stop = json.loads(os.environ.get("FLEET_TEST_STOP", "[null, 0, 0]"))

    def tell(report: progress.Report) -> None:  # several threads do, and print() is not one write
        if report["operation"] == stop[0] and report["done"] >= stop[1] * report["total"]:
            signal.raise_signal(stop[2])
        os.write(1, f"{json.dumps({report['operation']: report['done'], **report})}\n".encode())

    return progress.Progress(tell)


if __name__ == "__main__":
    # As Ansible starts it, whatever runs the tests ignores: they tell it to stop.
    signal.signal(signal.SIGINT, signal.default_int_handler)
    signal.signal(signal.SIGHUP, signal.SIG_DFL)
    progress.INTERVAL = 0
    progress.Progress.from_module = classmethod(told)  # type: ignore[assignment,method-assign]
    with patch_module_args(json.loads(sys.argv[2])):
        importlib.import_module(f"ansible_collections.fleet.imaging.plugins.modules.{sys.argv[1]}").main()
