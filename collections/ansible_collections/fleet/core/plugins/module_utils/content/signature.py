# Copyright: (c) 2026, Fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Signatures of manifests: the one thing a station trusts.

SSHSIG (OpenSSH's PROTOCOL.sshsig) through ``ssh-keygen -Y``, which every host that Ansible reaches already has. Who may sign is told by an
``allowed_signers`` file (ssh-keygen(1), ALLOWED SIGNERS), so that keys are rotated, dated and revoked with OpenSSH's own means.
"""

from __future__ import annotations

import tempfile
from pathlib import Path

from ..command import Completed, run
from ..errors import FleetError

NAMESPACE = "fleet-manifest"
"""What a signature is for; a signature that the same key made for something else (git, a mail) is refused."""

SIGNATURE_LIMIT = 1 << 16
"""Bytes a signature file may have."""

_OPENSSH = "Install the package openssh-client"
_ARMOR = b"-----BEGIN SSH SIGNATURE-----"


class SignatureError(FleetError):
    """A manifest is unsigned, altered, signed by a stranger, or signed for another purpose."""


def create_key(path: Path, comment: str = NAMESPACE) -> str:
    """Make an Ed25519 signing key (0600, no passphrase) unless it is there; return the public key's line."""
    if not path.exists():
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", comment, "-f", str(path)], remedy=_OPENSSH)
    return run(["ssh-keygen", "-y", "-f", str(path)], remedy=_OPENSSH).stdout.strip()


def allow(principal: str, public_key: str) -> str:
    """A line of allowed_signers: this principal may sign manifests with this key, and nothing else."""
    return f'{principal} namespaces="{NAMESPACE}" {" ".join(public_key.split()[:2])}\n'


def sign(data: bytes, key: Path) -> bytes:
    """The armored signature of data; ToolError when the key cannot be used."""
    remedy = f"The signing key {key} must exist and be readable by its owner only"
    return run(["ssh-keygen", "-q", "-Y", "sign", "-n", NAMESPACE, "-f", str(key)], stdin=data, remedy=remedy).stdout.encode()


def verify(data: bytes, signature: bytes, allowed_signers: str) -> str:
    """The principal who signed data; SignatureError when nobody who may has signed exactly these bytes.

    allowed_signers is the content of such a file, not its path.
    """
    if not signature.lstrip().startswith(_ARMOR) or len(signature) > SIGNATURE_LIMIT:
        raise SignatureError("there is no signature, or it is not an SSH signature", remedy="Publish the manifest from the centre again")
    with tempfile.TemporaryDirectory(prefix="fleet-signature-") as folder:
        signers, signed = Path(folder, "allowed_signers"), Path(folder, "signature")
        signers.write_text(allowed_signers)
        signed.write_bytes(signature)
        found = _keygen("find-principals", "-f", str(signers), "-s", str(signed))
        principals = found.stdout.split("\n")[:-1] if found.rc == 0 else []
        if not principals:
            raise SignatureError(
                f"it is signed by a key that may not sign here ({_said(found)})",
                remedy="If you trust the signer, add it to allowed_signers",
            )
        for principal in principals:
            checked = _keygen("verify", "-f", str(signers), "-s", str(signed), "-n", NAMESPACE, "-I", principal, stdin=data)
            if checked.rc == 0:
                return principal
    raise SignatureError(
        f"the signature by {principals[0]} does not hold ({_said(checked)})",
        remedy="It was altered after it was signed, or was signed for another purpose: fetch it again, or publish it again",
    )


def _keygen(action: str, *arguments: str, stdin: bytes = b"") -> Completed:
    return run(["ssh-keygen", "-Y", action, *arguments], stdin=stdin, ok=None, remedy=_OPENSSH)


def _said(done: Completed) -> str:
    """The first line that ssh-keygen printed on either channel."""
    lines = [line.strip() for line in (done.stderr + "\n" + done.stdout).splitlines() if line.strip()]
    return lines[0] if lines else f"ssh-keygen ended with {done.rc}"
