# Copyright: (c) 2026, Fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What stations start and who may know: the files that the module fleet.imaging.boot_entry wrote, used up once."""

from __future__ import annotations

import contextlib
import fcntl
import hmac
import json
import os
import re
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Optional

CARD = re.compile(r"[0-9a-f]{2}(-[0-9a-f]{2}){5}")
HOST_KEY = re.compile(r"ssh-ed25519 [A-Za-z0-9+/]{68}")
_ONCE = ("imaging-once", "installer")
_SUFFIX = {"ipxe": "ipxe", "grub": "cfg"}


class Refused(Exception):
    """A request that is not granted; the status is that of HTTP."""

    def __init__(self, status: int, why: str) -> None:
        super().__init__(why)
        self.status = status


class Store:
    """The boot server's state. Methods may be called from several threads and processes at once."""

    def __init__(self, root: Path, state: Path) -> None:
        self._folders = {"ipxe": root / "http" / "stations", "grub": root / "tftp" / "stations"}
        self._state = state

    def fetch(self, card: str) -> bytes:
        """The iPXE script of a card, which uses up an entry that is for once. Of two that ask at once, one gets it."""
        path = self._file("ipxe", card)
        with self._locked():
            try:
                found = path.read_bytes()
            except FileNotFoundError:
                raise Refused(404, "nothing special") from None
            self._use_up(card)
        return found

    def fetched(self, card: str) -> bool:
        """The GRUB file of a card went out over TFTP: use up what is for once; whether there was such an entry."""
        self._file("grub", card)
        with self._locked():
            return self._use_up(card)

    def station(self, card: str) -> dict[str, str]:
        """station.json: name, token and language; Refused when there is no token to hand out."""
        with self._locked():
            state = self._load(card)
            if not state or not _good(state):
                raise Refused(404, "no token waits for this station")
            return {"name": state["station"], "token": state["token"], "language": state.get("language", "en")}

    def register(self, card: str, token: str, host_key: str) -> None:
        """Keep the host key of a station that has the token, exactly once; else Refused, and nothing changed."""
        key = " ".join(host_key.split()[:2])
        if not HOST_KEY.fullmatch(key) or len(host_key) > 1000 or "\n" in host_key.strip():
            raise Refused(400, "that is no public key of the kind ssh-ed25519")
        with self._locked():
            state = self._load(card)
            if not state or not _good(state) or not hmac.compare_digest(state["token"].encode(), token.encode()):
                raise Refused(403, "wrong, used or expired token")
            # The key first: a token that is used up without a key would leave nobody a way.
            self._write(self._state / "host-keys" / card, f"{key}\n", 0o644)
            self._write(self._state_file(card), _dump({**state, "registered": True}), 0o600)

    def account(self) -> tuple[str, str]:
        """Name and hash of who may use the maintenance entries; empty when nobody may."""
        try:
            said = json.loads((self._state / "menu.json").read_text())
            return str(said.get("user", "")), str(said.get("password", ""))
        except (OSError, ValueError, AttributeError):
            return "", ""

    def maintenance(self, task: str) -> bytes:
        """The script of a maintenance entry."""
        if not re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9_.+-]{0,80}", task):
            raise Refused(404, "no such entry")
        try:
            return (self._state / "maintenance" / f"{task}.ipxe").read_bytes()
        except FileNotFoundError:
            raise Refused(404, "no such entry") from None

    @contextlib.contextmanager
    def _locked(self) -> Iterator[None]:
        # A descriptor each: threads that shared one would not exclude each other.
        with open(self._state / "lock", "a", encoding="ascii") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            yield

    def _use_up(self, card: str) -> bool:
        state = self._load(card)
        if not state or state["entry"] not in _ONCE:
            return False
        after = state.get("after", {})
        # State last: cut before it, the entry is used up again, and finds its files as they should be.
        for kind in _SUFFIX:
            path, text = self._file(kind, card), after.get(kind)
            if text is None:
                path.unlink(missing_ok=True)
            else:
                self._write(path, text, 0o644)
        self._write(self._state_file(card), _dump({**state, "entry": state.get("then", "menu"), "after": {}}), 0o600)
        return True

    def _load(self, card: str) -> Optional[dict[str, Any]]:
        try:
            state = json.loads(self._state_file(card).read_text())
            return state if isinstance(state, dict) and isinstance(state.get("entry"), str) else None
        except (FileNotFoundError, ValueError):
            return None

    def _state_file(self, card: str) -> Path:
        return self._state / "stations" / f"{_checked(card)}.json"

    def _file(self, kind: str, card: str) -> Path:
        return self._folders[kind] / f"{_checked(card)}.{_SUFFIX[kind]}"

    def _write(self, path: Path, text: str, mode: int) -> None:
        handle, name = tempfile.mkstemp(prefix=f".{path.name}.", dir=path.parent)
        try:
            with os.fdopen(handle, "w", encoding="utf-8") as file:
                file.write(text)
                file.flush()
                os.fchmod(file.fileno(), mode)
                os.fsync(file.fileno())
            os.replace(name, path)
        except BaseException:
            with contextlib.suppress(FileNotFoundError):
                os.unlink(name)
            raise


def _checked(card: str) -> str:
    if not CARD.fullmatch(card):
        raise Refused(404, "no name of a card")
    return card


def _good(state: dict[str, Any]) -> bool:
    token, expires = state.get("token"), state.get("expires")
    return isinstance(token, str) and bool(token) and not state.get("registered") and isinstance(expires, int) and expires > time.time()


def _dump(state: dict[str, Any]) -> str:
    return json.dumps(state, sort_keys=True) + "\n"
