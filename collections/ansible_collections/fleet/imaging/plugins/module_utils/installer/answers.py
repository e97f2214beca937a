# Copyright: (c) 2026, Fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A station's answers and files on the boot server.

``FOLDER/52-54-00-77-00-01/`` holds what the installer asks for, and ``files.tar``, which the hand-out service gives away once: then it
takes the folder's answers away and leaves ``taken.json``. A folder appears and changes as a whole, by renaming.
"""

from __future__ import annotations

import json
import os
import shutil
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Optional

from ansible_collections.fleet.core.plugins.module_utils.command import run
from ansible_collections.fleet.core.plugins.module_utils.errors import FleetError

from . import autoinstall, preseed, programs
from .bundle import Member, pack, unpack
from .request import Installation

FILES, TAKEN = "files.tar", "taken.json"
_HOST_KEY = "etc/ssh/ssh_host_ed25519_key"


@dataclass(frozen=True)
class Written:
    """What is, or in check mode would be, on the boot server. before and after hold what is no secret."""

    changed: bool
    before: str
    after: str
    host_key: str

    def as_dict(self) -> dict[str, Any]:
        return {"changed": self.changed, "host_key": self.host_key, "diff": {"before": self.before, "after": self.after}}


def write(asked: Installation, folder: Path, owner: Optional[tuple[int, int]] = None, *, check: bool = False) -> Written:
    """Put the station's files into folder; nothing changes when they are there and not handed out. owner: uid and gid of who reads them."""
    station = folder / asked.folder
    there = _read(station)
    old = unpack(there[FILES]) if FILES in there else {}
    keys = {path: old[path].contents for path in (_HOST_KEY, f"{_HOST_KEY}.pub") if path in old}
    if len(keys) != 2 and not check:
        keys = _new_host_key(asked.hostname)
    wanted = {name: text.encode() for name, text in _texts(asked).items()}
    host_key = [Member(path, text, 0o644 if path.endswith(".pub") else 0o600) for path, text in keys.items()]
    wanted[FILES] = pack([*_members(asked), *host_key])
    changed = wanted != there
    if changed and not check:
        _replace(station, wanted, owner)
    public = " ".join(keys.get(f"{_HOST_KEY}.pub", "").split()[:2])
    return Written(changed, _shown(there), _shown(wanted), public)


def remove(asked_folder: str, folder: Path, *, check: bool = False) -> Written:
    """Take a station's files away, and the trace of those that were handed out."""
    station = folder / asked_folder
    there = _read(station)
    if station.is_dir() and not check:
        shutil.rmtree(station)
    return Written(bool(there), _shown(there), "", "")


def kernel_arguments(asked: Installation) -> list[str]:
    """What the installer's kernel must be told."""
    return preseed.arguments(asked) if asked.system.family == "debian" else autoinstall.arguments(asked)


def _texts(asked: Installation) -> dict[str, str]:
    if asked.system.family == "debian":
        return {"preseed.cfg": preseed.render(asked)}
    return {"user-data": autoinstall.render(asked), "meta-data": autoinstall.metadata(asked), "vendor-data": ""}


def _members(asked: Installation) -> list[Member]:
    hashes = {"root": asked.root_password_hash}
    accounts = ""
    if asked.account:
        accounts = f"{asked.account.login}:{asked.account.full_name}\n"
        hashes[asked.account.login] = asked.account.password_hash
    place = "etc/fleet/install"
    found = [
        Member(f"{place}/finish.sh", programs.FINISH, 0o700),
        Member(f"{place}/accounts", accounts, 0o600),
        Member(f"{place}/passwords", "".join(f"{login}:{text}\n" for login, text in hashes.items() if text), 0o600),
        *asked.domain.members(),
    ]
    if asked.domain.join == "ad":
        found.append(Member(f"{place}/join.sh", programs.JOIN, 0o700))
        found.append(Member("etc/systemd/system/fleet-join.service", programs.JOIN_UNIT))
    if asked.ssh_keys:
        found.append(Member("root/.ssh/authorized_keys", "".join(f"{key}\n" for key in asked.ssh_keys), 0o600))
    return found


def _new_host_key(name: str) -> dict[str, str]:
    memory = "/dev/shm" if Path("/dev/shm").is_dir() else None
    with tempfile.TemporaryDirectory(prefix="fleet-key-", dir=memory) as folder:
        path = Path(folder) / "key"
        run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", f"root@{name}", "-f", str(path)])
        return {_HOST_KEY: path.read_text(), f"{_HOST_KEY}.pub": path.with_suffix(".pub").read_text()}


def _read(station: Path) -> dict[str, bytes]:
    try:
        return {path.name: path.read_bytes() for path in station.iterdir()}
    except FileNotFoundError:
        return {}
    except OSError as error:
        raise FleetError(f"{station} cannot be read: {error.strerror}") from error


def _replace(station: Path, files: dict[str, bytes], owner: Optional[tuple[int, int]]) -> None:
    """Exchange the folder for a new one. A station that asks in between finds nothing, and asks again."""
    partial: Optional[str] = None
    try:
        station.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        partial = tempfile.mkdtemp(prefix=".", dir=station.parent)
        for name, data in files.items():
            with open(os.open(f"{partial}/{name}", os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
                file.write(data)
                file.flush()
                os.fsync(file.fileno())
            if owner:
                os.chown(f"{partial}/{name}", *owner)
        if owner:
            os.chown(partial, *owner)
        if station.exists():
            with tempfile.TemporaryDirectory(prefix=".", dir=station.parent) as bin_folder:
                os.rename(station, f"{bin_folder}/old")
                os.rename(partial, station)
        else:
            os.rename(partial, station)
    except OSError as error:
        if partial:
            shutil.rmtree(partial, ignore_errors=True)
        raise FleetError(f"{station} cannot be written: {error.strerror}", remedy="Run this on the boot server, as root") from error


def _shown(files: dict[str, bytes]) -> str:
    """Everything but the station's files, of which only the names are shown."""
    shown = []
    for name, data in sorted(files.items()):
        if name == FILES:
            shown.append(f"# {name}: " + json.dumps(sorted(unpack(data))))
        else:
            shown.append(f"# {name}\n{data.decode(errors='replace')}")
    return "\n".join(shown) + "\n" if shown else ""
