# Copyright: (c) 2026, Fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The file in which Ansible keeps the state of the asynchronous job that runs this process.

``async_wrapper`` writes the file when the job starts and again, with the module's result, after the module has ended; in between
it belongs to nobody, so the running module may put its progress there. The controller reads it while it waits.

How the module finds it: ``async_wrapper`` is the module's parent process, was called with the job's id, and named the file
``<id>.<its first process id>`` in the folder of the environment variable ANSIBLE_ASYNC_DIR (ansible-core 2.19, async_wrapper.py).
"""

from __future__ import annotations

import json
import os
import re
import threading
from pathlib import Path
from typing import Any, Optional

JOB_ID = re.compile(r"j[0-9]+")
"""What the controller calls a job: "j" and a random number."""


class JobFile:
    """The job file of one running module; safe to write from several threads."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._lock = threading.Lock()

    @classmethod
    def of_this_process(cls) -> Optional[JobFile]:
        """Return the file of the job that runs this process, or None when it was not started as an asynchronous job."""
        folder = os.environ.get("ANSIBLE_ASYNC_DIR")
        if not folder:
            return None
        try:
            command = Path(f"/proc/{os.getppid()}/cmdline").read_bytes().decode(errors="replace").split("\0")
            return cls.find(command, Path(folder).expanduser())
        except (OSError, RuntimeError):
            return None

    @classmethod
    def find(cls, command: list[str], folder: Path) -> Optional[JobFile]:
        """Return the job file in folder that belongs to the async_wrapper with this command line, or None."""
        for script, job in zip(command, command[1:]):
            if "async_wrapper" in Path(script).name and JOB_ID.fullmatch(job):
                files = [path for path in folder.glob(f"{job}.*") if path.name[len(job) + 1 :].isdigit()]
                return cls(files[0]) if len(files) == 1 else None
        return None

    def write(self, progress: dict[str, Any]) -> None:
        """Put progress into the file, beside what async_wrapper put there; a reader sees the old or the new content, never a part.

        Raises OSError when the file cannot be written.
        """
        state = {"started": True, "finished": False, "ansible_job_id": self.path.name, "module_pid": os.getpid(), "progress": progress}
        with self._lock:
            draft = self.path.with_name(f"{self.path.name}.progress")
            draft.write_text(json.dumps(state), encoding="utf-8")
            draft.replace(self.path)
