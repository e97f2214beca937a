# Copyright: (c) 2026, Fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Signatures, made and checked by the real ssh-keygen."""

from __future__ import annotations

import subprocess

import pytest

from ansible_collections.fleet.core.plugins.module_utils.content.signature import SignatureError, allow, create_key, sign, verify
from ansible_collections.fleet.core.plugins.module_utils.errors import ToolError

DATA = b'{"format":1}\n'


def test_the_signer_is_named(signer):
    assert verify(DATA, sign(DATA, signer.key), signer.allowed) == "fleet@centre"


def test_bytes_that_are_no_text_can_be_signed(signer):
    data = bytes(range(256)) * 5000
    assert verify(data, sign(data, signer.key), signer.allowed) == "fleet@centre"


@pytest.mark.parametrize(
    "signature", [b"", b"\n", b"garbage", b"-----BEGIN SSH SIGNATURE-----\n", b"-----BEGIN SSH SIGNATURE-----\nAAAA\n" * 9999]
)
def test_unsigned_is_refused(signer, signature):
    with pytest.raises(SignatureError):
        verify(DATA, signature, signer.allowed)


def test_altered_is_refused(signer):
    with pytest.raises(SignatureError, match="fleet@centre does not hold"):
        verify(DATA + b" ", sign(DATA, signer.key), signer.allowed)


def test_every_truncated_signature_is_refused(signer):
    signature = sign(DATA, signer.key)
    for length in range(0, len(signature) - 2, 23):
        with pytest.raises(SignatureError):
            verify(DATA, signature[:length], signer.allowed)


def test_foreign_is_refused(signer, stranger):
    with pytest.raises(SignatureError, match="a key that may not sign here"):
        verify(DATA, sign(DATA, stranger.key), signer.allowed)
    with pytest.raises(SignatureError):
        verify(DATA, sign(DATA, signer.key), "")


def test_a_signature_for_something_else_is_refused(signer):
    mail = subprocess.run(
        ["ssh-keygen", "-q", "-Y", "sign", "-n", "file", "-f", signer.key], input=DATA, capture_output=True, check=True
    ).stdout
    with pytest.raises(SignatureError):
        verify(DATA, mail, signer.allowed)
    with pytest.raises(SignatureError, match="another purpose"):
        verify(DATA, mail, signer.allowed.replace('namespaces="fleet-manifest" ', ""))


def test_keys_are_rotated_with_allowed_signers(signer, stranger):
    both = signer.allowed + stranger.allowed
    assert verify(DATA, sign(DATA, stranger.key), both) == "stranger@elsewhere"
    assert verify(DATA, sign(DATA, signer.key), both) == "fleet@centre"
    past = signer.allowed.replace("namespaces=", 'valid-before="20200101",namespaces=')
    with pytest.raises(SignatureError):
        verify(DATA, sign(DATA, signer.key), past)


def test_the_key_is_made_once_and_only_its_owner_reads_it(tmp_path):
    key = tmp_path / "keys" / "signing_key"
    public = create_key(key)
    assert key.stat().st_mode & 0o777 == 0o600
    assert create_key(key) == public
    assert allow("a@b", public).startswith('a@b namespaces="fleet-manifest" ssh-ed25519 AAAA')


def test_a_missing_key_is_said_to_be_missing(tmp_path):
    with pytest.raises(ToolError, match="must exist"):
        sign(DATA, tmp_path / "none")
