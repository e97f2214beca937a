# Copyright: (c) 2026, Fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which of the kernel's modules the imaging environment has, and which of those its first stage needs.

Paths are those of modules.dep(5): relative to the folder of the kernel's release.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from pathlib import Path

LEFT_OUT = (
    "sound",
    *(
        f"drivers/{each}"
        for each in (
            *(
                "accessibility",
                "bluetooth",
                "comedi",
                "counter",
                "edac",
                "extcon",
                "firmware/google",
                "fpga",
                "gnss",
                "gpu",
                "greybus",
                "hwmon",
            ),
            *(
                "iio",
                "infiniband",
                "isdn",
                "leds",
                "media",
                "memstick",
                "misc/habanalabs",
                "mtd",
                "nfc",
                "ntb",
                "parport",
                "pcmcia",
                "power",
            ),
            *("pwm", "rapidio", "soundwire", "staging", "target", "thermal", "uio", "usb/gadget", "vdpa", "vfio", "vhost", "video", "w1"),
            *(f"net/{kind}" for kind in ("appletalk", "arcnet", "can", "fddi", "hamradio", "hippi", "ieee802154", "plip", "ppp", "slip")),
            *(f"net/{kind}" for kind in ("wan", "wireless", "wwan")),
        )
    ),
    *(
        f"net/{each}"
        for each in (
            *(
                "6lowpan",
                "9p",
                "appletalk",
                "atm",
                "ax25",
                "batman-adv",
                "bluetooth",
                "bridge",
                "can",
                "ceph",
                "dccp",
                "ieee802154",
                "l2tp",
            ),
            *(
                "mac80211",
                "mac802154",
                "mpls",
                "mptcp",
                "netfilter",
                "netrom",
                "nfc",
                "openvswitch",
                "phonet",
                "qrtr",
                "rds",
                "rose",
                "rxrpc",
            ),
            *("rose", "rxrpc", "sched", "sctp", "smc", "tipc", "wireless"),
        )
    ),
    *(f"fs/{each}" for each in ("9p", "afs", "ceph", "coda", "dlm", "ecryptfs", "gfs2", "jffs2", "ocfs2", "orangefs", "ubifs", "vboxsf")),
    # files and disks over a network; virtual machines; tests
    *("fs/lockd", "fs/nfs", "fs/nfs_common", "fs/nfsd", "fs/smb", "net/sunrpc", "arch/x86/kvm", "virt", "lib/test_bpf.ko"),
    *(f"drivers/scsi/{each}" for each in ("bfa", "bnx2fc", "csiostor", "cxgbi", "fcoe", "fnic", "lpfc", "qedf", "qedi", "qla2xxx", "snic")),
)
"""Folders of modules that a station which is imaged over a cable has no use for. Wireless cards need keys, which nothing here has."""

FIRST_STAGE = (
    # a wired network, whatever the card
    *("drivers/net/ethernet/", "drivers/net/usb/", "drivers/net/phy/", "drivers/net/mdio", "drivers/net/pcs/", "drivers/net/hyperv/"),
    *("drivers/net/vmxnet3/", "drivers/net/virtio_net", "drivers/net/xen-netfront", "drivers/net/mii", "drivers/net/net_failover"),
    *("drivers/virtio/", "drivers/hv/", "net/packet/", "drivers/pci/controller/vmd", "drivers/pci/controller/pci-hyperv"),
    # a medium: USB, CD, disk, card, or the RAM disk into which UEFI's HTTP Boot loads one
    *("drivers/usb/host/", "drivers/usb/storage/", "drivers/usb/common/", "drivers/usb/core/", "drivers/ata/", "drivers/nvme/host/nvme."),
    *("drivers/scsi/sd_mod", "drivers/scsi/sr_mod", "drivers/scsi/virtio_scsi", "drivers/scsi/vmw_pvscsi", "drivers/scsi/hv_storvsc"),
    *("drivers/cdrom/", "drivers/block/virtio_blk", "drivers/block/loop", "drivers/block/xen-blkfront", "drivers/mmc/", "drivers/nvdimm/"),
    *("drivers/acpi/nfit/", "drivers/dax/", "drivers/message/fusion/"),
    # file systems
    *("fs/isofs/", "fs/fat/", "fs/ext4/", "fs/squashfs/", "fs/overlayfs/", "fs/nls/nls_cp437", "fs/nls/nls_iso8859-1", "fs/nls/nls_ascii"),
    *("fs/nls/nls_utf8", "lib/crc", "arch/x86/crypto/crc", "crypto/crc"),
)
"""Beginnings of the paths (without ``kernel/``) of modules that the first stage has; what they depend on comes along."""

_NOT_THERE = ("drivers/net/ethernet/mellanox/mlxsw", "drivers/net/ethernet/netronome", "drivers/usb/host/xen", "drivers/ata/pata_parport")
"""Switches, cards for data centres that no station has: they are large."""

_FIRMWARE = re.compile(rb"\0firmware=([\x21-\x7e]+)(?=\0)")


def dependencies(text: str) -> dict[str, list[str]]:
    """Return modules.dep as a mapping: what each module needs, in the order of loading reversed."""
    found = {}
    for line in text.splitlines():
        module, colon, needs = line.partition(":")
        if colon:
            found[module.strip()] = needs.split()
    return found


def first_stage(depends: dict[str, list[str]], softly: Iterable[tuple[str, str]] = ()) -> list[str]:
    """Return the modules of the first stage and all that they depend on, sorted. softly: pairs (module, module it is better with)."""
    names = {_name(path): path for path in depends}
    chosen = {path for path in depends if _wanted(path.split("kernel/", 1)[-1])}
    while True:
        more = {need for path in chosen for need in depends[path]}
        more |= {names[second] for first, second in softly if names.get(first) in chosen and second in names}
        if more <= chosen:
            return sorted(chosen)
        chosen |= more


def soft_dependencies(text: str) -> list[tuple[str, str]]:
    """Return the pairs of modules.softdep (``softdep NAME pre: A B post: C``)."""
    pairs = []
    for line in text.splitlines():
        words = line.split()
        if words[:1] == ["softdep"]:
            pairs += [(words[1].replace("-", "_"), word.replace("-", "_")) for word in words[2:] if not word.endswith(":")]
    return pairs


def firmware_of(module: Path) -> list[str]:
    """Return the files below /lib/firmware that a module says it may ask for."""
    return sorted({name.decode() for name in _FIRMWARE.findall(b"\0" + module.read_bytes())})


def index(text: str, names: Iterable[str]) -> str:
    """Return the lines of modules.alias or modules.softdep that are about the modules of these names (underscores)."""
    kept = set(names)
    words = ((line, line.split()) for line in text.splitlines())
    lines = [
        line
        for line, word in words
        if (word[:1] == ["alias"] and word[-1] in kept) or (word[:1] == ["softdep"] and word[1].replace("-", "_") in kept)
    ]
    return "".join(f"{line}\n" for line in lines)


def names(paths: Iterable[str]) -> set[str]:
    """Return the modules' names as the kernel knows them."""
    return {_name(path) for path in paths}


def _name(path: str) -> str:
    return path.rsplit("/", 1)[-1].split(".ko", 1)[0].replace("-", "_")


def _wanted(path: str) -> bool:
    return path.startswith(FIRST_STAGE) and not path.startswith(_NOT_THERE)
