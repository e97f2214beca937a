# Copyright: (c) 2026, Fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What stations start over the network.

names.py checks what comes from outside; site.py is what a boot server is told of its site; entry.py is what one station starts next, and
its state; ipxe.py and grub.py write that, and the menus, in the words of each loader, with the texts of texts.py; files.py puts files in
place whole; change.py does what the module boot_entry is asked for, menu.py what boot_menu is.

The boot service (roles/boot_server/files/fleet_boot) reads the state that entry.py writes, and shares its lock.
"""
