# Copyright: (c) 2026, Fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Files of a distribution, checked: a signature over a list of digests, and the digests over the files (Debian's InRelease, SHA256SUMS)."""

from __future__ import annotations

import hashlib
import os
import re
import tempfile
import urllib.error
import urllib.request
from pathlib import Path
from typing import BinaryIO, Optional

from ansible_collections.fleet.core.plugins.module_utils.command import run
from ansible_collections.fleet.core.plugins.module_utils.errors import FleetError, InputError

from ..digest import sha256 as sha256_of

LIST_LIMIT = 16 << 20
"""Bytes of a list of digests that are read at most."""
_DIGEST = re.compile(r"^ ?([0-9a-f]{64})[ *]+(?:[0-9]+ +)?(?:\./)?(\S+)$", re.MULTILINE)


class Unverified(FleetError):
    """A signature or a digest is not right: what was fetched is not used."""


def fetch_text(url: str) -> bytes:
    """A list, or its signature."""
    with _open(url) as answer:
        data = answer.read(LIST_LIMIT + 1)
    if len(data) > LIST_LIMIT:
        raise FleetError(f"{url} is longer than {LIST_LIMIT} bytes, so it is no list of digests")
    return data


def signed_text(data: bytes, keyring: Path, what: str, signature: Optional[bytes] = None) -> str:
    """What was signed, by a key of the keyring: data without its signature (InRelease), or data with a detached one (gpgv(1))."""
    if not keyring.is_file():
        raise InputError(f"There is no keyring {keyring}", remedy="Install the distribution's archive keyring, or name the file")
    with tempfile.TemporaryDirectory(prefix="fleet-gpg-") as folder:
        document, detached, text = (Path(folder) / name for name in ("document", "signature", "text"))
        document.write_bytes(data)
        argv = ["gpgv", "--status-fd", "1", "--homedir", folder, "--keyring", str(keyring.resolve())]
        if signature is None:
            argv += ["--output", str(text), str(document)]
        else:
            detached.write_bytes(signature)
            argv += [str(detached), str(document)]
        done = run(argv, ok=None, remedy="Install gpgv on the boot server")
        # As apt does: one good signature is enough, for a new release is signed with keys that the keyring has not yet, too.
        said = [line.split()[1] for line in done.stdout.splitlines() if line.startswith("[GNUPG:] ")]
        if "GOODSIG" not in said or "BADSIG" in said:
            raise Unverified(
                f"{what} is not signed by a key of {keyring}: {done.stderr.strip()[-500:]}",
                remedy="The mirror is wrong or out of date, or somebody changed it. Nothing was changed here",
            )
        return (data if signature is not None else text.read_bytes()).decode("utf-8", "replace")


def digests(text: str) -> dict[str, str]:
    """SHA-256 by path, from a Release file (its section SHA256) or a SHA256SUMS."""
    return {path: digest for digest, path in _DIGEST.findall(text)}


def checked(data: bytes, wanted: str, what: str) -> bytes:
    """Data, when its SHA-256 is the one that is wanted."""
    found = hashlib.sha256(data).hexdigest()
    if found != wanted:
        raise Unverified(f"{what} has the SHA-256 {found}, not {wanted}", remedy="The mirror may just be changing: try again later")
    return data


def fetch_file(url: str, wanted: str, target: Path) -> None:
    """Fetch a file of any size beside target, and give it that name when its SHA-256 is right."""
    target.parent.mkdir(mode=0o755, parents=True, exist_ok=True)
    partial = Path(f"{target}.part")
    digest = hashlib.sha256()
    try:
        with _open(url) as answer, partial.open("wb") as file:
            while True:
                try:
                    block = answer.read(1 << 20)
                except OSError as error:
                    raise FleetError(f"{url} was cut: {error}") from error
                if not block:
                    break
                digest.update(block)
                file.write(block)
            file.flush()
            os.fsync(file.fileno())
        if digest.hexdigest() != wanted:
            raise Unverified(f"{url} has the SHA-256 {digest.hexdigest()}, not {wanted}", remedy="Nothing was changed; try again")
        partial.chmod(0o644)
        os.replace(partial, target)
    except OSError as error:
        raise FleetError(f"{target} cannot be written: {error.strerror}") from error
    finally:
        partial.unlink(missing_ok=True)


def sha256(path: Path) -> str:
    """Digest of a file; empty when there is none."""
    try:
        return sha256_of(path)
    except FileNotFoundError:
        return ""


def _open(url: str) -> BinaryIO:
    try:
        return urllib.request.build_opener().open(url, timeout=60)  # type: ignore[no-any-return]
    except urllib.error.HTTPError as error:
        raise FleetError(f"{url}: {error.code} {error.reason}", remedy="Name a mirror that has the installer's files") from error
    except (OSError, ValueError) as error:
        raise FleetError(f"{url} cannot be fetched: {error}") from error
