# Copyright: (c) 2026, Fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The first stage: a small initial RAM file system that finds the root, checks it, and hands over to its systemd.

It carries the root's SHA-256 and size; what it finds is copied into RAM before it is checked, so that what was checked is what runs.
Nothing else is ever started: a root that does not match, or a boot server that does not answer, ends in a message and a restart.
"""

from __future__ import annotations

from pathlib import Path

from . import drivers
from .archive import Node, pack

INIT = r"""#!/bin/busybox sh
# The first process. Kernel command line: fleet.boot=http://ADDRESS BOOTIF=01-52-54-00-77-00-01 fleet.language=fr
export PATH=/bin
/bin/busybox mkdir -p /proc /sys /dev /run /ram /medium /lower /rw /root
/bin/busybox --install -s /bin
mount -t proc proc /proc
mount -t sysfs sys /sys
mount -t devtmpfs dev /dev
echo 60 > /proc/sys/kernel/panic
echo 1 4 1 7 > /proc/sys/kernel/printk
size=$(cat /fleet/size)
sha256=$(cat /fleet/sha256)
mib=$(( (size + 1048575) / 1048576 ))
patience=60

argument() {
    for word in $(cat /proc/cmdline); do
        case $word in "$1"=*) echo "${word#*=}" ;; esac
    done | tail -n 1
}
boot=$(argument fleet.boot)
boot=${boot%/}
language=$(argument fleet.language)
card=$(argument BOOTIF | tr 'A-Z:' 'a-z-')
[ ${#card} -ne 20 ] || card=${card#??-}

# Every text in English, then in French; to every console.
show() {
    [ "$language" = fr ] && text=$2 || text=$1
    for console in $(cat /sys/class/tty/console/active); do
        printf "$3%s$4" "$text" > "/dev/$console" 2> /dev/null
    done
}
say() { show "Fleet: $1" "Fleet : $2" '\r' '\n'; }
count() { show "Fleet: $1   " "Fleet : $2   " '\r' ''; }

fail() {
    say "$1" "$2"
    left=$patience
    while [ $left -gt 0 ]; do
        count "This station restarts in $left s." "Ce poste redémarre dans $left s."
        sleep 1
        left=$((left - 1))
    done
    say "Restarting." "Redémarrage."
    reboot -f
    sleep 60
}

# Load the drivers of everything that the kernel has found; what they find comes with the next call.
drivers() {
    find /sys/devices -name modalias -exec cat {} + 2> /dev/null | sort -u > /run/seen
    if ! cmp -s /run/seen /run/known; then
        mv /run/seen /run/known
        xargs -n 64 modprobe -a -b -q < /run/known 2> /dev/null
    fi
}

cards() {
    for path in /sys/class/net/*; do
        [ "$(cat $path/type)" = 1 ] && [ -e $path/device ] && [ ! -e $path/wireless ] || continue
        [ -z "$card" ] || [ "$(tr : - < $path/address)" = "$card" ] || continue
        echo ${path##*/}
    done
}

# Until there is a card, up to a minute: cards on USB need seconds to appear.
find_cards() {
    for second in $(seq 60); do
        drivers
        found=$(cards)
        [ -z "$found" ] || return 0
        [ $second -ne 10 ] || say "Looking for a network card." "Recherche d'une carte réseau."
        sleep 1
    done
    [ -n "$card" ] || return 1
    say "No network card has the address $card: trying all." "Aucune carte réseau n'a l'adresse $card : toutes sont essayées."
    card=
    found=$(cards)
    [ -n "$found" ]
}

# An address by DHCP on one of the cards.
connect() {
    for each in $found; do ip link set $each up; done
    for round in 1 2 3 4 5 6; do
        for each in $found; do
            [ "$(cat /sys/class/net/$each/carrier 2> /dev/null)" = 1 ] || [ $round -gt 1 ] || sleep 3
            [ "$(cat /sys/class/net/$each/carrier 2> /dev/null)" = 1 ] || continue
            udhcpc -q -f -n -t 5 -T 3 -i $each -s /bin/lease > /dev/null 2>&1 && used=$each && return 0
        done
        say "No address by DHCP yet ($round/6). Is the cable plugged in?" \
            "Pas encore d'adresse par DHCP ($round/6). Le câble est-il branché ?"
        sleep 5
    done
    return 1
}

matches() {
    [ "$(stat -c %s "$1" 2> /dev/null)" = "$size" ] || return 1
    count "Checking $mib MiB ..." "Vérification de $mib Mio ..."
    [ "$(sha256sum < "$1")" = "$sha256  -" ]
}

# The root from the boot server; what has come stays for the next attempt, unless it is wrong.
download() {
    wrong=0
    for attempt in 1 2 3 4 5 6 7 8; do
        # Debian's wget of busybox dies of its own -T: what stands still for half a minute is ended here.
        wget -q -c -O /ram/root.img "$boot/environment/root.img" 2> /run/wget.log &
        before=0
        still=0
        while kill -0 $! 2> /dev/null; do
            have=$(stat -c %s /ram/root.img 2> /dev/null || echo 0)
            [ "$have" = "$before" ] && still=$((still + 1)) || still=0
            before=$have
            [ $still -lt 30 ] || kill $! 2> /dev/null
            count "Getting root.img: $((have * 100 / size)) % of $mib MiB" "Chargement de root.img : $((have * 100 / size)) % de $mib Mio"
            [ "$have" -le "$size" ] || kill $! 2> /dev/null
            sleep 1
        done
        if wait $!; then
            matches /ram/root.img && return 0
            wrong=$((wrong + 1))
            rm -f /ram/root.img
            say "REFUSED: root.img of $boot does not match its SHA-256." "REFUSÉ : root.img de $boot ne correspond pas à son SHA-256."
            [ $wrong -lt 2 ] || return 1
        else
            [ "$(stat -c %s /ram/root.img 2> /dev/null || echo 0)" -lt "$size" ] || rm -f /ram/root.img
            say "$boot does not answer ($attempt/8): $(tail -n 1 /run/wget.log)" \
                "$boot ne répond pas ($attempt/8) : $(tail -n 1 /run/wget.log)"
            sleep 5
        fi
    done
    return 1
}

# The root from a USB key, a CD, a partition or a RAM disk with the label FLEET.
copy() {
    say "Looking for a medium with the label FLEET." "Recherche d'un support nommé FLEET."
    for second in $(seq 60); do
        drivers
        device=$(findfs LABEL=FLEET 2> /dev/null)
        [ -z "$device" ] || break
        sleep 1
    done
    [ -n "$device" ] || return 1
    for type in iso9660 vfat ext4; do mount -t $type -o ro "$device" /medium 2> /dev/null && break; done
    [ -f /medium/fleet/root.img ] || return 1
    say "Copying root.img from $device into memory ($mib MiB)." "Copie de root.img de $device en mémoire ($mib Mio)."
    cp /medium/fleet/root.img /ram/root.img
    umount /medium
    matches /ram/root.img && return 0
    say "REFUSED: root.img of $device does not match its SHA-256." "REFUSÉ : root.img de $device ne correspond pas à son SHA-256."
    return 1
}

free=$(( $(sed -n 's/^MemAvailable: *\([0-9]*\) kB/\1/p' /proc/meminfo) / 1024 ))
needed=$((mib + 160))
[ $free -ge $needed ] || fail "Not enough memory: $free MiB are free, $needed are needed." \
    "Mémoire insuffisante : $free Mio libres, $needed nécessaires."
for module in af_packet loop squashfs overlay isofs vfat nls_cp437 nls_iso8859-1 nls_ascii nls_utf8 ext4 nd_pmem; do
    modprobe -q $module 2> /dev/null
done
mount -t tmpfs -o mode=700,size=$((mib + 1))m ram /ram

if [ -n "$boot" ]; then
    find_cards || fail "No network card was found." "Aucune carte réseau n'a été trouvée."
    connect || fail "No address by DHCP." "Pas d'adresse par DHCP."
    download || fail "Nothing was started: no root.img that can be trusted." "Rien n'a été démarré : pas de root.img digne de confiance."
    ip addr flush dev $used
else
    copy || fail "Nothing was started: no medium FLEET with a root.img that can be trusted." \
        "Rien n'a été démarré : pas de support FLEET avec un root.img digne de confiance."
fi
say "root.img is what it should be: starting." "root.img est conforme : démarrage."

mount -t squashfs -o ro,loop /ram/root.img /lower || fail "root.img cannot be mounted." "root.img ne peut pas être monté."
mount -t tmpfs -o mode=755,size=80% rw /rw
mkdir /rw/upper /rw/work
mount -t overlay -o lowerdir=/lower,upperdir=/rw/upper,workdir=/rw/work overlay /root || fail "No overlay." "Pas d'overlay."
cp -a /site/. /root/
mount --move /dev /root/dev
umount /sys
umount /proc
exec switch_root -c /dev/console /root /sbin/init
"""

LEASE = """#!/bin/busybox sh
# What udhcpc(8) calls with the address that it got. The boot server is known by its address: no names are looked up here.
[ "$1" = bound ] || [ "$1" = renew ] || exit 0
ip addr flush dev "$interface"
ip addr add "$ip/${mask:-24}" dev "$interface"
for each in $router; do
    ip route replace default via "$each" dev "$interface" && break
done
exit 0
"""


def nodes(busybox: Path, release: Path, firmware: Path) -> dict[str, Node]:
    """Return the first stage's files by path. release: /lib/modules/RELEASE of the root, after depmod; firmware: its /lib/firmware."""
    found = {
        "init": Node.file(INIT.encode(), 0o755),
        "bin/busybox": Node.file(busybox.read_bytes(), 0o755),
        "bin/sh": Node.link("busybox"),
        "bin/lease": Node.file(LEASE.encode(), 0o755),
        "dev/console": Node.character(5, 1),
    }
    depends = drivers.dependencies((release / "modules.dep").read_text(encoding="utf-8"))
    chosen = drivers.first_stage(depends, drivers.soft_dependencies((release / "modules.softdep").read_text(encoding="utf-8")))
    top = f"lib/modules/{release.name}"
    for path in chosen:
        found[f"{top}/{path}"] = Node.file((release / path).read_bytes())
        for name in drivers.firmware_of(release / path):
            if (firmware / name).is_file():
                found[f"lib/firmware/{name}"] = Node.file((firmware / name).read_bytes())
    listed = "".join(f"{path}:{''.join(f' {need}' for need in depends[path])}\n" for path in chosen)
    found[f"{top}/modules.dep"] = Node.file(listed.encode())
    for name in ("modules.alias", "modules.softdep"):
        text = (release / name).read_text(encoding="utf-8")
        found[f"{top}/{name}"] = Node.file(drivers.index(text, drivers.names(chosen)).encode())
    return found


def site(files: dict[str, bytes], size: int, sha256: str) -> bytes:
    """Return the archive that goes before the first stage: the site's files by path, and what its root.img must be (bytes, SHA-256)."""
    carried = {f"site/{name}": Node.file(data) for name, data in files.items()}
    carried["site"] = Node.folder()
    carried["fleet/size"] = Node.file(f"{size}\n".encode())
    carried["fleet/sha256"] = Node.file(f"{sha256}\n".encode())
    return pack(carried)
