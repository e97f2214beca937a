# Copyright: (c) 2026, Fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Telling a station what it starts next: its state and both of its files, together."""

from __future__ import annotations

import secrets
import time
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Optional

from ansible_collections.fleet.core.plugins.module_utils.errors import InputError

from . import files, grub, ipxe, names
from .entry import DISK, ENTRIES, ENVIRONMENT, IMAGING, INSTALLER, MENU, ONCE, StationState, System
from .site import Site

SPARE = 60
"""Seconds for which a token must still be good to be left as it is."""


@dataclass(frozen=True)
class Request:
    """What is wanted of one station."""

    mac: str
    station: str
    entry: str
    system: Optional[System] = None
    """For an installer."""
    arguments: tuple[str, ...] = ()
    language: str = ""
    lifetime: int = 3600
    """Seconds that a token is good for."""

    def checked(self) -> Request:
        """The same, with one spelling of everything; InputError for what cannot be."""
        if self.entry not in ENTRIES:
            raise InputError(f"{names.shown(self.entry)} is no boot entry", remedy=f"There are {', '.join(ENTRIES)}")
        if (self.entry == INSTALLER) != (self.system is not None):
            raise InputError(
                "A kernel belongs to the entry installer, and that one needs a kernel",
                remedy="Name kernel and initrd with entry: installer",
            )
        if not 60 <= self.lifetime <= 7 * 86400:
            raise InputError(f"A token cannot be good for {self.lifetime} s", remedy="Let it be 60 s to 7 days")
        if self.language not in ("", "en", "fr"):
            raise InputError(f"{names.shown(self.language)} is no language of the imaging environment", remedy="It is en or fr")
        return replace(
            self,
            mac=names.card(self.mac),
            station=names.station(self.station),
            system=self.system and self.system.checked(),
            arguments=tuple(map(names.argument, self.arguments)),
        )


@dataclass
class Outcome:
    """What became of a request; nothing in it is secret."""

    changed: bool
    mac: str
    entry: str
    then: str
    expires: int
    host_key: str
    """Path of the station's host key on the boot server, once it has registered."""
    before: dict[str, Any] = field(default_factory=dict)
    after: dict[str, Any] = field(default_factory=dict)

    def as_dict(self) -> dict[str, Any]:
        """A module's result."""
        said = {name: getattr(self, name) for name in ("changed", "mac", "entry", "then", "expires", "host_key")}
        return {**said, "diff": {"before": self.before, "after": self.after}}


@dataclass(frozen=True)
class Places:
    """Where the files of one card are."""

    state: Path
    ipxe: Path
    grub: Path
    host_key: Path

    @classmethod
    def of(cls, site: Site, mac: str) -> Places:
        """For a card in any notation; its name has nothing in it that leaves the folders."""
        name = names.file_name(mac)
        return cls(
            site.state / "stations" / f"{name}.json",
            site.http / "stations" / f"{name}.ipxe",
            site.tftp / "stations" / f"{name}.cfg",
            site.state / "host-keys" / name,
        )


def rendered(site: Site, request: Request, entry: str) -> dict[str, Optional[str]]:
    """Both files of a station; None where there is to be none."""
    system = request.system if entry == INSTALLER else ENVIRONMENT
    said = (site, names.file_name(request.mac), request.station, entry, system, request.arguments)
    return {"ipxe": ipxe.station_file(*said), "grub": grub.station_file(*said)}


def apply(site: Site, request: Request, *, check: bool, now: Optional[float] = None) -> Outcome:
    """Tell the station, unless it is told already; check leaves everything as it is."""
    request = request.checked()
    now = time.time() if now is None else now
    places = Places.of(site, request.mac)
    with files.locked(site.state):
        known = _known(places)
        found = {"ipxe": files.read(places.ipxe), "grub": files.read(places.grub)}
        wanted = _wanted(site, request, known, now)
        texts = rendered(site, request, request.entry)
        changed = found != texts or wanted != (known or StationState(request.station, MENU, wanted.language))
        if changed and not check:
            _write(site, places, wanted, texts, fresh=bool(wanted.token) and (known is None or known.token != wanted.token))
    return Outcome(
        changed,
        request.mac,
        request.entry,
        wanted.then,
        wanted.expires,
        str(places.host_key),
        _public(known, found),
        _public(wanted, texts),
    )


def _known(places: Places) -> Optional[StationState]:
    text = files.read(places.state)
    try:
        return StationState.from_json(text) if text is not None else None
    except InputError:
        return None  # damaged, and written anew


def _wanted(site: Site, request: Request, known: Optional[StationState], now: float) -> StationState:
    then = _then(request.entry, known)
    language = request.language or site.language
    state = StationState(request.station, request.entry, language, then, rendered(site, request, then) if request.entry in ONCE else {})
    if not request.entry.startswith(IMAGING):
        return state
    same = known is not None and known.entry == request.entry and known.station == request.station
    if same and known is not None and known.hands_out(now + SPARE):
        return replace(state, token=known.token, expires=known.expires)
    return replace(state, token=secrets.token_urlsafe(32), expires=int(now) + request.lifetime)


def _then(entry: str, known: Optional[StationState]) -> str:
    """After an entry for once, what was before it; a station that always started the imaging environment starts its disk."""
    if entry not in ONCE:
        return entry
    before = MENU if known is None else known.then if known.entry in ONCE else known.entry
    return before if before in (MENU, DISK) else DISK


def _write(site: Site, places: Places, state: StationState, texts: dict[str, Optional[str]], *, fresh: bool) -> None:
    """The state first: a file without it would be for once only in name. A new token makes the old host key worthless."""
    if fresh:
        files.remove(places.host_key)
    files.write(places.state, state.to_json(), mode=0o600, owner=site.user)
    for path, text in ((places.ipxe, texts["ipxe"]), (places.grub, texts["grub"])):
        if text is None:
            files.remove(path)
        else:
            files.write(path, text, mode=0o644, owner=site.user)


def _public(state: Optional[StationState], texts: dict[str, Optional[str]]) -> dict[str, Any]:
    if state is None:
        return {"entry": MENU if texts["ipxe"] is None else "unknown", **texts}
    return {"station": state.station, "entry": state.entry, "language": state.language, "then": state.then, **texts}
