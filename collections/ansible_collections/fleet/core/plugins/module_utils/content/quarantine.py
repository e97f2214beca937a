# Copyright: (c) 2026, Fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Reading what a station uploaded: everything in a job's incoming/ is hostile, whatever its name."""

from __future__ import annotations

import contextlib
import errno
import os
import stat
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

from ..errors import FleetError
from .chunk import CHUNK_SIZE
from .job import Job
from .manifest import SIZE_LIMIT, Manifest, ManifestError


class PublishError(FleetError):
    """What was uploaded cannot become part of the store."""


def uploaded_manifest(job: Job, folder: Path) -> Manifest:
    """The manifest in the folder of a job, when it is the one that the job may add; ManifestError or PublishError otherwise.

    It is created when the job was opened: the store's clock, not that of a station whose battery may be empty, decides which version is the
    latest.
    """
    data = _bytes(job, folder / "incoming" / "manifest.json")
    manifest = Manifest.from_bytes(data)
    if (manifest.kind, manifest.name, manifest.version) != (job.kind, job.name, job.version):
        raise PublishError(
            f"job {job.id} may add {job.ref}, but the manifest is of {manifest.kind} {manifest.name} {manifest.version}",
            remedy="Abort the job; capture with the kind, name and version that the job was opened for",
        )
    if manifest.chunk_size != CHUNK_SIZE:
        raise PublishError(f"{job.ref} has chunks of {manifest.chunk_size} bytes", remedy=f"This store takes chunks of {CHUNK_SIZE} bytes")
    if manifest.to_bytes() != data:
        raise ManifestError(f"the manifest of {job.ref} is not in canonical form", remedy="Capture with this version of Fleet")
    return replace(manifest, created=job.opened)


def _bytes(job: Job, path: Path) -> bytes:
    try:
        with regular(path, SIZE_LIMIT) as handle, os.fdopen(os.dup(handle), "rb") as file:
            return file.read(SIZE_LIMIT + 1)
    except FileNotFoundError as error:
        raise PublishError(
            f"{job.ref} was not published: its manifest was not uploaded",
            remedy="The capture did not finish: open the job again with resume, and capture again",
        ) from error


@contextlib.contextmanager
def regular(path: Path, limit: int) -> Iterator[int]:
    """An open regular file of at most limit bytes; PublishError when it is a link, a device, or larger."""
    try:
        handle = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)
    except OSError as error:
        if error.errno == errno.ELOOP:
            raise PublishError(
                f"{path.name} in quarantine is a symbolic link", remedy="Abort the job and find out who wrote there"
            ) from error
        raise
    try:
        status = os.fstat(handle)
        if not stat.S_ISREG(status.st_mode):
            raise PublishError(f"{path.name} in quarantine is not a regular file", remedy="Abort the job and find out who wrote there")
        if status.st_size > limit:
            raise PublishError(f"{path.name} in quarantine has {status.st_size} bytes, more than {limit}", remedy="Abort the job")
        yield handle
    finally:
        os.close(handle)
