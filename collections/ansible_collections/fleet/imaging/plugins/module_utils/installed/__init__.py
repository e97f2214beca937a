# Copyright: (c) 2026, Fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The system installed on a disk, looked at and changed from outside while nobody runs it.

``volume`` lists what on a disk can hold files, ``lvm`` those inside volume groups, ``fstab`` reads the table of filesystems, ``system``
finds the root filesystem and mounts it with what belongs to it, ``tree`` reads and changes its files without ever leaving it, ``esp`` does
so in an EFI system partition. ``references`` are the files that name identifiers, ``initramfs`` holds copies of some and is made again,
``record`` remembers in the system what was done. The rooms ``..identity`` and ``..boot`` decide what is changed. Whatever is on the disk
is not trusted.
"""
