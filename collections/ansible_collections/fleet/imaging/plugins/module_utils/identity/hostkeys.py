# Copyright: (c) 2026, Fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""SSH host keys: new ones for each station. Two stations with the model's key could each pretend to be the other."""

from __future__ import annotations

import base64
import hashlib
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Optional

from ansible_collections.fleet.core.plugins.module_utils.command import run

from ..installed.tree import Tree

FOLDER = "etc/ssh"
KINDS: Mapping[str, tuple[str, ...]] = {"rsa": ("-b", "3072"), "ecdsa": (), "ed25519": ()}
"""What a Debian system has: kind and options of ssh-keygen(1)."""


def kinds(tree: Tree) -> list[str]:
    """The kinds of keys that the system should have: those it has, or all when it has sshd and none; none without SSH."""
    there = [kind for kind in KINDS if tree.is_file(f"{FOLDER}/ssh_host_{kind}_key")]
    return there or (list(KINDS) if tree.is_file("usr/sbin/sshd") else [])


def public_keys(tree: Tree) -> dict[str, str]:
    """Public keys by kind, as in known_hosts: algorithm and key, without the comment."""
    found = {}
    for kind in KINDS:
        words = tree.text(f"{FOLDER}/ssh_host_{kind}_key.pub").split()
        if len(words) >= 2:
            found[kind] = " ".join(words[:2])
    return found


def are(tree: Tree, recorded: Mapping[str, str]) -> bool:
    """Whether the keys in the system are those that were made for this station."""
    wanted = kinds(tree)
    there = public_keys(tree)
    return all(kind in recorded and recorded[kind] == there.get(kind) and tree.is_file(f"{FOLDER}/ssh_host_{kind}_key") for kind in wanted)


def stage(tree: Tree, hostname: str) -> dict[str, str]:
    """Make new keys with this host's ssh-keygen, and stage them; what is left of other kinds goes. Returns the public keys."""
    made = {}
    wanted = kinds(tree)
    with tempfile.TemporaryDirectory(prefix="fleet-keys-", dir=_memory()) as folder:
        for kind in wanted:
            path = Path(folder) / kind
            run(["ssh-keygen", "-q", "-t", kind, *KINDS[kind], "-N", "", "-C", f"root@{hostname}", "-f", str(path)])
            public = path.with_suffix(".pub").read_bytes()
            tree.write(f"{FOLDER}/ssh_host_{kind}_key", path.read_bytes(), 0o600, (0, 0), secret=True)
            tree.write(f"{FOLDER}/ssh_host_{kind}_key.pub", public, 0o644, (0, 0))
            made[kind] = " ".join(public.decode().split()[:2])
    for name in tree.names(FOLDER):
        kind = name[len("ssh_host_") :].split("_key")[0]
        if name.startswith("ssh_host_") and (kind not in wanted or name.endswith("-cert.pub")):
            tree.remove(f"{FOLDER}/{name}", secret=not name.endswith(".pub"))
    return made


def fingerprint(public: str) -> str:
    """As ssh-keygen -l prints it."""
    digest = hashlib.sha256(base64.b64decode(public.split()[1])).digest()
    return "SHA256:" + base64.b64encode(digest).decode().rstrip("=")


def _memory() -> Optional[str]:
    return "/dev/shm" if Path("/dev/shm").is_dir() else None
