# Copyright: (c) 2026, Fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A static address, for whatever manages the installed system's network."""

from __future__ import annotations

import re

from ..installed.tree import Tree
from ..installed.volume import InstalledError
from .request import Request, StaticAddress

NETPLAN = "etc/netplan/90-fleet.yaml"
NETWORK_MANAGER = "etc/NetworkManager/system-connections/fleet.nmconnection"
NETWORKD = "etc/systemd/network/05-fleet.network"
INTERFACES = "etc/network/interfaces"


def stage(tree: Tree, request: Request) -> str:
    """Give the system its static address; return who manages its network (empty when no address was asked for).

    Raises InstalledError when nothing that is known does.
    """
    if request.static is None:
        return ""
    who = manager(tree)
    if who == "netplan":
        tree.write_text(NETPLAN, netplan(request.static, request.mac), mode=0o600)
    elif who == "NetworkManager":
        tree.write_text(NETWORK_MANAGER, keyfile(request.static, request.mac, str(request.derived("connection"))), mode=0o600)
    elif who == "systemd-networkd":
        tree.write_text(NETWORKD, networkd(request.static, request.mac))
    elif who == "ifupdown":
        _stage_ifupdown(tree, request.static)
    else:
        raise InstalledError(
            "Nothing that manages the network was found in the installed system: no netplan, NetworkManager, systemd-networkd or ifupdown."
            " Nothing was changed",
            remedy="Leave the static address out and reserve it in the DHCP server, or set it in a hook",
        )
    return who


def manager(tree: Tree) -> str:
    """Who manages the system's network, by what it has; empty when nobody is known."""
    if tree.files("etc/netplan", ".yaml"):
        return "netplan"
    if tree.is_file("usr/sbin/NetworkManager"):
        return "NetworkManager"
    wants = "etc/systemd/system/multi-user.target.wants"
    if "systemd-networkd.service" in tree.names(wants) or tree.files("etc/systemd/network", ".network"):
        return "systemd-networkd"
    return "ifupdown" if tree.is_file(INTERFACES) else ""


def netplan(static: StaticAddress, mac: str) -> str:
    """A file of netplan, read after the model's."""
    name = static.interface or "fleet"
    lines = ["network:", "  version: 2", "  ethernets:", f"    {name}:"]
    if not static.interface:
        lines += ["      match:", f'        macaddress: "{mac}"' if mac else '        name: "e*"']
    family = 6 if static.is_ipv6 else 4
    lines += [f"      dhcp{family}: false", f'      addresses: ["{static.address}"]']
    if static.gateway:
        lines += ["      routes:", f'        - {{to: "{"::/0" if family == 6 else "0.0.0.0/0"}", via: "{static.gateway}"}}']
    if static.dns or static.search:
        servers, search = (", ".join(f'"{each}"' for each in names) for names in (static.dns, static.search))
        lines += ["      nameservers:", f"        addresses: [{servers}]", f"        search: [{search}]"]
    return "\n".join(lines) + "\n"


def keyfile(static: StaticAddress, mac: str, uuid: str) -> str:
    """A connection of NetworkManager that goes before the model's (nm-settings-keyfile(5))."""
    own, other = ("ipv6", "ipv4") if static.is_ipv6 else ("ipv4", "ipv6")
    lines = ["[connection]", "id=fleet", f"uuid={uuid}", "type=ethernet", "autoconnect-priority=100"]
    lines += [f"interface-name={static.interface}"] if static.interface else []
    lines += ["", "[ethernet]", *([f"mac-address={mac}"] if mac else []), "", f"[{own}]", "method=manual"]
    lines += [f"address1={static.address}{',' + static.gateway if static.gateway else ''}"]
    lines += [f"dns={';'.join(static.dns)};"] if static.dns else []
    lines += [f"dns-search={';'.join(static.search)};"] if static.search else []
    return "\n".join([*lines, "", f"[{other}]", "method=auto"]) + "\n"


def networkd(static: StaticAddress, mac: str) -> str:
    """A network of systemd that is read before the model's (systemd.network(5))."""
    match = f"Name={static.interface}" if static.interface else f"MACAddress={mac}" if mac else "Type=ether"
    lines = ["[Match]", match, "", "[Network]", f"Address={static.address}"]
    lines += [f"Gateway={static.gateway}"] if static.gateway else []
    lines += [f"DNS={server}" for server in static.dns]
    lines += [f"Domains={' '.join(static.search)}"] if static.search else []
    return "\n".join(lines) + "\n"


def _stage_ifupdown(tree: Tree, static: StaticAddress) -> None:
    """Replace the stanza of the interface wherever it stands: two for one interface would both be used."""
    family = "inet6" if static.is_ipv6 else "inet"
    paths = [path for path in (INTERFACES, *tree.files("etc/network/interfaces.d")) if tree.is_file(path)]
    stanzas = [
        (path, name) for path in paths for name in re.findall(rf"(?m)^\s*iface\s+(\S+)\s+{family}\s", tree.text(path)) if name != "lo"
    ]
    wanted = [each for each in stanzas if not static.interface or each[1] == static.interface]
    if len({name for _path, name in wanted}) > 1:
        raise InstalledError(
            f"The installed system has several interfaces in /etc/network: {', '.join(sorted(name for _path, name in wanted))}."
            " Nothing was changed",
            remedy="Say which gets the address with network.interface",
        )
    if not wanted and not static.interface:
        raise InstalledError(
            "The installed system has no interface in /etc/network. Nothing was changed",
            remedy="Say which gets the address with network.interface",
        )
    path, name = wanted[0] if wanted else (INTERFACES, static.interface)
    tree.write_text(path, ifupdown(tree.text(path), name, static))


def ifupdown(text: str, name: str, static: StaticAddress) -> str:
    """A file of interfaces(5) with the interface's stanza replaced, or added."""
    family = "inet6" if static.is_ipv6 else "inet"
    stanza = [f"iface {name} {family} static", f"    address {static.address}"]
    stanza += [f"    gateway {static.gateway}"] if static.gateway else []
    stanza += [f"    dns-nameservers {' '.join(static.dns)}"] if static.dns else []
    stanza += [f"    dns-search {' '.join(static.search)}"] if static.search else []
    lines: list[str] = []
    skipping = replaced = False
    for line in text.splitlines():
        words = line.split()
        starts = (bool(words) and words[0] in ("iface", "auto", "mapping", "source", "source-directory", "rename")) or line.startswith(
            "allow-"
        )
        if starts:
            skipping = words[0] == "iface" and words[1:3] == [name, family]
            if skipping and not replaced:
                lines += stanza
                replaced = True
        if skipping and (starts or line.startswith((" ", "\t")) or (words and not words[0].startswith("#"))):
            continue
        lines.append(line)
    if not replaced:
        lines += ["", f"auto {name}", *stanza]
    return "\n".join(lines) + "\n"
