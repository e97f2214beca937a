# Copyright: (c) 2026, Fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A thing of the API that has a name: made to be as it is wanted, or removed. One request to look, one to change, none when it is so."""

from __future__ import annotations

import urllib.parse
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Callable, Optional

from .client import Answer, Client, Conflict, NotFound

Normal = Callable[[Any], Any]
"""Brings a value into the spelling in which the API answers it."""


@dataclass
class Outcome:
    """What a module did, or would in check mode: the fields that change, and what there is afterwards (None: nothing)."""

    before: dict[str, Any] = field(default_factory=dict)
    after: dict[str, Any] = field(default_factory=dict)
    now: Optional[dict[str, Any]] = None

    @property
    def changed(self) -> bool:
        """Whether something did."""
        return self.before != self.after

    def as_dict(self, name: str = "") -> dict[str, Any]:
        """As a module's result, with what there is under a name, or beside the rest without one."""
        diff = {"before": _lines(self.before), "after": _lines(self.after)}
        there = {} if self.now is None else {name: self.now} if name else self.now
        return {"changed": self.changed, "diff": diff, **there}


class Entity:
    """Things of one kind, such as sites; normal says how values of some fields are compared."""

    def __init__(self, client: Client, collection: str, key: str, normal: Optional[Mapping[str, Normal]] = None) -> None:
        self._client = client
        self._collection = collection
        self._key = key
        self._normal = dict(normal or {})

    def find(self, name: str) -> Optional[Answer]:
        """What there is, with its entity tag; None when there is nothing."""
        try:
            return self._client.request("GET", self._path(name))
        except NotFound:
            return None

    def ensure(self, name: str, wanted: Mapping[str, Any], *, check_mode: bool) -> Outcome:
        """Add it, or change what differs. Conflict when somebody else changes it at the same time."""
        found = self.find(name)
        if found is None:
            given = {self._key: name, **wanted}
            now = given if check_mode else self._client.post(self._collection, given)
            return Outcome({}, given, now)
        different = {key: value for key, value in wanted.items() if self._spelt(key, value) != self._spelt(key, found.body.get(key))}
        now = {**found.body, **different}
        if different and not check_mode:
            now = self._client.patch(self._path(name), different, found.etag)
        return Outcome({key: found.body.get(key) for key in different}, different, now)

    def remove(self, name: str, *, check_mode: bool) -> Outcome:
        """Remove it; what is not there is fine."""
        found = self.find(name)
        if found is None:
            return Outcome()
        if not check_mode:
            try:
                self._client.delete(self._path(name), found.etag)
            except NotFound:  # somebody was faster
                return Outcome()
            except Conflict as error:
                error.amend(f"Nothing was removed from {self._collection.strip('/')}.")
                raise
        return Outcome({self._key: name}, {})

    def _path(self, name: str) -> str:
        return f"{self._collection}/{urllib.parse.quote(name, safe='')}"

    def _spelt(self, key: str, value: Any) -> Any:
        return self._normal[key](value) if key in self._normal and value is not None else value


def given(params: Mapping[str, Any], fields: Mapping[str, Any]) -> dict[str, Any]:
    """The parameters of a module that were given, of those that are fields."""
    return {name: params[name] for name in fields if params[name] is not None}


def _lines(fields: Mapping[str, Any]) -> str:
    return "".join(f"{name}: {fields[name]}\n" for name in sorted(fields))
