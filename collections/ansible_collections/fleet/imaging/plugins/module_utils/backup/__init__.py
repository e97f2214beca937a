# Copyright: (c) 2026, Fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The local backup: a content store in a partition of the station's own disk, from which it is restored when no other can be reached.

volume     makes the partition's filesystem and store, and mounts them for whoever has work there
survey     what of an image is there already
fill       puts a version of an image into the store, from the disk itself and from whoever sends what is not on the disk
keeping    which versions stay there
delivery   fills it after a restore, or by itself: then the system's partitions are left alone
supply     chunks from the store, for a restore

Which partition it is, and where a new one goes, is in ``..disk.reserved``. A signature and a hash are all that is trusted here as well.
"""
