# Copyright: (c) 2026, Fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Disks, their partitions and their partition tables.

``identity`` says which disk is meant, ``device`` is the disk and its partitions as they are now, ``usage`` says who holds it,
``nodes`` keeps /dev in step with the kernel, ``table`` is a partition table as a value, ``fit`` lays one out on another disk,
``document`` parses one of unknown origin, ``sfdisk`` reads and writes it, ``bootcode`` lists the bytes outside partitions that matter.
``report`` and ``layout`` are what the modules disk_info and disk_layout do; only they look into partitions, through ``..filesystem``.
All sizes are bytes unless a name says sectors.
"""
