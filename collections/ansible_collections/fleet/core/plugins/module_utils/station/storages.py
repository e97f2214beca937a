# Copyright: (c) 2026, Fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The section storages: disks, and drives for removable media."""

from __future__ import annotations

import re

from .block import Block, disks
from .root import Root
from .row import Row, meaningful

_INTERFACES = {"sata": "SATA", "ata": "IDE", "nvme": "NVMe", "usb": "USB", "sas": "SAS", "mmc": "MMC", "fc": "FC", "iscsi": "iSCSI"}
_GENERIC_MAKERS = ("ATA", "NVMe")


def collect(root: Root) -> list[Row]:
    """Return one row a device."""
    return [_row(root, disk) for disk in disks(root)]


def _row(root: Root, disk: Block) -> Row:
    vendor, model = disk.get("vendor"), disk.get("model") or root.text(f"/sys/block/{disk.name}/device/name")
    address = re.fullmatch(r"(\d+):(\d+):(\d+):(\d+)", disk.get("hctl"))
    row: Row = {
        "name": disk.name,
        "manufacturer": "" if vendor in _GENERIC_MAKERS or vendor.startswith("0x") else vendor,
        "model": model,
        "serial": meaningful(disk.get("serial")),
        "firmware": disk.get("rev") or root.text(f"/sys/block/{disk.name}/device/firmware_rev"),
        "wwn": disk.get("wwn"),
        "disksize": disk.size >> 20 if disk.type == "disk" else 0,
        "interface": _INTERFACES.get(disk.get("tran"), disk.get("tran")) or ("virtio" if disk.name.startswith("vd") else ""),
        "type": disk.type if disk.type == "disk" else "cd-rom",
        "description": _description(disk),
    }
    row.update(zip(("scsi_coid", "scsi_chid", "scsi_unid", "scsi_lun"), address.groups() if address else ()))
    return row


def _description(disk: Block) -> str:
    if disk.type != "disk":
        return "optical drive"
    kind = "hard disk" if disk.get("rota") in ("1", "True") else "solid-state disk"
    return f"removable {kind}" if disk.get("rm") in ("1", "True") else kind
