# Copyright: (c) 2026, Fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Options that the imaging modules share."""

from __future__ import annotations


class ModuleDocFragment:
    """Fragments by name: fleet.imaging.options.disk, .sources, .transfer and .session."""

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

    SESSION = r"""
options:
  secret:
    description:
      - Secret of the session, 32 hexadecimal digits or more, that nobody but its sender and receivers knows. M(fleet.imaging.image_clone)
        makes one for each session.
    type: str
    required: true
  address:
    description: IPv4 or IPv6 address of the sender, by which its receivers reach it.
    type: str
    required: true
  group:
    description: Multicast address, of the same family as O(address). Default is V(239.255.77.1), or V(ff12::4d01) for IPv6.
    type: str
  ports:
    description:
      - Range of ports as V(7700-7731); a session takes a free one, for TCP (control) and UDP (data). So many sessions fit on one sender.
    type: str
    default: 7700-7731
  interface:
    description: Network interface for multicast; the one that has or reaches O(address) by default.
    type: str
    default: ""
  ttl:
    description: Hops that a multicast packet may take; V(1) stays on the segment.
    type: int
    default: 1
  mtu:
    description: Bytes of the largest packet that the network passes.
    type: int
    default: 1500
  patience:
    description:
      - Seconds of silence after which a station is given up by the sender. After twice that, a station gives up looking for its sender.
    type: float
    default: 30
"""
