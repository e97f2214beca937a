# Copyright: (c) 2026, Fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Jobs: the permission to add one version of one image or package to a store, for a while.

    <root>/jobs/<id>/job.json        what for, since when, until when; its modification time is the expiry, so that find(1) can sweep
    <root>/jobs/<id>/credential      for nginx; whoever removes it closes the door at once
    <root>/jobs/<id>/incoming/       what nginx writes: chunks/<64 hex>.zst and manifest.json
    <root>/jobs/<id>/verified/       chunks on their way from incoming/ to the store (see publish)

A job is made and removed by one rename, so there is never half of one.
"""

from __future__ import annotations

import base64
import contextlib
import datetime
import fcntl
import hashlib
import json
import os
import pwd
import re
import secrets
import shutil
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Optional

from ..errors import FleetError
from .manifest import KINDS, ManifestError, check_name
from .store import ChunkStore, ManifestRef

LIFETIME = 12 * 3600
"""Seconds: long enough for 200 GB over 100 Mbit/s with time to spare."""

JOB_ID = re.compile(r"[0-9a-f]{16}")
_TIME = "%Y-%m-%dT%H:%M:%SZ"


class JobError(FleetError):
    """A job cannot be opened, or there is no such job any more."""


@dataclass(frozen=True)
class Job:
    """What may be added, by whom, and until when."""

    id: str
    kind: str
    name: str
    version: str
    holder: str
    """Who captures, for the one who is refused: the station's name."""
    opened: str
    expires: str
    """UTC, as 2026-11-21T08:30:00Z."""

    @property
    def ref(self) -> ManifestRef:
        """The manifest it may add."""
        return ManifestRef(self.kind, self.name, self.version)

    @property
    def expired(self) -> bool:
        """Whether its time is over."""
        return _parse(self.expires) <= _now()

    @property
    def upload_path(self) -> str:
        """Where it may upload, below the store's URL."""
        return f"upload/{self.id}"


@dataclass(frozen=True)
class Opened:
    """A job and its secret."""

    job: Job
    token: str
    """The password that goes with the job's id; kept nowhere but with the one who uploads."""
    resumed: bool
    """Whether an earlier capture's chunks are there."""

    def __repr__(self) -> str:
        return f"Opened({self.job.id!r}, resumed={self.resumed})"


