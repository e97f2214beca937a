# Copyright: (c) 2026, Fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The machine-id, and what a system remembers that no second machine may have."""

from __future__ import annotations

from ..installed.tree import Tree
from .request import Request

TRACES = (
    ("var/lib/dhcp", ".leases"),
    ("var/lib/NetworkManager", ".lease"),
    ("var/lib/systemd/network", ""),
    ("var/lib/dhcpcd", ".lease"),
)
"""Leases of the model's network card: a station that asked for the model's address would take it from the model."""

DBUS = "var/lib/dbus/machine-id"

SECRETS = (
    "var/lib/NetworkManager/secret_key",
    "var/lib/NetworkManager/timestamps",
    "var/lib/dhcpcd/duid",
    "var/lib/dhcpcd/secret",
    "etc/dhcpcd.duid",
    "var/lib/systemd/random-seed",
    "var/lib/systemd/credential.secret",
    "var/lib/urandom/random-seed",
    "boot/efi/loader/random-seed",
)
"""Files that the system makes anew by itself, and that must not be the same on two machines (systemd's "Building Images")."""


def machine_id(request: Request) -> str:
    """The station's: derived from its seed, in the form of machine-id(5), a valid UUID of version 5."""
    return request.derived("machine-id").hex


def stage(tree: Tree, request: Request, is_new: bool) -> str:
    """Give the system its machine-id and return it; a system that has been this station already keeps its traces (is_new)."""
    own = machine_id(request)
    tree.write_text("etc/machine-id", own + "\n", mode=0o444)
    if tree.resolve(DBUS) == DBUS and tree.is_file(DBUS):  # a file of its own in older systems, else a link to the other
        tree.write_text(DBUS, own + "\n", mode=0o444)
    if is_new:
        for folder, suffix in TRACES:
            for path in tree.files(folder, suffix):
                tree.remove(path)
        for path in SECRETS:
            if tree.is_file(path):
                tree.remove(path, secret=True)
    return own
