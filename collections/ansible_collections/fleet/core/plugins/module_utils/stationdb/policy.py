# Copyright: (c) 2026, Fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a controller accepts from the station database.

Whoever may edit a station of one site writes variables into everybody's inventory. Most are harmless, because Ansible never templates what
an inventory brings untrusted. But some names decide what runs on the controller itself: ``ansible_connection: local`` or
``ansible_ssh_common_args: -o ProxyCommand=…`` is a shell there. Those stay out, and so do names that mean something else to Ansible.
"""

from __future__ import annotations

import keyword
import re
from collections.abc import Collection, Iterable
from dataclasses import dataclass, field
from typing import Any

from .inventory import Batch

HARMLESS = ("ansible_host", "ansible_port", "ansible_user")
"""Connection variables that the station database may always set; their values are checked."""

MAGIC = frozenset(
    (
        "environment",
        "group_names",
        "groups",
        "hostvars",
        "inventory_dir",
        "inventory_file",
        "inventory_hostname",
        "inventory_hostname_short",
        "omit",
        "play_hosts",
        "playbook_dir",
        "role_name",
        "role_names",
        "role_path",
        "vars",
    )
)
"""Names that Ansible sets itself, and that templates rely on."""

LOCAL = frozenset(("localhost", "127.0.0.1", "::1"))
"""Names that mean the controller."""

_ADDRESS = re.compile(r"[0-9A-Fa-f][0-9A-Fa-f:.]{1,44}|::[0-9A-Fa-f:.]{0,43}")
_USER = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.@\\-]{0,103}")
_HOST = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9._-]{0,251}[A-Za-z0-9])?")
_HOSTS = re.compile(rf"(?:(?:{_HOST.pattern})\n)*")
_GROUP = re.compile(r"[a-z][a-z0-9_]{0,67}")


@dataclass
class Policy:
    """Sorts out names and values; what was left out and why is kept for one warning each."""

    allowed: Collection[str] = ()
    """Further ``ansible_…`` variables that the station database may set here."""
    refused: dict[str, list[str]] = field(default_factory=dict)
    """Names by reason."""

    def variables(self, given: dict[str, Any]) -> dict[str, Any]:
        """Of a group: those that are accepted."""
        return {name: value for name, value in given.items() if self.accepts(name) and self._sound(name, value)}

    def clean(self, batch: Batch) -> list[bool]:
        """Remove values that cannot be from the stations' variables; which of the stations themselves are accepted."""
        for name in HARMLESS:
            for row in batch.variables if name in batch.columns else ():
                if name in row and not self._sound(name, row[name]):
                    del row[name]
        return [True] * len(batch.names) if self._plain(batch.names) else [self._is_host(name) for name in batch.names]

    def groups(self, names: Iterable[str]) -> list[bool]:
        """Which groups are accepted."""
        return [bool(_GROUP.fullmatch(name)) or self.refuse(name, "is no name of a group") for name in names]

    def _plain(self, names: list[str]) -> bool:
        """One look at all names: almost always all are fine."""
        return bool(_HOSTS.fullmatch("\n".join((*names, "")))) and LOCAL.isdisjoint(names)

    def _is_host(self, name: str) -> bool:
        if name in LOCAL:
            return self.refuse(name, "means the controller itself")
        return bool(_HOST.fullmatch(name)) or self.refuse(name, "is no name of a host")

    def accepts(self, name: str) -> bool:
        """Whether a variable of this name is."""
        if not (name.isidentifier() and name.isascii()) or keyword.iskeyword(name):
            return self.refuse(name, "is no name of a variable")
        if name in MAGIC:
            return self.refuse(name, "is set by Ansible itself")
        if name.startswith("ansible_") and name not in HARMLESS and name not in self.allowed:
            return self.refuse(name, "may decide what runs on the controller; allow it with connection_variables, or set it in group_vars")
        return True

    def _sound(self, name: str, value: Any) -> bool:
        """Whether the value of a harmless variable is: a host or user that begins with a hyphen is an option of ssh."""
        if name == "ansible_host":
            fine = isinstance(value, str) and bool(_ADDRESS.fullmatch(value))
        elif name == "ansible_user":
            fine = isinstance(value, str) and bool(_USER.fullmatch(value))
        elif name == "ansible_port":
            fine = isinstance(value, int) and not isinstance(value, bool) and 0 < value < 65536
        else:
            return True
        return fine or self.refuse(f"{name}={value!r:.60}", "has a value that it cannot have")

    def refuse(self, name: str, reason: str) -> bool:
        """Remember that something was left out, and why; False."""
        found = self.refused.setdefault(reason, [])
        if name not in found:
            found.append(name)
        return False
