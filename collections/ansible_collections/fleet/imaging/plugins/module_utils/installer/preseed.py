# Copyright: (c) 2026, Fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Answers for Debian's installer (Debian 12 Installation Guide, appendix B; templates of its udebs)."""

from __future__ import annotations

import base64

from ansible_collections.fleet.core.plugins.module_utils.errors import InputError

from . import programs, words
from .request import Installation

PLACE = "/tmp/fleet"
NO_DISK = "/dev/fleet-disk"
"""There is no such disk: where the right one was not found, partman has none. Without any, it would take the only one there is."""


def render(asked: Installation) -> str:
    """The file preseed.cfg. Nothing in it is secret."""
    lines = [f"# {asked.hostname}: {asked.system.name}, written by Fleet"]
    for owner, name, kind, value in _questions(asked):
        if "\n" in value or "\r" in value or "\\" in value:
            raise InputError(f"The answer to {name} is not one line: {value!r}")
        lines.append(f"{owner} {name} {kind} {value}".rstrip())
    return "\n".join(lines) + "\n"


def arguments(asked: Installation) -> list[str]:
    """What its kernel is told: the questions that come before the network is there, and where the others are answered."""
    return [
        "auto=true",
        "priority=critical",
        "interface=auto",
        f"BOOTIF=01-{asked.folder}",
        f"url={asked.address}/preseed.cfg",
        f"hostname={asked.hostname}",
        f"domain={asked.domain.name}",
        *(f"{name.rpartition('/')[2]}={value}" for name, _kind, value in _language(asked)),
        *asked.arguments,
    ]


def _program(text: str, name: str) -> str:
    """The command that writes a program where the installer runs. In base64 it is one line without a sign that means anything."""
    return f"echo {base64.b64encode(text.encode()).decode()} | base64 -d >{PLACE}/{name}"


def _early() -> list[str]:
    written = (("disk", programs.DISK), ("stop", programs.STOP), ("files", programs.FILES))
    return [f"mkdir -p {PLACE}", *(_program(text, name) for name, text in written)]


def _disk_command(asked: Installation) -> str:
    identity = " ".join(f'"{value}"' for value in (asked.disk.serial, asked.disk.wwn, str(asked.disk.size or "")))
    return (
        f'disk=$(sh {PLACE}/disk {identity} 2>{PLACE}/why) || sh {PLACE}/stop "$(cat {PLACE}/why)"; '
        "debconf-set partman-auto/disk $disk; debconf-set grub-installer/bootdev $disk"
    )


def _late_command(asked: Installation) -> str:
    return (
        f"sh {PLACE}/files {asked.files_address} {PLACE}/ca.pem /target && in-target sh /etc/fleet/install/finish.sh"
        f' || sh {PLACE}/stop "Fleet: the files of this station could not be fetched or used; see /var/log/syslog"'
    )


def _questions(asked: Installation) -> list[tuple[str, str, str, str]]:
    """Owner, name, type and answer of each question, in the order in which they come."""
    scheme, host, path = words.url_parts(asked.mirror)
    early = "; ".join([*_early(), _program(asked.authority, "ca.pem")])
    answers: list[tuple[str, str, str]] = [
        ("preseed/early_command", "string", early),
        *_language(asked),
        ("keyboard-configuration/xkb-keymap", "select", asked.keyboard),
        ("netcfg/get_hostname", "string", asked.hostname),
        ("netcfg/get_domain", "string", asked.domain.name),
        ("netcfg/wireless_wep", "string", ""),
        ("hw-detect/load_firmware", "boolean", "true"),
        ("mirror/country", "string", "manual"),
        ("mirror/protocol", "select", scheme),
        (f"mirror/{scheme}/hostname", "string", host),
        (f"mirror/{scheme}/directory", "string", path),
        (f"mirror/{scheme}/proxy", "string", asked.proxy),
        ("mirror/suite", "string", asked.system.suite),
        ("clock-setup/utc", "boolean", "true"),
        ("clock-setup/ntp", "boolean", "true"),
        ("time/zone", "string", asked.time_zone),
        *_partitioning(asked),
        # The answers are no secret, so they hold no password: the files of the station do.
        ("passwd/root-login", "boolean", "true"),
        ("passwd/root-password-crypted", "password", "!"),
        ("passwd/make-user", "boolean", "false"),
        ("apt-setup/non-free-firmware", "boolean", "true"),
        ("apt-setup/services-select", "multiselect", "security, updates" if asked.updates else ""),
        ("pkgsel/include", "string", " ".join(asked.all_packages)),
        ("pkgsel/upgrade", "select", "full-upgrade" if asked.updates else "none"),
        ("grub-installer/only_debian", "boolean", "true"),
        ("grub-installer/with_other_os", "boolean", "true"),
        ("grub-installer/bootdev", "string", NO_DISK),
        ("preseed/late_command", "string", _late_command(asked)),
        ("finish-install/reboot_in_progress", "note", ""),
    ]
    return [
        *(("d-i", *answer) for answer in answers),
        ("tasksel", "tasksel/first", "multiselect", ", ".join(["standard", *asked.desktop])),
        ("popularity-contest", "popularity-contest/participate", "boolean", "false"),
    ]


def _language(asked: Installation) -> list[tuple[str, str, str]]:
    """On a serial line the installer shows ASCII only, and asks when it is told another language: there it speaks English."""
    answers = [("debian-installer/locale", "string", asked.locale)]
    if any(each.startswith("console=ttyS") for each in asked.arguments):
        country = asked.locale.partition("_")[2].partition(".")[0]
        answers += [("debian-installer/language", "string", "en"), ("debian-installer/country", "string", country)]
    return answers


def _partitioning(asked: Installation) -> list[tuple[str, str, str]]:
    confirmed = (
        "partman-auto-lvm/no_boot",
        "partman-basicfilesystems/no_swap",
        "partman-lvm/device_remove_lvm",
        "partman-lvm/confirm",
        "partman-lvm/confirm_nooverwrite",
        "partman-md/device_remove_md",
        "partman-md/confirm",
        "partman-md/confirm_nooverwrite",
        "partman-partitioning/confirm_write_new_label",
        "partman/confirm",
        "partman/confirm_nooverwrite",
        # An old loader of the firmware's other mode may be on the disk; all of it goes.
        "partman-efi/non_efi_system",
    )
    return [
        ("partman/early_command", "string", _disk_command(asked)),
        ("partman-auto/disk", "string", NO_DISK),
        ("partman-auto/method", "string", "lvm" if asked.partitioning == "lvm" else "regular"),
        ("partman-auto/choose_recipe", "select", "atomic"),
        ("partman-auto-lvm/guided_size", "string", "max"),
        ("partman-partitioning/choose_label", "string", "gpt"),
        ("partman-partitioning/default_label", "string", "gpt"),
        ("partman/mount_style", "select", "uuid"),
        ("partman/choose_partition", "select", "finish"),
        *((name, "boolean", "true") for name in confirmed),
    ]
