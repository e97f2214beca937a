# Copyright: (c) 2026, Fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Options that the imaging modules share."""

from __future__ import annotations


class ModuleDocFragment:
    """Fragments by name: fleet.imaging.options.disk, .sources and .transfer."""

    DISK = r"""
options:
  disk:
    description:
      - The disk, as a path such as V(/dev/sda) or V(/dev/disk/by-id/…), or as an identity such as V(serial:S4EVNX0M) or
        V(wwn:0x5002538e40). An identity that means no disk or several disks of the station is refused.
    type: str
    required: true
"""

    SOURCES = r"""
options:
  sources:
    description:
      - Base URLs of content stores, nearest first, such as V(https://relay/content). The next one is asked when one fails.
    type: list
    elements: str
    required: true
"""

    TRANSFER = r"""
options:
  ca_file:
    description: File on the station with the certificate authority of the content stores; the system's authorities by default.
    type: path
  connections:
    description: Connections at a time.
    type: int
    default: 4
  rate:
    description: Bytes a second over all connections; V(0) for no limit.
    type: int
    default: 0
  work_dir:
    description:
      - Folder on the station for what must be held for a while, such as the archive of an image made with
        O(fleet.imaging.image_capture#module:method=files).
    type: path
    default: /var/tmp
"""
