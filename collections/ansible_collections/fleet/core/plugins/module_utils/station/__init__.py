# Copyright: (c) 2026, Fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a Linux station says of itself, found without any agent.

    root.py ──> one file a section (memories.py, monitors.py, softwares.py …) ──> report.py ──> document.py
                    └── formats: smbios.py, dmidecode.py, edid.py, ids.py, dpkg.py …

A collector is a function ``(Root) -> list[Row]``. It reads below the root's path, so that it works on a captured tree as well, and it may
raise whatever it wants: ``report.gather`` names it in the warnings and goes on. ``spool.py`` keeps documents until ``push.py`` has
delivered them. Everything imports relatively: the role fleet.core.reporting copies this folder to stations as it is.
"""
