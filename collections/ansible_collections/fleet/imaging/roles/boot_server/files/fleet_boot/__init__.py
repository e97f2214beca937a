# Copyright: (c) 2026, Fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The boot service of a boot server: what cannot be a static file.

store.py is what stations start and who may know; server.py answers nginx and dnsmasq's script over a Unix socket; password.py checks the
menu's password, neighbours.py whose address a request comes from. advertise.py spares iPXE a wait; probe.py looks for other DHCP servers,
status.py at the pool of our own.

It runs on the boot server's Python (3.9 or newer) and nothing else, as a user without rights. The state is written by the module
fleet.imaging.boot_entry; both take the same lock.
"""