class Jobs:
    """The open jobs of a store. Runs as root on the store's host; web_user is the account of nginx's workers."""

    def __init__(self, store: ChunkStore, web_user: str = "www-data") -> None:
        self.root = store.root / "jobs"
        self._store = store
        try:
            account = pwd.getpwnam(web_user)
        except KeyError as error:
            raise JobError(f"there is no user {web_user} on this host", remedy="Apply the role fleet.core.content_store first") from error
        self._uid, self._gid = account.pw_uid, account.pw_gid

    def open(
        self, kind: str, name: str, version: Optional[str] = None, *, holder: str = "", lifetime: int = LIFETIME, resume: bool = False
    ) -> Opened:
        """Open a job; JobError while another is open for the same kind and name, or when the version exists.

        lifetime is in seconds. With resume, a job that is open already is handed over: what it received stays, its old token ends.
        """
        with self._store.lock(exclusive=False), self._locked():
            ref = self.preview(kind, name, version, resume=resume)
            held = self.holding(ref.kind, ref.name)
            if held and held.expired:
                self.remove(held)
                held = None
            now = _now()
            identity = held.id if held else secrets.token_hex(8)
            until = now + datetime.timedelta(seconds=lifetime)
            job = Job(identity, ref.kind, ref.name, ref.version, holder, now.strftime(_TIME), until.strftime(_TIME))
            token = secrets.token_urlsafe(32)
            if held:
                with self.claim(held) as folder:
                    for chunk in folder.glob("verified/*"):  # while the web server's account cannot put a link in the way
                        os.rename(chunk, folder / "incoming" / "chunks" / chunk.name)
                    self._give(folder / "incoming" / "chunks", folder / "incoming")
                    folder.chmod(0o710)  # an attempt to publish it closed it
                    self._describe(folder, job, token)  # the last: it replaces the file by which the job is claimed
            else:
                self._make(job, token)
        return Opened(job, token, held is not None)

    def preview(self, kind: str, name: str, version: Optional[str] = None, *, resume: bool = False) -> ManifestRef:
        """What open would open a job for; JobError when it would refuse."""
        ref = ManifestRef(_kind(kind), check_name(name), check_name(version or _now().strftime("%Y%m%dT%H%M%SZ"), "version"))
        held = self.holding(ref.kind, ref.name)
        if held and not held.expired:
            if not resume:
                raise JobError(
                    f"{ref.kind} {ref.name} is being captured already: job {held.id} of {held.holder or 'nobody'} since {held.opened}",
                    remedy=f"Wait for it, resume it, or abort it (state: aborted, job: {held.id}); it expires at {held.expires}",
                    job=held.id,
                )
            ref = ref if version else held.ref
        if (self._store.root / ref.path()).exists():
            raise JobError(f"{ref} is published already", remedy="Versions are immutable: choose another version")
        return ref

    def get(self, identity: str) -> Job:
        """An open job, expired or not; JobError when there is none of that id."""
        if JOB_ID.fullmatch(identity):
            with contextlib.suppress(OSError, ValueError, TypeError, KeyError):
                return self._read(self.root / identity)
        raise JobError(f"job {identity!r:.40} is not open", remedy="It was published, aborted or expired: open another and capture again")

    def all(self) -> Iterator[Job]:
        """All jobs that are not removed yet, sorted by id."""
        for folder in sorted(self.root.glob("*")):
            if JOB_ID.fullmatch(folder.name):
                with contextlib.suppress(OSError, ValueError, TypeError, KeyError):
                    yield self._read(folder)

    def holding(self, kind: str, name: str) -> Optional[Job]:
        """The job that is open for an image or package, if any."""
        return next((job for job in self.all() if (job.kind, job.name) == (kind, name)), None)

    @contextlib.contextmanager
    def claim(self, job: Job) -> Iterator[Path]:
        """Be the only one to publish or remove a job; gives its folder."""
        folder = self.root / job.id
        try:
            handle = os.fdopen(os.open(folder / "job.json", os.O_RDONLY), "rb")
        except OSError as error:
            raise JobError(f"job {job.id} is not open any more", remedy="Open another and capture again") from error
        with handle:
            try:
                fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError as error:
                raise JobError(f"job {job.id} is being published or removed right now", remedy="Wait for that to end") from error
            yield folder

    def remove(self, job: Job) -> None:
        """End a job and forget what it uploaded and did not publish."""
        with self.claim(job) as folder:
            self.discard(folder)

    def discard(self, folder: Path) -> None:
        """Remove the folder of a claimed job: out of nginx's sight first."""
        gone = folder.with_name(f".gone-{folder.name}")
        os.rename(folder, gone)
        shutil.rmtree(gone, ignore_errors=True)

    def sweep(self, *, dry_run: bool = False) -> list[Job]:
        """End the jobs whose time is over (those that are being published excepted); return them."""
        swept = []
        with self._locked():
            for job in [each for each in self.all() if each.expired]:
                with contextlib.suppress(JobError):
                    if not dry_run:
                        self.remove(job)
                    swept.append(job)
            for leftover in [] if dry_run else [*self.root.glob(".new-*"), *self.root.glob(".gone-*")]:
                shutil.rmtree(leftover, ignore_errors=True)
        return swept

    @contextlib.contextmanager
    def _locked(self) -> Iterator[None]:
        if not self.root.is_dir():
            self.root.mkdir(parents=True, exist_ok=True)
            self._own(self.root, 0o710)
        with open(self.root / ".lock", "w", encoding="ascii") as handle:
            fcntl.flock(handle, fcntl.LOCK_EX)
            yield

    def _make(self, job: Job, token: str) -> None:
        folder = self.root / f".new-{job.id}"
        (folder / "incoming" / "chunks").mkdir(parents=True)
        self._give(folder / "incoming" / "chunks", folder / "incoming")
        self._own(folder, 0o710)
        self._describe(folder, job, token)
        os.rename(folder, self.root / job.id)

    def _give(self, *folders: Path) -> None:
        """Let nginx write to folders, the innermost first; neither follows a link that nginx's account may have left there."""
        for folder in folders:
            try:
                handle = os.open(folder, os.O_RDONLY | os.O_NOFOLLOW | os.O_DIRECTORY)
            except (FileNotFoundError, NotADirectoryError) as error:  # a link is no folder either
                raise JobError(f"{folder} is not a folder", remedy="Abort the job and find out who wrote there") from error
            try:
                os.fchown(handle, self._uid, self._gid)
                os.fchmod(handle, 0o700)
            finally:
                os.close(handle)

    def _describe(self, folder: Path, job: Job, token: str) -> None:
        """Write what a job is and what opens it, each by rename; root writes, nginx's group may read the credential only."""
        until = _parse(job.expires).timestamp()
        for name, content, mode in (("job.json", json.dumps(asdict(job)), 0o600), ("credential", _credential(job.id, token), 0o640)):
            path = folder / f".{name}"
            path.unlink(missing_ok=True)
            with open(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w", encoding="ascii") as file:
                file.write(content)
            self._own(path, mode)
            os.utime(path, (until, until))
            os.rename(path, folder / name)

    def _read(self, folder: Path) -> Job:
        return Job(**json.loads((folder / "job.json").read_bytes()))

    def _own(self, path: Path, mode: int) -> None:
        os.chown(path, 0, self._gid)
        path.chmod(mode)


def _credential(user: str, token: str) -> str:
    """A line for nginx's auth_basic_user_file.

    Salted SHA-1 (RFC 2307, {SSHA}), checked for every chunk: a slow hash protects passwords that can be guessed, and nobody guesses 256
    random bits. Nothing here needs SHA-1 to resist collisions.
    """
    salt = secrets.token_bytes(8)
    hashed = hashlib.sha1(token.encode() + salt, usedforsecurity=False).digest()
    return f"{user}:{{SSHA}}{base64.b64encode(hashed + salt).decode()}\n"


def _kind(kind: str) -> str:
    if kind not in KINDS:
        raise ManifestError(f"kind {kind!r:.40} is unknown", remedy=f"Use one of {', '.join(KINDS)}")
    return kind


def _now() -> datetime.datetime:
    return datetime.datetime.now(datetime.timezone.utc)


def _parse(text: str) -> datetime.datetime:
    return datetime.datetime.strptime(text, _TIME).replace(tzinfo=datetime.timezone.utc)
