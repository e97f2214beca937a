# Copyright: (c) 2026, Fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Boot loaders of an installed system, made to find what is on its disk now.

``grub`` makes GRUB's core images from the system's own modules, ``bios`` puts one where a BIOS looks, ``efi`` where UEFI does, ``entries``
tells the firmware, ``settings`` mends what fstab, grub.cfg and the initramfs name. ``repair`` does all of it. Windows' own loader is never
touched.
"""
