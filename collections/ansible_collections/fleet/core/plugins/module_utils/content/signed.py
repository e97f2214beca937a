# Copyright: (c) 2026, Fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A manifest from a content store, believed only after its signature was verified."""

from __future__ import annotations

import contextlib
from dataclasses import dataclass

from ..errors import FleetError
from .fetch import NotThere, Supply
from .manifest import SIZE_LIMIT, Manifest, ManifestError, check_name
from .signature import SIGNATURE_LIMIT, SignatureError, verify
from .store import ManifestRef


class UntrustedManifest(FleetError):
    """A manifest that must not be used: its signature, its form or its name is wrong."""


@dataclass(frozen=True)
class SignedManifest:
    """A manifest and the principal who vouches for it; the bytes are those that were signed."""

    manifest: Manifest
    signer: str
    data: bytes
    signature: bytes


def fetch_manifest(fetcher: Supply, ref: ManifestRef, allowed_signers: str) -> SignedManifest:
    """Fetch and verify a manifest; FetchError when it is not there, UntrustedManifest when it must not be used.

    One source's bad manifest is no reason to fail when another has a good one.
    """
    try:
        return _fetched(fetcher, ref, allowed_signers)
    except UntrustedManifest as error:
        others = fetcher.apart()
        for other in others if len(others) > 1 else []:
            with contextlib.suppress(FleetError):
                return _fetched(other, ref, allowed_signers)
        raise error


def _fetched(fetcher: Supply, ref: ManifestRef, allowed_signers: str) -> SignedManifest:
    check_name(ref.name)
    check_name(ref.version, "version")
    path = ref.path().as_posix()
    data = fetcher.document(path, SIZE_LIMIT)
    try:
        signature = fetcher.document(f"{path}.sig", SIGNATURE_LIMIT)
    except NotThere as error:
        # pylint: disable-next=bad-exception-cause
        raise UntrustedManifest(f"{ref} must not be used: it is not signed", remedy="Capture or publish it with a signing key") from error
    return trusted(ref, data, signature, allowed_signers)


def trusted(ref: ManifestRef, data: bytes, signature: bytes, allowed_signers: str) -> SignedManifest:
    """What the bytes say, when a signer who may vouch for them does, and when they are what was asked for."""
    try:
        signer = verify(data, signature, allowed_signers)
        manifest = Manifest.from_bytes(data)
    except (SignatureError, ManifestError) as error:
        raise UntrustedManifest(f"{ref} must not be used: {error}") from error
    if ManifestRef(manifest.kind, manifest.name, manifest.version) != ref:
        raise UntrustedManifest(
            f"{ref} must not be used: its manifest is that of {manifest.kind} {manifest.name} {manifest.version}",
            remedy="Somebody or something put it under another name: verify the store, and publish the image again",
        )
    return SignedManifest(manifest, signer, data, signature)
