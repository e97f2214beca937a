# Copyright: (c) 2026, Fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the module content_publish does for each state, as results of a task: with check mode, and what it changes in words."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Optional

from ..progress import Progress
from .job import JobError, Jobs
from .publish import publish
from .store import ChunkStore
from .vouch import signed_path, vouch


class PublishTask:
    """Opens, signs, publishes and aborts jobs; in check mode only tells what would be."""

    def __init__(self, store: ChunkStore, jobs: Jobs, check_mode: bool) -> None:
        self._store = store
        self._jobs = jobs
        self._check_mode = check_mode

    def open(self, *, kind: str, name: str, version: Optional[str], holder: str, lifetime: int, resume: bool) -> dict[str, Any]:
        """Open a job; its token is in the result."""
        if self._check_mode:
            ref = self._jobs.preview(kind, name, version, resume=resume)
            return {"changed": True, "kind": kind, "name": name, "version": ref.version, "diff": _diff("", f"job for {ref}\n")}
        opened = self._jobs.open(kind, name, version, holder=holder, lifetime=lifetime, resume=resume)
        job = opened.job
        return {
            "changed": True,
            "job": job.id,
            "token": opened.token,
            "upload_path": job.upload_path,
            "kind": job.kind,
            "name": job.name,
            "version": job.version,
            "expires": job.expires,
            "resumed": opened.resumed,
            "diff": _diff("", f"job {job.id} for {job.ref}\n"),
        }

    def sign(self, identity: str, key: Path) -> dict[str, Any]:
        """Sign a job's manifest before its chunks are there."""
        job = self._jobs.get(identity)
        about = {"job": job.id, "kind": job.kind, "name": job.name, "version": job.version, "signed_path": signed_path(job)}
        changed = self._check_mode or vouch(self._jobs, identity, key)
        return {"changed": changed, **about, "diff": _diff("", f"signature of {job.ref}\n" if changed else "")}

    def publish(self, identity: str, key: Path, progress: Progress) -> dict[str, Any]:
        """Publish a job."""
        job = self._jobs.get(identity)
        result: dict[str, Any] = {"changed": True, "job": job.id, "diff": _diff(f"job {job.id}\n", f"{job.ref}\n")}
        if self._check_mode:
            return {**result, "kind": job.kind, "name": job.name, "version": job.version}
        return {**result, **publish(self._store, self._jobs, identity, key, progress).as_dict()}

    def abort(self, identity: str) -> dict[str, Any]:
        """End a job; none of that id is fine."""
        try:
            job = self._jobs.get(identity)
        except JobError:
            return {"changed": False}
        if not self._check_mode:
            self._jobs.remove(job)
        about = {"job": job.id, "kind": job.kind, "name": job.name, "version": job.version}
        return {"changed": True, **about, "diff": _diff(f"job {job.id} for {job.ref}\n", "")}


def _diff(before: str, after: str) -> dict[str, str]:
    return {"before": before, "after": after}
