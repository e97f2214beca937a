# Copyright: (c) 2026, Fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What one station starts next, and the state that the boot service needs to hand it out."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, field, replace
from typing import Any, Optional

from ansible_collections.fleet.core.plugins.module_utils.errors import InputError

from . import names

MENU, DISK, IMAGING, IMAGING_ONCE, INSTALLER = "menu", "disk", "imaging", "imaging-once", "installer"
ENTRIES = (IMAGING_ONCE, IMAGING, DISK, MENU, INSTALLER)
ONCE = (IMAGING_ONCE, INSTALLER)
"""Used up when the station has fetched them: a second start must not install anew."""


@dataclass(frozen=True)
class System:
    """A kernel that a station starts; paths from the root of what is served."""

    kernel: str
    initrd: str = ""
    arguments: tuple[str, ...] = ()

    def checked(self) -> System:
        """The same, or InputError for what would not stay a word in a loader's script."""
        if self.initrd:
            names.below(self.initrd)
        return System(names.below(self.kernel), self.initrd, tuple(map(names.argument, self.arguments)))


ENVIRONMENT = System("environment/vmlinuz", "environment/initrd.img")
"""The imaging environment."""


@dataclass(frozen=True)
class StationState:
    """What is kept of a station: stations/MAC.json in the boot server's state. The token is a secret."""

    station: str
    entry: str
    language: str = "en"
    then: str = MENU
    """The entry after one that is for once."""
    after: dict[str, Optional[str]] = field(default_factory=dict)
    """The station's files then, by kind (ipxe, grub); None for no file."""
    token: str = ""
    expires: int = 0
    """Seconds since 1970."""
    registered: bool = False

    def to_json(self) -> str:
        """As it is kept."""
        return json.dumps({"format": 1, **asdict(self)}, sort_keys=True) + "\n"

    @classmethod
    def from_json(cls, text: str) -> StationState:
        """What to_json wrote; InputError for anything else."""
        try:
            said: dict[str, Any] = json.loads(text)
            if said.pop("format") != 1 or said["entry"] not in ENTRIES:
                raise ValueError("another format")
            return cls(**said)
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            raise InputError(f"The state of a station cannot be read: {error}", remedy="Set its boot entry anew") from error

    def hands_out(self, now: float) -> bool:
        """Whether its token can still be used."""
        return bool(self.token) and not self.registered and self.expires > now

    def without_token(self) -> StationState:
        """What others may see."""
        return replace(self, token="", expires=0, registered=False)
