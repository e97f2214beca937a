# Copyright: (c) 2026, Fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Programs that run in the imaging environment on a station; each stands alone, for its text is put into the root.

station    before sshd: who the station is, a host key, and the boot server's word that the key is this station's
console    on the screen and the serial line: name, address, fingerprint, and what goes on
"""

from __future__ import annotations
