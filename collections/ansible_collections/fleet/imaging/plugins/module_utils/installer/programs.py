# Copyright: (c) 2026, Fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The programs that run in the installers and in the new system. They are the same for every station: what differs are their arguments.

``sh`` is busybox's ash in Debian's installer and dash elsewhere. What they need: sysfs, udevadm, wget or curl, tar.
"""

from __future__ import annotations

DISK = r"""#!/bin/sh
# disk SERIAL WWN SIZE: print the device of the only disk that is so; an empty one does not count. Ends with 1 when none is, or several are.
# As fleet.imaging.disk_info names disks: the kernel first, then udev. FLEET_ROOT is for tests.
sys=${FLEET_ROOT:-}/sys/block
trim() { tr -d '\000-\037' | sed 's/  */ /g; s/^ //; s/ $//'; }
first() {
    for name; do
        [ -r "$name" ] || continue
        text=$(trim <"$name" 2>/dev/null)
        [ -z "$text" ] || { printf '%s\n' "$text"; return; }
    done
}
property() { udevadm info --query=property --path="/sys/block/$1" 2>/dev/null | sed -n "s/^$2=//p" | head -n 1; }
lower() { tr A-Z a-z | sed 's/^naa\./0x/'; }
found='' count=0 seen=''
for folder in "$sys"/*; do
    name=${folder##*/}
    case $name in loop*|ram*|zram*|sr*|fd*|dm-*|md*|nbd*|mtd*) continue ;; esac
    [ -r "$folder/size" ] || continue
    size=$(( $(cat "$folder/size") * 512 ))
    [ "$size" -gt 0 ] || continue
    serial=$(first "$folder/serial" "$folder/device/serial")
    if [ -z "$serial" ] && [ -r "$folder/device/vpd_pg80" ]; then
        serial=$(tail -c +5 "$folder/device/vpd_pg80" | trim)
    fi
    [ -n "$serial" ] || serial=$(property "$name" ID_SERIAL_SHORT)
    wwn=$(first "$folder/wwid" "$folder/device/wwid" | lower)
    case $wwn in 0x*|eui.*|nvme.*|uuid.*) ;; *) wwn=$(property "$name" ID_WWN | lower) ;; esac
    seen="$seen
  /dev/$name serial:$serial wwn:$wwn size:$size"
    [ -z "$1" ] || [ "$1" = "$serial" ] || continue
    [ -z "$2" ] || [ "$2" = "$wwn" ] || continue
    [ -z "$3" ] || [ "$3" = "$size" ] || continue
    count=$((count + 1)) found=/dev/$name
done
if [ "$count" = 1 ]; then echo "$found"; exit 0; fi
echo "Fleet: $count disks are serial:$1 wwn:$2 size:$3 (empty ones do not count). Nothing was written. This machine has:$seen" >&2
exit 1
"""

STOP = r"""#!/bin/sh
# stop MESSAGE: say it where somebody looks, and do not go on. Debian's installer would, after a question that nobody answers.
logger -t fleet "$1" 2>/dev/null
while :; do
    for console in /dev/console /dev/tty1; do
        printf '\n%s\nInstallation stopped. Switch the machine off, or restart it.\n' "$1" >"$console" 2>/dev/null
    done
    sleep 60
done
"""

FILES = r"""#!/bin/sh
# files URL AUTHORITY ROOT: fetch the station's files, once, and unpack them over the system in ROOT.
set -e
umask 077
tar=${FLEET_ROOT:-}/tmp/fleet-files.tar
trap 'rm -f "$tar"' EXIT
if command -v curl >/dev/null; then
    curl --silent --show-error --fail --cacert "$2" --output "$tar" "$1"
else
    wget --no-verbose --ca-certificate="$2" -O "$tar" "$1"
fi
tar -x -f "$tar" -C "$3"
"""

FINISH = r"""#!/bin/sh
# Runs in the new system, as root, before its first start: what the files beside it say.
set -e
cd /etc/fleet/install
while IFS=: read -r login name; do
    id "$login" >/dev/null 2>&1 || useradd --create-home --shell /bin/bash --user-group "$login"
    usermod --comment "$name" "$login"
    for group in sudo audio video plugdev netdev lpadmin scanner; do
        if getent group "$group" >/dev/null; then usermod --append --groups "$group" "$login"; fi
    done
done <accounts
[ ! -s passwords ] || chpasswd --encrypted <passwords
[ -s passwords ] && grep -q '^root:' passwords || usermod --lock root
rm -f passwords accounts
# Only the key that the boot server knows: the others would be strangers' to Ansible.
for key in /etc/ssh/ssh_host_*_key; do
    case $key in *_ed25519_key) ;; *) rm -f "$key" "$key.pub" ;; esac
done
if [ -e /etc/sssd/sssd.conf ]; then
    chown root:root /etc/sssd/sssd.conf
    chmod 0600 /etc/sssd/sssd.conf
    pam-auth-update --package --enable mkhomedir
fi
if [ -e join ]; then systemctl enable fleet-join.service; else rm -f /etc/systemd/system/fleet-join.service; fi
"""

JOIN = r"""#!/bin/sh
# Join the Active Directory, at a start before which nobody can log in: adcli takes the one-time password as an argument.
set -e
{ read -r domain; read -r password; } </etc/fleet/install/join
adcli join --domain="$domain" --one-time-password="$password"
rm -f /etc/fleet/install/join
systemctl disable fleet-join.service
systemctl try-restart sssd.service
"""

JOIN_UNIT = """[Unit]
Description=Join the domain
Wants=network-online.target time-sync.target
After=network-online.target time-sync.target
Before=systemd-user-sessions.service
ConditionPathExists=/etc/fleet/install/join

[Service]
Type=oneshot
ExecStart=/bin/sh /etc/fleet/install/join.sh
TimeoutStartSec=120

[Install]
WantedBy=multi-user.target
"""
