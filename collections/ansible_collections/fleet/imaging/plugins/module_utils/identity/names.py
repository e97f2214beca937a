# Copyright: (c) 2026, Fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The station's name: /etc/hostname, /etc/hosts, and what else of a system carries it."""

from __future__ import annotations

import re

from ..installed.tree import Tree
from .request import Request

HOSTS = "127.0.0.1\tlocalhost\n::1\tlocalhost ip6-localhost ip6-loopback\n"
_OWN_ADDRESS = "127.0.1.1"
"""What Debian's hosts file has for the host's own name (Debian reference, 5.1.1)."""


def old_name(tree: Tree) -> str:
    """The name that the system has so far, without its domain; empty when it has none."""
    for line in tree.text("etc/hostname").splitlines():
        name = line.strip()
        if name and not name.startswith("#"):
            return name.split(".")[0]
    return ""


def stage(tree: Tree, request: Request, before: str) -> None:
    """Give the system its name. before is the one it has (see old_name), which goes from the hosts file."""
    qualified = f"{request.hostname}.{request.domain}" if request.domain else ""
    tree.write_text("etc/hostname", request.hostname + "\n")
    address = request.static.address.split("/")[0] if request.static else ""
    tree.write_text("etc/hosts", hosts(tree.text("etc/hosts"), before, request.hostname, qualified, address))
    if tree.is_file("etc/mailname"):
        tree.write_text("etc/mailname", (qualified or request.hostname) + "\n")


def hosts(text: str, before: str, name: str, qualified: str = "", address: str = "") -> str:
    """A hosts file with the new name in its own line, and where the old one stood; every other line as it was.

    address: the station's own, whose line is made if there is one of the old name.
    """
    own = "\t".join([_OWN_ADDRESS, " ".join(filter(None, [qualified, name]))])
    lines, found = [], False
    for line in (text or HOSTS).splitlines():
        body, mark, comment = line.partition("#")
        fields = body.split()
        if fields[:1] == [_OWN_ADDRESS]:
            if not found:
                aliases = [each for each in fields[1:] if before and not _is(each, before) and not _is(each, name)]
                same = fields[1:] == [*own.split()[1:], *aliases]
                lines.append(line if same else " ".join([own, *aliases]) + (f" {mark}{comment}" if mark else ""))
            found = True
        elif before and before != name and any(_is(each, before) for each in fields[1:]):
            lines.append(_replaced(line, before, name, qualified, mark, fields, address))
        else:
            lines.append(line)
    if not found:
        place = next((index + 1 for index, line in enumerate(lines) if line.split()[:1] == ["127.0.0.1"]), 0)
        lines.insert(place, own)
    return "\n".join(lines) + "\n"


def _replaced(line: str, before: str, name: str, qualified: str, mark: str, fields: list[str], address: str) -> str:
    body, _mark, comment = line.partition("#")
    pattern = rf"(?<![\w.-]){re.escape(before)}((?:\.[\w-]+)*)(?![\w.-])"
    body = re.sub(pattern, lambda match: (qualified or name + match.group(1)) if match.group(1) else name, body)
    if address and not fields[0].startswith("127.") and (":" in fields[0]) == (":" in address) and fields[0] != "::1":
        body = body.replace(fields[0], address, 1)
    return body + mark + comment


def _is(name: str, wanted: str) -> bool:
    return name == wanted or name.startswith(f"{wanted}.")
