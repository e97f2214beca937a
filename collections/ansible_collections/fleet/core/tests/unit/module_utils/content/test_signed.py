# Copyright: (c) 2026, Fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A manifest is believed when somebody who may vouch for it does, and when it is the one that was asked for."""

from __future__ import annotations

import socket
from typing import Any

import pytest

from ansible_collections.fleet.core.plugins.module_utils.content.fetch import Fetcher, FetchError
from ansible_collections.fleet.core.plugins.module_utils.content.signature import sign
from ansible_collections.fleet.core.plugins.module_utils.content.signed import UntrustedManifest, fetch_manifest, trusted
from ansible_collections.fleet.core.plugins.module_utils.content.store import ManifestRef
from ansible_collections.fleet.core.tests.unit.module_utils.content.hostile import Answer, ok, server

REF = ManifestRef("image", "debian", "1")


def serving(files: dict[str, bytes]) -> Answer:
    def answer(connection: socket.socket, request: bytes) -> bool:
        path = request.split(b" ")[1].decode()
        body = files.get(path)
        connection.sendall(ok(body) if body is not None else b"HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n")
        return True

    return answer


def test_a_signed_manifest_is_fetched_with_its_signer(make_sample: Any, signer: Any) -> None:
    data = make_sample().data
    path = "/content/manifests/image/debian/1.json"
    with server(serving({path: data, f"{path}.sig": sign(data, signer.key)})) as there:
        signed = fetch_manifest(Fetcher([there.url]), REF, signer.allowed)
    assert signed.manifest == make_sample().manifest and signed.signer == "fleet@centre" and signed.data == data


def test_without_a_signature_it_is_called_unsigned(make_sample: Any, signer: Any) -> None:
    said = "image debian 1 must not be used: it is not signed.*signing key"
    serves = serving({"/content/manifests/image/debian/1.json": make_sample().data})
    with server(serves) as there, pytest.raises(UntrustedManifest, match=said):
        fetch_manifest(Fetcher([there.url]), REF, signer.allowed)


def test_a_version_that_is_not_there_is_not_called_untrusted(signer: Any) -> None:
    with server(serving({})) as there, pytest.raises(FetchError, match="404"):
        fetch_manifest(Fetcher([there.url]), REF, signer.allowed)


def test_altered_foreign_and_malformed_manifests_are_refused(make_sample: Any, signer: Any, stranger: Any) -> None:
    data = make_sample().data
    for content, signature, said in (
        (data.replace(b"debian", b"debiam"), sign(data, signer.key), "does not hold"),
        (data, sign(data, stranger.key), "a key that may not sign here"),
        (data, b"", "no signature"),
        (data[:-50], sign(data[:-50], signer.key), "truncated"),
    ):
        with pytest.raises(UntrustedManifest, match=said):
            trusted(REF, content, signature, signer.allowed)


@pytest.mark.parametrize("other", [{"name": "ubuntu"}, {"version": "2"}, {"kind": "package"}])
def test_a_manifest_under_another_name_is_refused_though_it_is_signed(other: dict[str, str], make_sample: Any, signer: Any) -> None:
    """An older, vulnerable version under a newer one's name would be a downgrade."""
    data = make_sample(**other).data
    with pytest.raises(UntrustedManifest, match="its manifest is that of"):
        trusted(REF, data, sign(data, signer.key), signer.allowed)
