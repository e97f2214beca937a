# Copyright: (c) 2026, Fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Who is who in a room: names, SSH keys, and the hosts that the room's key holder knows.

A station's identity is a folder laid over the cached root, so the root stays one for all. The imaging environment of each station
has its own host key; an own system has another, which clones carry along: every address is therefore known under both.
"""

from __future__ import annotations

import secrets
import shutil
from collections.abc import Iterable
from pathlib import Path

from ansible_collections.fleet.core.plugins.module_utils.command import run

from .station import Station

HOST_KEY = "etc/ssh/ssh_host_ed25519_key"


def ensure_key(path: Path, comment: str) -> str:
    """Return the public half of an SSH key pair, made now unless it is there."""
    public = path.with_name(path.name + ".pub")
    if not public.exists():
        path.parent.mkdir(parents=True, exist_ok=True)
        path.unlink(missing_ok=True)
        run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", comment, "-f", str(path)])
    return public.read_text(encoding="utf-8").strip()


def ensure_layer(layer: Path, hostname: str, authorized: str) -> str:
    """Make the files that tell one system from another, unless they are there; return the public host key."""
    if not layer.is_dir():
        making = layer.with_name(layer.name + ".making")
        shutil.rmtree(making, ignore_errors=True)
        for name, mode in (("", 0o755), ("etc", 0o755), ("etc/ssh", 0o755), ("root", 0o700), ("root/.ssh", 0o700)):
            # These folders hide the root's own: same modes, or sshd refuses the keys in them.
            (making / name).mkdir(parents=True, exist_ok=True)
            (making / name).chmod(mode)
        _write(making / "etc/hostname", f"{hostname}\n", 0o644)
        _write(making / "etc/machine-id", f"{secrets.token_hex(16)}\n", 0o444)
        _write(making / "root/.ssh/authorized_keys", f"{authorized}\n", 0o600)
        ensure_key(making / HOST_KEY, hostname)
        making.rename(layer)
    return ensure_key(layer / HOST_KEY, hostname)


def write_hosts(path: Path, stations: Iterable[Station]) -> None:
    """Write the room's names and addresses, in place: running stations have this very file as /etc/hosts."""
    lines = ["127.0.0.1 localhost", "::1 localhost ip6-localhost ip6-loopback"]
    lines += [f"{station.address} {station.name}" for station in stations]
    _write(path, "\n".join(lines) + "\n", 0o644)


def write_known_hosts(path: Path, stations: Iterable[Station], environments: dict[str, str], systems: Iterable[str]) -> None:
    """Write known_hosts: each station under its imaging environment's key, and under the key of every own system of the room."""
    shared = list(systems)
    lines = []
    for station in stations:
        for public in [environments[station.name], *shared]:
            lines.append(f"{station.address},{station.name} {' '.join(public.split()[:2])}")
    _write(path, "\n".join(lines) + "\n", 0o644)


def _write(path: Path, text: str, mode: int) -> None:
    path.write_text(text, encoding="utf-8")
    path.chmod(mode)
