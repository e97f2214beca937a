# Copyright: (c) 2026, Fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Signing a manifest before its chunks are here: for stations that get them from the captured station itself (record 0039).

    <root>/jobs/<id>/signed/manifests/<kind>/<name>/<version>.json (+ .sig)

nginx serves it as a content store below /signed/<id> that has a manifest and no chunks. It is not listed, and goes with the job; what the
job publishes in the end must be what was signed.
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Optional

from .job import Job, JobError, Jobs
from .manifest import Manifest
from .quarantine import PublishError, uploaded_manifest
from .signature import sign
from .store import ChunkStore

_FOLDER = "signed"


def signed_path(job: Job) -> str:
    """Where the signed manifest of a job is served, below the store's URL."""
    return f"{_FOLDER}/{job.id}"


def vouch(jobs: Jobs, identity: str, key: Path) -> bool:
    """Sign the manifest that a job received, and serve it; False when that was done before, and the manifest is still the same.

    Raises JobError, ManifestError or PublishError. The job stays open: its chunks are still to come.
    """
    job = jobs.get(identity)
    if job.expired:
        raise JobError(f"job {job.id} expired at {job.expires}", remedy="Open a job with a longer lifetime and capture again")
    with jobs.claim(job) as folder:
        manifest = uploaded_manifest(job, folder)
        if as_signed(job, folder, manifest):
            return False
        data = manifest.to_bytes()
        ChunkStore(folder / _FOLDER).add_manifest(job.ref, data, sign(data, key))
        return True


def as_signed(job: Job, folder: Path, manifest: Manifest) -> Optional[Manifest]:
    """The manifest that was signed for a job, None when none was; PublishError when it says something else than this one.

    Stations may have the version by now, and no two images are ever the same version.
    """
    store = ChunkStore(folder / _FOLDER)
    if not (store.root / job.ref.path()).exists():
        return None
    signed = store.load(job.ref)
    if replace(manifest, created=signed.created) != signed:
        raise PublishError(
            f"{job.ref} was signed for stations that got it from {job.holder or 'the model'} itself, and this is something else",
            remedy=f"The model's disk was changed meanwhile. Abort the job (state: aborted, job: {job.id}), and capture another version",
            job=job.id,
        )
    return signed
