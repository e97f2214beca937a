# Copyright: (c) 2026, Fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Network settings that are bound to the model's network card: NetworkManager, netplan, systemd-networkd, ifupdown, udev.

A binding to the model's MAC address becomes one to the station's when that is known, and goes otherwise.
"""

from __future__ import annotations

import re

from ..installed.tree import Tree

_MAC = r"[0-9A-Fa-f]{2}(?:[:-][0-9A-Fa-f]{2}){5}"
_KEYFILES = ("etc/NetworkManager/system-connections",)
_NETWORKD = ("etc/systemd/network",)
_IFUPDOWN = ("etc/network/interfaces.d",)
_RULES = "etc/udev/rules.d"


def stage(tree: Tree, mac: str) -> None:
    """Loosen every binding to another card than the one with this MAC address; empty: any card."""
    for folder in _KEYFILES:
        for path in tree.files(folder):
            tree.write_text(path, keyfile(tree.text(path), mac))
    for path in tree.files("etc/netplan", ".yaml"):
        tree.write_text(path, netplan(tree.text(path), mac))
    for suffix in (".network", ".link"):
        for folder in _NETWORKD:
            for path in tree.files(folder, suffix):
                tree.write_text(path, networkd(tree.text(path), mac))
    for path in ["etc/network/interfaces", *(path for folder in _IFUPDOWN for path in tree.files(folder))]:
        if tree.is_file(path):
            tree.write_text(path, ifupdown(tree.text(path), mac))
    for path in tree.files("etc/sysconfig/network-scripts"):
        if path.rpartition("/")[2].startswith("ifcfg-"):
            tree.write_text(path, ifcfg(tree.text(path), mac))
    for path in tree.files(_RULES, ".rules"):
        if "persistent-net" in path:
            tree.remove(path)


def keyfile(text: str, mac: str) -> str:
    """mac-address of a connection (nm-settings-keyfile(5)); the card's own, faked by cloned-mac-address, goes."""
    text = re.sub(rf"(?im)^cloned-mac-address={_MAC}[ \t]*\n?", "", text)
    return _line(text, rf"(?im)^(mac-address=){_MAC}[ \t]*\n?", mac)


def networkd(text: str, mac: str) -> str:
    """MACAddress and PermanentMACAddress of [Match]; a match that says nothing more means any Ethernet card (systemd.network(5)).

    MACAddress of [Link] gives the card another address: that was the model's, and goes.
    """
    sections = re.split(r"(?m)^(?=\[)", text)
    for index, section in enumerate(sections):
        if section.startswith("[Match]"):
            loosened = _line(section, r"(?im)^((?:Permanent)?MACAddress=).*(?:\n|$)", mac, only_mac=True)
            if loosened != section and not re.search(r"(?m)^\s*[A-Za-z]\w*=", loosened):
                loosened = loosened.replace("[Match]\n", "[Match]\nType=ether\n", 1)
            sections[index] = loosened
        elif section.startswith("[Link]"):
            sections[index] = re.sub(rf"(?im)^MACAddress={_MAC}[ \t]*\n?", "", section)
    return "".join(sections)


def netplan(text: str, mac: str) -> str:
    """macaddress below match; without the station's own, the match is by name, any that an Ethernet card has.

    Works by lines: no YAML on stations. set-name needs a match that means one card, so it goes with the address.
    """
    lines: list[str] = []
    loosened: list[str] = []
    inside = -1
    for line in text.splitlines(keepends=True):
        indent = len(line) - len(line.lstrip(" "))
        if line.strip() and inside >= 0 and indent <= inside:
            inside = -1
        if re.match(r"\s*match:", line):
            inside = indent
        found = re.match(rf'^(\s*)macaddress:\s*["\']?({_MAC})["\']?\s*$', line.rstrip("\n"))
        if found and _plain(found.group(2)) != mac:
            if mac:
                line = f'{found.group(1)}macaddress: "{mac}"\n'
            elif inside >= 0:
                line = f'{found.group(1)}name: "e*"\n'
                loosened.append(found.group(1))
            else:
                continue
        lines.append(line)
    if loosened:
        lines = [line for line in lines if not re.match(r"\s*set-name:", line)]
    return "".join(lines)


def ifupdown(text: str, mac: str) -> str:
    """Hwaddress of an interface (interfaces(5)), which gives the card the model's address."""
    return re.sub(rf"(?im)^[ \t]*hwaddress\s+(?:ether\s+)?(?!{re.escape(mac) or '(?!)'}){_MAC}[ \t]*\n?", "", text)


def ifcfg(text: str, mac: str) -> str:
    """HWADDR and MACADDR of Red Hat's older scripts."""
    text = re.sub(rf"(?im)^MACADDR=[\"']?{_MAC}[\"']?[ \t]*\n?", "", text)
    return _line(text, rf"(?im)^(HWADDR=)[\"']?{_MAC}[\"']?[ \t]*\n?", mac)


def _line(text: str, pattern: str, mac: str, only_mac: bool = False) -> str:
    """Replace lines that bind: by the station's address, or by nothing. A line that has the station's already stays."""

    def change(match: re.Match[str]) -> str:
        said = re.findall(_MAC, match.group(0))
        if (only_mac and not said) or (mac and [_plain(each) for each in said] == [mac]):
            return match.group(0)
        return f"{match.group(1)}{mac}\n" if mac else ""

    return re.sub(pattern, change, text)


def _plain(mac: str) -> str:
    return mac.lower().replace("-", ":")
